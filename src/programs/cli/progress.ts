// One line on stderr that says how far a piece of work is. On a terminal it is a bar that is drawn over itself; where
// stderr is a file or a pipe, each new message is one line, and nothing repeats.
import { clean, lineWidth, styled } from './terminal.ts';

/** The progress of one piece of work. */
export interface Progress {
  /** @param share done, in [0, 1] */
  update(share: number, message: string): void;
  /** Writes a line that stays, above the bar. */
  line(text: string): void;
  /** Removes the bar; saying it twice changes nothing. */
  end(): void;
}

const barWidth = 24;

/** Progress on `stream`. */
export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? barOn(stream) : linesOn(stream);
}

function barOn(stream: NodeJS.WriteStream): Progress {
  let shown = '';
  const erase = (): void => void (shown !== '' && stream.write('\r\u001b[K'));
  const draw = (): void => void (shown !== '' && stream.write(shown));
  return {
    update(share, message) {
      erase();
      const filled = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
      const bar =
        styled('cyan', '━'.repeat(filled), stream) + styled('dim', '─'.repeat(barWidth - filled), stream);
      const percent = `${Math.floor(Math.min(1, share) * 100)} %`.padStart(5);
      const room = Math.max(10, (lineWidth(stream) ?? 80) - barWidth - 9);
      shown = `${bar} ${percent}  ${clean(message).slice(0, room)}`;
      draw();
    },
    line(text) {
      erase();
      stream.write(`${text}\n`);
      draw();
    },
    end() {
      erase();
      shown = '';
    },
  };
}

function linesOn(stream: NodeJS.WriteStream): Progress {
  let last = '';
  const line = (text: string): void => void stream.write(`${text}\n`);
  return {
    update(_share, message) {
      // "about 5 s left" and "about 4 s left" are one message.
      const kind = message.replaceAll(/\d+/g, '');
      if (kind !== last) line(clean(message));
      last = kind;
    },
    line,
    end() {},
  };
}

// What the command line writes, and where: answers on stdout, everything else on stderr. Colours only where a terminal
// shows them (`styleText` looks at the stream, NO_COLOR and FORCE_COLOR). Text that comes from data is cleaned first:
// an escape sequence in a cell must not move the reader's cursor.
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Writes a line of the answer. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a line that is not the answer: what is being done, a hint. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Text in a style where `stream` shows it. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream });
}

/** Cells in a line of the terminal behind `stream`; undefined where there is none and lines may be as long as they are. */
export function lineWidth(stream: NodeJS.WriteStream): number | undefined {
  // A terminal that does not know its size says 0.
  return stream.isTTY ? stream.columns || 80 : undefined;
}

/** `text` with control characters as visible stand-ins (U+2400 and following), on one line. */
export function clean(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is replaced
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 32 ? String.fromCharCode(0x2400 + code) : '\u2421';
  });
}

/** The number of terminal cells that `text` takes, close enough for tables: East Asian and emoji count two. */
export function cellWidth(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) width += isWide(segment) ? 2 : 1;
  return width;
}

function isWide(grapheme: string): boolean {
  return /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u.test(
    grapheme,
  );
}

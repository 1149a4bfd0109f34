// Makes line ends alike in a stream of UTF-8: CR LF and a lone CR become LF, outside quotes only.
// For the rare file that mixes them (parts put together from different systems); the engine refuses such files.
import { Transform, type TransformCallback } from 'node:stream';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** A stream that turns CR LF and CR outside of `quote`d fields into LF; `quote` is one ASCII character or empty. */
export function lineEndNormaliser(quote: string): Transform {
  const quoteByte = quote === '' ? -1 : quote.charCodeAt(0);
  let isQuoted = false;
  let afterReturn = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      const output = Buffer.allocUnsafe(chunk.length);
      let length = 0;
      for (let index = 0; index < chunk.length; index++) {
        const byte = chunk[index]!;
        const endsPair = afterReturn && byte === lineFeed;
        afterReturn = false;
        if (endsPair) continue;
        if (byte === quoteByte) isQuoted = !isQuoted;
        afterReturn = byte === carriageReturn && !isQuoted;
        output[length++] = afterReturn ? lineFeed : byte;
      }
      done(null, output.subarray(0, length));
    },
  });
}

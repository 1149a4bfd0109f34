// Finds the field that is too long for the engine, which itself only tells the line.
import { createReadStream } from 'node:fs';
import type { Dialect } from './records.ts';

/** The first field of more than `maxBytes`: its line and position in the row, both from 1. */
export async function findLongField(
  path: string,
  { delimiter, quote }: Dialect,
  maxBytes: number,
): Promise<{ line: number; field: number } | undefined> {
  const delimiterByte = delimiter.charCodeAt(delimiter.length - 1);
  const quoteByte = quote === '' ? -1 : quote.charCodeAt(0);
  let line = 1;
  let startLine = 1;
  let field = 1;
  let length = 0;
  let isQuoted = false;
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) {
    for (const byte of chunk as Buffer) {
      if (byte === quoteByte) isQuoted = !isQuoted;
      const endsRow = byte === 0x0a && !isQuoted;
      if (byte === 0x0a) line++;
      if (endsRow || (byte === delimiterByte && !isQuoted)) {
        field = endsRow ? 1 : field + 1;
        length = 0;
        if (endsRow) startLine = line;
      } else if (++length > maxBytes) return { line: startLine, field };
    }
  }
  return undefined;
}

// Fields and lines that are too long for the engine. It refuses most of them without saying which field it was, and a
// last line longer than its buffer it leaves out without a word (DuckDB 1.5.6), so long lines are looked for beforehand.
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Dialect } from './records.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const pieceBytes = 16_384;

/**
 * Whether some line of the file at `path` has more than `maxBytes`. Leaps from line end to line end, the last one
 * within `maxBytes` each time, so that it reads little of a file of short lines.
 */
export async function hasLongLine(path: string, maxBytes: number): Promise<boolean> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let start = 0; size - start > maxBytes;) {
      const end = await lastLineEnd(file, start, start + maxBytes);
      if (end === undefined) return true;
      start = end + 1;
    }
    return false;
  } finally {
    await file.close();
  }
}

async function lastLineEnd(file: FileHandle, from: number, to: number): Promise<number | undefined> {
  const piece = Buffer.alloc(pieceBytes);
  for (let end = to; end > from; end -= pieceBytes) {
    const start = Math.max(from, end - pieceBytes);
    const { bytesRead } = await file.read(piece, 0, end - start, start);
    const read = piece.subarray(0, bytesRead);
    const found = Math.max(read.lastIndexOf(lineFeed), read.lastIndexOf(carriageReturn));
    if (found >= 0) return start + found;
  }
  return undefined;
}

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
      const endsRow = byte === lineFeed && !isQuoted;
      if (byte === lineFeed) line++;
      if (endsRow || (byte === delimiterByte && !isQuoted)) {
        field = endsRow ? 1 : field + 1;
        length = 0;
        if (endsRow) startLine = line;
      } else if (++length > maxBytes) return { line: startLine, field };
    }
  }
  return undefined;
}

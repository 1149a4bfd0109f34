// Which bytes a file holds anywhere. Looking through the bytes once costs a fifth of asking every text in SQL, and few
// files have a zero byte, or a quote.
import { open } from 'node:fs/promises';

const chunkBytes = 1_048_576;

/** Those of `wanted` that occur in the file at `path`. */
export async function findBytes(path: string, wanted: readonly number[]): Promise<Set<number>> {
  const found = new Set<number>();
  const file = await open(path);
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    while (found.size < wanted.length) {
      const { bytesRead } = await file.read(chunk, 0, chunkBytes, null);
      if (bytesRead === 0) break;
      const read = chunk.subarray(0, bytesRead);
      for (const byte of wanted) if (!found.has(byte) && read.includes(byte)) found.add(byte);
    }
  } finally {
    await file.close();
  }
  return found;
}

// Holds an answer back until it is whole: a little in memory, the rest in a file that has no name, so that nothing is
// left behind however the process ends. Needed because a problem on the last line must still be told as a problem, and
// because few clients read an answer while they are sending.
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Text that is written first and read once. Call {@link Spool.discard} unless it is read. */
export class Spool {
  readonly #maxMemoryBytes: number;
  #parts: Buffer[] = [];
  #memoryBytes = 0;
  #file: FileHandle | undefined;
  sizeBytes = 0;

  constructor(maxMemoryBytes: number) {
    this.#maxMemoryBytes = maxMemoryBytes;
  }

  /** Throws the system's error when the disk is full. */
  async write(text: string): Promise<void> {
    const part = Buffer.from(text);
    this.#parts.push(part);
    this.#memoryBytes += part.length;
    this.sizeBytes += part.length;
    if (this.#memoryBytes > this.#maxMemoryBytes) await this.#flush();
  }

  /** What was written; reading it to the end or giving it up frees everything. */
  async *read(): AsyncGenerator<Uint8Array> {
    try {
      // `start` makes the stream read by position, from the beginning of what was written.
      if (this.#file) yield* this.#file.createReadStream({ start: 0, autoClose: false });
      yield* this.#parts;
    } finally {
      await this.discard();
    }
  }

  /** Frees everything; harmless when that was done. */
  async discard(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#parts = [];
    await file?.close();
  }

  async #flush(): Promise<void> {
    this.#file ??= await openUnnamed();
    const parts = this.#parts;
    this.#parts = [];
    this.#memoryBytes = 0;
    for (const part of parts) {
      let written = 0;
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      while (written < part.length) written += (await this.#file.write(part, written)).bytesWritten;
    }
  }
}

/** A file that is open and in no folder any more: the system frees it when it is closed. */
async function openUnnamed(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-answer-'));
  try {
    return await open(join(folder, 'answer'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

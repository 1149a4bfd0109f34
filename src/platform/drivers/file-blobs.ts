// Blobs as files: `FOLDER/blobs/ab/abcd...`, named by their SHA-256. Bytes arrive in `FOLDER/staging`, reach the disk,
// and only then get their name by a rename, which is atomic; whatever goes wrong before leaves nothing to read.
import { createHash, randomUUID, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, mkdir, open, opendir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { assert } from '../../base/assert.ts';
import { isSha256, type Sha256 } from '../../base/hash.ts';
import { asProblem, Problem } from '../../base/problems.ts';
import { dayMs } from '../../base/time.ts';
import type { BlobInfo, Blobs } from '../ports/blobs.ts';

/** Opens the store in `folder`, makes it if needed, and removes what crashed processes left half-written. */
export async function openFileBlobs({ folder }: { folder: string }): Promise<Blobs> {
  const blobsFolder = join(folder, 'blobs');
  const stagingFolder = join(folder, 'staging');
  await mkdir(blobsFolder, { recursive: true, mode: 0o700 });
  await mkdir(stagingFolder, { recursive: true, mode: 0o700 });
  await sweep(stagingFolder);

  const stagingPath = (): string => join(stagingFolder, `${process.pid}-${randomUUID()}`);

  function pathOf(sha256: Sha256): string {
    if (!isSha256(sha256)) throw noSuchBlob();
    return join(blobsFolder, sha256.slice(0, 2), sha256);
  }

  /** Gives a staged, synced file its name. */
  async function publish(staged: string, info: BlobInfo): Promise<BlobInfo> {
    const path = pathOf(info.sha256);
    const shard = join(path, '..');
    await mkdir(shard, { recursive: true, mode: 0o700 });
    await chmod(staged, 0o400);
    await rename(staged, path);
    await syncFolder(shard);
    return info;
  }

  const blobs: Blobs = {
    put: async (source, { maxBytes, signal }) => {
      const staged = stagingPath();
      try {
        return await publish(staged, await writeSynced(source, { path: staged, maxBytes, signal }));
      } catch (error) {
        throw asPutProblem(error, signal);
      } finally {
        await rm(staged, { force: true });
      }
    },

    putFile: async (path) => {
      const staged = stagingPath();
      try {
        // Moved before it is hashed, so that nobody can change it in between by its name.
        if (!(await moved(path, staged))) {
          const original = await open(path, noFollow);
          const info = await blobs.put(original.createReadStream(), { maxBytes: Infinity });
          await rm(path, { force: true });
          return info;
        }
        return await publish(staged, await hashSynced(staged));
      } catch (error) {
        throw asPutProblem(error);
      } finally {
        await rm(staged, { force: true });
      }
    },

    open: async (sha256, range) => {
      const file = await open(pathOf(sha256)).catch(asNotFound);
      if (range === undefined) return file.createReadStream();
      if (range.end <= range.start) {
        await file.close();
        return Readable.from([]);
      }
      return file.createReadStream({ start: range.start, end: range.end - 1 });
    },

    localPath: async (sha256) => {
      const path = pathOf(sha256);
      await access(path).catch(asNotFound);
      return path;
    },

    stat: async (sha256) => {
      if (!isSha256(sha256)) return undefined;
      const found = await stat(pathOf(sha256)).catch(asAbsent);
      return found && { sha256, sizeBytes: found.size };
    },

    remove: async (sha256) => {
      if (isSha256(sha256)) await rm(pathOf(sha256), { force: true });
    },

    list: async function* () {
      for await (const shard of await opendir(blobsFolder)) {
        for await (const entry of await opendir(join(blobsFolder, shard.name))) {
          if (!isSha256(entry.name)) continue;
          const found = await stat(pathOf(entry.name)).catch(asAbsent);
          if (found)
            yield { sha256: entry.name, sizeBytes: found.size, storedAtMs: Math.floor(found.mtimeMs) };
        }
      }
    },

    ping: async () => {
      try {
        await access(stagingFolder, constants.R_OK | constants.W_OK);
      } catch (cause) {
        throw new Problem('unavailable', 'The folder of stored files cannot be written.', { cause });
      }
    },
  };
  return blobs;
}

// A symbolic link left by a task must not make us read what it points to.
const noFollow = constants.O_RDONLY | constants.O_NOFOLLOW;

async function writeSynced(
  source: AsyncIterable<Uint8Array>,
  { path, maxBytes, signal }: { path: string; maxBytes: number; signal: AbortSignal | undefined },
): Promise<BlobInfo> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    let sizeBytes = 0;
    const write = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const chunk of chunks) {
        assert(chunk instanceof Uint8Array, 'blobs are made of bytes');
        sizeBytes += chunk.byteLength;
        if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
        hash.update(chunk);
        await file.appendFile(chunk);
      }
    };
    // A pipeline ends the source when writing fails. A source that went silent may never notice that it was aborted:
    // nobody waits for it.
    await (signal ? unlessAborted(pipeline(source, write, { signal }), signal) : pipeline(source, write));
    await file.sync();
    return { sha256: hash.digest('hex'), sizeBytes };
  } finally {
    await file.close();
  }
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function hashSynced(path: string): Promise<BlobInfo> {
  const file = await open(path, noFollow);
  try {
    const { size } = await file.stat();
    const hash: Hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
    await file.sync();
    return { sha256: hash.digest('hex'), sizeBytes: size };
  } finally {
    await file.close();
  }
}

/** Whether `path` could be moved: another file system needs a copy. */
async function moved(path: string, target: string): Promise<boolean> {
  try {
    await rename(path, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EXDEV') return false;
    throw error;
  }
}

/** Makes a rename last through a power cut; Windows has no such call and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes staged files whose process is gone, or that are older than any transfer. */
async function sweep(stagingFolder: string): Promise<void> {
  for (const name of await readdir(stagingFolder)) {
    const path = join(stagingFolder, name);
    const found = await stat(path).catch(asAbsent);
    if (!found) continue;
    const isOld = Date.now() - found.mtimeMs > dayMs;
    if (isOld || !isRunning(Number.parseInt(name, 10))) await rm(path, { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('body-too-large', `At most ${maxBytes} bytes can be stored here.`);
}

function asPutProblem(error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof Problem) return error;
  if (signal?.aborted)
    return new Problem('cancelled', 'The transfer was stopped before its end.', { cause: error });
  const problem = asProblem(error);
  return problem.code === 'disk-full' ? problem : error;
}

function noSuchBlob(): Problem {
  return new Problem('not-found', 'There is no stored file with this address.');
}

function asNotFound(error: NodeJS.ErrnoException): never {
  throw error.code === 'ENOENT' ? noSuchBlob() : error;
}

function asAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

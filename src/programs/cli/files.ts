// Files that the reader named: opened and written here, so that what goes wrong is told in the same words everywhere.
// What is written appears whole or not at all.
import { createWriteStream, openAsBlob } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Problem } from '../../base/problems.ts';
import { fileProblem } from './failure.ts';

/** The file as a Blob, read from the disk part by part. @throws Problem when it cannot be opened */
export async function openFile(path: string): Promise<Blob> {
  await checkFile(path);
  return openAsBlob(path);
}

/** Checks that `path` is a file that can be read. @throws Problem saying what is wrong with it */
export async function checkFile(path: string): Promise<{ sizeBytes: number }> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size, isDirectory } = await stat(path).then((info) => ({
        size: info.size,
        isDirectory: info.isDirectory(),
      }));
      if (isDirectory) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
      return { sizeBytes: size };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileProblem(error, path);
  }
}

/** Whether there is a file at `path`. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
}

/** Writes all of `source` to `path`; a part of it never stands there. @returns how many bytes it has */
export async function writeWhole(
  path: string,
  source: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
  signal?: AbortSignal,
): Promise<{ sizeBytes: number }> {
  const partial = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    await checkTarget(path);
    await pipeline(source, createWriteStream(partial), { signal });
    const { size } = await stat(partial);
    await rename(partial, path);
    return { sizeBytes: size };
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw fileProblem(error, path);
  }
}

/** The name of a model as that of a file: what a file name cannot hold becomes a hyphen. */
export function fileNameFor(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replaceAll(/^[-.]+|[-.]+$/g, '') || 'model';
}

/** Checks, before long work begins, that a file can be written to `path`. */
export async function checkTarget(path: string): Promise<void> {
  const folder = dirname(path);
  const info = await stat(folder).catch((error: unknown) => {
    throw fileProblem(error, folder);
  });
  if (!info.isDirectory()) throw new Problem('file-not-found', `"${folder}" is not a folder.`);
  const target = await stat(path).catch(() => undefined);
  if (target?.isDirectory())
    throw new Problem('file-not-accessible', `"${path}" is a folder; name a file in it.`);
}

// Segments: files of one server that records are appended to until they become Parquet. Each process has a folder of
// its own below the log's; what a process that was killed left behind is taken over by the next one on its machine.
// Lines reach the system with every write, so that only what was still in memory dies with the process.
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, truncate, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isId } from '../../../base/ids.ts';
import { hourMs, minuteMs } from '../../../base/time.ts';
import { lockFolder } from '../../../platform/drivers/folder-lock.ts';
import { headerLine, readHeader, type LogStream } from './record.ts';

const machine = hostname().replaceAll(/[^\w-]/g, '_') || 'machine';
/** Other machines, such as containers before this one, are given up when they were silent for so long. */
const silentMs = hourMs;
const touchEveryMs = 5 * minuteMs;
const suffix = '.ndjson';

/** A file of records of one deployment. */
export interface Segment {
  /** The id of the part that it becomes. */
  id: string;
  path: string;
  stream: LogStream;
  rowCount: number;
  sizeBytes: number;
  beganAtMs: number;
}

/** The folder of one process. */
export class SegmentFolder {
  /** Names this process among those that share a database. */
  readonly serverId: string;
  readonly #root: string;
  readonly #path: string;
  readonly #unlock: () => void;
  readonly #touch: NodeJS.Timeout;

  private constructor(root: string, serverId: string) {
    this.#root = root;
    this.serverId = serverId;
    this.#path = join(root, serverId);
    this.#unlock = lockFolder(this.#path);
    this.#touch = setInterval(() => {
      void utimes(this.#path, new Date(), new Date()).catch(() => undefined);
    }, touchEveryMs);
    this.#touch.unref();
  }

  /** Opens a folder for this process below `root`, which is made when it is not there. */
  static async open(root: string): Promise<SegmentFolder> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    const folder = new SegmentFolder(root, `${machine}.${randomUUID()}`);
    await mkdir(folder.#path, { mode: 0o700 });
    return folder;
  }

  /** Begins a segment. Throws what the system says when it cannot be written; then nothing is left of it. */
  async begin(id: string, stream: LogStream, beganAtMs: number): Promise<Segment> {
    const segment = {
      id,
      path: join(this.#path, `${id}${suffix}`),
      stream,
      rowCount: 0,
      sizeBytes: 0,
      beganAtMs,
    };
    try {
      await append(segment, headerLine(stream), 0);
    } catch (error) {
      await rm(segment.path, { force: true });
      throw error;
    }
    return segment;
  }

  /** Takes over what processes that are gone left behind: their segments, and who they were. */
  async adopt(): Promise<{ segments: Segment[]; serverIds: string[] }> {
    const segments: Segment[] = [];
    const serverIds: string[] = [];
    for (const entry of await readdir(this.#root, { withFileTypes: true })) {
      const { name } = entry;
      if (!entry.isDirectory() || name === this.serverId || !(await this.#isGivenUp(name))) continue;
      const unlock = lockedIfFree(join(this.#root, name));
      if (!unlock) continue;
      try {
        for (const file of await readdir(join(this.#root, name))) {
          const segment = await this.#takeOver(join(this.#root, name, file), file);
          if (segment) segments.push(segment);
        }
        await rmdir(join(this.#root, name));
        serverIds.push(name);
      } finally {
        unlock();
      }
    }
    return { segments, serverIds };
  }

  /** A path for a file on its way into the blobs. */
  pathFor(name: string): string {
    return join(this.#path, name);
  }

  /** Lets go of the folder; segments in it wait for the next process. */
  async close(): Promise<void> {
    clearInterval(this.#touch);
    await rmdir(this.#path).catch(() => undefined);
    this.#unlock();
  }

  async #isGivenUp(name: string): Promise<boolean> {
    if (name.startsWith(`${machine}.`)) return true;
    return Date.now() - (await stat(join(this.#root, name))).mtimeMs > silentMs;
  }

  async #takeOver(found: string, file: string): Promise<Segment | undefined> {
    const id = file.slice(0, -suffix.length);
    // A part that was being made, or nothing of ours: it is made again from its segment.
    if (!file.endsWith(suffix) || !isId('logPart', id)) {
      await rm(found, { recursive: true, force: true });
      return undefined;
    }
    const path = join(this.#path, file);
    await rename(found, path);
    return await readSegment(id, path);
  }
}

/** Adds whole lines. Throws what the system says; then the segment is as it was before. */
export async function append(segment: Segment, lines: string, rowCount: number): Promise<void> {
  const bytes = Buffer.from(lines);
  const file = await open(segment.path, 'a', 0o600);
  try {
    await file.appendFile(bytes);
  } catch (error) {
    await file.truncate(segment.sizeBytes);
    throw error;
  } finally {
    await file.close();
  }
  segment.sizeBytes += bytes.length;
  segment.rowCount += rowCount;
}

/** What a killed process wrote, up to its last whole line; undefined for a file without any record, which is removed. */
async function readSegment(id: string, path: string): Promise<Segment | undefined> {
  const bytes = await readFile(path);
  const sizeBytes = bytes.lastIndexOf(10) + 1;
  if (sizeBytes < bytes.length) await truncate(path, sizeBytes);
  const stream = readHeader(bytes.toString('utf8', 0, Math.max(0, bytes.indexOf(10))));
  let rowCount = -1;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, end + 1)) rowCount++;
  if (stream && rowCount > 0) return { id, path, stream, rowCount, sizeBytes, beganAtMs: 0 };
  await rm(path, { force: true });
  return undefined;
}

function lockedIfFree(path: string): (() => void) | undefined {
  try {
    return lockFolder(path);
  } catch {
    return undefined;
  }
}

// Work folders: one for each task, removed after it whatever happens. A server that was killed removes nothing, so
// each process keeps its folders in one that bears its name, and the next start on the machine sweeps those of the
// dead. Machines that share a disk do not judge each other's until they have been untouched for a day.
//
// Beside them is one for each job whose tries leave something for the next: it outlives servers, and is removed with the
// end of its job by whoever ends it. What a machine that missed the end still holds, its next look at the jobs removes.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { dayMs, hourMs } from '../../base/time.ts';
import type { Log } from '../ports/log.ts';

/** The folder of one task. */
export interface WorkFolder {
  /** Where the task works. */
  work: string;
  /** Home and temporary folder of its process. */
  home: string;
  /** Removes both. What cannot be removed now is swept by a later start; the log says so. */
  remove(): Promise<void>;
}

export interface WorkFolders {
  make(): Promise<WorkFolder>;
  /** Path of the folder that the tries of a job share; whoever needs it makes it. */
  keptFor(jobId: string): string;
  /** Removes it, if it is there; never throws. */
  forget(jobId: string): Promise<void>;
  /** The jobs that have one. */
  keptJobs(): Promise<string[]>;
  /** Removes all that is left of this process's folders. */
  close(): Promise<void>;
}

// All users of a root in one process share its folder: none may take another's for left behind.
const processMark = randomBytes(6).toString('hex');
const machine = hostname().replaceAll(/[^\w-]/g, '_') || 'machine';
const keptPrefix = 'job-';
const ownName = `${machine}.${process.pid}.${processMark}`;

/** Work folders below `root`, which is made when it is not there. Sweeps what dead servers left behind. */
export async function openWorkFolders(root: string, log: Log): Promise<WorkFolders> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  await sweep(root);
  const own = join(root, ownName);
  const made = new Set<string>();
  // Says to other machines that it is in use.
  const touch = setInterval(() => void utimes(own, new Date(), new Date()).catch(() => undefined), hourMs);
  touch.unref();
  return {
    async make() {
      await mkdir(own, { recursive: true, mode: 0o700 });
      const folder = await mkdtemp(join(own, 'task-'));
      made.add(folder);
      const [work, home] = [join(folder, 'work'), join(folder, 'home')];
      await Promise.all([mkdir(work), mkdir(home)]);
      return {
        work,
        home,
        remove: async () => {
          try {
            await removeFolder(folder);
            made.delete(folder);
          } catch (error) {
            log.warn({ error }, 'a work folder cannot be removed');
          }
        },
      };
    },
    keptFor: (jobId) => join(root, `${keptPrefix}${jobId}`),
    async forget(jobId) {
      try {
        await removeFolder(join(root, `${keptPrefix}${jobId}`));
      } catch (error) {
        log.warn({ error, jobId }, 'what a job kept between its tries cannot be removed');
      }
    },
    async keptJobs() {
      const names = await readdir(root);
      return names.flatMap((name) => (name.startsWith(keptPrefix) ? [name.slice(keptPrefix.length)] : []));
    },
    async close() {
      clearInterval(touch);
      await Promise.allSettled([...made].map(removeFolder));
      // Fails while another user in this process has folders in it, who will remove it then.
      await rmdir(own).catch(() => undefined);
    },
  };
}

async function sweep(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const match = /^([\w-]+)\.(\d+)\.([0-9a-f]{12})$/.exec(name);
    if (match && name !== ownName && (await isLeftBehind(join(root, name), match))) {
      await removeFolder(join(root, name));
    }
  }
}

async function isLeftBehind(path: string, [, owner, pid]: RegExpExecArray): Promise<boolean> {
  if (owner !== machine) {
    const { mtimeMs } = await stat(path);
    return Date.now() - mtimeMs > dayMs;
  }
  // The same number with another mark is an earlier process, as in a container that was started anew.
  return Number(pid) === process.pid || !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes a folder in which a killed process may have been writing a moment ago. */
async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

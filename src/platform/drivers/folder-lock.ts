// One process for each data folder: a lock file beside it names its holder. The lock of a process that died without
// letting go (kill -9, power cut) is taken over. It guards against accidents on one machine, not between machines.
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Problem } from '../../base/problems.ts';

interface Holder {
  pid: number;
  /** Tells a process from a later one with the same number, where the system says it (Linux); else empty. */
  startedAt: string;
  /** Tells holders within one process apart. */
  token: string;
}

/** Locks held by this process. */
const heldHere = new Set<string>();

/** Locks `folder` until the returned function is called. Throws `data-folder-in-use`. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = `${folder}.lock`;
  const own: Holder = { pid: process.pid, startedAt: await startOf(process.pid), token: randomUUID() };
  const candidate = `${path}.${own.token}`;
  await writeFile(candidate, JSON.stringify(own));
  try {
    while (!(await linked(candidate, path))) await removeIfStale(path);
  } finally {
    await rm(candidate, { force: true });
  }
  heldHere.add(own.token);
  return async () => {
    if (!heldHere.delete(own.token)) return;
    await rm(path, { force: true });
  };
}

/** Makes `path` with all its content at once, or says that it is there already. */
async function linked(candidate: string, path: string): Promise<boolean> {
  try {
    await link(candidate, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes a dead holder's lock away; throws when the holder lives. */
async function removeIfStale(path: string): Promise<void> {
  const text = await readIfThere(path);
  if (text === undefined) return;
  const holder = asHolder(text);
  if (holder && (await isAlive(holder))) {
    throw new Problem('data-folder-in-use', `The process ${holder.pid} has it open.`);
  }
  // Renaming tells who of several takers came first; one that caught a fresh lock instead puts it back.
  const taken = `${path}.${randomUUID()}`;
  try {
    await rename(path, taken);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(taken, 'utf8')) !== text) await linked(taken, path);
  await rm(taken, { force: true });
}

function asHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder;
    return Number.isSafeInteger(holder.pid) && holder.pid > 0 ? holder : undefined;
  } catch {
    // Cut short by a power cut: nobody's.
    return undefined;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  if (heldHere.has(holder.token)) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (holder.pid === process.pid) return false;
  const startedAt = await startOf(holder.pid);
  return startedAt === '' || holder.startedAt === '' || startedAt === holder.startedAt;
}

/** When the process started, in the kernel's ticks since boot: field 22 of `/proc/PID/stat` (proc(5)). */
async function startOf(pid: number): Promise<string> {
  const text = await readIfThere(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets and may hold spaces.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

// One process for each data folder: a lock file beside it names its holder. The lock of a process that died without
// letting go (kill -9, power cut) is taken over. It guards against accidents on one machine, not between machines.
// It works without waiting, so that what the folder is locked for is under way before anything else is loaded.
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
export function lockFolder(folder: string): () => void {
  const path = `${folder}.lock`;
  const own: Holder = { pid: process.pid, startedAt: startOf(process.pid), token: randomUUID() };
  const candidate = `${path}.${own.token}`;
  writeFileSync(candidate, JSON.stringify(own));
  try {
    while (!linked(candidate, path)) removeIfStale(path);
  } finally {
    rmSync(candidate, { force: true });
  }
  heldHere.add(own.token);
  return () => {
    if (!heldHere.delete(own.token)) return;
    rmSync(path, { force: true });
  };
}

/** Makes `path` with all its content at once, or says that it is there already. */
function linked(candidate: string, path: string): boolean {
  try {
    linkSync(candidate, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes a dead holder's lock away; throws when the holder lives. */
function removeIfStale(path: string): void {
  const text = readIfThere(path);
  if (text === undefined) return;
  const holder = asHolder(text);
  if (holder && isAlive(holder)) {
    throw new Problem('data-folder-in-use', `The process ${holder.pid} has it open.`);
  }
  // Renaming tells who of several takers came first; one that caught a fresh lock instead puts it back.
  const taken = `${path}.${randomUUID()}`;
  try {
    renameSync(path, taken);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(taken, 'utf8') !== text) linked(taken, path);
  rmSync(taken, { force: true });
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

function isAlive(holder: Holder): boolean {
  if (heldHere.has(holder.token)) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (holder.pid === process.pid) return false;
  const startedAt = startOf(holder.pid);
  return startedAt === '' || holder.startedAt === '' || startedAt === holder.startedAt;
}

/** When the process started, in the kernel's ticks since boot: field 22 of `/proc/PID/stat` (proc(5)). */
function startOf(pid: number): string {
  const text = readIfThere(`/proc/${pid}/stat`);
  // The second field is the program's name in brackets and may hold spaces.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

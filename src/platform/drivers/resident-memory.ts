// How much memory a process and what it started hold, where the system tells (Linux's /proc); see proc(5).
import { readFileSync, readdirSync } from 'node:fs';

/** Resident bytes of `pid` and its descendants, or undefined where the system does not tell. */
export function residentBytes(pid: number): number | undefined {
  const own = residentBytesOfOne(pid);
  if (own === undefined) return undefined;
  return childrenOf(pid).reduce((sum, child) => sum + (residentBytes(child) ?? 0), own);
}

function residentBytesOfOne(pid: number): number | undefined {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`));
  return match ? Number(match[1]) * 1024 : undefined;
}

function childrenOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  return list(folder).flatMap((thread) =>
    read(`${folder}/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

// Processes and threads come and go while they are read.
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

// How the command line finds the server that runs on this machine, and signs in to it: a file in PILVI_HOME that only
// its owner can read, written when the server has started and removed when it stops. The key in it lives as long as
// that server process and is stored nowhere else; a file that a crash left behind opens nothing.
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the file says. */
export interface RunningRecord {
  url: string;
  processId: number;
  /** Null where the operator chose a token of their own (PILVI_BOOTSTRAP_TOKEN). */
  key: string | null;
}

/** A key for one run of a server. */
export function newRunKey(): string {
  return randomBytes(32).toString('base64url');
}

/** Writes the file below `home`; returns how to remove it. */
export async function recordRunning(home: string, record: RunningRecord): Promise<() => Promise<void>> {
  const path = pathBelow(home);
  const partial = `${path}.${record.processId}`;
  await writeFile(partial, JSON.stringify(record), { mode: 0o600 });
  await rename(partial, path);
  return async () => {
    const current = await readRunning(home);
    if (current?.processId === record.processId) await rm(path, { force: true });
  };
}

/** The server that runs from `home`, or undefined when none does. */
export async function readRunning(home: string): Promise<RunningRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(pathBelow(home), 'utf8')) as RunningRecord;
    process.kill(record.processId, 0);
    return record;
  } catch {
    return undefined;
  }
}

function pathBelow(home: string): string {
  return join(home, 'running.json');
}

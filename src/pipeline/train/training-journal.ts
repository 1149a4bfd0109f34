// The journal of a training as files of a folder that its tries share: a file for each trial, and the time used so far,
// written down every second, so that a try that is killed has used what it has used. A file is written under another name
// and then renamed: it is there whole or not at all. A disk that is full or slow never fails a training.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { secondMs } from '../../base/time.ts';
import type { Journal } from '../../ml/search/journal.ts';

/** Trials beyond this are trained again by a next try. */
const defaultMaxBytes = 1024 ** 3;

export interface OpenTrainingJournal extends Journal {
  /** The files stay: they go with the folder when the job has ended. */
  close: () => Promise<void>;
}

/** The journal in `folder`, which is made when it is not there; the time since now counts as used. */
export async function openTrainingJournal(
  folder: string,
  { maxBytes = defaultMaxBytes }: { maxBytes?: number } = {},
): Promise<OpenTrainingJournal> {
  const spentMs = await readSpent(join(folder, spentName));
  const startMs = performance.now();
  let sizeBytes = 0;
  const noteTime = async (): Promise<void> => {
    const sofar = spentMs + performance.now() - startMs;
    await place(folder, spentName, String(Math.round(sofar)));
  };
  let noting = noteTime();
  const timer = setInterval(() => {
    noting = noting.then(noteTime);
  }, secondMs);
  timer.unref();
  return {
    spentMs,
    async read(index) {
      const record = await readFile(join(folder, nameOf(index))).catch(() => undefined);
      sizeBytes += record?.length ?? 0;
      // A plain array: `slice` of Node's buffers does not copy.
      return record && Uint8Array.from(record);
    },
    async write(index, record) {
      if (sizeBytes + record.length > maxBytes) return;
      if (await place(folder, nameOf(index), record)) sizeBytes += record.length;
    },
    async close() {
      clearInterval(timer);
      await noting;
    },
  };
}

const spentName = 'spent-ms';

function nameOf(index: number): string {
  return `trial-${index + 1}`;
}

/** Milliseconds; what cannot be read is nothing. */
async function readSpent(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return /^\d{1,12}$/.test(text) ? Number(text) : 0;
}

/** Whether the file is there as it should be; one that is not is not there in part. */
async function place(folder: string, name: string, content: string | Uint8Array): Promise<boolean> {
  const draft = join(folder, `${name}.${process.pid}.draft`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(draft, content, { mode: 0o600 });
    await rename(draft, join(folder, name));
    return true;
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
    return false;
  }
}

// The threads that write the parts of a batch: ranges go to whichever is free, until none is left or one has failed.
import { Worker } from 'node:worker_threads';
import { Problem } from '../../base/problems.ts';
import { moduleUrl } from '../../platform/drivers/module-url.ts';
import type { ThreadMessage } from './part-thread.ts';
import type { PartWriterOptions, RowRange } from './part-writer.ts';

/**
 * Has all `ranges` written, by one thread for each entry of `writers`.
 * @throws the first problem of a thread; the others have ended then, and what they had finished stays
 */
export async function writeParts(
  ranges: readonly RowRange[],
  writers: readonly PartWriterOptions[],
  { signal, onRows }: { signal: AbortSignal; onRows: (rowCount: number) => void },
): Promise<void> {
  const waiting = [...ranges];
  const threads = writers
    .slice(0, ranges.length)
    .map(
      (options) =>
        new Worker(moduleUrl(new URL('./part-thread.ts', import.meta.url)), { workerData: options }),
    );
  try {
    await Promise.all(threads.map((thread) => serve(thread, { waiting, signal, onRows })));
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

/** Sends ranges to one thread until none is waiting. */
function serve(
  thread: Worker,
  {
    waiting,
    signal,
    onRows,
  }: { waiting: RowRange[]; signal: AbortSignal; onRows: (rowCount: number) => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const range = waiting.shift();
      if (range === undefined) resolve();
      else thread.postMessage(range);
    };
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    thread.on('error', reject);
    thread.on('message', (message: ThreadMessage) => {
      if (message.kind === 'rows') onRows(message.rowCount);
      else if (message.kind === 'written') next();
      else reject(Problem.fromDocument(message.problem));
    });
    next();
  });
}

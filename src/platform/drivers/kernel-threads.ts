// Threads of this machine for the kernels of ml/: one for each core beside the caller's. Once started they serve
// one training after the other; between trainings they wait for a message and take no time.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { KernelThreads } from '../../ml/kernels/threads.ts';
import { moduleUrl } from './module-url.ts';

export interface OpenKernelThreads extends KernelThreads {
  /** Ends the threads. */
  close: () => Promise<void>;
}

/** Beyond these, threads cost more memory and waiting than they bring. */
const mostThreads = 7;

/** Up to `count` threads, each started when a training first asks for it; they do not keep the process alive. */
export function openKernelThreads(
  count = Math.min(mostThreads, availableParallelism() - 1),
): OpenKernelThreads {
  const workers = new Map<number, Worker>();
  const start = (index: number): Worker => {
    const worker = new Worker(moduleUrl(new URL('./kernel-thread.ts', import.meta.url)), {
      name: `kernels ${index + 1}`,
    });
    // A thread that fails is one that never comes: trainings go on without it.
    worker.on('error', () => {});
    worker.unref();
    workers.set(index, worker);
    return worker;
  };
  return {
    count,
    send: (index, work) => (workers.get(index) ?? start(index)).postMessage(work),
    close: async () => {
      await Promise.all([...workers.values()].map((worker) => worker.terminate()));
      workers.clear();
    },
  };
}

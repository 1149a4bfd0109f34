// Threads of this machine for the kernels of ml/: one for each core beside the caller's. They are started once and serve
// one training after the other; between trainings they wait for a message and take no time.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { KernelThreads } from '../../ml/kernels/threads.ts';
import { moduleUrl } from './module-url.ts';

export interface OpenKernelThreads extends KernelThreads {
  /** Ends the threads. */
  close: () => Promise<void>;
}

/** Starts `count` threads; they do not keep the process alive. */
export function openKernelThreads(count = availableParallelism() - 1): OpenKernelThreads {
  const workers = Array.from({ length: count }, (_, index) => {
    const worker = new Worker(moduleUrl(new URL('./kernel-thread.ts', import.meta.url)), {
      name: `kernels ${index + 1}`,
    });
    // A thread that fails is one that never comes: trainings go on without it.
    worker.on('error', () => {});
    worker.unref();
    return worker;
  });
  return {
    count,
    send: (index, start) => workers[index]!.postMessage(start),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

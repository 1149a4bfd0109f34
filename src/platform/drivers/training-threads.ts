// Threads of this machine for the trainings of ml/: one for each core beside the caller's. Each trains models of folds, or
// serves the kernels of a training elsewhere. Between messages they wait and take no time.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Problem } from '../../base/problems.ts';
import type { Fitted } from '../../ml/search/fit.ts';
import type { TrainingThreads } from '../../ml/search/fit-service.ts';
import { moduleUrl } from './module-url.ts';
import type { ThreadAnswer, ThreadMessage } from './training-thread.ts';

export interface OpenTrainingThreads extends TrainingThreads {
  /** Ends the threads. */
  close: () => Promise<void>;
}

interface Waiting {
  resolve: (answer: Fitted | undefined) => void;
  reject: (error: Error) => void;
}

/** Beyond these, threads cost more memory and waiting than they bring. */
const mostThreads = 7;

/** Up to `count` threads, each started when it is first asked for; they keep the process alive only while they are asked. */
export function openTrainingThreads(
  count = Math.min(mostThreads, availableParallelism() - 1),
): OpenTrainingThreads {
  const threads = new Map<number, Thread>();
  const threadAt = (index: number): Thread => {
    const known = threads.get(index);
    if (known) return known;
    const thread = new Thread(index, () => threads.delete(index));
    threads.set(index, thread);
    return thread;
  };
  return {
    count,
    send: (index, start) => threadAt(index).post({ kind: 'kernels', start }),
    ask: (index, message) => threadAt(index).ask(message),
    close: async () => {
      await Promise.all([...threads.values()].map((thread) => thread.end()));
    },
  };
}

class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isEnding = false;

  constructor(index: number, ended: () => void) {
    this.#worker = new Worker(moduleUrl(new URL('./training-thread.ts', import.meta.url)), {
      name: `training ${index + 1}`,
    });
    this.#worker.unref();
    this.#worker.on('message', (answer: ThreadAnswer) => this.#settle(answer));
    // A thread that fails is one that is not there: trainings go on without it.
    this.#worker.on('error', () => {});
    this.#worker.on('exit', () => {
      ended();
      for (const { reject } of this.#waiting.values()) reject(new Error('The thread has ended.'));
      this.#waiting.clear();
    });
  }

  post(message: ThreadMessage): void {
    this.#worker.postMessage(message);
  }

  ask(message: Parameters<TrainingThreads['ask']>[1]): Promise<Fitted | undefined> {
    const id = ++this.#lastId;
    const answer = new Promise<Fitted | undefined>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#worker.ref();
    this.post({ kind: 'fit', id, message });
    return answer;
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
  }

  #settle({ id, ...answer }: ThreadAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    // Its end is waited for as well.
    if (this.#waiting.size === 0 && !this.#isEnding) this.#worker.unref();
    if ('problem' in answer) waiting?.reject(Problem.fromDocument(answer.problem));
    else waiting?.resolve(answer.fitted);
  }
}

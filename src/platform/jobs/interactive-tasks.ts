// Tasks that someone waits for at a screen: run at once, a few at a time, beside the queue. A process that did well
// is kept for half a minute, because starting one takes longer than most such tasks.
import { Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import { WorkerProcess, type TaskOutcome } from '../drivers/worker-process.ts';
import type { Jobs, TaskLimits } from '../ports/jobs.ts';
import type { Log } from '../ports/log.ts';
import { cancelled, Turns } from './turns.ts';
import type { WorkFolder, WorkFolders } from './work-folders.ts';

export interface InteractiveOptions {
  folders: WorkFolders;
  log: Log;
  /** Tasks that run at the same time; 4. */
  maxRunning?: number;
  /** Tasks that may wait for their turn, further ones are refused; 32. */
  maxWaiting?: number;
  keepWarmMs?: number;
}

type RunOptions = Parameters<Jobs['runTask']>[2];

/** A process with the folder that is its home. */
export interface Housed {
  process: WorkerProcess;
  folder: WorkFolder;
}

/** Runs interactive tasks until it is closed. */
export class InteractiveTasks {
  readonly #options: Required<InteractiveOptions>;
  readonly #turns: Turns;
  readonly #closing = new AbortController();
  readonly #atWork = new Set<Promise<unknown>>();
  #warm: (Housed & { timer: NodeJS.Timeout }) | undefined;

  constructor(options: InteractiveOptions) {
    this.#options = { maxRunning: 4, maxWaiting: 32, keepWarmMs: 30 * secondMs, ...options };
    this.#turns = new Turns(this.#options);
  }

  /** See `Jobs.runTask`. Throws `too-many-requests` when too many wait, `cancelled`, or what the task throws. */
  async run<Output>(taskModule: URL, input: object, options: RunOptions): Promise<Output> {
    const result = this.#runInTurn(taskModule, input, options);
    this.#atWork.add(result);
    try {
      return (await result) as Output;
    } finally {
      this.#atWork.delete(result);
    }
  }

  /** Ends every process. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#atWork);
    const warm = this.#takeWarm();
    if (warm) await putAway(warm);
  }

  async #runInTurn(taskModule: URL, input: object, options: RunOptions): Promise<unknown> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    await this.#turns.take(signal);
    try {
      const { work: workFolder, remove } = await this.#options.folders.make();
      try {
        const housed = await this.#processFor(options.limits);
        const { limits, onEvent = () => undefined } = options;
        const run = { taskModule, input, jobId: '', attempt: 1, workFolder, limits, signal, onEvent };
        const outcome = await housed.process.run(run);
        await this.#keep(housed);
        return outputOf(outcome);
      } finally {
        await remove();
      }
    } finally {
      this.#turns.pass();
    }
  }

  /** The warm process, if it fits, or a fresh one. */
  async #processFor({ memoryBytes }: TaskLimits): Promise<Housed> {
    const warm = this.#takeWarm();
    if (warm?.process.isReusable && warm.process.memoryBytes === memoryBytes) return warm;
    if (warm) await putAway(warm);
    const { folders, log } = this.#options;
    const folder = await folders.make();
    const process = new WorkerProcess({ homeFolder: folder.home, memoryBytes, priority: 'interactive', log });
    return { process, folder };
  }

  #takeWarm(): Housed | undefined {
    const warm = this.#warm;
    this.#warm = undefined;
    clearTimeout(warm?.timer);
    return warm;
  }

  async #keep(used: Housed): Promise<void> {
    if (this.#warm || this.#closing.signal.aborted || !used.process.isReusable) return await putAway(used);
    const timer = setTimeout(() => {
      this.#warm = undefined;
      void putAway(used);
    }, this.#options.keepWarmMs);
    this.#warm = { ...used, timer };
  }
}

/** Ends a process and removes its folder. */
export async function putAway({ process, folder }: Housed): Promise<void> {
  await process.end();
  await folder.remove();
}

/** What a task gave. Throws the problem that it ended with. */
export function outputOf(outcome: TaskOutcome): unknown {
  switch (outcome.kind) {
    case 'output':
      return outcome.output;
    case 'problem':
      throw outcome.problem;
    case 'aborted':
      throw cancelled();
    case 'lost':
      throw new Problem('worker-lost', 'The worker process ended before it answered.', {
        cause: outcome.reason,
      });
    default:
      return outcome satisfies never;
  }
}

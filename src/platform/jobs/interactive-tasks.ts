// Tasks that someone waits for at a screen: run at once, a few at a time, beside the queue. A process that did well
// is kept for half a minute, because starting one takes longer than most such tasks.
import { secondMs } from '../../base/time.ts';
import type { TaskLimits } from '../ports/jobs.ts';
import {
  isFitFor,
  putAway,
  runHoused,
  startHoused,
  type HousedProcess,
  type Housing,
  type InteractiveTask,
} from './housed-process.ts';
import { Turns } from './turns.ts';
import { WorkUnderWay } from './work-under-way.ts';

export interface InteractiveOptions extends Housing {
  /** Tasks that run at the same time; 4. */
  maxRunning?: number;
  /** Tasks that may wait for their turn, further ones are refused; 32. */
  maxWaiting?: number;
  keepWarmMs?: number;
}

/** Runs interactive tasks until it is closed. */
export class InteractiveTasks {
  readonly #options: Required<InteractiveOptions>;
  readonly #turns: Turns;
  readonly #underWay = new WorkUnderWay();
  #warm: (HousedProcess & { timer: NodeJS.Timeout }) | undefined;

  constructor(options: InteractiveOptions) {
    this.#options = { maxRunning: 4, maxWaiting: 32, keepWarmMs: 30 * secondMs, ...options };
    this.#turns = new Turns(this.#options);
  }

  /** See `Jobs.runTask`. Throws `too-many-requests` when too many wait, `cancelled`, or what the task throws. */
  async run<Output>(task: InteractiveTask): Promise<Output> {
    return (await this.#underWay.do(task.options.signal, (signal) =>
      this.#runInTurn({ ...task, options: { ...task.options, signal } }),
    )) as Output;
  }

  /** Ends every process. */
  async close(): Promise<void> {
    await this.#underWay.close();
    const warm = this.#takeWarm();
    if (warm) await putAway(warm);
  }

  async #runInTurn(task: InteractiveTask): Promise<unknown> {
    const { limits, signal } = task.options;
    await this.#turns.take(signal);
    try {
      const housed = await this.#processFor(limits, signal);
      try {
        return await runHoused(housed, task, this.#options.folders);
      } finally {
        await this.#keep(housed);
      }
    } finally {
      this.#turns.pass();
    }
  }

  /** The warm process, if it fits, or a fresh one. */
  async #processFor(limits: TaskLimits, signal: AbortSignal): Promise<HousedProcess> {
    const warm = this.#takeWarm();
    if (warm && isFitFor(warm, limits)) return warm;
    if (warm) await putAway(warm);
    return await startHoused(this.#options, limits, signal);
  }

  #takeWarm(): HousedProcess | undefined {
    const warm = this.#warm;
    this.#warm = undefined;
    clearTimeout(warm?.timer);
    return warm;
  }

  async #keep(used: HousedProcess): Promise<void> {
    if (this.#warm || this.#underWay.isClosing || !used.process.isReusable) return await putAway(used);
    const timer = setTimeout(() => {
      this.#warm = undefined;
      void putAway(used);
    }, this.#options.keepWarmMs);
    this.#warm = { ...used, timer };
  }
}

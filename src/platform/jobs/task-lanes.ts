// Interactive tasks that go on where the one before ended, such as questions to one model: the tasks of a lane run one
// after the other in a process of their own, which keeps in memory what it opened. It ends when no task came for some
// minutes, when other lanes need its place, or when it went wrong; the next task of the lane gets a fresh one.
import { minuteMs } from '../../base/time.ts';
import { WorkerProcess } from '../drivers/worker-process.ts';
import type { Jobs } from '../ports/jobs.ts';
import type { Log } from '../ports/log.ts';
import { outputOf, putAway, type Housed } from './interactive-tasks.ts';
import { cancelled, Turns } from './turns.ts';
import type { WorkFolders } from './work-folders.ts';

export interface LaneOptions {
  folders: WorkFolders;
  log: Log;
  /** Processes that there are at most, at work or waiting for it; 4. */
  maxProcesses?: number;
  /** Tasks of one lane that may wait, further ones are refused; 64. */
  maxWaiting?: number;
  keepWarmMs?: number;
}

type RunOptions = Parameters<Jobs['runTask']>[2];

interface Lane {
  turns: Turns;
  housed?: Housed | undefined;
  /** Its process is being started. */
  isStarting: boolean;
  /** Ends the process of a lane that nobody uses. */
  timer?: NodeJS.Timeout | undefined;
}

/** Runs tasks of lanes until it is closed. */
export class TaskLanes {
  readonly #options: Required<LaneOptions>;
  /** Those used longest ago come first. */
  readonly #lanes = new Map<string, Lane>();
  readonly #processes: Turns;
  readonly #closing = new AbortController();
  readonly #atWork = new Set<Promise<unknown>>();

  constructor(options: LaneOptions) {
    this.#options = { maxProcesses: 4, maxWaiting: 64, keepWarmMs: 5 * minuteMs, ...options };
    this.#processes = new Turns({ maxRunning: this.#options.maxProcesses, maxWaiting: Infinity });
  }

  /** See `Jobs.runTask`. Throws `too-many-requests` when too many wait, `cancelled`, or what the task throws. */
  async run<Output>(name: string, taskModule: URL, input: object, options: RunOptions): Promise<Output> {
    const result = this.#runInTurn(name, taskModule, input, options);
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
    await Promise.all([...this.#lanes].map(([name, lane]) => this.#end(name, lane)));
  }

  async #runInTurn(name: string, taskModule: URL, input: object, options: RunOptions): Promise<unknown> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    const lane = this.#use(name);
    await lane.turns.take(signal);
    try {
      await this.#processes.take(signal);
      try {
        return await this.#runIn(lane, taskModule, input, { ...options, signal });
      } finally {
        this.#processes.pass();
      }
    } finally {
      lane.turns.pass();
      if (lane.turns.isIdle) this.#endLater(name, lane);
    }
  }

  async #runIn(lane: Lane, taskModule: URL, input: object, options: RunOptions): Promise<unknown> {
    const { limits, signal, onEvent = () => undefined } = options;
    const { work: workFolder, remove } = await this.#options.folders.make();
    try {
      const { process } = await this.#processOf(lane, limits.memoryBytes);
      const run = { taskModule, input, jobId: '', attempt: 1, workFolder, limits, signal, onEvent };
      return outputOf(await process.run(run));
    } finally {
      await remove();
      if (lane.housed && !lane.housed.process.isReusable) await this.#putAway(lane);
    }
  }

  async #processOf(lane: Lane, memoryBytes: number): Promise<Housed> {
    if (lane.housed?.process.isReusable && lane.housed.process.memoryBytes === memoryBytes)
      return lane.housed;
    await this.#putAway(lane);
    lane.isStarting = true;
    try {
      await this.#makeRoom();
      const { folders, log } = this.#options;
      const folder = await folders.make();
      if (this.#closing.signal.aborted) {
        await folder.remove();
        throw cancelled();
      }
      const process = new WorkerProcess({
        homeFolder: folder.home,
        memoryBytes,
        priority: 'interactive',
        log,
      });
      lane.housed = { process, folder };
      return lane.housed;
    } finally {
      lane.isStarting = false;
    }
  }

  /** Ends processes that wait for work, until no more are left than there may be, with those that are starting. */
  async #makeRoom(): Promise<void> {
    const lanes = [...this.#lanes];
    const count = lanes.filter(([, { housed, isStarting }]) => housed || isStarting).length;
    const idle = lanes.filter(([, { housed, turns }]) => housed && turns.isIdle);
    const tooMany = Math.max(0, count - this.#options.maxProcesses);
    await Promise.all(idle.slice(0, tooMany).map(([name, lane]) => this.#end(name, lane)));
  }

  #use(name: string): Lane {
    const lane = this.#lanes.get(name) ?? {
      turns: new Turns({ maxRunning: 1, maxWaiting: this.#options.maxWaiting }),
      isStarting: false,
    };
    this.#lanes.delete(name);
    this.#lanes.set(name, lane);
    clearTimeout(lane.timer);
    return lane;
  }

  #endLater(name: string, lane: Lane): void {
    clearTimeout(lane.timer);
    lane.timer = setTimeout(() => void this.#end(name, lane), this.#options.keepWarmMs);
    lane.timer.unref();
  }

  async #end(name: string, lane: Lane): Promise<void> {
    clearTimeout(lane.timer);
    if (this.#lanes.get(name) === lane) this.#lanes.delete(name);
    await this.#putAway(lane);
  }

  async #putAway(lane: Lane): Promise<void> {
    const { housed } = lane;
    lane.housed = undefined;
    if (housed) await putAway(housed);
  }
}

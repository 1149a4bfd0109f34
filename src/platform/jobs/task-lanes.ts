// Interactive tasks that go on where the one before ended, such as questions to one model: the tasks of a lane run one
// after the other in a process of their own, which keeps in memory what it opened. It ends when no task came for some
// minutes, when other lanes need its place, or when it went wrong; the next task of the lane gets a fresh one.
import { minuteMs } from '../../base/time.ts';
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

export interface LaneOptions extends Housing {
  /** Processes that there are at most, at work or waiting for it; 4. */
  maxProcesses?: number;
  /** Tasks of one lane that may wait, further ones are refused; 64. */
  maxWaiting?: number;
  keepWarmMs?: number;
}

interface Lane {
  turns: Turns;
  housed?: HousedProcess | undefined;
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
  readonly #underWay = new WorkUnderWay();

  constructor(options: LaneOptions) {
    this.#options = { maxProcesses: 4, maxWaiting: 64, keepWarmMs: 5 * minuteMs, ...options };
    this.#processes = new Turns({ maxRunning: this.#options.maxProcesses, maxWaiting: Infinity });
  }

  /** See `Jobs.runTask`. Throws `too-many-requests` when too many wait, `cancelled`, or what the task throws. */
  async run<Output>(name: string, task: InteractiveTask): Promise<Output> {
    return (await this.#underWay.do(task.options.signal, (signal) =>
      this.#runInTurn(name, { ...task, options: { ...task.options, signal } }),
    )) as Output;
  }

  /** Ends every process. */
  async close(): Promise<void> {
    await this.#underWay.close();
    await Promise.all([...this.#lanes].map(([name, lane]) => this.#end(name, lane)));
  }

  async #runInTurn(name: string, task: InteractiveTask): Promise<unknown> {
    const { signal } = task.options;
    const lane = this.#use(name);
    await lane.turns.take(signal);
    try {
      await this.#processes.take(signal);
      try {
        return await this.#runIn(lane, task);
      } finally {
        this.#processes.pass();
      }
    } finally {
      lane.turns.pass();
      if (lane.turns.isIdle) this.#endLater(name, lane);
    }
  }

  async #runIn(lane: Lane, task: InteractiveTask): Promise<unknown> {
    const { limits, signal } = task.options;
    try {
      return await runHoused(await this.#processOf(lane, limits, signal), task, this.#options.folders);
    } finally {
      if (lane.housed && !lane.housed.process.isReusable) await this.#putAway(lane);
    }
  }

  async #processOf(lane: Lane, limits: TaskLimits, signal: AbortSignal): Promise<HousedProcess> {
    if (lane.housed && isFitFor(lane.housed, limits)) return lane.housed;
    await this.#putAway(lane);
    lane.isStarting = true;
    try {
      await this.#makeRoom();
      lane.housed = await startHoused(this.#options, limits, signal);
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

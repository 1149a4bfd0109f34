// Trains models side by side: one on this thread, others on threads of the host. Which thread trains a model changes
// nothing in it, so a search with a budget in trials ends the same with any number of them. A model that is trained alone
// gets the other threads for its kernels instead.
import { Problem } from '../../base/problems.ts';
import type { Clock } from '../../base/time.ts';
import type { CurvePoint } from '../learners/learner.ts';
import { outputCountOf } from '../model/row-model.ts';
import { abandonedFit, type FitMaterial, type TrainingThreads } from './fit-service.ts';
import { openFits, type FitOrder, type Fitted } from './fit.ts';
import type { Prepared } from './prepare.ts';

interface FitOptions {
  /** Monotonic time: the model is what it is then. */
  deadlineMs?: number;
  /** Called only where a model is trained on this thread, as the first of several is. */
  onCurve?: (points: CurvePoint[]) => void;
}

export type Fit = (order: FitOrder, options?: FitOptions) => Promise<Fitted>;

export interface FitCrew {
  /** Models that are trained at a time, at most. */
  readonly size: number;
  /** Trains one model, with all threads. */
  fit: Fit;
  /**
   * Calls `run` for the numbers from 0, several at a time, each with a `fit` of its own. Once it answers false, no other
   * is begun, and those under way are abandoned.
   * @throws what `run` throws, when the others have ended
   */
  each: (count: number, run: (index: number, fit: Fit) => Promise<boolean>) => Promise<void>;
  /** Gives back what the threads hold. */
  close: () => void;
}

/** What any training of the search needs. */
export interface FitContext {
  prepared: Prepared;
  clock: Clock;
  pause: () => Promise<void>;
  crew: FitCrew;
}

type CrewInput = Omit<FitContext, 'crew'> & { threads?: TrainingThreads };

/** Of the memory that there is, what all trainings beside the first may take. */
const mostMemoryShare = 0.25;
/** What a thread takes, however small its table is. */
const bytesPerThread = 48 * 2 ** 20;

export function openFitContext(input: CrewInput): FitContext {
  const { prepared, clock, pause } = input;
  return { prepared, clock, pause, crew: openCrew(input) };
}

function openCrew({ prepared, clock, pause, threads }: CrewInput): FitCrew {
  const fits = openFits(prepared);
  const fit: Fit = (order, options) => fits(order, { clock, pause, ...options, ...(threads && { threads }) });
  const others = threads ? Math.min(threads.count, trainingsBeside(prepared)) : 0;
  if (!threads || others === 0) return { size: 1, fit, each: oneByOne(fit), close: () => undefined };

  const material = materialOf(prepared);
  const holders = new Set<number>();
  const fitOn = async (index: number, order: FitOrder, options: FitOptions & { abandoned: Int32Array }) => {
    if (!holders.has(index)) await threads.ask(index, { kind: 'material', material });
    holders.add(index);
    const { abandoned, deadlineMs } = options;
    const leftMs = deadlineMs === undefined ? {} : { leftMs: deadlineMs - clock.monotonicMs() };
    return (await threads.ask(index, { kind: 'fit', order, abandoned, ...leftMs }))!;
  };
  /** The fits of one round: the first is on this thread. */
  const fitsOf = (round: Round, count: number): Fit[] => {
    const here: Fit = (order, options) =>
      fits(order, {
        clock,
        ...options,
        pause: async () => {
          await pause();
          round.checkWanted();
        },
      });
    const there =
      (index: number): Fit =>
      async (order, options) => {
        try {
          return await fitOn(index, order, { ...options, abandoned: round.abandoned });
        } catch (error) {
          if (error instanceof Problem) throw error;
          // The thread is gone: what it had to do is done here.
          holders.delete(index);
          return await here(order, options);
        }
      };
    return [here, ...Array.from({ length: count - 1 }, (_, index) => there(index))];
  };
  return {
    size: 1 + others,
    fit,
    each: async (count, run) => {
      if (count <= 1) return await oneByOne(fit)(count, run);
      const round = new Round(count, run);
      const lanes = fitsOf(round, Math.min(1 + others, count)).map((own) => round.work(own));
      await Promise.all(lanes);
      round.end();
    },
    close: () => {
      for (const index of holders) threads.ask(index, { kind: 'material' }).catch(() => undefined);
      holders.clear();
    },
  };
}

function oneByOne(fit: Fit): FitCrew['each'] {
  return async (count, run) => {
    for (let index = 0; index < count; index++) if (!(await run(index, fit))) return;
  };
}

/**
 * Some numbers that several lanes work through, each taking the next. What ends it early is the lowest number that stops it
 * or fails, whichever lane is faster: those before it are waited for, those after it abandoned.
 */
class Round {
  /** Seen by all threads: 1 once nobody waits for those under way. */
  readonly abandoned = new Int32Array(new SharedArrayBuffer(4));
  readonly #count: number;
  readonly #run: (index: number, fit: Fit) => Promise<boolean>;
  readonly #underWay = new Set<number>();
  #next = 0;
  #ending: { index: number; error?: unknown } | undefined;

  constructor(count: number, run: (index: number, fit: Fit) => Promise<boolean>) {
    this.#count = count;
    this.#run = run;
  }

  /** Never rejects. */
  async work(fit: Fit): Promise<void> {
    while (!this.#ending && this.#next < this.#count) {
      const index = this.#next++;
      this.#underWay.add(index);
      try {
        if (!(await this.#run(index, fit))) this.#endAt({ index });
      } catch (error) {
        this.#endAt({ index, error });
      }
      this.#underWay.delete(index);
      const ending = this.#ending as { index: number } | undefined;
      if (ending && [...this.#underWay].every((other) => other > ending.index))
        Atomics.store(this.abandoned, 0, 1);
    }
  }

  /** @throws Problem once nobody waits for those under way */
  checkWanted(): void {
    if (Atomics.load(this.abandoned, 0) === 1) throw abandonedFit();
  }

  /** @throws what made the round end */
  end(): void {
    if (this.#ending && 'error' in this.#ending) throw this.#ending.error;
  }

  #endAt(ending: { index: number; error?: unknown }): void {
    if (!this.#ending || ending.index < this.#ending.index) this.#ending = ending;
  }
}

/** How many more may be trained at a time within the memory that there is. */
function trainingsBeside({ recipe, training, everything, target }: Prepared): number {
  if (!everything) return 0;
  const { memoryBytes = Infinity } = recipe.budget;
  const outputCount = outputCountOf(target.task, target.classes.length);
  // Bins, rows in the order of leaves, and for each output scores and gradients.
  const bytesPerRow = everything.table.features.length + 60 + 40 * outputCount;
  return Math.floor(
    (mostMemoryShare * memoryBytes) / (bytesPerThread + bytesPerRow * training.actual.length),
  );
}

function materialOf({ target, training, everything, folds, whole, constraints }: Prepared): FitMaterial {
  const { table, actual, groups } = everything!;
  const { task, classes } = target;
  return {
    target: { task, classes },
    features: table.features,
    columns: table.columns.map(inSharedMemory),
    truth: { actual: inSharedMemory(actual), ...(groups && { groups: inSharedMemory(groups) }) },
    trainingRowCount: training.actual.length,
    folds: [...folds, ...(whole ? [whole] : [])].map((fold) => ({
      training: inSharedMemory(fold.training),
      validation: inSharedMemory(fold.validation),
    })),
    hasWhole: whole !== undefined,
    ...(constraints && { constraints }),
  };
}

/** The array itself where it is shared already, a copy otherwise. */
function inSharedMemory<Numbers extends Float64Array | Int32Array | Uint8Array>(numbers: Numbers): Numbers {
  if (numbers.buffer instanceof SharedArrayBuffer) return numbers;
  const kind = numbers.constructor as new (buffer: SharedArrayBuffer) => Numbers;
  const shared = new kind(new SharedArrayBuffer(numbers.byteLength));
  shared.set(numbers);
  return shared;
}

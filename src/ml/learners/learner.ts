// What every learner is: a specification, as data, and a function that trains. The model it returns is plain data
// (model/row-model.ts); running that is not the learner's business. Learner, model and predictor are three things.
import { Problem } from '../../base/problems.ts';
import type { Clock } from '../../base/time.ts';
import type { FeatureTable } from '../frame/encoding.ts';
import type { Task } from '../frame/schema.ts';
import type { Constraints } from './constraints.ts';
import type { KernelThreads } from '../kernels/threads.ts';
import type { RowModel } from '../model/row-model.ts';
import type { EarlierTraining } from './warm-start.ts';

/** What a learner is asked for. A ranking is a regression of relevance, with a loss for orders where there is one. */
export type LearnedTask = Exclude<Task, 'ranking'>;

export type HyperparameterValue = number | string;
export type Hyperparameters = Readonly<Record<string, HyperparameterValue>>;

/** One setting of a learner: what it means, what it may be, and where a search should look. */
export interface HyperparameterSpec {
  name: string;
  label: string;
  plainWords: string;
  type: 'integer' | 'number' | 'choice';
  default: HyperparameterValue;
  /** Bounds of what is accepted, both included; for `choice`, the accepted words are `choices`. */
  min?: number;
  max?: number;
  choices?: readonly string[];
  /** How a search spreads its attempts between the bounds of `search`. */
  scale?: 'linear' | 'log';
  /** Where a search looks; without it, the setting keeps its default. */
  search?: { min: number; max: number } | { choices: readonly HyperparameterValue[] };
}

export interface LearnerSpec {
  /** Never changes its meaning once it has been stored in a recipe. */
  name: string;
  label: string;
  plainWords: string;
  tasks: readonly LearnedTask[];
  hyperparameters: readonly HyperparameterSpec[];
  abilities: {
    /** Takes NaN as information, rather than filling it in. */
    missingValues: boolean;
    /** Splits categories as such, rather than as one column each. */
    categories: boolean;
    weights: boolean;
    /** Uses validation rows to find when to stop. */
    earlyStopping: boolean;
    /** Keeps to monotone and interaction constraints. */
    constraints: boolean;
    /** Can go on from an earlier training; without it, it cannot. */
    warmStart?: boolean;
    /** Sees only the order of numbers, as trees do: features that are other scales of numbers are hidden from it. */
    ordersOnly?: boolean;
    /** Has the loss `ranking`, which orders rows within groups. */
    ranking?: boolean;
  };
}

/** The outside of a training: time, cancelling, telling. Nothing in here may change what is learned, except a deadline. */
export interface TrainingControl {
  clock: Clock;
  signal?: AbortSignal;
  /** In the clock's monotonic time: stop soon after it, and keep what there is. */
  deadlineMs?: number;
  /** Lets the caller do other work; called between steps. @throws Problem `cancelled` */
  pause: () => Promise<void>;
  /** Other threads, for learners that can use them; what is learned does not depend on how many there are. */
  threads?: KernelThreads;
  onCurve?: (points: CurvePoint[]) => void;
}

export interface CurvePoint {
  iteration: number;
  /** Loss on the training rows, where it is cheap to know. */
  trainScore?: number;
  /** Loss on the validation rows. */
  validationScore: number;
}

export interface TrainingInput {
  table: FeatureTable;
  task: LearnedTask;
  /** Class indices or values, for every row of the table. */
  target: Float64Array;
  classCount: number;
  /** Rows to learn from. */
  rows: Int32Array;
  /** Rows to stop by; they are not learned from. */
  validationRows?: Int32Array;
  /** Weight of each row of the table, > 0. */
  weights?: Float64Array;
  /** Number of the group (query) of each row of the table, for losses that look at groups. */
  groups?: Int32Array;
  hyperparameters: Hyperparameters;
  /** What must not be learned; only for learners with that ability. */
  constraints?: Constraints;
  /** A training to go on from; only for learners with that ability. Iterations are then those that are added. */
  earlier?: EarlierTraining;
  seed: number;
  control: TrainingControl;
}

export interface TrainedModel {
  model: RowModel;
  /** Rounds of trees, those of an earlier training included, or steps of the solver. */
  iterationCount: number;
  curve: CurvePoint[];
  /** What ended it: all iterations done, no more progress, or the deadline. */
  endedBy: 'iterations' | 'early-stopping' | 'deadline';
  /** Settings that early stopping and the rows decided: with them, a training without validation rows does the same. */
  settled?: Hyperparameters;
  /** What people who use the model should know, such as that rows were left out; whole sentences. */
  notes?: readonly string[];
}

/** What a training's memory depends on. */
export interface TrainingSize {
  rowCount: number;
  featureCount: number;
  /** Scores of a row: the classes, or 1 with two classes and for numbers. */
  outputCount: number;
}

export interface Learner {
  spec: LearnerSpec;
  /**
   * Seconds below which a training on so many rows comes to nothing, estimated on one core of 2026; absent where any time
   * is enough. For deciding what to try only.
   */
  leastSeconds?: (rowCount: number) => number;
  /**
   * Bytes that a training takes at its peak beside the table and its bins, its model included, estimated; absent where
   * they are few. For deciding what to try only.
   */
  trainingBytes?: (size: TrainingSize, settings: Hyperparameters) => number;
  /** Same input and seed, same bytes, unless the deadline cuts it short. @throws Problem `cancelled` */
  train: (input: TrainingInput) => Promise<TrainedModel>;
}

/**
 * The given settings with defaults filled in.
 * @throws Problem `invalid-request` naming every setting that is unknown or out of bounds
 */
export function completeHyperparameters(
  spec: Pick<LearnerSpec, 'label' | 'hyperparameters'>,
  given: Hyperparameters,
): Hyperparameters {
  const known = new Map(spec.hyperparameters.map((setting) => [setting.name, setting]));
  const errors = Object.entries(given).flatMap(([name, value]) => {
    const setting = known.get(name);
    const message = setting ? faultOf(setting, value) : `is not a setting of ${spec.label}`;
    return message ? [{ field: name, message }] : [];
  });
  if (errors.length > 0) {
    throw new Problem(
      'invalid-request',
      `Settings of ${spec.label}: "${errors[0]!.field}" ${errors[0]!.message}.`,
      { errors },
    );
  }
  return Object.fromEntries(
    spec.hyperparameters.map((setting) => [setting.name, given[setting.name] ?? setting.default]),
  );
}

/** @throws Problem `invalid-request` when the input asks for something that the learner cannot do */
export function checkAbilities(
  { label, abilities }: LearnerSpec,
  { constraints, earlier }: TrainingInput,
): void {
  if (constraints && !abilities.constraints)
    throw new Problem(
      'invalid-request',
      `${label} cannot keep to constraints. Use boosted trees, or leave the constraints out.`,
    );
  if (earlier && !abilities.warmStart)
    throw new Problem(
      'invalid-request',
      `${label} cannot go on from an earlier model. Use boosted trees, or train anew.`,
    );
}

/** A number among completed settings. */
export function numberSetting(settings: Hyperparameters, name: string): number {
  return settings[name] as number;
}

/** Whether the deadline of `control` has passed. */
export function isLate(control: TrainingControl): boolean {
  return control.deadlineMs !== undefined && control.clock.monotonicMs() >= control.deadlineMs;
}

const breathMs = 20;

/**
 * A `pause` that gives way to other work (a macrotask) when 20 ms have passed since it last did, and ends the training
 * when `signal` is aborted.
 */
export function pauseBy(clock: Clock, signal?: AbortSignal): () => Promise<void> {
  let lastMs = clock.monotonicMs();
  return async () => {
    if (clock.monotonicMs() - lastMs >= breathMs) {
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      lastMs = clock.monotonicMs();
    }
    if (signal?.aborted) throw new Problem('cancelled', 'The training was cancelled.');
  };
}

function faultOf(setting: HyperparameterSpec, value: HyperparameterValue): string | undefined {
  if (setting.type === 'choice') {
    return setting.choices!.includes(value as string)
      ? undefined
      : `must be one of ${setting.choices!.join(', ')}`;
  }
  const isNumber =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (setting.type === 'number' || Number.isInteger(value));
  const isWithin = isNumber && value >= (setting.min ?? -Infinity) && value <= (setting.max ?? Infinity);
  return isWithin
    ? undefined
    : `must be ${setting.type === 'integer' ? 'a whole number' : 'a number'} from ${setting.min} to ${setting.max}`;
}

// Trains one model of a fold and lets it answer for the rows that it did not learn from. What is asked and answered is plain
// data, so that another thread can do it as well (fit-crew.ts).
import { present } from '../../base/assert.ts';
import type { Clock } from '../../base/time.ts';
import { copyFeatureRows, type FeatureTable } from '../frame/encoding.ts';
import type { KernelThreads } from '../kernels/threads.ts';
import type { CurvePoint, Hyperparameters, TrainedModel } from '../learners/learner.ts';
import { learnerNamed } from '../learners/learners.ts';
import { applyModel, outputCountOf, type RowModel } from '../model/row-model.ts';
import { withViews, type Fold, type Prepared, type Truth } from './prepare.ts';
import type { Target } from './task.ts';

/** Of what is prepared, all that models are trained of. */
export type Fittable = Pick<Prepared, 'folds' | 'whole' | 'everything' | 'constraints'> & {
  training: Truth;
  target: Pick<Target, 'task' | 'classes'>;
};

/** Which model is to be trained. */
export interface FitOrder {
  learner: string;
  hyperparameters: Hyperparameters;
  seed: number;
  /** `everything`: the training part, and the rows that were locked away. */
  part: 'training' | 'everything';
  /** Number of the fold; as many as there are stands for all of them. */
  fold: number;
  /** In place of the rows that the fold learns from. */
  rows?: Int32Array;
  /** Whether it answers for the rows that the fold leaves out; `timed`: the seconds these take are wanted too. */
  answers: 'none' | 'given' | 'timed';
}

export interface FitControl {
  clock: Clock;
  pause: () => Promise<void>;
  threads?: KernelThreads;
  /** Monotonic time. */
  deadlineMs?: number;
  onCurve?: (points: CurvePoint[]) => void;
}

export interface Fitted {
  trained: TrainedModel;
  /** For the rows that the fold left out, where they were asked for, and the time that they took. */
  answers?: { predictions: Float64Array; seconds: number };
  /** All that it took. */
  seconds: number;
}

const rowsAtOnce = 512;
/** Below so many rows, what is done once for a model would make each of them look expensive. */
export const fewestTimedRows = 2000;

/** Trains what is ordered; what several orders need is made once. */
export function openFits(source: Fittable): (order: FitOrder, control: FitControl) => Promise<Fitted> {
  let ofEverything: Fold[] | undefined;
  return async (order, control) => {
    const { clock } = control;
    const startMs = clock.monotonicMs();
    const isFinal = order.part === 'everything';
    const folds = isFinal ? (ofEverything ??= foldsOfEverything(source)) : foldsOf(source);
    const fold = present(folds[order.fold], 'a fold of this number');
    const trained = await train(
      { source, fold, truth: isFinal ? everythingOf(source) : source.training },
      order,
      control,
    );
    const { task, classes } = source.target;
    const asked = {
      table: fold.views.all,
      rows: fold.validation,
      outputCount: outputCountOf(task, classes.length),
    };
    const answers = await answersFor(trained.model, asked, { order, control });
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    return { trained, seconds, ...(answers && { answers }) };
  };
}

/** Of few rows, the time is the least that they take when the model is asked again, twice: other work may come between. */
async function answersFor(
  model: RowModel,
  asked: Parameters<typeof predictTable>[1],
  { order, control }: { order: FitOrder; control: FitControl },
): Promise<Fitted['answers']> {
  if (order.answers === 'none') return undefined;
  const answers = await predictTable(model, asked, control);
  if (order.answers !== 'timed' || asked.rows.length >= fewestTimedRows) return answers;
  const again = [await predictTable(model, asked, control), await predictTable(model, asked, control)];
  return { ...answers, seconds: Math.min(...again.map(({ seconds }) => seconds)) };
}

async function train(
  { source, fold, truth }: { source: Fittable; fold: Fold; truth: Truth },
  { learner: name, hyperparameters, seed, rows = fold.training }: FitOrder,
  control: FitControl,
): Promise<TrainedModel> {
  const { target, constraints } = source;
  const learner = learnerNamed(name);
  return learner.train({
    table: learner.spec.abilities.ordersOnly ? fold.views.ordersOnly : fold.views.all,
    task: target.task === 'ranking' ? 'regression' : target.task,
    target: truth.actual,
    ...(truth.groups && { groups: truth.groups }),
    classCount: target.classes.length,
    rows,
    // Without them, nothing stops it early.
    ...(fold.validation.length > 0 && { validationRows: fold.validation }),
    hyperparameters,
    ...(constraints && { constraints }),
    seed,
    control,
  });
}

/** Predictions of one row model for `rows` of a table, and the time they took, pauses not counted. */
export async function predictTable(
  model: RowModel,
  source: { table: FeatureTable; rows: Int32Array; outputCount: number },
  { clock, pause }: Pick<FitControl, 'clock' | 'pause'>,
): Promise<{ predictions: Float64Array; seconds: number }> {
  const { table, rows, outputCount } = source;
  const featureCount = table.features.length;
  const predictions = new Float64Array(rows.length * outputCount);
  let workingMs = 0;
  const block = new Float64Array(rowsAtOnce * featureCount);
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const startMs = clock.monotonicMs();
    const rowCount = Math.min(rowsAtOnce, rows.length - from);
    copyFeatureRows(table, rows.subarray(from, from + rowCount), block);
    applyModel(
      model,
      { rows: block, rowCount, featureCount },
      predictions.subarray(from * outputCount, (from + rowCount) * outputCount),
    );
    workingMs += clock.monotonicMs() - startMs;
    await pause();
  }
  return { predictions, seconds: workingMs / 1000 };
}

function foldsOf({ folds, whole }: Fittable): Fold[] {
  return whole ? [...folds, whole] : folds;
}

/**
 * The same folds with all other rows to learn from: those locked away, and with an order of time also later ones. What
 * stands for all folds learns from every row.
 */
function foldsOfEverything(source: Fittable): Fold[] {
  const { table } = everythingOf(source);
  const rows = foldsOf(source).map(({ validation }) => {
    const isLeftOut = new Uint8Array(table.rowCount);
    for (const row of validation) isLeftOut[row] = 1;
    const training = Int32Array.from({ length: table.rowCount }, (_, row) => row).filter(
      (row) => !isLeftOut[row],
    );
    return { training, validation };
  });
  return withViews(rows, table);
}

function everythingOf({ everything }: Fittable): NonNullable<Prepared['everything']> {
  return present(everything, 'the rows to learn from again');
}

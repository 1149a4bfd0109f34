// One trial: a candidate trained on every fold, its predictions for the rows that each fold left out, and its score.
import { concatenate } from '../../base/numbers.ts';
import type { KernelThreads } from '../kernels/threads.ts';
import { asProblem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import type { Clock } from '../../base/time.ts';
import { copyFeatureRows, type FeatureTable } from '../frame/encoding.ts';
import { hasClasses } from '../frame/schema.ts';
import { learnerNamed } from '../learners/learners.ts';
import type { CurvePoint, Hyperparameters, TrainedModel } from '../learners/learner.ts';
import { utilityOf, type Scored } from '../metrics/metrics.ts';
import { decide } from '../model/calibration.ts';
import { applyModel, outputCountOf, type RowModel } from '../model/row-model.ts';
import type { Rung } from './fidelity.ts';
import type { Candidate } from './portfolio.ts';
import type { Fold, Prepared, Truth } from './prepare.ts';
import type { SearchEvent, TrialReport } from './recipe.ts';

export interface Trial {
  report: TrialReport;
  candidate: Candidate;
  /** Of the first fold; the others count on from it. */
  seed: number;
  /** One for each fold; empty unless the trial finished. */
  models: RowModel[];
  /** Predictions for the validation rows, in the order of `validationRows`. */
  predictions: Float64Array;
  /** The score so that more is better; -Infinity when there is none. */
  utility: number;
  firstFoldUtility: number;
  /** On the first fold's validation rows, learned from a sample; absent where there was none. */
  sampleUtility?: number;
  /** For each fold, settings that its training decided. */
  settled: Hyperparameters[];
  /** Whether its one model learned from all training rows, in place of those of the folds. */
  isWhole?: boolean;
  /** What its learner wants people to know, such as that rows were left out. */
  notes: string[];
  /** What predicting one row of many with one fold's model costs. */
  secondsPerRow: number;
  /** What one row on its own takes with one fold's model; measured where latency is limited. */
  modelMs?: number;
}

/** What any training of the search needs. */
export interface FitContext {
  prepared: Prepared;
  clock: Clock;
  pause: () => Promise<void>;
  threads?: KernelThreads;
}

export interface TrialContext extends FitContext {
  emit: (event: SearchEvent) => void;
  /** Monotonic time by which the trial must be over; absent when time is not the budget. */
  deadlineMs?: number;
  /** Explorers below this after their first fold are given up. */
  leastFirstFoldUtility: number;
  /** What explorers must first show on a sample. */
  rung?: Rung;
}

const rowsAtOnce = 512;

/** Validation rows of all folds, fold after fold: the rows that out-of-fold predictions speak of. */
export function validationRows({ folds }: Prepared): Int32Array {
  return Int32Array.from(folds.flatMap((fold) => Array.from(fold.validation)));
}

/** The truth of some rows of a part. */
export function truthOf({ actual, groups }: Truth, rows: Int32Array): Truth {
  return {
    actual: Float64Array.from(rows, (row) => actual[row]!),
    ...(groups && { groups: rows.map((row) => groups[row]!) }),
  };
}

/** What was predicted for the rows of `truth`; classes by largest probability, or by least expected cost. */
export function scoredOf({ target, costs }: Prepared, truth: Truth, predictions: Float64Array): Scored {
  const { task, classes, positiveClass } = target;
  const predicted = hasClasses(task)
    ? decide(
        predictions,
        classes.map(() => 1),
        costs?.matrix,
      )
    : predictions;
  return {
    task,
    ...truth,
    predicted,
    probabilities: predictions,
    classCount: classes.length,
    positiveClass,
    ...(costs && { costs: costs.matrix }),
  };
}

/** The recipe's metric of predictions; what it does not look at is not worked out. */
export function metricOf(prepared: Prepared, truth: Truth, predictions: Float64Array): number {
  const { target, metric } = prepared;
  if (metric.needs === 'class') return metric.compute(scoredOf(prepared, truth, predictions));
  const { task, classes, positiveClass } = target;
  return metric.compute({
    task,
    ...truth,
    predicted: predictions,
    probabilities: predictions,
    classCount: classes.length,
    positiveClass,
  });
}

/** Predictions of one row model for `rows` of a table, and the time they took, pauses not counted. */
export async function predictTable(
  model: RowModel,
  source: { table: FeatureTable; rows: Int32Array; outputCount: number },
  { clock, pause }: Pick<TrialContext, 'clock' | 'pause'>,
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

/** Where the draws of the trial with this index begin. */
export function trialSeed({ recipe }: Prepared, index: number): number {
  return seededRandom(recipe.seed).fork(index).below(2_147_483_647);
}

/** Runs a candidate. A failure is told in the report, never thrown, but for `cancelled`. */
export async function runTrial(
  context: TrialContext,
  candidate: Candidate,
  trialNumber: number,
  seed: number,
): Promise<Trial> {
  const { clock, emit } = context;
  const startMs = clock.monotonicMs();
  const { learner, label } = candidate;
  const hyperparameters = hyperparametersFor(context.prepared, candidate);
  const report: TrialReport = {
    id: `trial-${trialNumber}`,
    learner,
    label,
    hyperparameters,
    score: null,
    foldScores: [],
    seconds: 0,
    state: 'running',
    weight: 0,
  };
  const trial: Trial = {
    report,
    candidate,
    seed,
    models: [],
    predictions: new Float64Array(0),
    utility: -Infinity,
    firstFoldUtility: -Infinity,
    settled: [],
    notes: [],
    secondsPerRow: 0,
  };
  emit({ kind: 'trial-started', trial: { ...report } });
  try {
    await trainFolds(context, trial);
  } catch (error) {
    const problem = asProblem(error);
    if (problem.code === 'cancelled') throw problem;
    report.state = 'failed';
    report.problem = { code: problem.code, detail: problem.message };
    trial.models = [];
  }
  report.seconds = (clock.monotonicMs() - startMs) / 1000;
  emit({ kind: 'trial-finished', trial: { ...report } });
  return trial;
}

/** In a ranking, learners that have a loss for it use that; the others learn the relevance as a number. */
function hyperparametersFor({ target }: Prepared, { learner, hyperparameters }: Candidate): Hyperparameters {
  const ranks = target.task === 'ranking' && learnerNamed(learner).spec.abilities.ranking;
  return ranks ? { ...hyperparameters, loss: 'ranking' } : hyperparameters;
}

async function trainFolds(context: TrialContext, trial: Trial): Promise<void> {
  const { prepared } = context;
  const { folds, target, metric, training } = prepared;
  const outputCount = outputCountOf(target.task, target.classes.length);
  const parts: Float64Array[] = [];
  let predictingSeconds = 0;
  if (context.rung && trial.candidate.isExploring) {
    trial.sampleUtility = await utilityOnSample(context, trial, context.rung.rows);
    if (trial.sampleUtility < context.rung.leastUtility) {
      trial.report.state = 'stopped';
      return;
    }
  }
  for (let fold = 0; fold < folds.length; fold++) {
    const { training: rows, validation, views } = folds[fold]!;
    const { model, notes = [], settled } = await trainOnFold(context, trial, fold);
    trial.report.judgedOn = { rowCount: rows.length, foldCount: fold + 1 };
    if (settled) trial.settled.push(settled);
    if (fold === 0) trial.notes = [...notes];
    const source = { table: views.all, rows: validation, outputCount };
    const { predictions, seconds } = await predictTable(model, source, context);
    predictingSeconds += seconds;
    const score = metricOf(prepared, truthOf(training, validation), predictions);
    if (Number.isFinite(score)) trial.report.foldScores.push(score);
    trial.models.push(model);
    parts.push(predictions);
    if (fold > 0) continue;
    trial.firstFoldUtility = utilityOf(metric, score);
    if (
      trial.candidate.isExploring &&
      folds.length > 1 &&
      trial.firstFoldUtility < context.leastFirstFoldUtility
    ) {
      trial.report.state = 'stopped';
      trial.models = [];
      return;
    }
  }
  const rows = validationRows(prepared);
  trial.predictions = concatenate(Float64Array, parts);
  const score = metricOf(prepared, truthOf(training, rows), trial.predictions);
  trial.report.score = Number.isFinite(score) ? score : null;
  trial.utility = utilityOf(metric, score);
  trial.secondsPerRow = predictingSeconds / rows.length;
  trial.report.state = 'finished';
}

/** Of the first fold's validation rows, when only some of its training rows are learned from. */
async function utilityOnSample(context: TrialContext, trial: Trial, rows: Int32Array): Promise<number> {
  const { target, metric, training, folds } = context.prepared;
  const { validation, views } = folds[0]!;
  const { model } = await trainOnFold(context, trial, 0, rows);
  trial.report.judgedOn = { rowCount: rows.length, foldCount: 1 };
  const outputCount = outputCountOf(target.task, target.classes.length);
  const source = { table: views.all, rows: validation, outputCount };
  const { predictions } = await predictTable(model, source, context);
  return utilityOf(metric, metricOf(context.prepared, truthOf(training, validation), predictions));
}

/** On all training rows of a fold, or on some of them. */
async function trainOnFold(
  context: TrialContext,
  trial: Trial,
  number: number,
  training = context.prepared.folds[number]!.training,
): Promise<TrainedModel> {
  const { prepared, clock, deadlineMs, emit } = context;
  const fold = { ...prepared.folds[number]!, training };
  const nowMs = clock.monotonicMs();
  return await fitFold(
    context,
    trial,
    { number, fold, truth: prepared.training },
    {
      ...(number === 0 && {
        onCurve: (points: CurvePoint[]) => emit({ kind: 'curve', trialId: trial.report.id, points }),
      }),
      // Each fold may take an equal part of the time that is left; what one saves, the next may use.
      ...(deadlineMs !== undefined && {
        deadlineMs: nowMs + (deadlineMs - nowMs) / (prepared.folds.length - number),
      }),
    },
  );
}

/** What one model of a trial learns from. */
export interface FoldToFit {
  /** In the order of the folds. */
  number: number;
  fold: Fold;
  /** Of all rows of the table that the fold's views are of. */
  truth: Truth;
  /** When they are not those of the trial. */
  hyperparameters?: Hyperparameters;
}

/** Trains one model of a trial; without validation rows in the fold, nothing stops it early. */
export async function fitFold(
  { prepared, clock, pause, threads }: FitContext,
  { candidate, report, seed }: Trial,
  { number, fold, truth, hyperparameters = report.hyperparameters }: FoldToFit,
  control: { deadlineMs?: number; onCurve?: (points: CurvePoint[]) => void },
): Promise<TrainedModel> {
  const { target, constraints } = prepared;
  const learner = learnerNamed(candidate.learner);
  return learner.train({
    table: learner.spec.abilities.ordersOnly ? fold.views.ordersOnly : fold.views.all,
    task: target.task === 'ranking' ? 'regression' : target.task,
    target: truth.actual,
    ...(truth.groups && { groups: truth.groups }),
    classCount: target.classes.length,
    rows: fold.training,
    ...(fold.validation.length > 0 && { validationRows: fold.validation }),
    hyperparameters,
    ...(constraints && { constraints }),
    seed: seed + number,
    control: { clock, pause, ...(threads && { threads }), ...control },
  });
}

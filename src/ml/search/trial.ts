// One trial: a candidate trained on every fold, its predictions for the rows that each fold left out, and its score.
import { present } from '../../base/assert.ts';
import { concatenate } from '../../base/numbers.ts';
import { asProblem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { hasClasses } from '../frame/schema.ts';
import { learnerNamed } from '../learners/learners.ts';
import type { CurvePoint, Hyperparameters } from '../learners/learner.ts';
import { utilityOf, type Scored } from '../metrics/metrics.ts';
import { decide } from '../model/calibration.ts';
import type { RowModel } from '../model/row-model.ts';
import type { Rung } from './fidelity.ts';
import type { Candidate } from './portfolio.ts';
import type { FitContext } from './fit-crew.ts';
import type { FitOrder, Fitted } from './fit.ts';
import type { Prepared, Truth } from './prepare.ts';
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
  /** What training one of them took, on average. */
  secondsPerModel: number;
  /** What one row on its own takes with one fold's model; measured where latency is limited. */
  modelMs?: number;
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
    secondsPerModel: 0,
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
  const { prepared, crew, rung } = context;
  const { folds, metric, training } = prepared;
  const { report } = trial;
  if (rung && trial.candidate.isExploring) {
    trial.sampleUtility = await utilityOnSample(context, trial, rung.rows);
    if (trial.sampleUtility < rung.leastUtility) {
      report.state = 'stopped';
      return;
    }
  }
  const fitted: Fitted[] = [];
  let isStopped = false;
  await crew.each(folds.length, async (number, fit) => {
    const order = orderOf(trial, { part: 'training', fold: number });
    const answers = number === 0 ? 'timed' : 'given';
    fitted[number] = await fit({ ...order, answers }, optionsOf(context, trial, number));
    if (number > 0) return true;
    trial.firstFoldUtility = utilityOf(metric, foldScore(prepared, fitted, 0));
    const isBehind = trial.firstFoldUtility < context.leastFirstFoldUtility;
    isStopped = trial.candidate.isExploring && folds.length > 1 && isBehind;
    return !isStopped;
  });
  const judged = isStopped ? fitted.slice(0, 1) : fitted;
  const scores = judged.map((_, fold) => foldScore(prepared, fitted, fold));
  report.foldScores = scores.filter(Number.isFinite);
  report.judgedOn = { rowCount: folds[judged.length - 1]!.training.length, foldCount: judged.length };
  trial.notes = [...(fitted[0]!.trained.notes ?? [])];
  if (isStopped) {
    report.state = 'stopped';
    return;
  }
  trial.models = fitted.map(({ trained }) => trained.model);
  trial.settled = fitted.map(({ trained }) => trained.settled).filter((settled) => settled !== undefined);
  trial.predictions = concatenate(
    Float64Array,
    fitted.map((one) => answersOf(one).predictions),
  );
  const score = metricOf(prepared, truthOf(training, validationRows(prepared)), trial.predictions);
  report.score = Number.isFinite(score) ? score : null;
  trial.utility = utilityOf(metric, score);
  trial.secondsPerRow = answersOf(fitted[0]!).seconds / folds[0]!.validation.length;
  trial.secondsPerModel = fitted.reduce((sum, { seconds }) => sum + seconds, 0) / fitted.length;
  report.state = 'finished';
}

function foldScore(prepared: Prepared, fitted: readonly Fitted[], fold: number): number {
  const truth = truthOf(prepared.training, prepared.folds[fold]!.validation);
  return metricOf(prepared, truth, answersOf(fitted[fold]!).predictions);
}

/** Of the first fold's validation rows, when only some of its training rows are learned from. */
async function utilityOnSample(context: TrialContext, trial: Trial, rows: Int32Array): Promise<number> {
  const { prepared, crew } = context;
  const order = orderOf(trial, { part: 'training', fold: 0 });
  const fitted = await crew.fit({ ...order, rows, answers: 'given' }, optionsOf(context, trial, 0));
  trial.report.judgedOn = { rowCount: rows.length, foldCount: 1 };
  return utilityOf(prepared.metric, foldScore(prepared, [fitted], 0));
}

/** Each fold may take an equal part of the time that is left; what one saves, the next may use. */
function optionsOf({ prepared, clock, crew, deadlineMs, emit }: TrialContext, trial: Trial, number: number) {
  const nowMs = clock.monotonicMs();
  const roundsLeft = Math.ceil((prepared.folds.length - number) / crew.size);
  return {
    ...(number === 0 && {
      onCurve: (points: CurvePoint[]) => emit({ kind: 'curve', trialId: trial.report.id, points }),
    }),
    ...(deadlineMs !== undefined && { deadlineMs: nowMs + (deadlineMs - nowMs) / roundsLeft }),
  };
}

/** What trains one model of a trial. */
export function orderOf(
  { candidate, report, seed }: Trial,
  { part, fold }: Pick<FitOrder, 'part' | 'fold'>,
): FitOrder {
  const { hyperparameters } = report;
  return { learner: candidate.learner, hyperparameters, seed: seed + fold, part, fold, answers: 'none' };
}

function answersOf({ answers }: Fitted): NonNullable<Fitted['answers']> {
  return present(answers, 'answers for validation rows');
}

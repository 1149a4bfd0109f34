// The end of a search: calibrates the ensemble, opens the holdout, once, and puts the model together.
import type { JsonObject } from '../../base/json.ts';
import { rowAt } from '../frame/frame.ts';
import { copyFeatureRows } from '../frame/encoding.ts';
import { hasClasses, type ColumnSchema, type Task } from '../frame/schema.ts';
import { splitRows } from '../frame/split.ts';
import { permutationImportance } from '../explain/permutation.ts';
import { calibrationError } from '../metrics/calibration-error.ts';
import { evaluate, type Evaluation } from '../metrics/evaluation.ts';
import { utilityOf, type Scored } from '../metrics/metrics.ts';
import { calibrate, decide } from '../model/calibration.ts';
import {
  engineVersion,
  type ColumnImportance,
  type EnsembleMember,
  type ModelContent,
  type ModelManifest,
} from '../model/manifest.ts';
import { applyEnsemble } from '../model/predictor.ts';
import { fitCalibration, fitDecisionWeights } from '../uncertainty/calibration.ts';
import { fitIntervals, fitSets } from '../uncertainty/conformal.ts';
import { ensemblePredictions, type EnsembleChoice } from './ensemble.ts';
import { finalFit, type FinalFit } from './final-fit.ts';
import { fewestTimedRows } from './fit.ts';
import type { FitContext } from './fit-crew.ts';
import { backgroundRows } from './background.ts';
import { goldenRows } from './golden.ts';
import type { LatencyLimit } from './latency.ts';
import type { Part, Prepared, Truth } from './prepare.ts';
import { scoredOf, truthOf, validationRows } from './trial.ts';
import { rowsForCurves, trustReport, type TrustReport } from './trust.ts';

export interface FinishInput extends FitContext {
  choices: EnsembleChoice[];
  trialCount: number;
  warnings: string[];
  latency?: LatencyLimit;
  /** Then nothing is trained again. */
  isMemoryScarce?: () => boolean;
  /** Monotonic time by which models have learned again, and after which importance is no longer measured. */
  deadlineMs?: number;
}

export interface Finished {
  model: ModelContent;
  evaluation: Evaluation;
  trust: TrustReport;
  importance: ColumnImportance[];
  crossValidationScore: number;
}

/** Said where it was so. */
export const withoutImportance =
  'There was no time to measure the importance of columns; allow a larger budget.';
const rowsAtOnce = 512;
const mostImportanceRows = 1000;
const fewestImportanceRows = 50;
/** Of the time that is left, what the curves of one column may take; rows as objects cost more than encoded ones. */
const dependenceShare = 0.2;

export async function finish(input: FinishInput): Promise<Finished> {
  const { prepared, choices, clock } = input;
  const { target, metric, recipe, holdout } = prepared;
  const fitted = await fitDecision(prepared, choices);
  const members: EnsembleMember[] = choices.map(({ trial, weight }) => ({
    learner: trial.report.learner,
    label: trial.report.label,
    hyperparameters: { ...trial.report.hyperparameters },
    weight,
    models: trial.models,
  }));
  const manifest = draftManifest(prepared, fitted, input);
  const content: ModelContent = {
    manifest,
    members,
    goldenRows: goldenRows(prepared.training.frame, manifest.schema, recipe.seed),
    background: backgroundOf(prepared, { choices, manifest }),
  };
  if (content.background.length > 0) manifest.training.backgroundRowCount = content.background.length;
  const startMs = clock.monotonicMs();
  const { scored, errorBefore } = await scoreHoldout(content, prepared, input.pause);
  const secondsPerRow = await secondsForRow(input, content, (clock.monotonicMs() - startMs) / 1000);
  const evaluation = evaluate({
    scored,
    classes: target.classes,
    intervals: manifest.intervals,
    decision: manifest,
    errorBefore,
    inputOf: (row) => rowAt(holdout.frame, row) as JsonObject,
  });
  const judged = await learnAgain(input, secondsPerRow);
  const importance = await measureImportance(input, content, secondsPerRow);
  if (importance.length === 0 && holdout.table.features.length > 0) {
    manifest.warnings.push(withoutImportance);
  }
  manifest.importance = importance;
  const trust = await trustReport({
    content,
    frame: holdout.frame,
    protectedColumns: prepared.protectedColumns,
    scored,
    seed: recipe.seed + 5,
    affordableRows: async () => {
      await input.pause();
      if (input.deadlineMs === undefined) return Infinity;
      const leftSeconds = Math.max(0, input.deadlineMs - clock.monotonicMs()) / 1000;
      return (dependenceShare * leftSeconds) / Math.max(1e-6, secondsPerRow);
    },
  });
  manifest.quality.holdoutRowCount = holdout.actual.length;
  manifest.quality.holdout = evaluation.metrics;
  manifest.quality.crossValidationScore = metric.compute(fitted.scored);
  if (judged.isComplete) manifest.training.finalRowCount = prepared.everything!.actual.length;
  return {
    model: {
      ...content,
      members: content.members.map((member, index) => ({ ...member, models: judged.models[index]! })),
    },
    evaluation,
    trust,
    importance,
    crossValidationScore: manifest.quality.crossValidationScore,
  };
}

/** Leaves the time that importance and curves take. */
async function learnAgain(input: FinishInput, secondsPerRow: number): Promise<FinalFit> {
  const { prepared, choices, deadlineMs } = input;
  if (prepared.recipe.refit === false || !prepared.everything || input.isMemoryScarce?.())
    return { models: choices.map(({ trial }) => trial.models), isComplete: false };
  const rowCount = prepared.holdout.actual.length;
  const asked =
    Math.min(rowCount, fewestImportanceRows) * (prepared.encoding.length + 1) + rowsForCurves(rowCount);
  return await finalFit(
    { ...input, ...(deadlineMs !== undefined && { deadlineMs: deadlineMs - asked * secondsPerRow * 1000 }) },
    choices,
  );
}

type Fitted = Pick<ModelManifest, 'calibration' | 'decisionWeights' | 'intervals' | 'sets'> & {
  scored: Scored;
};

/** Everything that is fitted to the ensemble's out-of-fold predictions. */
async function fitDecision(prepared: Prepared, choices: readonly EnsembleChoice[]): Promise<Fitted> {
  const { target, training, recipe, metric } = prepared;
  const truth = truthOf(training, validationRows(prepared));
  const predictions = ensemblePredictions(choices);
  const scored = scoredOf(prepared, truth, predictions);
  if (!hasClasses(target.task)) {
    const intervals = target.task === 'regression' ? fitIntervals(truth.actual, predictions) : undefined;
    return { calibration: { kind: 'none' }, decisionWeights: [], scored, ...(intervals && { intervals }) };
  }
  const calibration = await fitCalibration(scored, recipe.seed + 2);
  calibrate(calibration, predictions, target.classes.length);
  const calibrated = scoredOf(prepared, truth, predictions);
  const decisionWeights = fitDecisionWeights(calibrated, metric, prepared.costs);
  const sets = fitSets(calibrated);
  return {
    calibration,
    decisionWeights,
    ...(sets && { sets }),
    scored: { ...calibrated, predicted: decide(predictions, decisionWeights, prepared.costs?.matrix) },
  };
}

/** Of rows that judged the models in cross-validation, by what these said of them. */
function backgroundOf(
  prepared: Prepared,
  { choices, manifest }: { choices: readonly EnsembleChoice[]; manifest: ModelManifest },
): JsonObject[] {
  const { recipe, training, target } = prepared;
  if (recipe.backgroundRows === false) return [];
  const predictions = ensemblePredictions(choices);
  const rows = validationRows(prepared);
  const outputCount = predictions.length / rows.length;
  const scored = Array.from(rows, (row, index) => {
    const classIndex = hasClasses(target.task) ? training.actual[row]! : 0;
    return { row, classIndex, score: predictions[index * outputCount + classIndex]! };
  });
  return backgroundRows(training.frame, manifest.schema, scored);
}

function draftManifest(
  prepared: Prepared,
  fitted: Fitted,
  { warnings, trialCount }: FinishInput,
): ModelManifest {
  const { target, encoding, dropped, recipe, metric, training, folds } = prepared;
  const kinds = new Map(training.frame.columns.map((column) => [column.name, column.kind]));
  const schema = encoding
    .filter((entry) => entry.kind !== 'difference')
    .map((entry): ColumnSchema => ({
      name: entry.column,
      kind: kinds.get(entry.column)!,
      ...(entry.kind === 'category' && { categories: entry.categories }),
    }));
  return {
    engineVersion,
    task: target.task,
    target: recipe.target,
    classes: target.classes,
    ...(target.task === 'binary' && { positiveClass: target.classes[target.positiveClass]! }),
    schema,
    ignoredColumns: dropped,
    encoding,
    calibration: fitted.calibration,
    decisionWeights: fitted.decisionWeights,
    ...(prepared.costs && { costs: prepared.costs }),
    ...(fitted.intervals && { intervals: fitted.intervals }),
    ...(fitted.sets && { sets: fitted.sets }),
    quality: { metric: metric.name, crossValidationScore: 0, holdoutRowCount: 0, holdout: {} },
    importance: [],
    ...(prepared.constraints && { constraints: recipe.constraints! }),
    warnings: [...warnings],
    training: { rowCount: training.actual.length, foldCount: folds.length, seed: recipe.seed, trialCount },
  };
}

/** What a model says of the holdout, and the error of its probabilities before they are calibrated. */
export async function scoreHoldout(
  content: ModelContent,
  prepared: Prepared,
  pause: () => Promise<void>,
): Promise<{ scored: Scored; errorBefore?: number }> {
  const { holdout, costs } = prepared;
  const { calibration, decisionWeights, classes } = content.manifest;
  const rows = Int32Array.from(holdout.actual, (_, row) => row);
  // Encoded block by block: a row of texts is thousands of numbers.
  const encoded = (from: number, to: number): Float64Array => encodedRows(holdout, rows.subarray(from, to));
  const raw = { ...content, manifest: { ...content.manifest, calibration: { kind: 'none' as const } } };
  const before = await scoreRows({ content: raw, prepared, pause }, holdout, encoded);
  if (!hasClasses(prepared.target.task)) return { scored: before };
  const probabilities = before.probabilities.slice();
  calibrate(calibration, probabilities, classes.length);
  const predicted = decide(probabilities, decisionWeights, costs?.matrix);
  return { scored: { ...before, probabilities, predicted }, errorBefore: calibrationError(before) };
}

/** What answering takes for one of many rows. Few rows are answered again: what is done once would be counted for each. */
async function secondsForRow(
  { prepared, clock, pause }: FinishInput,
  content: ModelContent,
  secondsForAll: number,
): Promise<number> {
  const { holdout } = prepared;
  const rowCount = holdout.actual.length;
  if (rowCount >= fewestTimedRows) return secondsForAll / rowCount;
  const some = Int32Array.from({ length: Math.min(rowCount, rowsAtOnce) }, (_, row) => row);
  const startMs = clock.monotonicMs();
  applyEnsemble(content, encodedRows(holdout, some), some.length);
  const secondsAgain = (clock.monotonicMs() - startMs) / 1000;
  await pause();
  return Math.min(secondsAgain / some.length, secondsForAll / rowCount);
}

async function scoreRows(
  { content, prepared, pause }: { content: ModelContent; prepared: Prepared; pause: () => Promise<void> },
  truth: Truth,
  encodedBetween: (from: number, to: number) => Float64Array,
): Promise<Scored> {
  const { actual } = truth;
  const parts: number[] = [];
  for (let from = 0; from < actual.length; from += rowsAtOnce) {
    const to = Math.min(actual.length, from + rowsAtOnce);
    for (const value of applyEnsemble(content, encodedBetween(from, to), to - from)) parts.push(value);
    await pause();
  }
  const scored = scoredOf(prepared, truth, Float64Array.from(parts));
  return hasClasses(prepared.target.task)
    ? {
        ...scored,
        predicted: decide(scored.probabilities, content.manifest.decisionWeights, prepared.costs?.matrix),
      }
    : scored;
}

function encodedRows({ table }: Part, rows: Int32Array): Float64Array {
  const featureCount = table.features.length;
  const encoded = new Float64Array(rows.length * featureCount);
  copyFeatureRows(table, rows, encoded);
  return encoded;
}

/** On the holdout, or on as much of it as the time that is left allows. */
async function measureImportance(
  input: FinishInput,
  content: ModelContent,
  secondsPerRow: number,
): Promise<ColumnImportance[]> {
  const { prepared, clock, pause, deadlineMs } = input;
  const { holdout, metric, recipe, target, encoding } = prepared;
  const leftSeconds =
    deadlineMs === undefined ? Infinity : Math.max(0, deadlineMs - clock.monotonicMs()) / 1000;
  const affordable = Math.floor(
    (0.6 * leftSeconds) / ((encoding.length + 1) * Math.max(1e-7, secondsPerRow)),
  );
  const wanted = Math.min(holdout.actual.length, mostImportanceRows, affordable);
  if (encoding.length === 0 || wanted < Math.min(fewestImportanceRows, holdout.actual.length)) return [];
  const rows = sampleOf(holdout, wanted, { task: target.task, seed: recipe.seed });
  const truth = truthOf(holdout, rows);
  return permutationImportance({
    table: holdout.table,
    rows,
    seed: recipe.seed + 3,
    utilityOf: async (encoded) => {
      const featureCount = encoded.length / rows.length;
      const blockOf = (from: number, to: number): Float64Array =>
        encoded.subarray(from * featureCount, to * featureCount);
      return utilityOf(metric, metric.compute(await scoreRows({ content, prepared, pause }, truth, blockOf)));
    },
    goOn: () => Promise.resolve(deadlineMs === undefined || clock.monotonicMs() < deadlineMs),
  });
}

/** Of a ranking, groups are taken whole. */
function sampleOf(
  { actual, groups }: Truth,
  count: number,
  { task, seed }: { task: Task; seed: number },
): Int32Array {
  const rowCount = actual.length;
  if (count >= rowCount) return Int32Array.from(actual, (_, row) => row);
  const strata = hasClasses(task) ? { strata: Int32Array.from(actual) } : {};
  const whole = task === 'ranking' && groups ? { groups } : {};
  return splitRows({ rowCount, share: count / rowCount, seed, ...strata, ...whole }).second;
}

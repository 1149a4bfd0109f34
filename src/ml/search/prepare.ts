// From a frame and a recipe to what trials work on: the target, a locked holdout, encoded features, folds.
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { seededRandom, shuffle } from '../../base/random.ts';
import { encodeFrame, featuresOf, type Encoding, type FeatureTable } from '../frame/encoding.ts';
import { fitEncoding, type DroppedColumn } from '../frame/fit-encoding.ts';
import { columnNamed, selectRows, type Column, type Frame } from '../frame/frame.ts';
import { encodeWithStatistics } from '../frame/fit-statistics.ts';
import { hasClasses } from '../frame/schema.ts';
import { foldRows, splitRows } from '../frame/split.ts';
import { maximumTextCharacters } from '../frame/text-terms.ts';
import { seenFeatureCount, viewOf } from '../frame/views.ts';
import type { Constraints } from '../learners/constraints.ts';
import { checkRanking } from '../learners/ranking-loss.ts';
import { metricFor, type Metric } from '../metrics/metrics.ts';
import type { DecisionCosts } from '../model/costs.ts';
import type { ColumnConstraints } from '../model/manifest.ts';
import {
  checkColumnConstraints,
  checkDirections,
  columnsToConstrain,
  featureConstraints,
  isConstrained,
} from './column-constraints.ts';
import { decisionCosts } from './costs.ts';
import { checkGroups, missingGroups, readGroups } from './groups.ts';
import type { Recipe } from './recipe.ts';
import { readTarget, type Target } from './task.ts';
import { foldsByTime, orderWarning, readTimes, splitByTime } from './time-order.ts';

/** Rows of one kind: their input columns, features and truths. */
export interface Part {
  frame: Frame;
  table: FeatureTable;
  actual: Float64Array;
  /** The number of each row's group, when the recipe names a column of groups. */
  groups?: Int32Array;
}

export interface Prepared {
  recipe: Recipe;
  target: Target;
  metric: Metric;
  encoding: Encoding;
  dropped: DroppedColumn[];
  training: Part;
  holdout: Part;
  /** Of the holdout: the columns that tell groups of people apart. */
  protectedColumns: Frame;
  /** One entry only when the budget allows no cross-validation. */
  folds: Fold[];
  /** All training rows as one fold without validation rows; only where models may be refitted. */
  whole?: Fold;
  /** By features of the tables; absent when nothing is constrained. */
  constraints?: Constraints;
  /** What decisions cost, by class. */
  costs?: DecisionCosts;
  warnings: string[];
}

/** Indices into the training part, and what trainings on them may see of its table: statistics of this fold alone. */
export interface Fold {
  training: Int32Array;
  validation: Int32Array;
  views: {
    all: FeatureTable;
    /** For learners that see only the order of numbers. */
    ordersOnly: FeatureTable;
  };
}

const defaultHoldoutShare = 0.2;
/** What one row, one feature and one tree of boosting cost, measured; only for choosing the number of folds. */
const secondsPerCell = 2.4e-8;
const treesPerFold = 200;
/** What selecting, encoding and binning one value costs, and the share of the time that all of it may take. */
const secondsToPrepareCell = 1.2e-7;
/** The same of one character of a text. */
const secondsToPrepareCharacter = 8e-7;
const preparingShare = 0.25;
const fewestRows = 10;
const noRows = new Int32Array(0);

/** @throws Problem when the recipe or the target cannot be used */
export function prepare(frame: Frame, recipe: Recipe): Prepared {
  checkRecipe(recipe);
  const targetColumn = columnNamed(frame, recipe.target);
  const excluded = new Set((recipe.excludedColumns ?? []).map((name) => columnNamed(frame, name).name));
  const groups = readGroups(frame, recipe);
  const times = readTimes(frame, recipe);
  const protectedColumns = (recipe.protectedColumns ?? []).map((name) =>
    protectedColumn(frame, name, recipe),
  );
  const constraints = readConstraints(frame, recipe);
  const target = readTarget(targetColumn, recipe);
  if (constraints) checkDirections(constraints, target.task);
  if (target.task === 'ranking') checkRankingTarget(target, groups);
  const metric = metricFor(recipe.metric, target.task);
  const costs = decisionCosts(recipe.costs, target, { metric });
  const columns = frame.columns.filter(
    (column) => column !== targetColumn && column.name !== recipe.groupColumn && !excluded.has(column.name),
  );
  const warnings = [...target.warnings];
  const ordered = orderWarning(frame, recipe);
  if (ordered) warnings.push(ordered);
  if (target.withoutTarget > 0)
    warnings.push(`${target.withoutTarget} rows have no value in "${recipe.target}"; they were left out.`);
  const usable = affordableRows(target, { columns, groups, recipe, warnings });
  const strata = hasClasses(target.task)
    ? Int32Array.from(usable, (index) => target.values[index]!)
    : undefined;
  const usableGroups = groups && usable.map((index) => groups[target.rows[index]!]!);
  if (usableGroups) checkGroups(usableGroups, recipe.groupColumn!);
  const usableTimes = times && Float64Array.from(usable, (index) => times[target.rows[index]!]!);
  const split = lockAway(recipe, {
    rowCount: usable.length,
    strata,
    groups: usableGroups,
    times: usableTimes,
  });
  const framesRows = (indices: Int32Array): Int32Array =>
    indices.map((index) => target.rows[usable[index]!]!);
  const take = (indices: Int32Array): Omit<Part, 'table'> => {
    const positions = indices.map((index) => usable[index]!);
    return {
      frame: selectRows({ rowCount: frame.rowCount, columns }, framesRows(indices)),
      actual: Float64Array.from(positions, (index) => target.values[index]!),
      ...(usableGroups && { groups: indices.map((index) => usableGroups[index]!) }),
    };
  };
  const training = take(split.first);
  const holdout = take(split.second);
  const { dropped, ...fitted } = fitEncoding(training.frame);
  // A distance between two columns falls as one of them rises, and lets them act together in one question.
  const plain = constraints
    ? fitted.encoding.filter((entry) => entry.kind !== 'difference')
    : fitted.encoding;
  const rows = makeFolds({
    training,
    target,
    recipe,
    times: usableTimes && Float64Array.from(split.first, (index) => usableTimes[index]!),
    featureCount: seenFeatureCount(featuresOf(plain), { ordersOnly: true }),
  });
  const mayRefit = recipe.refit === true || recipe.maxPredictMs !== undefined;
  const allRows = { training: Int32Array.from(training.actual, (_, row) => row), validation: noRows };
  const divisions = mayRefit ? [...rows, allRows] : rows;
  const { encoding, table } = encodeWithStatistics({
    ...training,
    encoding: plain,
    folds: divisions,
    classes: target.classes,
    seed: recipe.seed + 5,
  });
  if (encoding.length === 0)
    warnings.push('No column can help to predict the target: the model can only answer with the average.');
  for (const name of excluded) dropped.push({ column: name, reason: 'you excluded it' });
  if (recipe.groupColumn !== undefined && !excluded.has(recipe.groupColumn))
    dropped.push({ column: recipe.groupColumn, reason: 'it tells which rows belong together' });
  return {
    recipe,
    target,
    metric,
    encoding,
    dropped,
    training: { ...training, table: viewOf(table, {}) },
    protectedColumns: selectRows(
      { rowCount: frame.rowCount, columns: protectedColumns },
      framesRows(split.second),
    ),
    holdout: { ...holdout, table: encodeFrame(holdout.frame, encoding) },
    folds: withViews(divisions, table).slice(0, rows.length),
    ...(mayRefit && { whole: withViews(divisions, table)[rows.length]! }),
    ...(costs && { costs }),
    ...(constraints && { constraints: featureConstraints(constraints, table.features, target) }),
    warnings,
  };
}

function checkRecipe({ budget, folds, holdoutShare, maxPredictMs, seed }: Recipe): void {
  const isPositive = (value: number | undefined): boolean =>
    value === undefined || (Number.isFinite(value) && value > 0);
  const errors = [
    budget.seconds === undefined &&
      budget.trials === undefined && { field: 'budget', message: 'must have seconds or trials' },
    !isPositive(budget.seconds) && { field: 'budget.seconds', message: 'must be above 0' },
    !(
      budget.trials === undefined ||
      (Number.isInteger(budget.trials) && budget.trials >= 1 && budget.trials <= 10_000)
    ) && {
      field: 'budget.trials',
      message: 'must be a whole number from 1 to 10000',
    },
    !isPositive(budget.memoryBytes) && { field: 'budget.memoryBytes', message: 'must be above 0' },
    !isPositive(maxPredictMs) && { field: 'maxPredictMs', message: 'must be above 0' },
    !(folds === undefined || (Number.isInteger(folds) && folds >= 2 && folds <= 20)) && {
      field: 'folds',
      message: 'must be a whole number from 2 to 20',
    },
    !(holdoutShare === undefined || (holdoutShare >= 0.05 && holdoutShare <= 0.5)) && {
      field: 'holdoutShare',
      message: 'must be from 0.05 to 0.5',
    },
    !Number.isSafeInteger(seed) && { field: 'seed', message: 'must be a whole number' },
  ].filter((error) => error !== false);
  if (errors.length > 0)
    throw new Problem('invalid-request', `The recipe: "${errors[0]!.field}" ${errors[0]!.message}.`, {
      errors,
    });
}

function readConstraints(frame: Frame, { constraints, target }: Recipe): ColumnConstraints | undefined {
  if (!constraints || !isConstrained(constraints)) return undefined;
  checkColumnConstraints(constraints, columnsToConstrain(frame, target));
  return constraints;
}

/** `first` are the rows to learn from, `second` the holdout. */
function lockAway(
  { holdoutShare: share = defaultHoldoutShare, seed }: Recipe,
  rows: {
    rowCount: number;
    strata: Int32Array | undefined;
    groups: Int32Array | undefined;
    times: Float64Array | undefined;
  },
): { first: Int32Array; second: Int32Array } {
  const { rowCount, strata, groups, times } = rows;
  if (times) return splitByTime(times, share);
  return splitRows({ rowCount, share, seed, ...(strata && { strata }), ...(groups && { groups }) });
}

function protectedColumn(frame: Frame, name: string, { target }: Recipe): Column {
  const column = columnNamed(frame, name);
  if (name === target || column.kind === 'text' || column.kind === 'date') {
    const message =
      name === target
        ? 'names the target'
        : `names "${name}", which holds texts or dates and tells no groups`;
    throw new Problem('invalid-request', `The recipe: "protectedColumns" ${message}.`, {
      errors: [{ field: 'protectedColumns', message }],
    });
  }
  return column;
}

/** The folds whose earlier rows have two classes. @throws Problem `target-unusable` when there are none */
function learnable(
  folds: Omit<Fold, 'views'>[],
  strata: Int32Array | undefined,
  { target, timeColumn }: Recipe,
): Omit<Fold, 'views'>[] {
  if (!strata) return folds;
  const kept = folds.filter(({ training }) => training.some((row) => strata[row] !== strata[training[0]!]));
  if (kept.length > 0) return kept;
  throw new Problem(
    'target-unusable',
    `By "${timeColumn}", all earlier rows have the same value in "${target}", so there is nothing to learn from them.`,
  );
}

/** A target of relevances that differ within a group. */
function checkRankingTarget({ values, rows }: Target, groups: Int32Array | undefined): void {
  if (!groups) throw missingGroups();
  checkRanking(
    values,
    Int32Array.from(values, (_, index) => index),
    rows.map((row) => groups[row]!),
  );
}

/**
 * All usable rows, or a random part of them when all would need more memory, or a large part of the time. Of a ranking
 * it is a part of the groups, each of them whole.
 */
function affordableRows(
  target: Target,
  {
    columns,
    groups,
    recipe,
    warnings,
  }: { columns: readonly Column[]; groups: Int32Array | undefined; recipe: Recipe; warnings: string[] },
): Int32Array {
  const rowCount = target.rows.length;
  const all = Int32Array.from({ length: rowCount }, (_, index) => index);
  const { memoryBytes = Infinity, seconds = Infinity } = recipe.budget;
  // Selected and encoded columns, bins, and for each output scores, gradients and predictions of a dozen trials.
  const bytesPerRow = columns.length * 25 + Math.max(1, target.classes.length) * 160 + 200;
  const byMemory = Math.floor(memoryBytes / bytesPerRow);
  const characters = columns.reduce((sum, column) => sum + meanCharacters(column), 0);
  const secondsPerRow = secondsToPrepareCell * (columns.length + 1) + secondsToPrepareCharacter * characters;
  const byTime = Math.floor((preparingShare * seconds) / secondsPerRow);
  const fitting = Math.max(fewestRows, Math.min(byMemory, byTime));
  if (fitting >= rowCount) return all;
  const limit = byMemory < byTime ? 'memory' : 'time';
  warnings.push(
    `To stay within the ${limit} limit, ${fitting} of ${rowCount} rows were used, drawn at random.`,
  );
  if (target.task === 'ranking') {
    const own = target.rows.map((row) => groups![row]!);
    return splitRows({ rowCount, share: fitting / rowCount, seed: recipe.seed, groups: own }).second;
  }
  return shuffle(all, seededRandom(recipe.seed)).slice(0, fitting).sort();
}

/** Of the texts of a column, as far as they are read; 0 for other columns. Some rows tell it well enough. */
function meanCharacters(column: Column): number {
  if (column.kind !== 'text') return 0;
  const step = Math.ceil(column.values.length / 1000);
  let sum = 0;
  let count = 0;
  for (let row = 0; row < column.values.length; row += step) {
    sum += Math.min(column.values[row]?.length ?? 0, maximumTextCharacters);
    count++;
  }
  return sum / count;
}

function makeFolds({
  training: { actual, groups },
  target,
  recipe,
  times,
  featureCount,
}: {
  training: Pick<Part, 'actual' | 'groups'>;
  target: Target;
  recipe: Recipe;
  times: Float64Array | undefined;
  featureCount: number;
}): Omit<Fold, 'views'>[] {
  const rowCount = actual.length;
  const strata = hasClasses(target.task) ? Int32Array.from(actual) : undefined;
  const options = { rowCount, seed: recipe.seed + 1, ...(strata && { strata }), ...(groups && { groups }) };
  const foldCount = Math.min(
    groups ? new Set(groups).size : rowCount,
    recipe.folds ?? affordableFolds(rowCount, featureCount, target, recipe),
  );
  assert(foldCount >= 1, 'a search needs at least one fold');
  if (times) return learnable(foldsByTime(times, foldCount), strata, recipe);
  if (foldCount >= 2) return foldRows({ ...options, foldCount });
  const { first, second } = splitRows({ ...options, share: 0.2 });
  return [{ training: first, validation: second }];
}

/** Folds that may see the same share their views, and what learners remember of them. */
function withViews(folds: readonly Omit<Fold, 'views'>[], table: FeatureTable): Fold[] {
  const viewsOf = (fold: number | undefined): Fold['views'] => ({
    all: viewOf(table, { ...(fold !== undefined && { fold }) }),
    ordersOnly: viewOf(table, { ...(fold !== undefined && { fold }), ordersOnly: true }),
  });
  const hasStatistics = table.features.some((feature) => feature.fold !== undefined);
  const shared = viewsOf(undefined);
  return folds.map((rows, fold) => ({ ...rows, views: hasStatistics ? viewsOf(fold) : shared }));
}

/** By size; fewer when one boosted trial would take more than 40 % of the time. Below three, a plain split is better. */
function affordableFolds(rowCount: number, featureCount: number, target: Target, { budget }: Recipe): number {
  const wanted = rowCount <= 2000 ? 8 : rowCount <= 20_000 ? 5 : rowCount <= 200_000 ? 4 : 3;
  if (budget.trials !== undefined || budget.seconds === undefined) return wanted;
  const outputCount = target.task === 'multiclass' ? target.classes.length : 1;
  const secondsPerFold = rowCount * featureCount * treesPerFold * outputCount * secondsPerCell;
  const affordable = Math.floor((0.4 * budget.seconds) / Math.max(1e-6, secondsPerFold));
  return affordable >= 3 ? Math.min(wanted, affordable) : 1;
}

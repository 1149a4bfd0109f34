// From a frame and a recipe to what trials work on: the target, a locked holdout, encoded features, folds.
import { concatenate } from '../../base/numbers.ts';
import { Problem } from '../../base/problems.ts';
import { seededRandom, shuffle } from '../../base/random.ts';
import { encodeFrame, type Encoding, type FeatureTable } from '../frame/encoding.ts';
import { stackTables, tableRows } from '../frame/table-rows.ts';
import type { DroppedColumn } from '../frame/fit-encoding.ts';
import { columnNamed, selectRows, type Column, type Frame } from '../frame/frame.ts';
import { encodeWithStatistics } from '../frame/fit-statistics.ts';
import { splitRows } from '../frame/split.ts';
import { maximumTextCharacters } from '../frame/text-terms.ts';
import { viewOf } from '../frame/views.ts';
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
import { checkRecipe } from './check-recipe.ts';
import { decisionCosts } from './costs.ts';
import { divideRows, type FoldRows, type Side } from './divide.ts';
import { missingGroups, readGroups } from './groups.ts';
import type { Recipe } from './recipe.ts';
import { readTarget, type Target } from './task.ts';
import { orderWarning, readTimes } from './time-order.ts';

/** What is true of some rows, in their order. */
export type Truth = Pick<Side, 'actual' | 'groups'>;

/** Rows of one kind, with their features. */
export interface Part extends Side {
  table: FeatureTable;
}

export interface Prepared {
  recipe: Recipe;
  target: Target;
  metric: Metric;
  encoding: Encoding;
  dropped: DroppedColumn[];
  training: Part;
  holdout: Part;
  /** The rows of the training part, then those of the holdout: what the final models learn from. */
  everything: Truth & { table: FeatureTable };
  /** Of the holdout: the columns that tell groups of people apart. */
  protectedColumns: Frame;
  /** One entry only when the budget allows no cross-validation. */
  folds: Fold[];
  /** All training rows, without any to judge by; only where models may become compact. */
  whole?: Fold;
  /** By features of the tables; absent when nothing is constrained. */
  constraints?: Constraints;
  /** What decisions cost, by class. */
  costs?: DecisionCosts;
  warnings: string[];
}

/** Rows, and what trainings on them may see of the training part's table: statistics of this fold alone. */
export interface Fold extends FoldRows {
  views: {
    all: FeatureTable;
    /** For learners that see only the order of numbers. */
    ordersOnly: FeatureTable;
  };
}

/** What selecting, encoding and binning one value costs, and the share of the time that all of it may take. */
const secondsToPrepareCell = 1.2e-7;
/** The same of one character of a text. */
const secondsToPrepareCharacter = 8e-7;
const preparingShare = 0.25;
const fewestRows = 10;

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
  const divided = divideRows({ frame, columns, recipe, target, usable, groups, times, constraints });
  const { training, holdout, holdoutRows, dropped, folds: rows } = divided;
  warnings.push(...divided.warnings);
  const divisions = mayBeCompact(recipe) ? [...rows, allRows(training.actual.length)] : rows;
  const { encoding, table } = encodeWithStatistics({
    ...training,
    encoding: divided.encoding,
    folds: divisions,
    classes: target.classes,
    seed: recipe.seed + 5,
  });
  const everyRow = stackTables(table, encodeFrame(holdout.frame, encoding));
  const trainingTable = tableRows(everyRow, 0, table.rowCount);
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
    training: { ...training, table: viewOf(trainingTable, {}) },
    protectedColumns: selectRows({ rowCount: frame.rowCount, columns: protectedColumns }, holdoutRows),
    holdout: { ...holdout, table: tableRows(everyRow, table.rowCount, everyRow.rowCount) },
    everything: {
      table: everyRow,
      actual: concatenate(Float64Array, [training.actual, holdout.actual]),
      ...(training.groups &&
        holdout.groups && { groups: concatenate(Int32Array, [training.groups, holdout.groups]) }),
    },
    ...foldsOf(withViews(divisions, trainingTable), rows.length),
    ...(costs && { costs }),
    ...(constraints && { constraints: featureConstraints(constraints, table.features, target) }),
    warnings,
  };
}

function mayBeCompact({ compact, maxPredictMs }: Recipe): boolean {
  return compact === true || maxPredictMs !== undefined;
}

/** As a fold that judges by none. */
export function allRows(rowCount: number): FoldRows {
  return {
    training: Int32Array.from({ length: rowCount }, (_, row) => row),
    validation: new Int32Array(0),
  };
}

function foldsOf(divisions: readonly Fold[], foldCount: number): Pick<Prepared, 'folds' | 'whole'> {
  const whole = divisions[foldCount];
  return { folds: divisions.slice(0, foldCount), ...(whole && { whole }) };
}

function readConstraints(frame: Frame, { constraints, target }: Recipe): ColumnConstraints | undefined {
  if (!constraints || !isConstrained(constraints)) return undefined;
  checkColumnConstraints(constraints, columnsToConstrain(frame, target));
  return constraints;
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

/** Folds that may see the same share their views, and what learners remember of them. */
export function withViews(folds: readonly FoldRows[], table: FeatureTable): Fold[] {
  const viewsOf = (fold: number | undefined): Fold['views'] => ({
    all: viewOf(table, { ...(fold !== undefined && { fold }) }),
    ordersOnly: viewOf(table, { ...(fold !== undefined && { fold }), ordersOnly: true }),
  });
  const hasStatistics = table.features.some((feature) => feature.fold !== undefined);
  const shared = viewsOf(undefined);
  return folds.map((rows, fold) => ({ ...rows, views: hasStatistics ? viewsOf(fold) : shared }));
}

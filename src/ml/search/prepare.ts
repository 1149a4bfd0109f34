// From a frame and a recipe to what trials work on: the target, a locked holdout, encoded features, folds.
import { concatenate } from '../../base/numbers.ts';
import { Problem } from '../../base/problems.ts';
import type { Clock } from '../../base/time.ts';
import { encodeFrame, type Encoding, type FeatureTable } from '../frame/encoding.ts';
import { stackTables, tableRows } from '../frame/table-rows.ts';
import type { DroppedColumn } from '../frame/fit-encoding.ts';
import { columnNamed, selectRows, type Column, type Frame } from '../frame/frame.ts';
import { encodeWithStatistics } from '../frame/fit-statistics.ts';
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
import { affordableRows } from './affordable-rows.ts';
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
  /** The rows of the training part, then those of the holdout: what final models learn from, where they do. */
  everything?: Truth & { table: FeatureTable };
  /** Of the holdout: the columns that tell groups of people apart. */
  protectedColumns: Frame;
  /** One entry only when the budget allows no cross-validation. */
  folds: Fold[];
  /** All training rows as one fold without validation rows; only where one model may stand for those of the folds. */
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

const noRows = new Int32Array(0);

/** Where the search runs. */
export interface Surroundings {
  /** With it, a budget in time counts what preparing takes on this machine as it is now. */
  clock?: Clock;
  /** Threads that can train; 1. With more, the features lie in memory that they share. */
  threadCount?: number;
}

/** @throws Problem when the recipe or the target cannot be used */
export function prepare(
  frame: Frame,
  recipe: Recipe,
  { clock, threadCount = 1 }: Surroundings = {},
): Prepared {
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
  const usable = affordableRows(target, { columns, groups, recipe, warnings, clock });
  const divided = divideRows({
    frame,
    columns,
    recipe,
    target,
    usable,
    groups,
    times,
    constraints,
    threadCount,
  });
  const { training, holdout, holdoutRows, dropped, folds: rows } = divided;
  warnings.push(...divided.warnings);
  const mayBeCompact = recipe.compact === true || recipe.maxPredictMs !== undefined;
  const allRows = { training: Int32Array.from(training.actual, (_, row) => row), validation: noRows };
  const divisions = mayBeCompact ? [...rows, allRows] : rows;
  const { encoding, table } = encodeWithStatistics({
    ...training,
    encoding: divided.encoding,
    folds: divisions,
    classes: target.classes,
    seed: recipe.seed + 5,
  });
  const everyRow = stackTables(table, encodeFrame(holdout.frame, encoding), threadCount > 1);
  const trainingTable = tableRows(everyRow, 0, table.rowCount);
  const folds = withViews(divisions, trainingTable);
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
    folds: folds.slice(0, rows.length),
    ...(mayBeCompact && { whole: folds[rows.length]! }),
    ...(costs && { costs }),
    ...(constraints && { constraints: featureConstraints(constraints, table.features, target) }),
    warnings,
  };
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

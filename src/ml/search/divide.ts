// Which rows are learned from, which are locked away to judge by at the end, and the folds between: by class, by group, by
// time; equal rows together.
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { featuresOf, type Encoding } from '../frame/encoding.ts';
import { fitEncoding, type DroppedColumn } from '../frame/fit-encoding.ts';
import { selectRows, type Column, type Frame } from '../frame/frame.ts';
import { hasClasses } from '../frame/schema.ts';
import { foldRows, splitRows } from '../frame/split.ts';
import { seenFeatureCount } from '../frame/views.ts';
import type { ColumnConstraints } from '../model/manifest.ts';
import { checkGroups } from './groups.ts';
import type { Recipe } from './recipe.ts';
import type { Target } from './task.ts';
import { foldsByTime, splitByTime } from './time-order.ts';
import { findTwins, twinsAcross, twinWarning } from './twins.ts';

/** Rows of one side: their input columns and truths. */
export interface Side {
  frame: Frame;
  actual: Float64Array;
  /** The number of each row's group, when the recipe names a column of groups. */
  groups?: Int32Array;
}

/** Indices into the training part. */
export interface FoldRows {
  training: Int32Array;
  validation: Int32Array;
}

export interface Divided {
  training: Side;
  holdout: Side;
  /** The frame's rows that are the holdout. */
  holdoutRows: Int32Array;
  /** One entry only when the budget allows no cross-validation. */
  folds: FoldRows[];
  /** Fitted to the inputs of the training part; statistics of the target are still to come. */
  encoding: Encoding;
  dropped: DroppedColumn[];
  warnings: string[];
}

export interface ToDivide {
  frame: Frame;
  /** Those that may be learned from. */
  columns: readonly Column[];
  recipe: Recipe;
  target: Target;
  /** Indices into the target's rows. */
  usable: Int32Array;
  /** Of each row of the frame. */
  groups: Int32Array | undefined;
  times: Float64Array | undefined;
  constraints: ColumnConstraints | undefined;
  /** Folds that can be trained at a time. */
  threadCount: number;
}

const defaultHoldoutShare = 0.2;
/** What one row, one feature and one tree of boosting cost, measured; only for choosing the number of folds. */
const secondsPerCell = 2.4e-8;
const treesPerFold = 200;

/** Of the usable rows, what can help to order or tell them apart. */
interface Usable {
  rowCount: number;
  strata: Int32Array | undefined;
  groups: Int32Array | undefined;
  times: Float64Array | undefined;
}

/** @throws Problem `invalid-request` or `target-unusable` for rows that cannot be divided as the recipe asks */
export function divideRows(input: ToDivide): Divided {
  const { frame, columns, recipe, target, usable, constraints, threadCount } = input;
  const rows = usableRows(input);
  const framesRows = usable.map((index) => target.rows[index]!);
  const sideOf = (indices: Int32Array): Side => ({
    frame: selectRows(
      { rowCount: frame.rowCount, columns },
      indices.map((index) => framesRows[index]!),
    ),
    actual: Float64Array.from(indices, (index) => target.values[usable[index]!]!),
    ...(rows.groups && { groups: indices.map((index) => rows.groups![index]!) }),
  });
  const divide = (sets?: Int32Array) => {
    const split = lockAway(recipe, rows, sets);
    const training = sideOf(split.first);
    return { split, training, fitted: fitEncoding(training.frame) };
  };
  // Twins are rows that look the same to a model, and only what is fitted tells which columns it looks at.
  const first = divide();
  const learned = new Set(first.fitted.encoding.map(({ column }) => column));
  const compared = columns.filter(({ name }) => learned.has(name));
  const twins = findTwins(compared, framesRows, recipe.seed + 6);
  const together = rows.groups || rows.times ? undefined : twins?.sets;
  const { split, training, fitted } = together ? divide(together) : first;
  // A distance between two columns falls as one of them rises, and lets them act together in one question.
  const encoding = constraints
    ? fitted.encoding.filter((entry) => entry.kind !== 'difference')
    : fitted.encoding;
  return {
    training,
    holdout: sideOf(split.second),
    holdoutRows: split.second.map((index) => framesRows[index]!),
    folds: makeFolds({
      training,
      target,
      recipe,
      threadCount,
      times: rows.times && Float64Array.from(split.first, (index) => rows.times![index]!),
      sets: together && split.first.map((index) => together[index]!),
      featureCount: seenFeatureCount(featuresOf(encoding), { ordersOnly: true }),
    }),
    encoding,
    dropped: fitted.dropped,
    warnings: twins ? [twinWarning(twins, twinsAcross(twins, split.second, split.first))] : [],
  };
}

function usableRows({ recipe, target, usable, groups: allGroups, times }: ToDivide): Usable {
  const groups = allGroups && usable.map((index) => allGroups[target.rows[index]!]!);
  if (groups) checkGroups(groups, recipe.groupColumn!);
  return {
    rowCount: usable.length,
    strata: hasClasses(target.task) ? Int32Array.from(usable, (index) => target.values[index]!) : undefined,
    groups,
    times: times && Float64Array.from(usable, (index) => times[target.rows[index]!]!),
  };
}

/** `first` are the rows to learn from, `second` the holdout. */
function lockAway(
  { holdoutShare: share = defaultHoldoutShare, seed }: Recipe,
  { rowCount, strata, groups, times }: Usable,
  sets: Int32Array | undefined,
): { first: Int32Array; second: Int32Array } {
  if (times) return splitByTime(times, share);
  return splitRows({
    rowCount,
    share,
    seed,
    ...(strata && { strata }),
    ...(groups && { groups }),
    ...(sets && { sets }),
  });
}

/** The folds whose earlier rows have two classes. @throws Problem `target-unusable` when there are none */
function learnable(
  folds: FoldRows[],
  strata: Int32Array | undefined,
  { target, timeColumn }: Recipe,
): FoldRows[] {
  if (!strata) return folds;
  const kept = folds.filter(({ training }) => training.some((row) => strata[row] !== strata[training[0]!]));
  if (kept.length > 0) return kept;
  throw new Problem(
    'target-unusable',
    `By "${timeColumn}", all earlier rows have the same value in "${target}", so there is nothing to learn from them.`,
  );
}

function makeFolds({
  training: { actual, groups },
  target,
  recipe,
  threadCount,
  times,
  sets,
  featureCount,
}: {
  training: Side;
  target: Target;
  recipe: Recipe;
  threadCount: number;
  times: Float64Array | undefined;
  /** Equal rows, which stay together. */
  sets: Int32Array | undefined;
  featureCount: number;
}): FoldRows[] {
  const rowCount = actual.length;
  const strata = hasClasses(target.task) ? Int32Array.from(actual) : undefined;
  const options = {
    rowCount,
    seed: recipe.seed + 1,
    ...(strata && { strata }),
    ...(groups && { groups }),
    ...(sets && { sets }),
  };
  const together = groups ?? sets;
  const foldCount = Math.min(
    together ? new Set(together).size : rowCount,
    recipe.folds ?? affordableFolds({ rowCount, featureCount, threadCount }, target, recipe),
  );
  assert(foldCount >= 1, 'a search needs at least one fold');
  if (times) return learnable(foldsByTime(times, foldCount), strata, recipe);
  if (foldCount >= 2) return foldRows({ ...options, foldCount });
  const { first, second } = splitRows({ ...options, share: 0.2 });
  return [{ training: first, validation: second }];
}

/** By size; fewer when one boosted trial would take more than 40 % of the time. Below three, a plain split is better. */
function affordableFolds(
  { rowCount, featureCount, threadCount }: { rowCount: number; featureCount: number; threadCount: number },
  { task, classes }: Target,
  { budget }: Recipe,
): number {
  const wanted = rowCount <= 2000 ? 8 : rowCount <= 20_000 ? 5 : rowCount <= 200_000 ? 4 : 3;
  if (budget.trials !== undefined || budget.seconds === undefined) return wanted;
  const outputCount = task === 'multiclass' ? classes.length : 1;
  const secondsPerFold = rowCount * featureCount * treesPerFold * outputCount * secondsPerCell;
  const affordable = Math.floor((0.4 * budget.seconds * threadCount) / Math.max(1e-6, secondsPerFold));
  return affordable >= 3 ? Math.min(wanted, affordable) : 1;
}

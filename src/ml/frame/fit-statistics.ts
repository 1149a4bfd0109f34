// Fits the statistics of categories (category-statistics.ts) in each fold, so that no row's own target is in what it is
// learned from, nor in what it is judged by: a fold's validation rows see means over its training rows; its training
// rows see means over the training rows of four other fifths. All are drawn towards one mean, so that not even what an
// unseen category counts as tells the fifths apart.
import { assert } from '../../base/assert.ts';
import { missingCode, type CategoryColumn, type Frame } from './frame.ts';
import {
  encodeFrame,
  featuresOf,
  type ColumnEncoding,
  type Encoding,
  type FeatureTable,
} from './encoding.ts';
import { maximumNameCharacters } from './fit-encoding.ts';
import type { CategoryStatistics, FoldMeans } from './category-statistics.ts';
import { foldRows } from './split.ts';

export interface StatisticsInput {
  /** The training part: rows of all folds. */
  frame: Frame;
  encoding: Encoding;
  folds: readonly { training: Int32Array; validation: Int32Array }[];
  /** Class indices, or numbers. */
  actual: Float64Array;
  /** Names of the classes; empty for numbers. */
  classes: readonly string[];
  /** Rows of one group are never on both sides. */
  groups?: Int32Array;
  seed: number;
}

/** With fewer categories, learners do well with the categories themselves. */
export const fewestCategories = 32;
/** How many rows of average target a category is mixed with. */
const priorRows = 10;
const partCount = 5;
const mostClasses = 8;
const mostCategories = 10_000;
/** Bounds of what goes into the model file, and of the columns in memory. */
const mostMeans = 400_000;
const mostCells = 12_000_000;

/** The encoding with statistics, and its table of the frame, of which trainings must see only views of their fold. */
export function encodeWithStatistics(input: StatisticsInput): { encoding: Encoding; table: FeatureTable } {
  const { frame, encoding, folds } = input;
  const chosen = encoding.filter(
    (entry) => entry.kind === 'category' && entry.categories.length > fewestCategories,
  );
  const wanted = targetsOf(input);
  const affordable = Math.floor(mostCells / Math.max(1, frame.rowCount) / folds.length);
  const columnCount = Math.min(chosen.length, affordable);
  const targets = wanted.slice(0, Math.max(1, Math.floor(affordable / Math.max(1, columnCount))));
  const columns = new Set(chosen.slice(0, columnCount).map((entry) => entry.column));
  const parts = folds.map(({ training }, fold) => partsOf(training, input, fold));
  const hidden = new Map<string, Float64Array[]>();
  const fitted = encoding.map((entry): ColumnEncoding => {
    if (entry.kind !== 'category' || !columns.has(entry.column)) return entry;
    const column = frame.columns.find((one) => one.name === entry.column);
    assert(column?.kind === 'categorical', `column "${entry.column}" is not categorical`);
    const { statistics, outOfFold } = fitColumn(column, input, { targets, parts, columnCount });
    hidden.set(entry.column, outOfFold);
    return { ...entry, statistics };
  });
  const table = encodeFrame(frame, fitted);
  hideOwnTargets(table, fitted, hidden, input);
  return { encoding: fitted, table };
}

/** What means are taken of: a number, or whether a row is of a class. The most frequent classes come first. */
interface MeanTarget {
  name: string;
  valueOf: (row: number) => number;
}

function targetsOf({ actual, classes }: StatisticsInput): MeanTarget[] {
  if (classes.length === 0) return [{ name: 'the target', valueOf: (row) => actual[row]! }];
  const shareOf = (index: number): MeanTarget => ({
    name: `"${classes[index]!}"`,
    valueOf: (row) => Number(actual[row] === index),
  });
  if (classes.length === 2) return [shareOf(1)];
  const counts = new Float64Array(classes.length);
  for (const index of actual) counts[index]!++;
  const frequent = [...counts.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b);
  return frequent.slice(0, mostClasses).map(shareOf);
}

/** The fifth of each training row of a fold; -1 for its other rows. */
function partsOf(training: Int32Array, { frame, groups, seed }: StatisticsInput, fold: number): Int8Array {
  const parts = new Int8Array(frame.rowCount).fill(-1);
  const own = groups && training.map((row) => groups[row]!);
  const count = Math.min(partCount, own ? new Set(own).size : training.length);
  if (count < 2) {
    for (const row of training) parts[row] = 0;
    return parts;
  }
  const options = {
    rowCount: training.length,
    foldCount: count,
    seed: seed + fold,
    ...(own && { groups: own }),
  };
  foldRows(options).forEach(({ validation }, part) => {
    for (const position of validation) parts[training[position]!] = part;
  });
  return parts;
}

interface Fitting {
  targets: readonly MeanTarget[];
  parts: readonly Int8Array[];
  columnCount: number;
}

/** `outOfFold`: for each fold and target, what its training rows are to see. */
function fitColumn(
  column: CategoryColumn,
  { folds }: StatisticsInput,
  { targets, parts, columnCount }: Fitting,
): { statistics: CategoryStatistics; outOfFold: Float64Array[] } {
  const kept = keptCodes(column, mostMeans / (folds.length * targets.length * columnCount));
  const places = new Int32Array(column.categories.length).fill(-1);
  kept.forEach(({ code }, place) => (places[code] = place));
  const outOfFold: Float64Array[] = [];
  const means = folds.map(({ training }, fold) =>
    targets.map((target): FoldMeans => {
      const sums = sumUp(column.codes, { places, count: kept.length, training, parts: parts[fold]!, target });
      outOfFold.push(sums.outOfFold);
      return sums.final;
    }),
  );
  return {
    statistics: {
      categories: kept.map(({ code }) => column.categories[code]!),
      shares: kept.map(({ share }) => share),
      of: targets.map(({ name }) => name),
      folds: means,
    },
    outOfFold,
  };
}

/** Categories seen more than once, the most frequent if there are too many, in their own order. */
function keptCodes({ codes, categories }: CategoryColumn, most: number): { code: number; share: number }[] {
  const counts = new Int32Array(categories.length);
  for (const code of codes) if (code >= 0) counts[code]!++;
  return [...counts.keys()]
    .filter((code) => counts[code]! > 1 && categories[code]!.length <= maximumNameCharacters)
    .sort((a, b) => counts[b]! - counts[a]! || a - b)
    .slice(0, Math.min(mostCategories, Math.floor(most)))
    .sort((a, b) => a - b)
    .map((code) => ({ code, share: rounded(counts[code]! / codes.length) }));
}

interface SumInput {
  places: Int32Array;
  count: number;
  training: Int32Array;
  parts: Int8Array;
  target: MeanTarget;
}

function sumUp(
  codes: Int32Array,
  { places, count, training, parts, target }: SumInput,
): { final: FoldMeans; outOfFold: Float64Array } {
  const placeOf = (row: number): number => (codes[row]! < 0 ? -1 : places[codes[row]!]!);
  // For each fifth and all together: sums of the target and rows, by category.
  const sums = Array.from({ length: partCount + 1 }, () => new Float64Array(count));
  const rows = Array.from({ length: partCount + 1 }, () => new Float64Array(count));
  let total = 0;
  for (const row of training) {
    const value = target.valueOf(row);
    total += value;
    const place = placeOf(row);
    if (place < 0) continue;
    for (const at of [parts[row]!, partCount]) {
      sums[at]![place]! += value;
      rows[at]![place]!++;
    }
  }
  const prior = rounded(total / training.length);
  const smooth = (sum: number, rowCount: number): number =>
    (sum + prior * priorRows) / (rowCount + priorRows);
  const outOfFold = new Float64Array(codes.length);
  for (const row of training) {
    const place = placeOf(row);
    const part = parts[row]!;
    if (codes[row] === missingCode) outOfFold[row] = NaN;
    else if (place < 0) outOfFold[row] = prior;
    else
      outOfFold[row] = smooth(
        sums[partCount]![place]! - sums[part]![place]!,
        rows[partCount]![place]! - rows[part]![place]!,
      );
  }
  const means = Array.from(sums[partCount]!, (sum, place) => rounded(smooth(sum, rows[partCount]![place]!)));
  return { final: { prior, means }, outOfFold };
}

/** Puts what training rows are to see in the place of means that know their own target. */
function hideOwnTargets(
  table: FeatureTable,
  encoding: Encoding,
  hidden: ReadonlyMap<string, Float64Array[]>,
  { folds }: StatisticsInput,
): void {
  const next = new Map<string, number>();
  featuresOf(encoding).forEach(({ column, fold }, index) => {
    if (fold === undefined) return;
    const place = next.get(column) ?? 0;
    next.set(column, place + 1);
    const values = hidden.get(column)![place]!;
    for (const row of folds[fold]!.training) table.columns[index]![row] = values[row]!;
  });
}

/** Six digits are enough, and keep model files short. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

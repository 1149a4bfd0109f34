// Categories as numbers: ordered target statistics (Prokhorenkova et al., "CatBoost: unbiased boosting with categorical
// features", NeurIPS 2018). A category's statistic is the smoothed mean of the target over its rows. A row that is
// learned from sees only the rows before it in a random order, so never its own target; all other rows see the mean over
// all rows learned from. Borders lie between the categories' final means (which is all that they tell of a row's own
// target). Every question about a statistic is a set of categories in the end: the model needs no form of its own for it.
import type { Task } from '../frame/schema.ts';
import type { BinnedFeature } from './bins.ts';
import type { Split } from './split-search.ts';

/** What statistics are computed from. Rows are positions in the table. */
export interface StatisticsInput {
  task: Task;
  classCount: number;
  target: Float64Array;
  weights: Float64Array | undefined;
  /** How many average rows the prior, the mean over all rows seen, counts for. */
  priorRows: number;
  /** Rows learned from, in their random order. */
  order: Int32Array;
  /** Rows that only follow. */
  followers: Int32Array;
}

/** A category column, and its place in the binned table. */
export interface StatisticSource {
  feature: BinnedFeature;
  place: number;
}

/** A statistic of a category column as a feature that trees can be grown on. */
export interface StatisticFeature {
  /** In bins of the statistic. */
  binned: BinnedFeature;
  source: StatisticSource;
  /** For each code of the source, then for missing values: the bin of its final statistic. */
  finalBins: Uint8Array;
}

/** With more classes, only the most frequent have statistics. */
const mostClasses = 8;
/** 32 bins at most: the kernels' narrow layout. */
const mostBorders = 31;

/**
 * The statistics of each source: the mean target, or the share of class 1, or that of each class. Those that tell no two
 * categories apart are left out.
 */
export function statisticsOf(
  sources: readonly StatisticSource[],
  input: StatisticsInput,
): StatisticFeature[] {
  const classes = classesOf(input);
  return sources.flatMap((source) =>
    classes.flatMap((classIndex) => statisticFeature(source, classIndex, input) ?? []),
  );
}

/** A question about a statistic as one about its source: the set of categories whose final statistic goes left. */
export function asCategorySplit({ source, finalBins }: StatisticFeature, split: Split): Split {
  const missing = finalBins.length - 1;
  const goesLeft = (code: number): boolean => finalBins[code]! <= split.bin;
  return {
    ...split,
    feature: source.place,
    isCategorical: true,
    leftBins: Array.from({ length: missing }, (_, code) => code).filter(goesLeft),
    isMissingLeft: goesLeft(missing),
  };
}

function classesOf({ task, classCount, target, order }: StatisticsInput): (number | undefined)[] {
  if (task === 'regression') return [undefined];
  if (task === 'binary') return [1];
  const counts = new Float64Array(classCount);
  for (const row of order) counts[target[row]!]!++;
  return [...counts.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, mostClasses);
}

function statisticFeature(
  { feature, place }: StatisticSource,
  classIndex: number | undefined,
  input: StatisticsInput,
): StatisticFeature | undefined {
  const sums = startSums(feature, classIndex, input);
  const ordered = orderedStatistics(feature, sums, input);
  const final = Float64Array.from(sums.weight, (_, code) => statisticOf(sums, code));
  const borders = bordersBetween(final, sums.weight);
  if (borders.length === 0) return undefined;
  const finalBins = Uint8Array.from(final, (value) => binOf(borders, value));
  const bins = new Uint8Array(feature.bins.length);
  input.order.forEach((row, index) => (bins[row] = binOf(borders, ordered[index]!)));
  for (const row of input.followers) bins[row] = finalBins[feature.bins[row]!]!;
  const binCount = borders.length + 1;
  const bounds = Float64Array.of(...borders, Infinity);
  return {
    binned: { feature: feature.feature, kind: 'number', bins, binCount, missingBin: -1, bounds },
    source: { feature, place },
    finalBins,
  };
}

/** Sums over rows seen so far. */
export interface CategorySums {
  /** For each code, then for missing values: weighted targets and weights. */
  target: Float64Array;
  weight: Float64Array;
  /** The same of all. */
  all: { target: number; weight: number };
  priorWeight: number;
  /** What the mean is taken of. */
  valueOf: (row: number) => number;
}

/** Sums that have seen no row yet, of the class's share or, without one, of the target itself. */
export function startSums(
  source: BinnedFeature,
  classIndex: number | undefined,
  { target, weights, order, priorRows }: StatisticsInput,
): CategorySums {
  let weight = order.length;
  if (weights) weight = order.reduce((sum, row) => sum + weights[row]!, 0);
  const codeCount = source.missingBin < 0 ? source.binCount + 1 : source.binCount;
  return {
    target: new Float64Array(codeCount),
    weight: new Float64Array(codeCount),
    all: { target: 0, weight: 0 },
    priorWeight: (priorRows * weight) / order.length,
    valueOf: (row) => (classIndex === undefined ? target[row]! : target[row] === classIndex ? 1 : 0),
  };
}

/**
 * The statistic that each row of `order` is learned with, in that order: it depends on the targets of the rows before
 * it alone. Afterwards the sums have seen all of them.
 */
export function orderedStatistics(
  source: BinnedFeature,
  sums: CategorySums,
  { order, weights }: Pick<StatisticsInput, 'order' | 'weights'>,
): Float64Array {
  const { all } = sums;
  const ordered = new Float64Array(order.length);
  for (let index = 0; index < order.length; index++) {
    const row = order[index]!;
    const code = source.bins[row]!;
    ordered[index] = statisticOf(sums, code);
    const weight = weights ? weights[row]! : 1;
    const value = weight * sums.valueOf(row);
    sums.target[code]! += value;
    sums.weight[code]! += weight;
    all.target += value;
    all.weight += weight;
  }
  return ordered;
}

/** The category's mean, drawn towards the mean of all rows seen. */
function statisticOf({ target, weight, all, priorWeight }: CategorySums, code: number): number {
  const prior = all.weight > 0 ? all.target / all.weight : 0;
  return (target[code]! + prior * priorWeight) / (weight[code]! + priorWeight);
}

/** Borders half-way between the statistics of neighbouring categories, with about as many rows in each bin. */
function bordersBetween(statistics: Float64Array, weights: Float64Array): number[] {
  const seen = [...statistics.keys()].filter((code) => weights[code]! > 0);
  seen.sort((a, b) => statistics[a]! - statistics[b]! || a - b);
  let rest = seen.reduce((sum, code) => sum + weights[code]!, 0);
  const borders: number[] = [];
  let inBin = 0;
  for (let index = 0; index + 1 < seen.length && borders.length < mostBorders; index++) {
    const low = statistics[seen[index]!]!;
    const high = statistics[seen[index + 1]!]!;
    inBin += weights[seen[index]!]!;
    const middle = low + (high - low) / 2;
    const isEnough =
      inBin >= rest / (mostBorders + 1 - borders.length) ||
      seen.length - index - 1 <= mostBorders - borders.length;
    if (!isEnough || !(middle > low && middle < high)) continue;
    borders.push(middle);
    rest -= inBin;
    inBin = 0;
  }
  return borders;
}

/** The number of borders below `value`. */
function binOf(borders: readonly number[], value: number): number {
  let low = 0;
  let high = borders.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (borders[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

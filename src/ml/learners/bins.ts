// Features cut into at most 255 bins of a byte each, column by column: the form in which trees are grown.
// Bounds follow LightGBM's idea: equal-frequency bins, heavy values in bins of their own, bounds half-way between
// neighbouring values. Bounds see the inputs of all rows of the table, never the target.
import { seededRandom, shuffle } from '../../base/random.ts';
import type { FeatureTable } from '../frame/encoding.ts';

export interface BinnedFeature {
  /** Position in the encoded row. */
  feature: number;
  kind: 'number' | 'category';
  bins: Uint8Array;
  /** Bins in use, the one for missing values included. */
  binCount: number;
  /** The bin of missing values, always the last; -1 when there are none. */
  missingBin: number;
  /** For numbers: bin b holds values at most `bounds[b]`; the last bound is Infinity. For categories: empty. */
  bounds: Float64Array;
}

export interface BinnedTable {
  rowCount: number;
  /** Features with at least two bins; the others cannot split anything. */
  features: readonly BinnedFeature[];
}

const maximumBins = 254; // and one for missing values
const fewestBins = 32;
/** More bins than that would only memorise rows, and cost time at every leaf. */
const rowsPerBin = 3;
const sampleSize = 100_000;
const memory = new WeakMap<FeatureTable, BinnedTable>();

/** The bins of a table; computed once for each table, which never changes. */
export function binnedTable(table: FeatureTable): BinnedTable {
  const known = memory.get(table);
  if (known) return known;
  const features = table.features
    .map((feature, index) =>
      feature.kind === 'category' ? binCategory(table, index) : binNumber(table, index),
    )
    .filter((feature) => feature.binCount > 1);
  const binned = { rowCount: table.rowCount, features };
  memory.set(table, binned);
  return binned;
}

function binCategory(table: FeatureTable, feature: number): BinnedFeature {
  const codes = table.columns[feature]!;
  const levelCount = table.features[feature]!.levelCount;
  const bins = new Uint8Array(codes.length);
  let hasMissing = false;
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row]!;
    if (code !== code) hasMissing = true;
    bins[row] = code === code ? code : levelCount;
  }
  const missingBin = hasMissing ? levelCount : -1;
  return {
    feature,
    kind: 'category',
    bins,
    binCount: levelCount + (hasMissing ? 1 : 0),
    missingBin,
    bounds: new Float64Array(0),
  };
}

function binNumber(table: FeatureTable, feature: number): BinnedFeature {
  const values = table.columns[feature]!;
  const bounds = boundsOf(values, feature);
  const bins = new Uint8Array(values.length);
  const present = bounds.length;
  let hasMissing = false;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value !== value) {
      hasMissing = true;
      bins[row] = present;
    } else bins[row] = binOf(bounds, value);
  }
  return {
    feature,
    kind: 'number',
    bins,
    binCount: present + (hasMissing ? 1 : 0),
    missingBin: hasMissing ? present : -1,
    bounds,
  };
}

/** First bin whose bound is not below `value`. */
function binOf(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

function boundsOf(values: Float64Array | Uint8Array, feature: number): Float64Array {
  const sorted = sortedSample(values, feature);
  const distinct: number[] = [];
  const counts: number[] = [];
  for (const value of sorted) {
    if (distinct.length > 0 && value === distinct.at(-1)) counts[counts.length - 1]!++;
    else {
      distinct.push(value);
      counts.push(1);
    }
  }
  if (distinct.length === 0) return new Float64Array(0);
  const most = Math.min(maximumBins, Math.max(fewestBins, Math.floor(values.length / rowsPerBin)));
  const bounds = distinct.length <= most ? everyGap(distinct) : equalFrequencyGaps(distinct, counts, most);
  return Float64Array.from([...bounds, Infinity]);
}

function sortedSample(values: Float64Array | Uint8Array, feature: number): Float64Array {
  if (values.length <= sampleSize)
    return Float64Array.from(values)
      .filter((value) => value === value)
      .sort();
  const rows = shuffle(
    Int32Array.from(values, (_, row) => row),
    seededRandom(feature),
  ).subarray(0, sampleSize);
  return Float64Array.from(rows, (row) => values[row]!)
    .filter((value) => value === value)
    .sort();
}

function everyGap(distinct: readonly number[]): number[] {
  return distinct.slice(1).map((value, index) => between(distinct[index]!, value));
}

/** Values heavier than an average bin get one of their own; the others share what is left evenly. */
function equalFrequencyGaps(distinct: readonly number[], counts: readonly number[], most: number): number[] {
  const bounds: number[] = [];
  let restRows = counts.reduce((sum, count) => sum + count, 0);
  let restBins = most;
  let inBin = 0;
  for (let index = 0; index < distinct.length - 1 && restBins > 1; index++) {
    inBin += counts[index]!;
    const share = restRows / restBins;
    if (inBin >= share || counts[index + 1]! >= share) {
      bounds.push(between(distinct[index]!, distinct[index + 1]!));
      restRows -= inBin;
      restBins--;
      inBin = 0;
    }
  }
  return bounds;
}

/** A bound that keeps `low` on the left and `high` on the right, also where their mean rounds up to `high`. */
function between(low: number, high: number): number {
  const middle = low + (high - low) / 2;
  return middle < high && middle > low ? middle : low;
}

// Features cut into at most 255 bins of a byte each, column by column: the form in which trees are grown.
// Bounds follow LightGBM's idea: equal-frequency bins, heavy values in bins of their own, bounds half-way between
// neighbouring values. Bounds see the inputs of all rows of the table, never the target.
import { present } from '../../base/assert.ts';
import { seededRandom } from '../../base/random.ts';
import { mostSorted, openBinKernel, type BinKernel } from '../kernels/bin-kernel.ts';
import type { KernelThreads } from '../kernels/threads.ts';
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
const rowsPerBin = 6;
const memory = new WeakMap<FeatureTable, BinnedTable>();
/** By the table that views are of: views share most of their columns (frame/views.ts), and so the bins of these. */
const columnMemory = new WeakMap<FeatureTable, Map<unknown, BinnedFeature>>();

/** Tables with fewer values are cut into bins before other threads are awake. */
const fewestSharedValues = 500_000;

/** The bins of a table; computed once for each table, which never changes. */
export function binnedTable(table: FeatureTable, threads?: KernelThreads): BinnedTable {
  const known = memory.get(table);
  if (known) return known;
  const source = table.source ?? table;
  const shared = columnMemory.get(source) ?? new Map<unknown, BinnedFeature>();
  columnMemory.set(source, shared);
  const isNew = (index: number): boolean => !shared.has(table.columns[index]);
  const indices = table.features.map((_, index) => index).filter(isNew);
  const isNumber = (index: number): boolean => table.features[index]!.kind !== 'category';
  for (const index of indices.filter((one) => !isNumber(one)))
    shared.set(table.columns[index], binCategory(table, index));
  binNumbers(table, indices.filter(isNumber), { shared, threads });
  const features = table.features
    .map((_, index) => ({ ...present(shared.get(table.columns[index]), 'bins'), feature: index }))
    .filter((feature) => feature.binCount > 1);
  const binned = { rowCount: table.rowCount, features };
  memory.set(table, binned);
  return binned;
}

function binNumbers(
  table: FeatureTable,
  indices: readonly number[],
  { shared, threads }: { shared: Map<unknown, BinnedFeature>; threads: KernelThreads | undefined },
): void {
  if (indices.length === 0) return;
  const tools = binningTools(
    table.rowCount,
    table.rowCount * indices.length >= fewestSharedValues ? threads : undefined,
  );
  try {
    const { columnsAtOnce } = tools.kernel;
    for (let first = 0; first < indices.length; first += columnsAtOnce) {
      const batch = indices.slice(first, first + columnsAtOnce);
      const columns = batch.map((index) => table.columns[index]!);
      boundsOf(columns, tools).forEach((bounds, member) =>
        shared.set(
          columns[member],
          binNumber({ feature: batch[member]!, values: columns[member]! }, bounds, tools),
        ),
      );
    }
  } finally {
    tools.kernel.close();
  }
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

/** What binning needs for one column after the other. */
interface BinningTools {
  kernel: BinKernel;
  /** Rows that bounds are taken from; `undefined` for all. */
  sample: Int32Array | undefined;
  /** As long as the sample; one for each column that is sorted at a time. */
  kept: Float64Array[];
  distinct: Float64Array;
  counts: Int32Array;
}

function binningTools(rowCount: number, threads: KernelThreads | undefined): BinningTools {
  const kernel = openBinKernel(threads);
  const sample = sampledRows(rowCount);
  const count = sample?.length ?? rowCount;
  return {
    kernel,
    sample,
    kept: Array.from({ length: kernel.columnsAtOnce }, () => new Float64Array(count)),
    distinct: new Float64Array(count),
    counts: new Int32Array(count),
  };
}

function binNumber(
  { feature, values }: { feature: number; values: Float64Array | Uint8Array },
  bounds: Float64Array,
  { kernel }: BinningTools,
): BinnedFeature {
  const bins = new Uint8Array(values.length);
  const valueBins = bounds.length;
  const hasMissing = kernel.map({ values, bounds, missingBin: valueBins }, bins) > 0;
  return {
    feature,
    kind: 'number',
    bins,
    binCount: valueBins + (hasMissing ? 1 : 0),
    missingBin: hasMissing ? valueBins : -1,
    bounds,
  };
}

/** One row of each of `mostSorted` equal stretches; `undefined` for all rows. */
function sampledRows(rowCount: number): Int32Array | undefined {
  if (rowCount <= mostSorted) return undefined;
  const random = seededRandom(rowCount);
  const stretch = rowCount / mostSorted;
  return Int32Array.from({ length: mostSorted }, (_, index) =>
    Math.min(rowCount - 1, Math.floor((index + random.next()) * stretch)),
  );
}

/** At most as many columns as are sorted at a time. */
function boundsOf(columns: readonly (Float64Array | Uint8Array)[], tools: BinningTools): Float64Array[] {
  const samples = columns.map((values, index) => presentValues(values, tools.kept[index]!, tools));
  tools.kernel.sort(...samples);
  return samples.map((sorted, index) => boundsBetween(levelsOf(sorted, tools), columns[index]!.length));
}

function levelsOf(sorted: Float64Array, { distinct, counts }: BinningTools): Levels {
  let levelCount = 0;
  let last = NaN;
  for (let index = 0; index < sorted.length; index++) {
    const value = sorted[index]!;
    if (value !== last) {
      counts[levelCount] = 0;
      distinct[levelCount++] = value;
      last = value;
    }
    counts[levelCount - 1]!++;
  }
  return { distinct: distinct.subarray(0, levelCount), counts, valueCount: sorted.length };
}

/** Different values in order, how often each occurs, and how often all do. */
export interface Levels {
  distinct: Float64Array;
  counts: ArrayLike<number>;
  valueCount: number;
}

/** The bounds of the bins that these values are cut into, of a column of `rowCount` rows. */
export function boundsBetween(levels: Levels, rowCount: number): Float64Array {
  if (levels.distinct.length === 0) return new Float64Array(0);
  const most = Math.min(maximumBins, Math.max(fewestBins, Math.floor(rowCount / rowsPerBin)));
  const bounds =
    levels.distinct.length <= most ? everyGap(levels.distinct) : equalFrequencyGaps(levels, most);
  return Float64Array.from([...bounds, Infinity]);
}

/** The sampled values that are there. */
function presentValues(
  values: Float64Array | Uint8Array,
  kept: Float64Array,
  { sample }: BinningTools,
): Float64Array {
  let count = 0;
  for (let index = 0; index < kept.length; index++) {
    const value = values[sample ? sample[index]! : index]!;
    if (value === value) kept[count++] = value;
  }
  return kept.subarray(0, count);
}

function everyGap(distinct: Float64Array): number[] {
  return Array.from(distinct.subarray(1), (value, index) => between(distinct[index]!, value));
}

/**
 * Values heavier than an average bin get one of their own; the others share the bins that are left evenly. Which are heavy
 * is known before the first bin is closed: otherwise bins below heavy values would be wider than those above.
 */
function equalFrequencyGaps({ distinct, counts, valueCount }: Levels, most: number): number[] {
  const heavy = valueCount / most;
  const isHeavy = (index: number): boolean => counts[index]! >= heavy;
  let restRows = valueCount;
  let restBins = most;
  for (let index = 0; index < distinct.length; index++)
    if (isHeavy(index)) {
      restRows -= counts[index]!;
      restBins--;
    }
  const bounds: number[] = [];
  let share = restRows / Math.max(1, restBins);
  let inBin = 0;
  for (let index = 0; index < distinct.length - 1 && bounds.length < most - 1; index++) {
    inBin += counts[index]!;
    if (!isHeavy(index)) restRows -= counts[index]!;
    // A bin ends where it is nearest to its share; few rows before a heavy value go into the same bin.
    const next = isHeavy(index + 1) ? share : counts[index + 1]!;
    if (!isHeavy(index) && inBin + next / 2 < share) continue;
    bounds.push(between(distinct[index]!, distinct[index + 1]!));
    if (!isHeavy(index)) restBins--;
    share = restRows / Math.max(1, restBins);
    inBin = 0;
  }
  return bounds;
}

/** A bound that keeps `low` on the left and `high` on the right, also where their mean rounds up to `high`. */
function between(low: number, high: number): number {
  const middle = low + (high - low) / 2;
  return middle < high && middle > low ? middle : low;
}

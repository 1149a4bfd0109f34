// What the values of one column of numbers (or of dates as milliseconds, or of truth values) say about it.
import type { DatasetProfile } from '../../../contract/dataset.ts';

type Column = DatasetProfile['columns'][number];

export interface NumberFigures {
  presentCount: number;
  distinctCount: number;
  /** Of the finite values; null when there are none. */
  numeric: NonNullable<Column['numeric']> | null;
  histogram: Column['histogram'];
  topValues: { value: number; count: number }[];
  /** Third standardised moment. */
  skewness: number;
}

const shares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/** The figures of `values`, in which NaN is missing. Sorts `values` in place. */
export function profileNumbers(values: Float64Array, size: { bins: number; top: number }): NumberFigures {
  // NaN sorts last.
  values.sort();
  let presentCount = values.length;
  while (presentCount > 0 && Number.isNaN(values[presentCount - 1])) presentCount--;
  const present = values.subarray(0, presentCount);
  const finite = finiteOf(present);
  const runs = countRuns(present, size.top);
  const moments = momentsOf(finite);
  return {
    presentCount,
    distinctCount: runs.distinctCount,
    numeric: finite.length === 0 ? null : { ...numericOf(finite), ...moments.shown },
    histogram: histogramOf(finite, Math.min(size.bins, runs.distinctCount)),
    topValues: runs.top,
    skewness: moments.skewness,
  };
}

/** Counts of sorted `values` between equally wide edges. */
export function histogramOf(values: Float64Array, bins: number): Column['histogram'] {
  if (values.length === 0) return null;
  const minimum = values[0]!;
  const maximum = values.at(-1)!;
  const width = (maximum - minimum) / bins;
  if (!(width > 0) || !Number.isFinite(width)) return { edges: [minimum, maximum], counts: [values.length] };
  const edges = Array.from({ length: bins + 1 }, (_, bin) =>
    bin === bins ? maximum : minimum + bin * width,
  );
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value - minimum) / width))]!++;
  return { edges, counts };
}

function finiteOf(sorted: Float64Array): Float64Array {
  let start = 0;
  let end = sorted.length;
  while (start < end && sorted[start] === -Infinity) start++;
  while (end > start && sorted[end - 1] === Infinity) end--;
  return sorted.subarray(start, end);
}

function numericOf(
  sorted: Float64Array,
): Pick<NonNullable<Column['numeric']>, 'minimum' | 'maximum' | 'quantiles'> {
  return {
    minimum: sorted[0]!,
    maximum: sorted.at(-1)!,
    quantiles: shares.map((share) => ({ share, value: quantile(sorted, share) })),
  };
}

/** Linear between the two nearest values (type 7 of Hyndman and Fan, 1996). */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below === above ? below : below + (above - below) * (position % 1);
}

/** Mean and standard deviation in two passes, which stays exact for large values of little spread. */
function momentsOf(values: Float64Array): {
  shown: { mean: number; standardDeviation: number };
  skewness: number;
} {
  const count = values.length;
  const mean = meanOf(values);
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    const distance = value - mean;
    squares += distance * distance;
    cubes += distance * distance * distance;
  }
  const standardDeviation = count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
  const spread = Math.sqrt(squares / count);
  const skewness = spread > 0 ? cubes / count / spread ** 3 : 0;
  return {
    shown: { mean: finiteOr(mean), standardDeviation: finiteOr(standardDeviation) },
    skewness: Number.isFinite(skewness) ? skewness : 0,
  };
}

function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  if (Number.isFinite(sum)) return sum / values.length;
  let mean = 0;
  for (const value of values) mean += value / values.length;
  return mean;
}

/** JSON has no infinity: where squares overflow, the largest double stands for it. */
export function finiteOr(value: number): number {
  return Number.isFinite(value) ? value : Math.sign(value || 1) * Number.MAX_VALUE;
}

function countRuns(
  sorted: Float64Array,
  most: number,
): { distinctCount: number; top: NumberFigures['topValues'] } {
  let distinctCount = 0;
  let top: NumberFigures['topValues'] = [];
  for (let start = 0; start < sorted.length;) {
    let end = start + 1;
    while (end < sorted.length && sorted[end] === sorted[start]) end++;
    distinctCount++;
    if (top.length < most || end - start > top.at(-1)!.count) {
      top.push({ value: sorted[start]!, count: end - start });
      top.sort((a, b) => b.count - a.count);
      top = top.slice(0, most);
    }
    start = end;
  }
  // Where every value is there once, none is more frequent than another.
  return { distinctCount, top: distinctCount <= most ? top : top.filter(({ count }) => count > 1) };
}

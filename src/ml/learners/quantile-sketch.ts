// How the numbers of a column are spread, learned in one pass: sorted runs, of which two of the same weight are merged
// and every second value is kept, from the first or the second by chance (Agarwal, Cormode, Huang, Phillips, Wei, Yi,
// "Mergeable summaries", PODS 2012; the ancestor of KLL). Up to `runLength` numbers nothing is lost at all.
//
// Error: each merge that makes a run of weight 2w moves the rank of a value by w, up or down by chance, or not at all. Of n
// numbers, ranks are therefore off by more than e n with a chance of at most 2 exp(-(e runLength)^2 / 4) (Hoeffding):
// see rankError.
import type { Random } from '../../base/random.ts';
import { openBinKernel, type BinKernel } from '../kernels/bin-kernel.ts';
import type { Levels } from './bins.ts';

export interface QuantileSketch {
  /** Numbers added; NaN is none. */
  readonly count: number;
  /** Adds the numbers among `values`. */
  add: (values: Float64Array) => void;
  /** Adds what another sketch of the same run length has seen; that one must not be used afterwards. */
  merge: (other: QuantileSketch) => void;
  /** The sorted runs, each with the weight of its values, for merging. */
  runs: () => { values: Float64Array; weight: number }[];
  /** The different values that are left, in order, and how many numbers each stands for. */
  levels: () => Levels;
}

/** The rank of a value is then within 0.06 % of the numbers; the chance that it is not is one in a thousand million. */
export const defaultRunLength = 16_384;

/** The share of the numbers by which ranks are off at most, but with the given chance. */
export function rankError(runLength: number, chance = 1e-9): number {
  return (2 * Math.sqrt(Math.log(2 / chance))) / runLength;
}

/** An empty sketch; `runLength` is even, and at most what the kernel sorts. Sketches may share a kernel. */
export function quantileSketch(
  random: Random,
  { runLength = defaultRunLength, kernel = openBinKernel() }: { runLength?: number; kernel?: BinKernel } = {},
): QuantileSketch {
  const pending = new Float64Array(runLength);
  let pendingCount = 0;
  let count = 0;
  /** At place h a run whose values stand for 2^(h + 1) numbers each. */
  const kept: (Float64Array | undefined)[] = [];

  /** Every second value of `runLength` sorted ones. */
  const half = (valueAt: (index: number) => number): Float64Array => {
    const first = random.below(2);
    const left = new Float64Array(runLength / 2);
    for (let index = 0; index < left.length; index++) left[index] = valueAt(2 * index + first);
    return left;
  };
  const carry = (run: Float64Array, height: number): void => {
    const other = kept[height];
    kept[height] = other ? undefined : run;
    if (!other) return;
    const merged = mergeSorted(other, run);
    carry(
      half((index) => merged[index]!),
      height + 1,
    );
  };
  const addAll = (values: Float64Array): void => {
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (value !== value) continue;
      pending[pendingCount++] = value;
      count++;
      if (pendingCount < runLength) continue;
      kernel.sort(pending);
      carry(
        half((place) => pending[place]!),
        0,
      );
      pendingCount = 0;
    }
  };
  const runs: QuantileSketch['runs'] = () => {
    const sorted = pending.slice(0, pendingCount);
    kernel.sort(sorted);
    return [
      { values: sorted, weight: 1 },
      ...kept.flatMap((run, height) => (run ? [{ values: run, weight: 2 ** (height + 1) }] : [])),
    ];
  };
  return {
    get count() {
      return count;
    },
    add: addAll,
    merge: (other) => {
      const before = count;
      for (const { values, weight } of other.runs())
        if (weight === 1) addAll(values);
        else carry(values, Math.log2(weight) - 1);
      count = before + other.count;
    },
    runs,
    levels: () => levelsOf(runs(), count),
  };
}

function mergeSorted(a: Float64Array, b: Float64Array): Float64Array {
  const merged = new Float64Array(a.length + b.length);
  let fromA = 0;
  let fromB = 0;
  for (let index = 0; index < merged.length; index++)
    merged[index] =
      fromB === b.length || (fromA < a.length && a[fromA]! <= b[fromB]!) ? a[fromA++]! : b[fromB++]!;
  return merged;
}

function levelsOf(runs: readonly { values: Float64Array; weight: number }[], count: number): Levels {
  const places = runs.map(() => 0);
  const mostLevels = runs.reduce((sum, { values }) => sum + values.length, 0);
  const distinct = new Float64Array(mostLevels);
  const counts = new Float64Array(mostLevels);
  let levelCount = 0;
  for (let done = 0; done < mostLevels; done++) {
    let least = -1;
    runs.forEach(({ values }, run) => {
      if (places[run]! === values.length) return;
      if (least < 0 || values[places[run]!]! < runs[least]!.values[places[least]!]!) least = run;
    });
    const value = runs[least]!.values[places[least]!++]!;
    if (levelCount === 0 || value !== distinct[levelCount - 1]) distinct[levelCount++] = value;
    counts[levelCount - 1]! += runs[least]!.weight;
  }
  return {
    distinct: distinct.subarray(0, levelCount),
    counts: counts.subarray(0, levelCount),
    valueCount: count,
  };
}

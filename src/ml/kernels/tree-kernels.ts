// What growing trees asks of the machine: the loops over rows and bins, and nothing else. Two implementations give the
// same bits: WebAssembly (wasm-kernels.ts) and plain TypeScript (plain-kernels.ts), which is the other's test oracle and
// its stand-in where WebAssembly SIMD is missing.
//
// Rows are local: 0 to rowCount - 1 are learned from, the rest up to allCount only follow the trees. Gradients and
// hessians are summed as whole numbers ("units"), stochastically rounded (Shi et al., "Quantized Training of Gradient
// Boosting Decision Trees", NeurIPS 2022), so sums are exact, in any order and on any number of threads.
import type { CategoryRules } from './category-split.ts';
import type { Layout } from './layout.ts';

export interface KernelFeature {
  /** A bin for each row of the table. */
  bins: Uint8Array;
  binCount: number;
  /** The bin of missing values, always the last; -1 when there are none. */
  missingBin: number;
  kind: 'number' | 'category';
}

export interface KernelPlan {
  features: readonly KernelFeature[];
  layout: Layout;
  /** Rows of the table: first those to learn from, then those that follow. */
  positions: Int32Array;
  rowCount: number;
  /** Scores that are kept for each row. */
  outputCount: number;
  /** Histograms that are kept at a time. */
  slotCount: number;
  /** Leaves that a tree may have. */
  leafCount: number;
  /** Target and weight of each row of the table. */
  target: Float64Array;
  weights: Float64Array | undefined;
}

/** A part of the kernels' rows: rows[begin] to rows[end - 1]. */
export interface RowRange {
  begin: number;
  end: number;
}

/** Whole numbers: a leaf's or a bin's sums in units. */
export interface UnitSums {
  gradient: number;
  hessian: number;
}

/** What one unit is worth. Both are powers of two. */
export interface UnitScales {
  gradientScale: number;
  hessianScale: number;
}

/** A border of a numeric feature: bins up to `bin` go left. */
export interface Border extends UnitSums {
  bin: number;
  isMissingLeft: boolean;
  /** Gain in units: {@link gainOf}; `gradient` and `hessian` are the left side's sums. */
  gain: number;
}

export interface BorderSearch extends UnitSums {
  feature: number;
  /** Smallest hessian of a side, at least 1. */
  leastHessian: number;
  l2: number;
  /** Gain to beat. */
  floor: number;
}

/** A leaf's sums, and the features whose gains are asked for. */
export interface GainSearch extends UnitSums, CategoryRules {
  slot: number;
  features: readonly number[];
  /** For the first features, which are numbers, the only border to try: a bin; -1 for all. */
  borders?: readonly number[];
}

/** A leaf's sums, and the numeric features whose bins are asked for. */
export type OccupiedSearch = UnitSums & Pick<GainSearch, 'slot' | 'features'>;

/** Derivatives that the kernels compute themselves. */
export type KernelLoss = 'logistic' | 'squared' | 'softmax';

/** One of each for a bin; what lies behind a feature's bins means nothing. */
export interface BinSums {
  gradients: Float64Array;
  hessians: Float64Array;
}

export interface TreeKernels {
  readonly kind: 'plain' | 'webassembly';
  /** Row numbers, leaf by leaf; the caller fills it before each tree, or has them counted up. */
  readonly rows: Int32Array;
  /** Gradient and hessian of each row learned from, side by side. */
  readonly derivatives: Float32Array;
  /** Scores of all rows, output by output. */
  readonly scores: Float64Array;
  /** Of all local rows. */
  readonly target: Float64Array;
  readonly weights: Float64Array | undefined;
  /** Writes the derivatives of output `k` of a loss. Outputs of one iteration are derived in order, from 0. */
  derive: (loss: KernelLoss, k: number) => void;
  /** Row i becomes rows[i], for all rows. */
  countUp: () => void;
  /** Rounds the derivatives of all rows to units. */
  pack: (seed: number) => UnitScales;
  /**
   * Histograms summed from now on are those of `features` alone, of which there is at least one: others are neither to be
   * asked for gains nor for sums. At first, histograms are those of all.
   */
  draw: (features: Int32Array) => void;
  /**
   * Sums rows[begin] to rows[end - 1] into histogram `slot`; `isInOrder` promises that these are rows begin to end - 1.
   * Histogram `parent`, if given, becomes itself minus that.
   */
  fill: (slot: number, range: RowRange & { isInOrder: boolean }, parent?: number) => void;
  /** The sums over all rows of histogram `slot`, which has at least one feature. */
  totalOf: (slot: number) => UnitSums;
  /** The largest gain of each feature that each search asks for; below zero where no division is admissible. */
  gains: (searches: readonly GainSearch[]) => Float64Array[];
  /** For each numeric feature the first and the last of its bins that have rows, missing values aside; else two equal ones. */
  occupied: (leaf: OccupiedSearch) => Int32Array;
  /** The border of largest gain, if it beats the floor. */
  bestBorder: (slot: number, search: BorderSearch) => Border | undefined;
  /** The sums of each bin of a feature; `total` are the leaf's. In `into`, with room for 256 bins, or in new arrays. */
  binSums: (slot: number, feature: number, total: UnitSums, into?: BinSums) => BinSums;
  /** Divides rows[begin] to rows[end - 1]: bins with side 1 come first. Stable. Returns where the others begin. */
  partition: (begin: number, end: number, question: { feature: number; sides: Uint8Array }) => number;
  /** Exact sums of the derivatives of each leaf's rows, at most twice `leafCount` leaves. */
  leafSums: (leaves: readonly RowRange[]) => { gradient: number; hessian: number }[];
  /** Adds to output `k` of each leaf's rows its value, at most twice `leafCount` leaves. */
  addToScores: (k: number, leaves: readonly RowRange[], values: Float64Array) => void;
  /** Re-orders the rows learned from: row i becomes what row order[i] was. Neighbours in leaves become neighbours in memory. */
  reorder: (order: Int32Array) => void;
  /** Lets go of threads. */
  close: () => void;
}

/** Largest sum of units: two of them fit the 53 bits of a number. */
export const largestUnitSum = 67_108_864; // 2^26
/** Largest number of units of a row: with its sign it fits 16 bits. */
export const largestRowUnits = 32_767;
/**
 * The most that rounding adds to a sum. Up to so many rows it is certain; of more, sums stray by less than ten times the
 * square root of their number, by Hoeffding's inequality with a chance of error below 1e-86.
 */
const mostRoundedUp = 4_194_304; // 2^22
/** Rows whose derivatives are summed in one go; the sums of blocks are added in order. */
export const blockRows = 65_536;

/** Gain of a division, without the part that all divisions of a leaf share. */
export function gainOf(left: UnitSums, total: UnitSums, l2: number): number {
  const leftHessian = left.hessian + l2;
  const rightHessian = total.hessian - left.hessian + l2;
  const rightGradient = total.gradient - left.gradient;
  return (
    (left.gradient * left.gradient * rightHessian + rightGradient * rightGradient * leftHessian) /
    (leftHessian * rightHessian)
  );
}

/**
 * The largest power of two by which values that sum to `sum` over `rowCount` rows, at most `most` each, may be multiplied
 * before each is rounded up or down, so that no sum and no row leaves its bounds.
 */
export function unitsFor({ sum, most }: { sum: number; most: number }, rowCount: number): number {
  if (!(sum > 0)) return 1;
  const limit = Math.min(
    (largestUnitSum - Math.min(rowCount, mostRoundedUp)) / sum,
    (largestRowUnits - 1) / most,
  );
  let power = 1;
  while (power * 2 <= limit && power < 2 ** 1000) power *= 2;
  while (power > limit && power > 2 ** -1000) power /= 2;
  return power;
}

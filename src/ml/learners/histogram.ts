// Gradient histograms. One float64 cell for each bin holds two whole numbers: the sum of fixed-point gradients times
// 2^27 plus the sum of fixed-point hessians. One load, one add and one store for each row and feature, sums that are
// exact in any order, and "parent minus child" exact too. Quantised training: Shi et al., NeurIPS 2022.
import { assert } from '../../base/assert.ts';
import type { Random } from '../../base/random.ts';
import type { BinnedFeature } from './bins.ts';

/** Weight of the gradient part of a cell. */
export const gradientUnit = 134_217_728; // 2^27
const inverseGradientUnit = 1 / gradientUnit;
const largestSum = 33_554_432; // 2^25: leaves the sums of both parts room for rounding inside 53 bits

/** Cells for each row, and what a unit of each part is worth. */
export interface PackedGradients {
  cells: Float64Array;
  gradientScale: number;
  hessianScale: number;
}

/**
 * Packs gradients and hessians of `rows` into `packed.cells` by seeded stochastic rounding, so that sums are unbiased.
 * Scales are chosen so that no sum can leave its part of the cell.
 */
export function packGradients(
  input: { gradients: Float64Array; hessians: Float64Array; rows: Int32Array; rowCount: number },
  packed: PackedGradients,
  random: Random,
): void {
  const { gradients, hessians, rows, rowCount } = input;
  assert(rowCount < largestSum, 'too many rows for packed histograms');
  let gradientSum = 0;
  let hessianSum = 0;
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!;
    gradientSum += Math.abs(gradients[row]!);
    hessianSum += hessians[row]!;
  }
  const gradientUnits = gradientSum > 0 ? largestSum / gradientSum : 0;
  const first = hessians[rows[0]!]!;
  const areHessiansEqual = Math.abs(hessianSum - first * rowCount) <= 1e-9 * hessianSum;
  // Equal hessians become one whole number, so that they count rows without rounding.
  const hessianUnits = areHessiansEqual ? Math.floor(largestSum / rowCount) / first : largestSum / hessianSum;
  let state = random.below(4_294_967_296) | 0;
  const { cells } = packed;
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const chance = (state >>> 8) / 16_777_216;
    const gradient = Math.floor(gradients[row]! * gradientUnits + chance);
    const hessian = areHessiansEqual
      ? Math.round(first * hessianUnits)
      : Math.floor(hessians[row]! * hessianUnits + (1 - chance));
    cells[row] = gradient * gradientUnit + hessian;
  }
  packed.gradientScale = gradientUnits > 0 ? 1 / gradientUnits : 0;
  packed.hessianScale = 1 / hessianUnits;
}

/** Gradient part of a cell. */
export function gradientOf(cell: number): number {
  return Math.floor(cell * inverseGradientUnit);
}

/** Hessian part of a cell whose gradient part is known. */
export function hessianOf(cell: number, gradient: number): number {
  return cell - gradient * gradientUnit;
}

/** Which features to sum, and where each one's bins begin in a histogram. */
export interface HistogramLayout {
  features: readonly BinnedFeature[];
  offsets: Int32Array;
  cellCount: number;
}

export function histogramLayout(features: readonly BinnedFeature[]): HistogramLayout {
  const offsets = new Int32Array(features.length);
  let cellCount = 0;
  features.forEach((feature, index) => {
    offsets[index] = cellCount;
    cellCount += feature.binCount;
  });
  return { features, offsets, cellCount };
}

/** The rows of one leaf, their cells gathered in the same order. */
export interface LeafRows {
  rows: Int32Array;
  begin: number;
  end: number;
  gathered: Float64Array;
}

/** Fills `histogram` for the `active` features from the rows of a leaf. */
export function buildHistogram(
  histogram: Float64Array,
  layout: HistogramLayout,
  active: Int32Array,
  leaf: LeafRows,
): void {
  const { features, offsets } = layout;
  for (const index of active) histogram.fill(0, offsets[index], offsets[index]! + features[index]!.binCount);
  let position = 0;
  // Four features at a time share the loads of row and cell, and hide the latency of each other's additions.
  for (; position + 4 <= active.length; position += 4) {
    const a = active[position]!,
      b = active[position + 1]!,
      c = active[position + 2]!,
      d = active[position + 3]!;
    addFour(
      histogram,
      [features[a]!.bins, features[b]!.bins, features[c]!.bins, features[d]!.bins],
      [offsets[a]!, offsets[b]!, offsets[c]!, offsets[d]!],
      leaf,
    );
  }
  for (; position < active.length; position++) {
    const index = active[position]!;
    addOne(histogram, features[index]!.bins, offsets[index]!, leaf);
  }
}

/** Turns the parent's histogram into the other child's. */
export function subtractHistogram(
  parent: Float64Array,
  child: Float64Array,
  layout: HistogramLayout,
  active: Int32Array,
): void {
  for (const index of active) {
    const end = layout.offsets[index]! + layout.features[index]!.binCount;
    for (let cell = layout.offsets[index]!; cell < end; cell++) parent[cell] = parent[cell]! - child[cell]!;
  }
}

type Four<T> = readonly [T, T, T, T];

function addFour(
  histogram: Float64Array,
  columns: Four<Uint8Array>,
  starts: Four<number>,
  leaf: LeafRows,
): void {
  const [binsA, binsB, binsC, binsD] = columns;
  const [startA, startB, startC, startD] = starts;
  const { rows, begin, end, gathered } = leaf;
  for (let index = begin; index < end; index++) {
    const row = rows[index]!;
    const cell = gathered[index]!;
    const a = startA + binsA[row]!;
    const b = startB + binsB[row]!;
    const c = startC + binsC[row]!;
    const d = startD + binsD[row]!;
    histogram[a] = histogram[a]! + cell;
    histogram[b] = histogram[b]! + cell;
    histogram[c] = histogram[c]! + cell;
    histogram[d] = histogram[d]! + cell;
  }
}

function addOne(histogram: Float64Array, bins: Uint8Array, start: number, leaf: LeafRows): void {
  const { rows, begin, end, gathered } = leaf;
  for (let index = begin; index < end; index++) {
    const cell = start + bins[rows[index]!]!;
    histogram[cell] = histogram[cell]! + gathered[index]!;
  }
}

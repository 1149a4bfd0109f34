// The tree kernels in plain TypeScript: the oracle of the WebAssembly ones, and their stand-in. A histogram cell is one
// float64 that holds two whole numbers, gradient units times 2^27 plus hessian units: one load, one addition and one
// store for each row and feature, and sums stay exact.
import { bestCategories } from './category-split.ts';
import {
  blockRows,
  gainOf,
  unitsFor,
  type BinSums,
  type Border,
  type BorderSearch,
  type KernelLoss,
  type KernelPlan,
  type RowRange,
  type TreeKernels,
  type UnitSums,
} from './tree-kernels.ts';

const gradientUnit = 134_217_728; // 2^27
const inverseGradientUnit = 1 / gradientUnit;

export function plainKernels(plan: KernelPlan): TreeKernels {
  const memory = allocate(plan);
  const { rows, derivatives, scores, target, weights, columns, histograms, offsets } = memory;
  const { rowCount } = plan;
  const cellsOf = (slot: number, feature: number): Float64Array =>
    histograms[slot]!.subarray(offsets[feature]!, offsets[feature]! + plan.features[feature]!.binCount);
  return {
    kind: 'plain',
    rows,
    derivatives,
    scores,
    target,
    weights,
    derive: (loss, k) => derive(memory, plan, loss, k),
    pack: (seed) => {
      const sums = sumDerivatives(derivatives, rowCount);
      const gradientUnits = unitsFor(sums.gradient, rowCount);
      const hessianUnits = unitsFor(sums.hessian, rowCount);
      packInto(memory.cells, derivatives, { rowCount, seed, gradientUnits, hessianUnits });
      return { gradientScale: 1 / gradientUnits, hessianScale: 1 / hessianUnits };
    },
    countUp: () => {
      for (let index = 0; index < rows.length; index++) rows[index] = index;
    },
    draw: (features) => {
      memory.drawn = features;
    },
    fill: (slot, { begin, end }, parent) => {
      const histogram = (histograms[slot] ??= new Float64Array(memory.cellCount));
      histogram.fill(0);
      for (let index = begin; index < end; index++) memory.gathered[index] = memory.cells[rows[index]!]!;
      addRows(memory, histogram, { begin, end });
      const from = parent === undefined ? undefined : histograms[parent]!;
      if (from) for (let cell = 0; cell < from.length; cell++) from[cell] = from[cell]! - histogram[cell]!;
    },
    totalOf: (slot) => {
      const cells = cellsOf(slot, memory.drawn[0]!);
      return sumsOf(cells.reduce((sum, cell) => sum + cell, 0));
    },
    gains: (searches) =>
      searches.map((search) =>
        Float64Array.from(search.features, (feature, index) => {
          const { missingBin, kind } = plan.features[feature]!;
          const cells = cellsOf(search.slot, feature);
          const only = search.borders?.[index] ?? -1;
          if (kind === 'number' && only >= 0) return gainOfBorder({ cells, missingBin }, only, search);
          if (kind === 'number') return borderOf({ cells, missingBin }, search, -1)?.gain ?? -1;
          const leaf = { ...binSums(cells), binCount: cells.length, total: search };
          const gainAt = (left: UnitSums, l2: number): number => gainOf(left, search, l2);
          return bestCategories({ ...leaf, gainAt }, search)?.gain ?? -1;
        }),
      ),
    occupied: ({ slot, features }) =>
      Int32Array.from(
        [...features].flatMap((feature) => {
          const { missingBin } = plan.features[feature]!;
          const cells = cellsOf(slot, feature);
          let first = 0;
          let last = (missingBin < 0 ? cells.length : missingBin) - 1;
          while (first < last && cells[first] === 0) first++;
          while (first < last && cells[last] === 0) last--;
          return [first, last];
        }),
      ),
    bestBorder: (slot, search) => {
      const { missingBin } = plan.features[search.feature]!;
      return borderOf({ cells: cellsOf(slot, search.feature), missingBin }, search, search.floor);
    },
    binSums: (slot, feature, _total, into) => binSums(cellsOf(slot, feature), into),
    partition: (begin, end, { feature, sides }) => divide(memory, { begin, end }, columns[feature]!, sides),
    leafSums: (leaves) => leaves.map((leaf) => leafSum(memory, leaf)),
    addToScores: (k, leaves, values) =>
      leaves.forEach(({ begin, end }, leaf) => {
        const offset = k * rows.length;
        for (let index = begin; index < end; index++) scores[offset + rows[index]!]! += values[leaf]!;
      }),
    reorder: (order) => {
      const bytes = new Uint8Array(rowCount);
      const numbers = new Float64Array(rowCount);
      for (const column of columns) permute(column.subarray(0, rowCount), order, bytes);
      permute(target.subarray(0, rowCount), order, numbers);
      if (weights) permute(weights.subarray(0, rowCount), order, numbers);
      for (let k = 0; k < plan.outputCount; k++)
        permute(scores.subarray(k * rows.length, k * rows.length + rowCount), order, numbers);
    },
    close: () => {},
  };
}

interface PlainMemory {
  rows: Int32Array;
  scratch: Int32Array;
  derivatives: Float32Array;
  scores: Float64Array;
  target: Float64Array;
  weights: Float64Array | undefined;
  probabilities: Float32Array;
  cells: Float64Array;
  gathered: Float64Array;
  columns: Uint8Array[];
  offsets: Int32Array;
  cellCount: number;
  histograms: Float64Array[];
  /** Features whose histograms are summed. */
  drawn: Int32Array;
}

function allocate({ features, positions, rowCount, outputCount, target, weights }: KernelPlan): PlainMemory {
  const allCount = positions.length;
  const offsets = new Int32Array(features.length);
  let cellCount = 0;
  features.forEach((feature, index) => {
    offsets[index] = cellCount;
    cellCount += feature.binCount;
  });
  return {
    rows: new Int32Array(allCount),
    scratch: new Int32Array(allCount),
    derivatives: new Float32Array(2 * rowCount),
    scores: new Float64Array(outputCount * allCount),
    target: Float64Array.from(positions, (row) => target[row]!),
    weights: weights && Float64Array.from(positions, (row) => weights[row]!),
    probabilities: new Float32Array(outputCount > 1 ? outputCount * rowCount : 0),
    cells: new Float64Array(rowCount),
    gathered: new Float64Array(rowCount),
    columns: features.map(({ bins }) => Uint8Array.from(positions, (row) => bins[row]!)),
    offsets,
    cellCount,
    histograms: [],
    drawn: Int32Array.from(features, (_, feature) => feature),
  };
}

function binSums(
  cells: Float64Array,
  into: BinSums = { gradients: new Float64Array(cells.length), hessians: new Float64Array(cells.length) },
): BinSums {
  cells.forEach((cell, bin) => {
    const { gradient, hessian } = sumsOf(cell);
    into.gradients[bin] = gradient;
    into.hessians[bin] = hessian;
  });
  return into;
}

function sumsOf(cell: number): UnitSums {
  const gradient = Math.floor(cell * inverseGradientUnit);
  return { gradient, hessian: cell - gradient * gradientUnit };
}

/** Powers of two from 2^-1022 to 1. */
const powersOfTwo = Float64Array.from({ length: 1023 }, (_, index) => 2 ** (index - 1022));
const rounder = 6_755_399_441_055_744; // 1.5 x 2^52

/** exp(x) for x <= 0, to a relative error of 6e-9; below -708 as there. */
function expOfNegative(x: number): number {
  const bounded = x > -708 ? x : -708;
  const k = bounded * 1.4426950408889634 + rounder - rounder;
  const r = bounded - k * 0.6931471805599453;
  const high = (((1 / 5040) * r + 1 / 720) * r + 1 / 120) * r + 1 / 24;
  const sum = (((high * r + 1 / 6) * r + 0.5) * r + 1) * r + 1;
  return sum * powersOfTwo[k + 1022]!;
}

function derive(memory: PlainMemory, plan: KernelPlan, loss: KernelLoss, k: number): void {
  const { derivatives, scores, target, weights, probabilities } = memory;
  const { rowCount } = plan;
  if (loss === 'softmax' && k === 0) shareClasses(memory, plan);
  const factor = plan.outputCount / (plan.outputCount - 1);
  for (let row = 0; row < rowCount; row++) {
    let gradient: number;
    let hessian = 1;
    if (loss === 'squared') gradient = scores[row]! - target[row]!;
    else if (loss === 'logistic') {
      const e = expOfNegative(-Math.abs(scores[row]!));
      const probability = (scores[row]! >= 0 ? 1 : e) / (1 + e);
      gradient = probability - target[row]!;
      hessian = Math.max(1e-9, probability * (1 - probability));
    } else {
      const probability = probabilities[k * rowCount + row]!;
      gradient = probability - (target[row] === k ? 1 : 0);
      hessian = Math.max(1e-9, factor * probability * (1 - probability));
    }
    derivatives[2 * row] = weights ? weights[row]! * gradient : gradient;
    derivatives[2 * row + 1] = weights ? weights[row]! * hessian : hessian;
  }
}

/** Softmax of the scores of all classes. */
function shareClasses(
  { scores, rows, probabilities }: PlainMemory,
  { rowCount, outputCount }: KernelPlan,
): void {
  const stride = rows.length;
  for (let row = 0; row < rowCount; row++) {
    let highest = -Infinity;
    for (let k = 0; k < outputCount; k++) highest = Math.max(highest, scores[k * stride + row]!);
    let sum = 0;
    for (let k = 0; k < outputCount; k++) {
      const power = expOfNegative(scores[k * stride + row]! - highest);
      sum += power;
      probabilities[k * rowCount + row] = power;
    }
    const inverse = 1 / sum;
    for (let k = 0; k < outputCount; k++) probabilities[k * rowCount + row]! *= inverse;
  }
}

interface SumAndMost {
  sum: number;
  most: number;
}

/** Of |gradient| and hessian: even and odd rows of a block apart, then block by block. */
function sumDerivatives(
  derivatives: Float32Array,
  rowCount: number,
): { gradient: SumAndMost; hessian: SumAndMost } {
  const gradient = { sum: 0, most: 0 };
  const hessian = { sum: 0, most: 0 };
  for (let begin = 0; begin < rowCount; begin += blockRows) {
    const end = Math.min(rowCount, begin + blockRows);
    const gradients = [0, 0];
    const hessians = [0, 0];
    for (let row = begin; row < end; row++) {
      const size = Math.abs(derivatives[2 * row]!);
      gradients[row & 1]! += size;
      hessians[row & 1]! += derivatives[2 * row + 1]!;
      gradient.most = Math.max(gradient.most, size);
      hessian.most = Math.max(hessian.most, derivatives[2 * row + 1]!);
    }
    gradient.sum += gradients[0]! + gradients[1]!;
    hessian.sum += hessians[0]! + hessians[1]!;
  }
  return { gradient, hessian };
}

/** Stochastic rounding: floor(x + chance), where the chance is a hash of row and seed. */
function packInto(
  cells: Float64Array,
  derivatives: Float32Array,
  options: { rowCount: number; seed: number; gradientUnits: number; hessianUnits: number },
): void {
  const { rowCount, seed, gradientUnits, hessianUnits } = options;
  for (let row = 0; row < rowCount; row++) {
    let z = (Math.imul(row + 1, 0x9e3779b1) + seed) | 0;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    const chance = ((z ^ (z >>> 15)) >>> 8) / 16_777_216;
    const gradient = Math.floor(derivatives[2 * row]! * gradientUnits + chance);
    const hessian = Math.floor(derivatives[2 * row + 1]! * hessianUnits + (1 - chance));
    cells[row] = gradient * gradientUnit + hessian;
  }
}

function leafSum({ rows, derivatives }: PlainMemory, { begin, end }: RowRange): UnitSums {
  let gradient = 0;
  let hessian = 0;
  for (let index = begin; index < end; index++) {
    gradient += derivatives[2 * rows[index]!]!;
    hessian += derivatives[2 * rows[index]! + 1]!;
  }
  return { gradient, hessian };
}

function addRows(
  { columns, offsets, rows, gathered, drawn }: PlainMemory,
  histogram: Float64Array,
  { begin, end }: RowRange,
): void {
  let done = 0;
  // Four features at a time share the loads of row and cell, and hide the latency of each other's additions.
  for (; done + 4 <= drawn.length; done += 4) {
    const a = columns[drawn[done]!]!;
    const b = columns[drawn[done + 1]!]!;
    const c = columns[drawn[done + 2]!]!;
    const d = columns[drawn[done + 3]!]!;
    const startA = offsets[drawn[done]!]!;
    const startB = offsets[drawn[done + 1]!]!;
    const startC = offsets[drawn[done + 2]!]!;
    const startD = offsets[drawn[done + 3]!]!;
    for (let index = begin; index < end; index++) {
      const row = rows[index]!;
      const cell = gathered[index]!;
      const inA = startA + a[row]!;
      const inB = startB + b[row]!;
      const inC = startC + c[row]!;
      const inD = startD + d[row]!;
      histogram[inA] = histogram[inA]! + cell;
      histogram[inB] = histogram[inB]! + cell;
      histogram[inC] = histogram[inC]! + cell;
      histogram[inD] = histogram[inD]! + cell;
    }
  }
  for (; done < drawn.length; done++) {
    const bins = columns[drawn[done]!]!;
    const start = offsets[drawn[done]!]!;
    for (let index = begin; index < end; index++) {
      const cell = start + bins[rows[index]!]!;
      histogram[cell] = histogram[cell]! + gathered[index]!;
    }
  }
}

/** Borders with missing values on the right come first, then those with them on the left. */
function borderOf(
  { cells, missingBin }: { cells: Float64Array; missingBin: number },
  search: Omit<BorderSearch, 'feature' | 'floor'>,
  floor: number,
): Border | undefined {
  const { l2, leastHessian } = search;
  const presentBins = missingBin < 0 ? cells.length : missingBin;
  const missing = missingBin < 0 ? 0 : cells[missingBin]!;
  const missingHessian = sumsOf(missing).hessian;
  // Without missing values in the leaf the last border would leave nothing on the right.
  const borderCount = missingHessian > 0 ? presentBins : presentBins - 1;
  let best: Border | undefined;
  for (const shift of missingHessian > 0 ? [0, missing] : [0]) {
    let sum = shift;
    for (let bin = 0; bin < borderCount; bin++) {
      sum += cells[bin]!;
      const left = sumsOf(sum);
      if (left.hessian < leastHessian) continue;
      if (left.hessian > search.hessian - leastHessian) break;
      const gain = gainOf(left, search, l2);
      if (gain > (best?.gain ?? floor)) {
        // Where the leaf has no missing values, later ones follow the larger side.
        const isMissingLeft = missingHessian > 0 ? shift !== 0 : left.hessian > search.hessian - left.hessian;
        best = { bin, isMissingLeft, gain, ...left };
      }
    }
  }
  return best;
}

/** The gain of one border, missing values on the side where they gain more; -1 when it is not admissible. */
function gainOfBorder(
  { cells, missingBin }: { cells: Float64Array; missingBin: number },
  border: number,
  search: Omit<BorderSearch, 'feature' | 'floor'>,
): number {
  const sum = cells.subarray(0, border + 1).reduce((all, cell) => all + cell, 0);
  const missing = missingBin < 0 ? 0 : cells[missingBin]!;
  const gains = [sum, sum + missing].map((cell) => {
    const left = sumsOf(cell);
    const isAdmissible =
      left.hessian >= search.leastHessian && search.hessian - left.hessian >= search.leastHessian;
    return isAdmissible ? gainOf(left, search, search.l2) : -1;
  });
  return Math.max(...gains);
}

/** Stable and branch-free: lefts in place, rights to scratch, then one copy. Returns where the rights begin. */
function divide(
  { rows, scratch }: PlainMemory,
  { begin, end }: RowRange,
  bins: Uint8Array,
  sides: Uint8Array,
): number {
  let left = begin;
  let right = 0;
  for (let index = begin; index < end; index++) {
    const row = rows[index]!;
    const isLeft = sides[bins[row]!]!;
    rows[left] = row;
    scratch[right] = row;
    left += isLeft;
    right += 1 - isLeft;
  }
  rows.set(scratch.subarray(0, right), left);
  return left;
}

function permute<T extends Uint8Array | Float64Array>(values: T, order: Int32Array, copy: T): void {
  copy.set(values);
  for (let index = 0; index < order.length; index++) values[index] = copy[order[index]!]!;
}

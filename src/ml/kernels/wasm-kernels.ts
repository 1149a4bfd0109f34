// The tree kernels in WebAssembly SIMD: this file plans all addresses before the first tree and calls the loops in
// assembly/*.as, which allocate nothing. A histogram cell is 64 bits, gradient units above hessian units.
import { assert } from '../../base/assert.ts';
import { sidesOfBytes, type PlacedFeature } from './layout.ts';
import {
  blockRows,
  unitsFor,
  type BorderSearch,
  type Border,
  type KernelPlan,
  type TreeKernels,
  type UnitScales,
} from './tree-kernels.ts';
import { firstAddress, startModule, type Exports } from './web-assembly.ts';

/** The kernels, or `undefined` where the runtime cannot give them or not as much memory as the plan needs. */
export function wasmKernels(plan: KernelPlan): TreeKernels | undefined {
  const places = planAddresses(plan);
  const started = startModule(places.byteCount);
  return started && openKernels(plan, places, started);
}

const cellBytes = 8;
const featureBytes = 32;
interface Places {
  shuffles: number;
  sides: number;
  result: number;
  buffer: number;
  scratch: number;
  binSums: number;
  features: number;
  list: number;
  columnList: number;
  rows: number;
  rowScratch: number;
  cells: number;
  derivatives: number;
  probabilities: number;
  scores: number;
  target: number;
  weights: number;
  columns: number;
  groups: number[];
  histograms: number;
  byteCount: number;
}

function planAddresses(plan: KernelPlan): Places {
  let next = firstAddress;
  const place = (byteCount: number): number => {
    const address = next;
    next += Math.ceil((byteCount + 16) / 64) * 64;
    return address;
  };
  const { rowCount, outputCount, layout } = plan;
  const allCount = plan.positions.length;
  const places = {
    shuffles: place(512),
    sides: place(256),
    result: place(64),
    buffer: place(10 * 1024),
    scratch: place(4096 + 256),
    binSums: place(2048),
    features: place(plan.features.length * featureBytes),
    list: place(plan.features.length * 4),
    columnList: place(32 * 4),
    rows: place(allCount * 4),
    rowScratch: place(allCount * 4),
    cells: place((rowCount + 4) * cellBytes),
    derivatives: place((rowCount + 4) * 16),
    probabilities: place(outputCount > 1 ? outputCount * rowCount * 8 : 0),
    scores: place(outputCount * allCount * 8),
    target: place(allCount * 8),
    weights: plan.weights ? place(allCount * 8) : 0,
    columns: place(layout.columnCount * allCount),
    groups: layout.groups.map((group) => place(group.stride * rowCount)),
    histograms: place(plan.slotCount * layout.cellCount * cellBytes),
  };
  return { ...places, byteCount: next };
}

interface Opened {
  plan: KernelPlan;
  places: Places;
  run: Exports;
  buffer: ArrayBuffer;
}

function openKernels(
  plan: KernelPlan,
  places: Places,
  { run, buffer }: Pick<Opened, 'run' | 'buffer'>,
): TreeKernels {
  const opened: Opened = { plan, places, run, buffer };
  const { rowCount, outputCount, layout, positions } = plan;
  const allCount = positions.length;
  const histogramBytes = layout.cellCount * cellBytes;
  const rows = new Int32Array(buffer, places.rows, allCount);
  const derivatives = new Float64Array(buffer, places.derivatives, 2 * rowCount);
  const scores = new Float64Array(buffer, places.scores, outputCount * allCount);
  const target = new Float64Array(buffer, places.target, allCount);
  const weights = plan.weights && new Float64Array(buffer, places.weights, allCount);
  const sides = new Uint8Array(buffer, places.sides, 256);
  const list = new Int32Array(buffer, places.list, plan.features.length);
  const numbers = new Float64Array(buffer, places.result, 4);
  const words = new Int32Array(buffer, places.result, 8);
  const binSums = new Int32Array(buffer, places.binSums, 512);
  const gradients = new Float64Array(256);
  const hessians = new Float64Array(256);
  const slotAt = (slot: number): number => places.histograms + slot * histogramBytes;
  loadTable(opened);
  for (let row = 0; row < allCount; row++) target[row] = plan.target[positions[row]!]!;
  if (weights) for (let row = 0; row < allCount; row++) weights[row] = plan.weights![positions[row]!]!;
  return {
    kind: 'webassembly',
    rows,
    derivatives,
    scores,
    target,
    weights,
    derive: (loss, k) => derive(opened, loss, k),
    pack: (seed) => pack(opened, seed),
    fill: (slot, { begin, end, isInOrder }) => {
      run.clear(slotAt(slot), histogramBytes);
      const from = isInOrder ? 0 : places.rows + begin * 4;
      layout.groups.forEach((group, index) =>
        run.addGroup(
          group.isNarrow ? 1 : 0,
          (group.columnCount + 3) >> 2,
          places.groups[index]!,
          group.stride,
          places.cells,
          slotAt(slot) + group.firstCell * cellBytes,
          from,
          begin,
          end - begin,
          places.buffer,
        ),
      );
    },
    subtract: (parent, child) => run.subtract(slotAt(parent), slotAt(child), histogramBytes),
    totalOf: (slot) => {
      const first = layout.groups[0]!;
      // The first column's bytes: all 256 of a wide group, the first 32 of a narrow one.
      run.sumCells(slotAt(slot) + first.firstCell * cellBytes, first.isNarrow ? 32 : 256, places.result);
      return { gradient: words[1]!, hessian: words[0]! };
    },
    bestBorder: (slot, search) => {
      list.set(search.features);
      scan(opened, slotAt(slot), search);
      return readBorder(search, words, numbers);
    },
    binSums: (slot, feature, total) => {
      const cell = BigInt(total.gradient) * 4_294_967_296n + BigInt(total.hessian);
      run.readCells(slotAt(slot), places.features + feature * featureBytes, cell, places.binSums);
      for (let bin = 0; bin < plan.features[feature]!.binCount; bin++) {
        gradients[bin] = binSums[2 * bin + 1]!;
        hessians[bin] = binSums[2 * bin]!;
      }
      return { gradients, hessians };
    },
    partition: (begin, end, question) => {
      const placed = layout.features[question.feature]!;
      sidesOfBytes(placed, question.sides, sides);
      const column = places.columns + placed.column * allCount;
      const at = places.rows + begin * 4;
      return begin + run.partition(at, end - begin, column, places.sides, places.rowScratch, places.shuffles);
    },
    leafSums: (begin, end) => {
      run.sumLeaf(places.rows + begin * 4, end - begin, places.derivatives, places.result);
      return { gradient: numbers[0]!, hessian: numbers[1]! };
    },
    addToScores: (k, { begin, end }, value) =>
      run.addToScores(places.rows + begin * 4, end - begin, places.scores + k * allCount * 8, value),
    reorder: (order) => reorder(opened, order),
  };
}

function pack({ plan, places, run, buffer }: Opened, seed: number): UnitScales {
  const { rowCount } = plan;
  const block = new Float64Array(buffer, places.result, 2);
  const sums = { gradient: 0, hessian: 0 };
  for (let begin = 0; begin < rowCount; begin += blockRows) {
    run.sumDerivatives(places.derivatives, begin, Math.min(rowCount, begin + blockRows), places.result);
    sums.gradient += block[0]!;
    sums.hessian += block[1]!;
  }
  const gradientUnits = unitsFor(sums.gradient, rowCount);
  const hessianUnits = unitsFor(sums.hessian, rowCount);
  run.pack(places.derivatives, places.cells, 0, rowCount, seed, gradientUnits, hessianUnits);
  return { gradientScale: 1 / gradientUnits, hessianScale: 1 / hessianUnits };
}

function scan({ run, places }: Opened, histogram: number, search: BorderSearch): void {
  run.scan(
    histogram,
    places.features,
    places.list,
    search.features.length,
    search.gradient,
    search.hessian,
    search.leastHessian,
    search.l2,
    search.floor,
    places.scratch,
    places.result,
  );
}

function readBorder(search: BorderSearch, words: Int32Array, numbers: Float64Array): Border | undefined {
  const position = words[4]!;
  if (position < 0) return undefined;
  return {
    feature: search.features[position]!,
    bin: words[5]!,
    isMissingLeft: words[6] === 1,
    gain: numbers[0]!,
    gradient: words[3]!,
    hessian: words[2]!,
  };
}

/** Copies the bins of the plan's rows, column by column and then row by row, and describes the features. */
function loadTable(opened: Opened): void {
  const { plan, places, run, buffer } = opened;
  const { layout, positions } = plan;
  const allCount = positions.length;
  const isInOrder = positions.every((row, index) => row === index);
  const words = new Int32Array(buffer, places.features, plan.features.length * (featureBytes / 4));
  plan.features.forEach(({ bins, binCount, missingBin }, feature) => {
    const placed = layout.features[feature]!;
    words.set(
      [placed.firstCell * cellBytes, binCount, missingBin, placed.defaultBin],
      feature * (featureBytes / 4),
    );
    const column = new Uint8Array(buffer, places.columns + placed.column * allCount, allCount);
    const isPlain = placed.defaultBin < 0 && placed.bytes[0] === 0;
    if (isPlain && isInOrder) column.set(bins.subarray(0, allCount));
    else copyColumn(bins, positions, placed, column);
  });
  run.writeShuffles(places.shuffles);
  padGroups(opened);
  interleaveAll(opened);
}

function copyColumn(
  bins: Uint8Array,
  positions: Int32Array,
  { bytes, defaultBin }: PlacedFeature,
  to: Uint8Array,
): void {
  for (let row = 0; row < to.length; row++) {
    const bin = bins[positions[row]!]!;
    // Members of a bundle leave each other's rows alone.
    if (bin !== defaultBin) to[row] = bytes[bin]!;
  }
}

/** Columns that only fill up a word of a narrow group add to cells that are nobody's. */
function padGroups({ plan, places, buffer }: Opened): void {
  plan.layout.groups.forEach((group, index) => {
    if (!group.isNarrow) return;
    const bytes = new Uint8Array(buffer, places.groups[index]!, group.stride * plan.rowCount);
    for (let column = group.columnCount; column % 4 !== 0; column++)
      for (let at = column; at < bytes.length; at += group.stride) bytes[at] = (column % 8) * 32;
  });
}

function interleaveAll({ plan, places, run, buffer }: Opened): void {
  const columnList = new Int32Array(buffer, places.columnList, 32);
  plan.layout.groups.forEach((group, index) => {
    for (let column = 0; column < group.columnCount; column++)
      columnList[column] = places.columns + (group.firstColumn + column) * plan.positions.length;
    run.interleave(
      places.columnList,
      group.columnCount,
      places.groups[index]!,
      group.stride,
      0,
      plan.rowCount,
    );
  });
}

function derive({ plan, places, run }: Opened, loss: 'logistic' | 'squared' | 'softmax', k: number): void {
  const { rowCount, outputCount } = plan;
  const { scores, target, weights, derivatives, probabilities } = places;
  if (loss === 'logistic') return run.deriveLogistic(scores, target, weights, derivatives, 0, rowCount);
  if (loss === 'squared') return run.deriveSquared(scores, target, weights, derivatives, 0, rowCount);
  if (k === 0)
    run.softmax(scores, plan.positions.length * 8, probabilities, rowCount * 8, outputCount, 0, rowCount);
  const ofClass = probabilities + k * rowCount * 8;
  const factor = outputCount / (outputCount - 1);
  run.deriveSoftmax(ofClass, target, weights, derivatives, 0, rowCount, k, factor);
}

function reorder(opened: Opened, order: Int32Array): void {
  const { plan, places, run, buffer } = opened;
  const { rowCount } = plan;
  const allCount = plan.positions.length;
  assert(order.length === rowCount, 'an order names every row once');
  new Int32Array(buffer, places.rowScratch, rowCount).set(order);
  // The cells are free between two trees.
  const copyBytes = (at: number): void => {
    run.permuteBytes(at, places.cells, places.rowScratch, rowCount);
    new Uint8Array(buffer).copyWithin(at, places.cells, places.cells + rowCount);
  };
  const copyNumbers = (at: number): void => {
    run.permuteNumbers(at, places.cells, places.rowScratch, rowCount);
    new Uint8Array(buffer).copyWithin(at, places.cells, places.cells + rowCount * 8);
  };
  for (let column = 0; column < plan.layout.columnCount; column++)
    copyBytes(places.columns + column * allCount);
  copyNumbers(places.target);
  if (plan.weights) copyNumbers(places.weights);
  for (let k = 0; k < plan.outputCount; k++) copyNumbers(places.scores + k * allCount * 8);
  interleaveAll(opened);
}

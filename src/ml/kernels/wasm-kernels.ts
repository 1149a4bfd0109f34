// The tree kernels in WebAssembly SIMD: calls the loops in assembly/*.as on the memory of wasm-places.ts, alone or with
// a team of threads. A histogram cell is 64 bits, gradient units above hessian units.
import { assert } from '../../base/assert.ts';
import { sidesOfBytes } from './layout.ts';
import { openTeam, type Call, type KernelThreads, type Team } from './threads.ts';
import {
  blockRows,
  unitsFor,
  type Border,
  type BorderSearch,
  type KernelLoss,
  type KernelPlan,
  type RowRange,
  type TreeKernels,
  type UnitScales,
  type UnitSums,
} from './tree-kernels.ts';
import { startModule, startSharedModule } from './web-assembly.ts';
import {
  bytesOf,
  cellBytes,
  describeTable,
  featureBytes,
  loadTable,
  planPlaces,
  reorderTable,
  type Opened,
  type TablePlan,
} from './wasm-places.ts';

// Less work than that is done faster than threads are told of it, which takes some 50 microseconds.
const fewestSharedRows = 8192;
const fewestDividedRows = 65_536;
/** Rows times columns of a histogram. */
const fewestSharedAdditions = 400_000;

/** The kernels, or `undefined` where the runtime cannot give them or not as much memory as the plan needs. */
export function wasmKernels(plan: KernelPlan, threads?: KernelThreads): TreeKernels | undefined {
  const { positions, weights, ...sizes } = plan;
  const opened = openMemory(
    { ...sizes, allCount: positions.length, isWeighted: weights !== undefined, isByRow: false },
    threads,
  );
  if (!opened) return undefined;
  loadTable(opened, plan);
  return kernelsOn(opened);
}

/** Memory for a training and the threads that share it, without rows yet; `undefined` as for {@link wasmKernels}. */
export function openMemory(plan: TablePlan, threads?: KernelThreads): Shared | undefined {
  if (threads && threads.count > 0 && plan.rowCount >= 2 * fewestSharedRows) {
    const places = planPlaces(plan, threads.count + 1);
    const started = startSharedModule(places.byteCount);
    if (started) {
      const { start, run, buffer } = started;
      const team = openTeam(threads, { ...start, controlAt: places.control }, { run, buffer });
      return { plan, places, run, buffer, team, views: viewsOf({ places, buffer }) };
    }
  }
  const places = planPlaces(plan, 1);
  const started = startModule(places.byteCount);
  if (!started) return undefined;
  const { run, buffer } = started;
  const alone: Team = {
    size: () => 1,
    run: ([call]) => {
      const [name, ...numbers] = call!;
      (run[name] as (...numbers: number[]) => void)(...numbers);
    },
    close: () => {},
  };
  return { plan, places, run, buffer, team: alone, views: viewsOf({ places, buffer }) };
}

export interface Shared extends Opened {
  team: Team;
  /** Of the whole memory, made once: a view for each call would cost more than small leaves do. */
  views: { words: Int32Array; sides: Uint8Array };
}

function viewsOf({ places, buffer }: Omit<Opened, 'run' | 'plan'>): Shared['views'] {
  return {
    words: new Int32Array(buffer),
    sides: new Uint8Array(buffer, places.sides, 256),
  };
}

/** The kernels on memory whose rows are written, or will be before the first tree. */
export function kernelsOn(opened: Shared): TreeKernels {
  const { plan, places, run, buffer, team } = opened;
  const { rowCount, allCount, outputCount, layout } = plan;
  const histogramBytes = layout.cellCount * cellBytes;
  const list = new Int32Array(buffer, places.list, plan.features.length);
  const numbers = new Float64Array(buffer, places.result, 4);
  const words = new Int32Array(buffer, places.result, 8);
  const slotAt = (slot: number): number => places.histograms + slot * histogramBytes;
  describeTable(opened);
  return {
    kind: 'webassembly',
    rows: new Int32Array(buffer, places.rows, allCount),
    derivatives: new Float32Array(buffer, places.derivatives, 2 * rowCount),
    scores: new Float64Array(buffer, places.scores, outputCount * allCount),
    target: new Float64Array(buffer, places.target, allCount),
    weights: plan.isWeighted ? new Float64Array(buffer, places.weights, allCount) : undefined,
    derive: (loss, k) => derive(opened, loss, k),
    pack: (seed) => pack(opened, seed),
    fill: (slot, rows) => fill(opened, slotAt(slot), rows),
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
    binSums: (slot, feature, total) => binSums(opened, slotAt(slot), { feature, total }),
    partition: (begin, end, question) => partition(opened, { begin, end }, question),
    leafSums: (leaves) => leafSums(opened, leaves),
    addToScores: (k, leaves, values) => addToScores(opened, k, { leaves, values }),
    reorder: (order) => {
      assert(order.length === rowCount, 'an order names every row once');
      reorderTable(opened, order);
    },
    close: () => team.close(),
  };
}

/** Cuts 0 to `count` into one part for each thread, at multiples of `step`. */
function partsOf(team: Team, count: number, step: number): RowRange[] {
  const size = team.size();
  const cut = (part: number): number => Math.min(count, Math.ceil((count * part) / size / step) * step);
  return Array.from({ length: size }, (_, part) => ({ begin: cut(part), end: cut(part + 1) }));
}

function derive({ plan, places, team }: Shared, loss: KernelLoss, k: number): void {
  const { rowCount, outputCount } = plan;
  const { scores, target, weights, derivatives, probabilities } = places;
  const share = (callOf: (part: RowRange) => Call): void => team.run(partsOf(team, rowCount, 64).map(callOf));
  if (loss === 'softmax') {
    const stride = rowCount * 4;
    const scoreStride = plan.allCount * 8;
    if (k === 0)
      share(({ begin, end }) => [
        'softmax',
        scores,
        scoreStride,
        probabilities,
        stride,
        outputCount,
        begin,
        end,
      ]);
    const ofClass = probabilities + k * stride;
    const factor = outputCount / (outputCount - 1);
    share(({ begin, end }) => [
      'deriveSoftmax',
      ofClass,
      target,
      weights,
      derivatives,
      begin,
      end,
      k,
      factor,
    ]);
    return;
  }
  const name = loss === 'logistic' ? 'deriveLogistic' : 'deriveSquared';
  share(({ begin, end }) => [name, scores, target, weights, derivatives, begin, end]);
}

function pack({ plan, places, buffer, team }: Shared, seed: number): UnitScales {
  const { rowCount, layout } = plan;
  const { derivatives, groupList, blockSums } = places;
  const blockCount = Math.ceil(rowCount / blockRows);
  team.run(
    partsOf(team, blockCount, 1).map(({ begin, end }) => [
      'sumBlocks',
      derivatives,
      rowCount,
      blockRows,
      begin,
      end,
      blockSums,
    ]),
  );
  const blocks = new Float64Array(buffer, blockSums, blockCount * 4);
  const gradient = { sum: 0, most: 0 };
  const hessian = { sum: 0, most: 0 };
  for (let at = 0; at < blocks.length; at += 4) {
    gradient.sum += blocks[at]!;
    hessian.sum += blocks[at + 1]!;
    gradient.most = Math.max(gradient.most, blocks[at + 2]!);
    hessian.most = Math.max(hessian.most, blocks[at + 3]!);
  }
  const gradientUnits = unitsFor(gradient, rowCount);
  const hessianUnits = unitsFor(hessian, rowCount);
  team.run(
    partsOf(team, rowCount, 64).map(({ begin, end }) => [
      'pack',
      derivatives,
      groupList,
      layout.groups.length,
      begin,
      end,
      seed,
      gradientUnits,
      hessianUnits,
    ]),
  );
  return { gradientScale: 1 / gradientUnits, hessianScale: 1 / hessianUnits };
}

/** Each thread sums its part of the rows into a histogram of its own; then each adds up its part of the cells. */
function fill(opened: Shared, histogram: number, rows: RowRange & { isInOrder: boolean }): void {
  const { plan, places, run, team } = opened;
  const { begin, end, isInOrder } = rows;
  const size = plan.layout.cellCount * cellBytes;
  const { groupList, buffers } = places;
  const groupCount = plan.layout.groups.length;
  const list = isInOrder ? 0 : places.rows + begin * 4;
  if ((end - begin) * plan.layout.columnCount < fewestSharedAdditions || team.size() === 1) {
    run.fillHistogram(histogram, size, groupList, groupCount, list, begin, end - begin, buffers[0]!);
    return;
  }
  const sum = (to: number, part: RowRange, buffer: number): Call => [
    'fillHistogram',
    to,
    size,
    groupList,
    groupCount,
    isInOrder ? 0 : list + part.begin * 4,
    begin + part.begin,
    part.end - part.begin,
    buffer,
  ];
  const parts = partsOf(team, end - begin, 64);
  team.run(
    parts.map((part, thread) =>
      sum(thread === 0 ? histogram : places.ownHistograms[thread]!, part, buffers[thread]!),
    ),
  );
  for (let thread = 1; thread < parts.length; thread++)
    run.addCells(histogram, places.ownHistograms[thread]!, size);
}

function scan({ run, places }: Opened, histogram: number, search: BorderSearch): void {
  const { features, gradient, hessian, leastHessian, l2, floor } = search;
  run.scan(
    histogram,
    places.features,
    places.list,
    features.length,
    gradient,
    hessian,
    leastHessian,
    l2,
    floor,
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

function binSums(
  { plan, places, run, buffer }: Opened,
  histogram: number,
  { feature, total }: { feature: number; total: UnitSums },
): { gradients: Float64Array; hessians: Float64Array } {
  const { binCount } = plan.features[feature]!;
  const cell = BigInt(total.gradient) * 4_294_967_296n + BigInt(total.hessian);
  run.readCells(histogram, places.features + feature * featureBytes, cell, places.binSums);
  const words = new Int32Array(buffer, places.binSums, 2 * binCount);
  const gradients = new Float64Array(binCount);
  const hessians = new Float64Array(binCount);
  for (let bin = 0; bin < binCount; bin++) {
    gradients[bin] = words[2 * bin + 1]!;
    hessians[bin] = words[2 * bin]!;
  }
  return { gradients, hessians };
}

/** Each thread divides its part in place; then all lefts are moved together, and the rights behind them. */
function partition(
  opened: Shared,
  { begin, end }: RowRange,
  question: { feature: number; sides: Uint8Array },
): number {
  const { plan, places, run, team, views } = opened;
  const placed = plan.layout.features[question.feature]!;
  sidesOfBytes(placed, question.sides, views.sides);
  const { column, stride } = bytesOf(opened, placed.column);
  const count = end - begin;
  const leftsAt = places.result + 64;
  const { rows, rowScratch, sides, shuffles } = places;
  if (stride === 1 && (count < fewestDividedRows || team.size() === 1))
    return begin + run.divideAlone(rows + begin * 4, count, column, sides, rowScratch, shuffles, leftsAt);
  const parts = count < fewestDividedRows ? [{ begin: 0, end: count }] : partsOf(team, count, 16);
  // A gap behind each part's rights: they are written four at a time.
  const scratchOf = (part: number): number => rowScratch + parts[part]!.begin * 4 + part * 64;
  team.run(
    parts.map((part, index) => {
      const first = rows + (begin + part.begin) * 4;
      const rowCount = part.end - part.begin;
      const leftCount = leftsAt + index * 4;
      return stride === 1
        ? ['divide', first, rowCount, column, sides, scratchOf(index), shuffles, leftCount]
        : ['divideStrided', first, rowCount, column, sides, scratchOf(index), shuffles, leftCount, stride];
    }),
  );
  let to = rows + begin * 4;
  const move = (from: number, rowCount: number): void => {
    run.move(to, from, rowCount * 4);
    to += rowCount * 4;
  };
  const lefts = (index: number): number => views.words[leftsAt / 4 + index]!;
  parts.forEach((part, index) => move(rows + (begin + part.begin) * 4, lefts(index)));
  const middle = (to - rows) / 4;
  parts.forEach((part, index) => move(scratchOf(index), part.end - part.begin - lefts(index)));
  return middle;
}

/** Writes the leaves down and cuts them into parts of about as many rows. */
function shareLeaves({ places, buffer, team }: Shared, leaves: readonly RowRange[]): RowRange[] {
  const words = new Int32Array(buffer, places.leaves, 2 * leaves.length);
  let rest = 0;
  leaves.forEach(({ begin, end }, leaf) => {
    words[2 * leaf] = begin;
    words[2 * leaf + 1] = end;
    rest += end - begin;
  });
  const size = rest < fewestSharedRows ? 1 : team.size();
  const parts: RowRange[] = [];
  let next = 0;
  for (let part = 0; part < size; part++) {
    const begin = next;
    let taken = 0;
    while (next < leaves.length && (part === size - 1 || taken < rest / (size - part))) {
      taken += leaves[next]!.end - leaves[next]!.begin;
      next++;
    }
    rest -= taken;
    parts.push({ begin, end: next });
  }
  return parts;
}

function leafSums(opened: Shared, leaves: readonly RowRange[]): UnitSums[] {
  const { places, buffer, team } = opened;
  const { rows, derivatives } = places;
  team.run(
    shareLeaves(opened, leaves).map(({ begin, end }) => [
      'sumLeaves',
      places.leaves,
      begin,
      end,
      rows,
      derivatives,
      places.leafSums,
    ]),
  );
  const sums = new Float64Array(buffer, places.leafSums, 2 * leaves.length);
  return leaves.map((_, leaf) => ({ gradient: sums[2 * leaf]!, hessian: sums[2 * leaf + 1]! }));
}

function addToScores(
  opened: Shared,
  k: number,
  { leaves, values }: { leaves: readonly RowRange[]; values: Float64Array },
): void {
  const { plan, places, buffer, team } = opened;
  new Float64Array(buffer, places.leafValues, leaves.length).set(values);
  const scores = places.scores + k * plan.allCount * 8;
  team.run(
    shareLeaves(opened, leaves).map(({ begin, end }) => [
      'moveScores',
      places.leaves,
      begin,
      end,
      places.rows,
      scores,
      places.leafValues,
    ]),
  );
}

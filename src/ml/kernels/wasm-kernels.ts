// The tree kernels in WebAssembly SIMD: calls the loops in assembly/*.as on the memory of wasm-places.ts, alone or with
// a team of threads. A histogram cell is 64 bits, gradient units above hessian units.
import { assert } from '../../base/assert.ts';
import { cutsOf, openTeam, teamOfOne, type KernelThreads, type Team } from './threads.ts';
import {
  blockRows,
  unitsFor,
  type BinSums,
  type Border,
  type BorderSearch,
  type KernelLoss,
  type KernelPlan,
  type RowRange,
  type TreeKernels,
  type UnitScales,
  type UnitSums,
} from './tree-kernels.ts';
import { allColumns, drawColumns, type DrawnColumns } from './wasm-draw.ts';
import { fillerOf, gains, occupied, partition } from './wasm-nodes.ts';
import { startModule, startSharedModule } from './web-assembly.ts';
import {
  cellBytes,
  describeTable,
  featureBytes,
  loadTable,
  planPlaces,
  reorderTable,
  type Opened,
  type TablePlan,
} from './wasm-places.ts';

/** Rows of a part: fewer are done faster than threads are told of them. */
const fewestRows = 8192;

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
  if (threads && threads.count > 0 && plan.rowCount >= 2 * fewestRows) {
    const places = planPlaces(plan, threads.count + 1);
    const started = startSharedModule(places.byteCount);
    if (started) {
      const { start, run, buffer } = started;
      const team = openTeam(threads, { ...start, controlAt: places.control }, { run, buffer });
      return openedOn({ plan, places, run, buffer }, team);
    }
  }
  const places = planPlaces(plan, 1);
  const started = startModule(places.byteCount);
  if (!started) return undefined;
  const { run, buffer } = started;
  return openedOn({ plan, places, run, buffer }, teamOfOne(run));
}

function openedOn(opened: Opened, team: Team): Shared {
  return { ...opened, team, views: viewsOf(opened), drawn: allColumns(opened) };
}

export interface Shared extends Opened {
  team: Team;
  /** Of the whole memory, made once: a view for each call would cost more than small leaves do. */
  views: { words: Int32Array; numbers: Float64Array; sides: Uint8Array };
  /** What histograms are summed of now. */
  drawn: DrawnColumns;
}

function viewsOf({ places, buffer }: Opened): Shared['views'] {
  return {
    words: new Int32Array(buffer),
    numbers: new Float64Array(buffer),
    sides: new Uint8Array(buffer, places.sides, 256),
  };
}

/** The kernels on memory whose rows are written, or will be before the first tree. */
export function kernelsOn(opened: Shared): TreeKernels {
  const { plan, places, run, buffer, team } = opened;
  const { rowCount, allCount, outputCount, layout } = plan;
  const words = new Int32Array(buffer, places.result, 8);
  const slotAt = (slot: number): number => places.histograms + slot * layout.cellCount * cellBytes;
  describeTable(opened);
  return {
    kind: 'webassembly',
    rows: new Int32Array(buffer, places.rows, allCount),
    derivatives: new Float32Array(buffer, places.derivatives, 2 * rowCount),
    scores: new Float64Array(buffer, places.scores, outputCount * allCount),
    target: new Float64Array(buffer, places.target, allCount),
    weights: plan.isWeighted ? new Float64Array(buffer, places.weights, allCount) : undefined,
    derive: (loss, k) => derive(opened, loss, k),
    countUp: () => team.run('countUp', [places.rows], cutsOf(team, allCount, fewestRows)),
    pack: (seed) => pack(opened, seed),
    draw: (features) => {
      opened.drawn = drawColumns(opened, features);
    },
    fill: fillerOf(opened),
    totalOf: (slot) => {
      // The first column's bytes: all 256 of a wide group, the first 32 of a narrow one.
      run.sumCells(slotAt(slot), opened.drawn.isFirstNarrow ? 32 : 256, places.result);
      return { gradient: words[1]!, hessian: words[0]! };
    },
    gains: (searches) => gains(opened, searches),
    occupied: (leaf) => occupied(opened, leaf),
    bestBorder: (slot, search) => bestBorder(opened, slotAt(slot), search),
    binSums: (slot, feature, total, into) => binSums(opened, slotAt(slot), { feature, total, into }),
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

function derive({ plan, places, team }: Shared, loss: KernelLoss, k: number): void {
  const { rowCount, outputCount } = plan;
  const { scores, target, weights, derivatives, probabilities } = places;
  const cuts = cutsOf(team, rowCount, fewestRows);
  if (loss !== 'softmax') {
    const name = loss === 'logistic' ? 'deriveLogistic' : 'deriveSquared';
    team.run(name, [scores, target, weights, derivatives], cuts);
    return;
  }
  const stride = rowCount * 4;
  if (k === 0) {
    const scoreStride = plan.allCount * 8;
    team.run('softmax', [scores, scoreStride, probabilities, stride, outputCount], cuts);
  }
  const factor = outputCount / (outputCount - 1);
  team.run('deriveSoftmax', [probabilities + k * stride, target, weights, derivatives, k, factor], cuts);
}

function pack({ plan, places, buffer, team }: Shared, seed: number): UnitScales {
  const { rowCount, layout } = plan;
  const { derivatives, groupList, blockSums } = places;
  const blockCount = Math.ceil(rowCount / blockRows);
  const blockCuts = cutsOf(team, blockCount, 1, 1);
  team.run('sumBlocks', [derivatives, rowCount, blockRows, blockSums], blockCuts);
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
    'pack',
    [derivatives, groupList, layout.groups.length, seed, gradientUnits, hessianUnits],
    cutsOf(team, rowCount, fewestRows),
  );
  return { gradientScale: 1 / gradientUnits, hessianScale: 1 / hessianUnits };
}

function bestBorder(
  { run, places, views }: Shared,
  histogram: number,
  { feature, gradient, hessian, leastHessian, l2, floor }: BorderSearch,
): Border | undefined {
  const { features, list, scratch, result } = places;
  views.words[list / 4] = feature;
  run.scan(histogram, features, list, 1, gradient, hessian, leastHessian, l2, floor, scratch, result);
  const { words, numbers } = views;
  const at = result / 4;
  if (words[at + 4]! < 0) return undefined;
  return {
    bin: words[at + 5]!,
    isMissingLeft: words[at + 6] === 1,
    gain: numbers[result / 8]!,
    gradient: words[at + 3]!,
    hessian: words[at + 2]!,
  };
}

function binSums(
  { plan, places, run, buffer }: Opened,
  histogram: number,
  { feature, total, into }: { feature: number; total: UnitSums; into: BinSums | undefined },
): BinSums {
  const { binCount } = plan.features[feature]!;
  const cell = BigInt(total.gradient) * 4_294_967_296n + BigInt(total.hessian);
  run.readCells(histogram, places.features + feature * featureBytes, cell, places.binSums);
  const words = new Int32Array(buffer, places.binSums, 2 * binCount);
  const sums = into ?? { gradients: new Float64Array(binCount), hessians: new Float64Array(binCount) };
  const { gradients, hessians } = sums;
  for (let bin = 0; bin < binCount; bin++) {
    gradients[bin] = words[2 * bin + 1]!;
    hessians[bin] = words[2 * bin]!;
  }
  return sums;
}

/** Writes the leaves down and cuts them into parts of about as many rows. */
function shareLeaves({ places, buffer, team }: Shared, leaves: readonly RowRange[]): number[] {
  const words = new Int32Array(buffer, places.leaves, 2 * leaves.length);
  let rowCount = 0;
  leaves.forEach(({ begin, end }, leaf) => {
    words[2 * leaf] = begin;
    words[2 * leaf + 1] = end;
    rowCount += end - begin;
  });
  const share = rowCount / (cutsOf(team, rowCount, fewestRows).length - 1);
  const cuts = [0];
  let taken = 0;
  leaves.forEach(({ begin, end }, leaf) => {
    taken += end - begin;
    if (leaf + 1 < leaves.length && taken < share) return;
    cuts.push(leaf + 1);
    taken = 0;
  });
  return cuts;
}

function leafSums(opened: Shared, leaves: readonly RowRange[]): UnitSums[] {
  const { places, buffer, team } = opened;
  const { rows, derivatives, leafSums: results } = places;
  team.run('sumLeaves', [places.leaves, rows, derivatives, results], shareLeaves(opened, leaves));
  const sums = new Float64Array(buffer, results, 2 * leaves.length);
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
  const cuts = shareLeaves(opened, leaves);
  team.run('moveScores', [places.leaves, places.rows, scores, places.leafValues], cuts);
}

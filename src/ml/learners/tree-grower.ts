// Grows one regression tree on gradients, best leaf first (Shi 2007; LightGBM), from binned features. It knows nothing
// of losses: boosting and forests differ only in the gradients they bring.
import type { Random } from '../../base/random.ts';
import { shuffle } from '../../base/random.ts';
import type { BinnedFeature, BinnedTable } from './bins.ts';
import {
  buildHistogram,
  histogramLayout,
  packGradients,
  subtractHistogram,
  type HistogramLayout,
  type PackedGradients,
} from './histogram.ts';
import { bestSplit, noSplit, type Split, type SplitRules } from './split-search.ts';

export interface TreeRules extends SplitRules {
  maxLeaves: number;
  maxDepth: number;
  /** Share of the features that each tree sees. */
  featureShareByTree: number;
}

/** A tree in terms of bins. A child below zero is the leaf ~child; a tree without nodes is one leaf. */
export interface GrownTree {
  /** Question of each node; `feature` is a position in the binned table. */
  splits: Split[];
  /** For each node and bin, 1 when the bin goes left. */
  sides: Uint8Array[];
  left: number[];
  right: number[];
  leafCount: number;
  /** Leaf l holds `rows[begin[l]]` to `rows[end[l] - 1]`. */
  rows: Int32Array;
  begin: Int32Array;
  end: Int32Array;
}

export interface TreeGrower {
  /** The tree borrows the grower's memory: use it before growing the next. `rows` is re-ordered in place. */
  grow: (
    input: { rows: Int32Array; gradients: Float64Array; hessians: Float64Array },
    random: Random,
  ) => GrownTree;
}

const histogramMemoryBytes = 192 * 1024 * 1024;

/** A grower with its memory allocated once. Very wide tables get fewer leaves, to stay within 192 MB. */
export function treeGrower(table: BinnedTable, rules: TreeRules): TreeGrower {
  const layout = histogramLayout(table.features);
  const fitting = Math.floor(histogramMemoryBytes / Math.max(1, layout.cellCount * 8));
  const maxLeaves = Math.max(2, Math.min(rules.maxLeaves, fitting));
  const memory: GrowerMemory = {
    layout,
    rules: { ...rules, maxLeaves },
    packed: { cells: new Float64Array(table.rowCount), gradientScale: 1, hessianScale: 1 },
    gathered: new Float64Array(table.rowCount),
    scratch: new Int32Array(table.rowCount),
    histograms: [],
    begin: new Int32Array(maxLeaves),
    end: new Int32Array(maxLeaves),
  };
  return { grow: (input, random) => growTree(memory, input, random) };
}

/** The leaf of a grown tree that row `row` of the binned table falls into. */
export function leafOfBinnedRow(tree: GrownTree, table: BinnedTable, row: number): number {
  let node = tree.splits.length === 0 ? -1 : 0;
  while (node >= 0) {
    const bin = table.features[tree.splits[node]!.feature]!.bins[row]!;
    node = tree.sides[node]![bin] === 1 ? tree.left[node]! : tree.right[node]!;
  }
  return ~node;
}

interface GrowerMemory {
  layout: HistogramLayout;
  rules: TreeRules;
  packed: PackedGradients;
  gathered: Float64Array;
  scratch: Int32Array;
  /** One for each leaf that may still be split, made on demand. */
  histograms: Float64Array[];
  begin: Int32Array;
  end: Int32Array;
}

interface OpenLeaf {
  leaf: number;
  depth: number;
  cell: number;
  histogram: number;
  split: Split;
  /** Where the tree points at this leaf: the node and side to rewrite when it is split. */
  parent: number;
  isLeftChild: boolean;
}

function growTree(
  memory: GrowerMemory,
  input: { rows: Int32Array; gradients: Float64Array; hessians: Float64Array },
  random: Random,
): GrownTree {
  const { rows } = input;
  const { rules, begin, end } = memory;
  packGradients({ ...input, rowCount: rows.length }, memory.packed, random);
  const active = activeFeatures(memory.layout.features.length, rules.featureShareByTree, random);
  const tree: GrownTree = { splits: [], sides: [], left: [], right: [], leafCount: 1, rows, begin, end };
  begin[0] = 0;
  end[0] = rows.length;
  let cell = 0;
  for (let index = 0; index < rows.length; index++) cell += memory.packed.cells[rows[index]!]!;
  const root: OpenLeaf = {
    leaf: 0,
    depth: 0,
    cell,
    histogram: 0,
    split: noSplit,
    parent: -1,
    isLeftChild: true,
  };
  const leaves = [root];
  fillHistogram(memory, active, rows, root);
  searchLeaf(memory, active, root, random);
  while (tree.leafCount < rules.maxLeaves) {
    const best = leaves.reduce((a, b) => (b.split.gain > a.split.gain ? b : a));
    if (best.split.feature < 0) break;
    const other = splitLeaf(memory, tree, best);
    leaves.push(other);
    if (tree.leafCount < rules.maxLeaves)
      openChildren(memory, active, { tree, first: best, second: other }, random);
  }
  return tree;
}

function activeFeatures(featureCount: number, share: number, random: Random): Int32Array {
  const all = Int32Array.from({ length: featureCount }, (_, index) => index);
  if (share >= 1 || featureCount === 0) return all;
  return shuffle(all, random)
    .slice(0, Math.max(1, Math.round(featureCount * share)))
    .sort();
}

/** Adds the node to the tree and divides the rows; the left child keeps the leaf's number, the right gets a new one. */
function splitLeaf(memory: GrowerMemory, tree: GrownTree, open: OpenLeaf): OpenLeaf {
  const node = tree.splits.length;
  const newLeaf = tree.leafCount++;
  tree.splits.push(open.split);
  tree.sides.push(sideOfBins(memory.layout.features[open.split.feature]!, open.split));
  tree.left.push(~open.leaf);
  tree.right.push(~newLeaf);
  if (open.parent >= 0) (open.isLeftChild ? tree.left : tree.right)[open.parent] = node;
  const { begin, end } = memory;
  const middle = partition(memory, tree, open, node);
  end[newLeaf] = end[open.leaf]!;
  begin[newLeaf] = middle;
  end[open.leaf] = middle;
  const depth = open.depth + 1;
  Object.assign(open, { depth, parent: node, isLeftChild: true, split: noSplit });
  return { leaf: newLeaf, depth, cell: 0, histogram: -1, split: noSplit, parent: node, isLeftChild: false };
}

/** Stable and branch-free: lefts in place, rights to scratch, then one copy. Returns where the rights begin. */
function partition(memory: GrowerMemory, { rows, sides }: GrownTree, open: OpenLeaf, node: number): number {
  const { bins } = memory.layout.features[open.split.feature]!;
  const side = sides[node]!;
  const { scratch } = memory;
  const begin = memory.begin[open.leaf]!;
  const end = memory.end[open.leaf]!;
  let left = begin;
  let right = 0;
  for (let index = begin; index < end; index++) {
    const row = rows[index]!;
    const isLeft = side[bins[row]!]!;
    rows[left] = row;
    scratch[right] = row;
    left += isLeft;
    right += 1 - isLeft;
  }
  rows.set(scratch.subarray(0, right), left);
  return left;
}

/** Histograms and best splits of two fresh children: the smaller is summed, the larger is parent minus smaller. */
function openChildren(
  memory: GrowerMemory,
  active: Int32Array,
  { tree, first, second }: { tree: GrownTree; first: OpenLeaf; second: OpenLeaf },
  random: Random,
): void {
  const size = (open: OpenLeaf): number => memory.end[open.leaf]! - memory.begin[open.leaf]!;
  const total = first.cell;
  second.cell = sumCells(memory, tree.rows, second);
  first.cell = total - second.cell;
  const { minRowsPerLeaf, maxDepth } = memory.rules;
  const canSplit = (open: OpenLeaf): boolean => size(open) >= 2 * minRowsPerLeaf && open.depth < maxDepth;
  if (!canSplit(first) && !canSplit(second)) return;
  const [small, large] = size(first) < size(second) ? [first, second] : [second, first];
  const parentHistogram = first.histogram;
  small.histogram = tree.leafCount - 1;
  large.histogram = parentHistogram;
  if (canSplit(small) || canSplit(large)) fillHistogram(memory, active, tree.rows, small);
  if (canSplit(large)) {
    subtractHistogram(
      memory.histograms[large.histogram]!,
      memory.histograms[small.histogram]!,
      memory.layout,
      active,
    );
    searchLeaf(memory, active, large, random);
  }
  if (canSplit(small)) searchLeaf(memory, active, small, random);
}

function sumCells(memory: GrowerMemory, rows: Int32Array, open: OpenLeaf): number {
  const { cells } = memory.packed;
  const end = memory.end[open.leaf]!;
  let sum = 0;
  for (let index = memory.begin[open.leaf]!; index < end; index++) sum += cells[rows[index]!]!;
  return sum;
}

function fillHistogram(memory: GrowerMemory, active: Int32Array, rows: Int32Array, open: OpenLeaf): void {
  const begin = memory.begin[open.leaf]!;
  const end = memory.end[open.leaf]!;
  const { cells } = memory.packed;
  const { gathered } = memory;
  for (let index = begin; index < end; index++) gathered[index] = cells[rows[index]!]!;
  const histogram = (memory.histograms[open.histogram] ??= new Float64Array(memory.layout.cellCount));
  buildHistogram(histogram, memory.layout, active, { rows, begin, end, gathered });
}

function searchLeaf(memory: GrowerMemory, active: Int32Array, open: OpenLeaf, random: Random): void {
  const { layout, packed, rules } = memory;
  const rowCount = memory.end[open.leaf]! - memory.begin[open.leaf]!;
  open.split = bestSplit(
    memory.histograms[open.histogram]!,
    { cell: open.cell, rowCount },
    { layout, active, packed, rules },
    random,
  );
}

function sideOfBins(feature: BinnedFeature, split: Split): Uint8Array {
  const side = new Uint8Array(256);
  if (split.isCategorical) for (const bin of split.leftBins) side[bin] = 1;
  else {
    side.fill(1, 0, split.bin + 1);
    if (feature.missingBin >= 0) side[feature.missingBin] = split.isMissingLeft ? 1 : 0;
  }
  return side;
}

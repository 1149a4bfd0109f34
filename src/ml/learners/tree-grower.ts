// Grows one regression tree on gradients, best leaf first (Shi 2007; LightGBM), from binned features. It knows nothing
// of losses: boosting and forests differ only in the derivatives they bring. The loops over rows are kernels.
import { shuffle, type Random } from '../../base/random.ts';
import { layoutOf } from '../kernels/layout.ts';
import { openKernels } from '../kernels/open-kernels.ts';
import type { KernelThreads } from '../kernels/threads.ts';
import type { KernelPlan, RowRange, TreeKernels, UnitScales, UnitSums } from '../kernels/tree-kernels.ts';
import type { BinnedFeature, BinnedTable } from './bins.ts';
import { boundsOfSides, directionOf, mayMeet, noBounds, type Bounds } from './constraints.ts';
import { bestSplits, noSplit, type ActiveFeatures, type Split, type SplitRules } from './split-search.ts';

export interface TreeRules extends SplitRules {
  maxLeaves: number;
  maxDepth: number;
  /** Share of the features that each tree sees. */
  featureShareByTree: number;
}

export interface Leaf {
  /** Rows that the tree was grown on. */
  learned: RowRange;
  /** Rows that only follow it. */
  followers: RowRange;
  /** Outputs that it may have. */
  bounds: Bounds;
}

/** A tree in terms of bins. A child below zero is the leaf ~child; a tree without nodes is one leaf. */
export interface GrownTree {
  /** Question of each node; `feature` is a position in the binned table. */
  splits: Split[];
  left: number[];
  right: number[];
  leaves: Leaf[];
}

export interface TreeGrower {
  kernels: TreeKernels;
  /**
   * Grows a tree on the first `learnedCount` of the kernels' rows and lets the others up to `allCount` follow; all are
   * re-ordered leaf by leaf. `isInOrder` promises that row i is the kernels' row i for those that are learned from.
   */
  grow: (rows: { learnedCount: number; allCount: number; isInOrder: boolean }, random: Random) => GrownTree;
}

export interface GrowerInput extends Omit<KernelPlan, 'features' | 'layout' | 'slotCount' | 'leafCount'> {
  table: BinnedTable;
  rules: TreeRules;
  threads?: KernelThreads | undefined;
}

/** Gives the kernels of one training; {@link openKernels} or, in tests, one kind of them. */
export type KernelOpener = (plan: KernelPlan, threads?: KernelThreads) => TreeKernels;

const histogramMemoryBytes = 192 * 1024 * 1024;

/** A grower with its memory allocated once. Very wide tables get fewer leaves, to stay within 192 MB of histograms. */
export function treeGrower(
  { table, rules, threads, ...rest }: GrowerInput,
  open: KernelOpener = openKernels,
): TreeGrower {
  const { features } = table;
  const layout = layoutOf(features);
  const maxLeaves = mostLeaves(layout.cellCount, { ...rules, rowCount: rest.rowCount });
  const kernels = open(
    { ...rest, features, layout, slotCount: slotsFor(maxLeaves), leafCount: maxLeaves },
    threads,
  );
  return growerOn(kernels, features, { ...rules, maxLeaves });
}

/** Leaves for whose histograms there is memory. */
export function mostLeaves(
  cellCount: number,
  { maxLeaves, rowCount }: { maxLeaves: number; rowCount: number },
): number {
  const fitting = Math.floor(histogramMemoryBytes / Math.max(1, cellCount * 8));
  return Math.max(2, Math.min(maxLeaves, fitting, Math.max(2, rowCount)));
}

/**
 * Histograms that a tree needs at a time: while it may be split so many times more, only as many leaves, those of largest
 * gains, have a chance to be split (see {@link retireLeaves}).
 */
export function slotsFor(maxLeaves: number): number {
  return Math.floor(maxLeaves / 2) + 1;
}

/** A grower on kernels that hold these features, and as many histograms as {@link slotsFor} tells. */
export function growerOn(
  kernels: TreeKernels,
  features: readonly BinnedFeature[],
  rules: TreeRules,
): TreeGrower {
  const all = byKind(features, positionsOf(features));
  const kept = { kernels, features, all, sides: new Uint8Array(256), rules };
  return { kernels, grow: (rows, random) => growTree(kept, rows, random) };
}

interface Growing {
  kernels: TreeKernels;
  features: readonly BinnedFeature[];
  /** Every one of them. */
  all: ActiveFeatures;
  /** Where the division of a leaf is written: one buffer for all. */
  sides: Uint8Array;
  rules: TreeRules;
}

interface GrowingTree extends Growing {
  tree: GrownTree;
  scales: UnitScales;
  random: Random;
  /** Histograms that were ever in use, and those of them that are free again. */
  slotCount: number;
  freeSlots: number[];
}

interface OpenLeaf {
  leaf: number;
  depth: number;
  total: UnitSums;
  slot: number;
  split: Split;
  active: ActiveFeatures;
  /** Features of the table that its branch asked about, where some may not meet. */
  asked: ReadonlySet<number>;
  /** In units. */
  bounds: Bounds;
  /** Where the tree points at this leaf: the node and side to rewrite when it is split. */
  parent: number;
  isLeftChild: boolean;
}

function growTree(
  kept: Growing,
  { learnedCount, allCount, isInOrder }: { learnedCount: number; allCount: number; isInOrder: boolean },
  random: Random,
): GrownTree {
  const { kernels, features, rules } = kept;
  const allRows = {
    learned: { begin: 0, end: learnedCount },
    followers: { begin: learnedCount, end: allCount },
    bounds: noBounds,
  };
  const tree: GrownTree = { splits: [], left: [], right: [], leaves: [allRows] };
  if (features.length === 0) return tree;
  const scales = kernels.pack(random.below(4_294_967_296) | 0);
  const active = rules.featureShareByTree < 1 ? drawFeatures(kept, random) : kept.all;
  kernels.fill(0, { ...allRows.learned, isInOrder });
  const root: OpenLeaf = {
    leaf: 0,
    depth: 0,
    total: kernels.totalOf(0),
    slot: 0,
    split: noSplit,
    active,
    asked: new Set(),
    bounds: noBounds,
    parent: -1,
    isLeftChild: true,
  };
  const growing: GrowingTree = { ...kept, tree, scales, random, slotCount: 1, freeSlots: [] };
  searchLeaves(growing, [root]);
  const open = [root];
  /** Of the open leaves' splits, side by side: all of them are looked at for each split. 0 where there is none. */
  const gains = new Float64Array(rules.maxLeaves);
  gains[0] = root.split.gain;
  while (tree.leaves.length < rules.maxLeaves) {
    const first = firstOfMost(gains, open.length);
    const best = open[first]!;
    if (!(gains[first]! > 0)) break;
    const other = splitLeaf(growing, best);
    open.push(other);
    if (tree.leaves.length < rules.maxLeaves) openChildren(growing, best, other);
    gains[first] = best.split.gain;
    gains[open.length - 1] = other.split.gain;
    for (const leaf of [best, other]) if (leaf.split.feature < 0) freeSlot(growing, leaf);
    retireLeaves(growing, { open, gains });
  }
  return tree;
}

/** Sets histograms free of open leaves that will not be split: the tree has all leaves before their turn can come. */
function retireLeaves(
  growing: GrowingTree,
  { open, gains }: { open: readonly OpenLeaf[]; gains: Float64Array },
): void {
  const splitsLeft = growing.rules.maxLeaves - growing.tree.leaves.length;
  let waiting = 0;
  for (let index = 0; index < open.length; index++) waiting += Number(gains[index]! > 0);
  for (; waiting > splitsLeft; waiting--) {
    // Of equal gains the first is split first.
    let least = -1;
    for (let index = 0; index < open.length; index++)
      if (gains[index]! > 0 && (least < 0 || gains[index]! <= gains[least]!)) least = index;
    gains[least] = 0;
    freeSlot(growing, open[least]!);
  }
}

function freeSlot({ freeSlots }: GrowingTree, leaf: OpenLeaf): void {
  if (leaf.slot >= 0) freeSlots.push(leaf.slot);
  leaf.slot = -1;
}

/** Where the largest of the first `count` values comes first. */
function firstOfMost(values: Float64Array, count: number): number {
  let first = 0;
  for (let index = 1; index < count; index++) if (values[index]! > values[first]!) first = index;
  return first;
}

/** The random share of the features that one tree sees, and whose histograms it has. */
function drawFeatures({ kernels, features, rules }: Growing, random: Random): ActiveFeatures {
  const count = Math.max(1, Math.round(features.length * rules.featureShareByTree));
  const drawn = shuffle(positionsOf(features), random).slice(0, count).sort();
  kernels.draw(drawn);
  return byKind(features, drawn);
}

function positionsOf(features: readonly BinnedFeature[]): Int32Array {
  return Int32Array.from(features, (_, index) => index);
}

function byKind(features: readonly BinnedFeature[], positions: Int32Array): ActiveFeatures {
  const all = Array.from(positions);
  const isNumber = (feature: number): boolean => features[feature]!.kind === 'number';
  return { numbers: all.filter(isNumber), categories: all.filter((feature) => !isNumber(feature)) };
}

/** Adds the node to the tree and divides the rows; the left child keeps the leaf's number, the right gets a new one. */
function splitLeaf(growing: GrowingTree, open: OpenLeaf): OpenLeaf {
  const { tree, features, rules } = growing;
  const node = tree.splits.length;
  const newLeaf = tree.leaves.length;
  const { split } = open;
  tree.splits.push(split);
  tree.left.push(~open.leaf);
  tree.right.push(~newLeaf);
  if (open.parent >= 0) (open.isLeftChild ? tree.left : tree.right)[open.parent] = node;
  const right = {
    gradient: open.total.gradient - split.left.gradient,
    hessian: open.total.hessian - split.left.hessian,
  };
  const bounds = childBounds(growing, open, right);
  divideRows(growing, open, bounds);
  const asked = rules.constraints?.interactionGroups
    ? new Set([...open.asked, features[split.feature]!.feature])
    : open.asked;
  const active = childFeatures(growing, open.active, asked);
  const child = { depth: open.depth + 1, parent: node, split: noSplit, asked, active };
  Object.assign(open, { ...child, isLeftChild: true, total: split.left, bounds: bounds.left });
  return { ...child, leaf: newLeaf, isLeftChild: false, total: right, bounds: bounds.right, slot: -1 };
}

function divideRows(
  { kernels, tree, features, sides, scales }: GrowingTree,
  { leaf, split }: OpenLeaf,
  bounds: { left: Bounds; right: Bounds },
): void {
  writeSides(features[split.feature]!, split, sides);
  const question = { feature: split.feature, sides };
  const { learned, followers } = tree.leaves[leaf]!;
  const middle = kernels.partition(learned.begin, learned.end, question);
  const hasFollowers = followers.end > followers.begin;
  const followersMiddle = hasFollowers
    ? kernels.partition(followers.begin, followers.end, question)
    : followers.end;
  const outputScale = scales.gradientScale / scales.hessianScale;
  const scaled = ({ low, high }: Bounds): Bounds => ({ low: low * outputScale, high: high * outputScale });
  tree.leaves[leaf] = {
    learned: { begin: learned.begin, end: middle },
    followers: { begin: followers.begin, end: followersMiddle },
    bounds: scaled(bounds.left),
  };
  tree.leaves.push({
    learned: { begin: middle, end: learned.end },
    followers: { begin: followersMiddle, end: followers.end },
    bounds: scaled(bounds.right),
  });
}

function childBounds(
  { rules, features, scales }: GrowingTree,
  { split, bounds }: OpenLeaf,
  right: UnitSums,
): { left: Bounds; right: Bounds } {
  const direction = directionOf(rules.constraints, features[split.feature]!);
  return boundsOfSides(split.left, right, { l2: rules.l2 / scales.hessianScale, bounds, direction });
}

/** What may still be asked about on a branch that asked about `asked`. */
function childFeatures(
  { rules, features }: GrowingTree,
  active: ActiveFeatures,
  asked: ReadonlySet<number>,
): ActiveFeatures {
  const groups = rules.constraints?.interactionGroups;
  if (!groups) return active;
  const isAllowed = (index: number): boolean => mayMeet(groups, asked, features[index]!.feature);
  return { numbers: active.numbers.filter(isAllowed), categories: active.categories.filter(isAllowed) };
}

/** Histograms and best splits of two fresh children: the smaller is summed, the larger is parent minus smaller. */
function openChildren(growing: GrowingTree, first: OpenLeaf, second: OpenLeaf): void {
  const { kernels, rules } = growing;
  const canSplit = (open: OpenLeaf): boolean =>
    rowsOf(growing, open) >= 2 * rules.minRowsPerLeaf && open.depth < rules.maxDepth;
  if (!canSplit(first) && !canSplit(second)) return;
  const [small, large] = rowsOf(growing, first) < rowsOf(growing, second) ? [first, second] : [second, first];
  large.slot = first.slot;
  small.slot = growing.freeSlots.pop() ?? growing.slotCount++;
  const { learned } = growing.tree.leaves[small.leaf]!;
  kernels.fill(small.slot, { ...learned, isInOrder: false }, canSplit(large) ? large.slot : undefined);
  searchLeaves(growing, [large, small].filter(canSplit));
}

function rowsOf({ tree }: GrowingTree, { leaf }: OpenLeaf): number {
  const { begin, end } = tree.leaves[leaf]!.learned;
  return end - begin;
}

function searchLeaves(growing: GrowingTree, leaves: readonly OpenLeaf[]): void {
  const asked = leaves.map((open) => ({ ...open, rowCount: rowsOf(growing, open) }));
  const splits = bestSplits(asked, growing, growing.random);
  leaves.forEach((open, index) => (open.split = splits[index]!));
}

/** Writes for each bin whether the question sends it left: 1, else 0. */
export function writeSides(feature: BinnedFeature, split: Split, side: Uint8Array): void {
  side.fill(0);
  if (split.isCategorical) for (const bin of split.leftBins) side[bin] = 1;
  else {
    side.fill(1, 0, split.bin + 1);
    if (feature.missingBin >= 0) side[feature.missingBin] = split.isMissingLeft ? 1 : 0;
  }
}

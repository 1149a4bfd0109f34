// Collects grown trees, in terms of bins, into the flat portable form (model/trees.ts), in terms of values.
import { assert } from '../../base/assert.ts';
import type { Link } from '../model/row-model.ts';
import { categoricalFlag, missingLeftFlag, wordsPerSet, type TreesModel } from '../model/trees.ts';
import type { BinnedTable } from './bins.ts';
import type { Split } from './split-search.ts';
import type { GrownTree } from './tree-grower.ts';

/** A tree in terms of bins; children as in `GrownTree`. */
export interface StorableTree {
  splits: readonly Split[];
  left: readonly number[];
  right: readonly number[];
  /** The rows in each leaf. */
  rowCounts: readonly number[];
}

export interface TreeStore {
  treeCount: number;
  /** Adds a tree with a value for each of its leaves. */
  add: (tree: StorableTree, leafValues: Float64Array) => void;
  /** The first `treeCount` trees as a model, at least those it began with. */
  finish: (options: { treeCount: number; link: Link; base: Float64Array }) => TreesModel;
}

interface Growing {
  roots: number[];
  feature: number[];
  threshold: number[];
  sets: number[];
  left: number[];
  right: number[];
  flags: number[];
  categorySets: number[];
  /** Numbers of sets, by their words. */
  knownSets: Map<string, number>;
  leafValues: number[];
  leafRowCounts: number[];
}

/** A grown tree as the store takes it: leaves count the rows that they were learned from. */
export function storable({ leaves, ...tree }: GrownTree): StorableTree {
  return { ...tree, rowCounts: leaves.map(({ learned }) => learned.end - learned.begin) };
}

/** A store of trees grown on `table`; with `earlier`, behind the trees of that model. */
export function treeStore(table: BinnedTable, earlier?: TreesModel): TreeStore {
  const earlierCount = earlier?.roots.length ?? 0;
  const growing: Growing = {
    roots: [...(earlier?.roots ?? [])],
    feature: [...(earlier?.feature ?? [])],
    threshold: [...(earlier?.threshold ?? [])],
    sets: [...(earlier?.sets ?? [])],
    left: [...(earlier?.left ?? [])],
    right: [...(earlier?.right ?? [])],
    flags: [...(earlier?.flags ?? [])],
    categorySets: [...(earlier?.categorySets ?? [])],
    knownSets: setsByWords(earlier?.categorySets ?? []),
    leafValues: [...(earlier?.leafValues ?? [])],
    leafRowCounts: [...(earlier?.leafRowCounts ?? [])],
  };
  /** Lengths before each added tree, so that the last trees can be cut off. */
  const marks: { nodes: number; sets: number; leaves: number }[] = [];
  const store: TreeStore = {
    treeCount: earlierCount,
    add: (tree, leafValues) => {
      marks.push({
        nodes: growing.feature.length,
        sets: growing.categorySets.length,
        leaves: growing.leafValues.length,
      });
      addTree(growing, table, tree, leafValues);
      store.treeCount++;
    },
    finish: ({ treeCount, link, base }) => {
      assert(treeCount >= earlierCount, 'trees of an earlier model cannot be cut off');
      const end = marks[treeCount - earlierCount] ?? {
        nodes: growing.feature.length,
        sets: growing.categorySets.length,
        leaves: growing.leafValues.length,
      };
      return {
        kind: 'trees',
        link,
        base,
        roots: Int32Array.from(growing.roots.slice(0, treeCount)),
        feature: Uint16Array.from(growing.feature.slice(0, end.nodes)),
        threshold: Float64Array.from(growing.threshold.slice(0, end.nodes)),
        sets: Int32Array.from(growing.sets.slice(0, end.nodes)),
        left: Int32Array.from(growing.left.slice(0, end.nodes)),
        right: Int32Array.from(growing.right.slice(0, end.nodes)),
        flags: Uint8Array.from(growing.flags.slice(0, end.nodes)),
        categorySets: Uint32Array.from(growing.categorySets.slice(0, end.sets)),
        leafValues: Float64Array.from(growing.leafValues.slice(0, end.leaves)),
        leafRowCounts: Int32Array.from(growing.leafRowCounts.slice(0, end.leaves)),
      };
    },
  };
  return store;
}

function addTree(growing: Growing, table: BinnedTable, tree: StorableTree, leafValues: Float64Array): void {
  const firstNode = growing.feature.length;
  const firstLeaf = growing.leafValues.length;
  const placed = (child: number): number => (child >= 0 ? child + firstNode : ~(~child + firstLeaf));
  growing.roots.push(tree.splits.length === 0 ? ~firstLeaf : firstNode);
  tree.splits.forEach((split, node) => {
    const feature = table.features[split.feature]!;
    growing.feature.push(feature.feature);
    growing.left.push(placed(tree.left[node]!));
    growing.right.push(placed(tree.right[node]!));
    growing.flags.push(
      (split.isCategorical ? categoricalFlag : 0) | (split.isMissingLeft ? missingLeftFlag : 0),
    );
    if (split.isCategorical) {
      growing.threshold.push(NaN);
      growing.sets.push(placeSet(growing, setOf(split.leftBins, feature.missingBin)));
    } else {
      growing.threshold.push(feature.bounds[split.bin]!);
      growing.sets.push(0);
    }
  });
  tree.rowCounts.forEach((rowCount, leaf) => {
    growing.leafValues.push(leafValues[leaf]!);
    growing.leafRowCounts.push(rowCount);
  });
}

function setsByWords(categorySets: ArrayLike<number>): Map<string, number> {
  const words = Array.from(categorySets);
  const known = new Map<string, number>();
  for (let set = 0; set < words.length / wordsPerSet; set++)
    known.set(words.slice(set * wordsPerSet, (set + 1) * wordsPerSet).join(), set);
  return known;
}

/** The number of a set; equal sets have one number. */
function placeSet({ categorySets, knownSets }: Growing, words: Uint32Array): number {
  const key = words.join();
  const known = knownSets.get(key);
  if (known !== undefined) return known;
  const set = categorySets.length / wordsPerSet;
  categorySets.push(...words);
  knownSets.set(key, set);
  return set;
}

/** Bits of the codes that go left; the bin of missing values is told by a flag instead. */
function setOf(leftBins: readonly number[], missingBin: number): Uint32Array {
  const words = new Uint32Array(wordsPerSet);
  for (const bin of leftBins)
    if (bin !== missingBin) words[bin >>> 5] = (words[bin >>> 5]! | (1 << (bin & 31))) >>> 0;
  return words;
}

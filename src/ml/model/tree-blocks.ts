// Plans how a model of small trees is answered by blocks of 64 rows (kernels/assembly/blocks.as): which columns of bytes a
// block has, and where everything lies in memory. The column of a feature counts for each row how many of the model's
// thresholds lie below its value; a missing value counts as below or above all of them. So one comparison of bytes is the
// question of a node, and questions for categories become such columns too.
import { present } from '../../base/assert.ts';
import { categoricalFlag, missingLeftFlag, wordsPerSet, type TreesModel } from './trees.ts';

export const blockRows = 64;

/** Of one tree, so that a byte tells them apart. Asking all nodes takes less time than walking down even then. */
const mostLeaves = 256;
/** Thresholds of one feature that a byte tells apart. */
const mostThresholds = 255;
const groupTrees = 4;
const groupHeadBytes = 24;
const treeHeadBytes = 8;
const featureBytes = 24;
const questionBytes = 40;
const nodeBytes = 16;

/** A model as the kernel takes it; addresses count from the start of the memory. */
export interface TreeBlocks {
  /** What is put into the memory once. */
  bytes: Uint8Array;
  bytesAt: number;
  /** From here on memory is free. */
  end: number;
  features: { at: number; count: number };
  groups: { at: number; count: number };
  /** Where the kernel keeps what nodes and trees have found. */
  work: number;
  indices: number;
}

/** Plans the blocks of a model; `undefined` if its trees are too large, or its thresholds too many. */
export function planBlocks(model: TreesModel): TreeBlocks | undefined {
  const trees = treesOf(model);
  const features = trees && featuresOf(model);
  if (!features) return undefined;
  const groups = groupsOf(trees, model.base.length);
  const places = placesOf({ model, trees, features, groups });
  const bytes = new Uint8Array(places.end - places.constants);
  const plan: Plan = { model, features, groups, places, view: new DataView(bytes.buffer) };
  writeFeatures(plan);
  writeGroups(plan, writeLeaves(plan));
  for (let leaf = 0; leaf < places.constantCount; leaf++)
    bytes.fill(leaf, leaf * blockRows, (leaf + 1) * blockRows);
  return {
    bytes,
    bytesAt: places.constants,
    end: places.end,
    features: { at: places.features, count: features.size },
    groups: { at: places.groups, count: groups.length },
    work: places.work,
    indices: places.indices,
  };
}

interface Tree {
  /** Its nodes are those from `first` to before `end`; none for a tree of one leaf. */
  first: number;
  end: number;
  /** Leaves of the model, in the order of the numbers that nodes pass up. */
  leaves: number[];
  questionCount: number;
}

interface Feature {
  /** Rising; none for categories. */
  thresholds: Float64Array;
  /** Addresses of the columns in which missing values go left, and right; 0 where no node wants them. */
  left: number;
  right: number;
}

interface Group {
  output: number;
  trees: Tree[];
}

interface Places {
  work: number;
  indices: number;
  constants: number;
  constantCount: number;
  features: number;
  thresholds: number;
  leaves: number;
  groups: number;
  end: number;
}

interface Plan {
  model: TreesModel;
  features: ReadonlyMap<number, Feature>;
  groups: readonly Group[];
  places: Places;
  /** Of the bytes from `places.constants` on. */
  view: DataView;
}

/** Trees lie one after another, and children behind their parents. */
function treesOf({ roots, feature, flags, left, right }: TreesModel): Tree[] | undefined {
  const trees: Tree[] = [];
  let end = feature.length;
  for (let index = roots.length - 1; index >= 0; index--) {
    const root = roots[index]!;
    const first = root < 0 ? end : root;
    if (end - first >= mostLeaves) return undefined;
    const leaves = new Set<number>(root < 0 ? [~root] : []);
    let questionCount = 0;
    for (let node = first; node < end; node++) {
      if ((flags[node]! & categoricalFlag) !== 0) questionCount++;
      for (const child of [left[node]!, right[node]!]) if (child < 0) leaves.add(~child);
    }
    if (leaves.size > mostLeaves) return undefined;
    trees.push({ first, end, leaves: [...leaves], questionCount });
    end = first;
  }
  return trees.toReversed();
}

function featuresOf({ feature, threshold, flags }: TreesModel): Map<number, Feature> | undefined {
  const limits = new Map<number, Set<number>>();
  const features = new Map<number, Feature>();
  for (let node = 0; node < feature.length; node++) {
    const asked = feature[node]!;
    let known = limits.get(asked);
    if (!known) limits.set(asked, (known = new Set()));
    if ((flags[node]! & categoricalFlag) === 0) known.add(threshold[node]!);
    if (known.size > mostThresholds) return undefined;
  }
  for (const [asked, known] of limits)
    features.set(asked, { thresholds: Float64Array.from(known).toSorted(), left: 0, right: 0 });
  return features;
}

/** Four trees each, of the same output, in their order. */
function groupsOf(trees: readonly Tree[], outputCount: number): Group[] {
  const groups: Group[] = [];
  for (let output = 0; output < outputCount; output++) {
    const own = trees.filter((_, index) => index % outputCount === output);
    for (let from = 0; from < own.length; from += groupTrees)
      groups.push({ output, trees: own.slice(from, from + groupTrees) });
  }
  return groups;
}

/** Lays everything out; the columns of features get their addresses. */
function placesOf({
  model,
  trees,
  features,
  groups,
}: Pick<Plan, 'model' | 'features' | 'groups'> & { trees: readonly Tree[] }): Places {
  let end = blockRows;
  const place = (byteCount: number): number => {
    const at = end;
    end += Math.ceil(byteCount / blockRows) * blockRows;
    return at;
  };
  const most = (count: (tree: Tree) => number): number =>
    trees.reduce((largest, tree) => Math.max(largest, count(tree)), 1);
  const work = place(
    blockRows * (most((tree) => tree.questionCount) + most(({ first, end: to }) => to - first)),
  );
  const indices = place(blockRows * groupTrees);
  for (let node = 0; node < model.feature.length; node++) {
    const feature = features.get(model.feature[node]!)!;
    const side = (model.flags[node]! & missingLeftFlag) === 0 ? 'right' : 'left';
    feature[side] ||= place(feature.thresholds.length === 0 ? 2 * blockRows : blockRows);
  }
  const constantCount = most(({ leaves }) => leaves.length);
  const constants = place(constantCount * blockRows);
  const featuresAt = place(features.size * featureBytes);
  const thresholds = place(
    8 * [...features.values()].reduce((sum, feature) => sum + searchedCount(feature.thresholds.length), 0),
  );
  const leaves = place(8 * trees.reduce((sum, tree) => sum + tree.leaves.length, 1));
  const groupsAt = place(
    groups.length * (groupHeadBytes + groupTrees * (treeHeadBytes + nodeBytes)) +
      trees.reduce(
        (sum, tree) => sum + tree.questionCount * questionBytes + (tree.end - tree.first) * nodeBytes,
        0,
      ),
  );
  return {
    work,
    indices,
    constants,
    constantCount,
    features: featuresAt,
    thresholds,
    leaves,
    groups: groupsAt,
    end,
  };
}

/** Thresholds of a feature, filled up so that each search has the same steps: one less than a power of two. */
function searchedCount(thresholdCount: number): number {
  return 2 ** Math.ceil(Math.log2(thresholdCount + 1)) - 1;
}

function writeFeatures({ features, places, view }: Plan): void {
  let at = places.features - places.constants;
  let table = places.thresholds - places.constants;
  for (const [feature, { thresholds, left, right }] of features) {
    const count = searchedCount(thresholds.length);
    writeWords(view, at, [feature * 8, places.constants + table, ((count + 1) >> 1) * 8, left, right]);
    // Without thresholds it is a feature of categories.
    if (count === 0) view.setUint32(at + 8, 0, true);
    for (let index = 0; index < count; index++, table += 8)
      view.setFloat64(table, thresholds[index] ?? Infinity, true);
    at += featureBytes;
  }
}

/** Writes the values of the leaves of each tree, and one that adds nothing; returns their addresses. */
function writeLeaves({ model, groups, places, view }: Plan): ReadonlyMap<Tree | undefined, number> {
  const placed = new Map<Tree | undefined, number>();
  let at = places.leaves - places.constants;
  for (const tree of groups.flatMap(({ trees }) => trees)) {
    placed.set(tree, places.constants + at);
    for (const leaf of tree.leaves) {
      view.setFloat64(at, model.leafValues[leaf]!, true);
      at += 8;
    }
  }
  // x + -0 is x for every x; x + 0 is not for -0.
  view.setFloat64(at, -0, true);
  return placed.set(undefined, places.constants + at);
}

function writeGroups(plan: Plan, leaves: ReadonlyMap<Tree | undefined, number>): void {
  const { groups, places, view } = plan;
  let at = places.groups - places.constants;
  for (const { output, trees } of groups) {
    const four = Array.from({ length: groupTrees }, (_, index) => trees[index]);
    writeWords(view, at, [output * 8, ...four.map((tree) => present(leaves.get(tree), 'leaves of a tree'))]);
    at += groupHeadBytes;
    for (const tree of four) at = writeTree(plan, tree, at);
  }
}

/** Returns where the tree ends. A tree without a node gets one that asks nothing: both its children are its one leaf. */
function writeTree({ model, features, places, view }: Plan, tree: Tree | undefined, begin: number): number {
  const nodeCount = tree ? tree.end - tree.first : 0;
  const questionCount = tree?.questionCount ?? 0;
  writeWords(view, begin, [questionCount, Math.max(1, nodeCount)]);
  let question = begin + treeHeadBytes;
  let at = question + questionCount * questionBytes;
  if (!tree || nodeCount === 0) {
    writeWords(view, at, [places.work, places.constants, places.constants, 0]);
    return at + nodeBytes;
  }
  const numberOfLeaf = new Map(tree.leaves.map((leaf, index) => [leaf, index]));
  // Columns of answered questions come first at `work`, then those of the nodes, the last node's first.
  let answers = places.work;
  const passed = (child: number): number =>
    child < 0
      ? places.constants + numberOfLeaf.get(~child)! * blockRows
      : places.work + (questionCount + tree.end - 1 - child) * blockRows;
  for (let node = tree.end - 1; node >= tree.first; node--) {
    const feature = features.get(model.feature[node]!)!;
    const goesLeft = (model.flags[node]! & missingLeftFlag) !== 0;
    let column = goesLeft ? feature.left : feature.right;
    let limit = -1;
    if ((model.flags[node]! & categoricalFlag) === 0) {
      limit = rankOf(feature.thresholds, model.threshold[node]!) - 128;
    } else {
      const set = model.sets[node]! * wordsPerSet;
      writeWords(view, question, [...model.categorySets.subarray(set, set + wordsPerSet), column]);
      question += questionBytes;
      column = answers;
      answers += blockRows;
    }
    writeWords(view, at, [column, passed(model.left[node]!), passed(model.right[node]!), limit]);
    at += nodeBytes;
  }
  return at;
}

function rankOf(rising: Float64Array, wanted: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function writeWords(view: DataView, at: number, words: readonly number[]): void {
  for (const [index, word] of words.entries()) view.setInt32(at + index * 4, word, true);
}

// TreeSHAP, path-dependent (Lundberg, Erion & Lee, "Consistent Individualized Feature Attribution for Tree Ensembles",
// 2018, algorithm 2): exact Shapley values of one tree's answer, where an absent feature means that rows divide as the
// training rows did.
import { childOf, type TreesModel } from '../model/trees.ts';

/** A trees model with what explaining needs: rows below each node, and each tree's mean answer. */
export interface ExplainableTrees {
  model: TreesModel;
  nodeRowCounts: Float64Array;
  /** Mean over training rows of each raw output. */
  expected: Float64Array;
  depth: number;
}

export function explainable(model: TreesModel): ExplainableTrees {
  const { left, right, roots, leafRowCounts, leafValues } = model;
  const nodeCount = left.length;
  const nodeRowCounts = new Float64Array(nodeCount);
  const nodeSums = new Float64Array(nodeCount);
  const heights = new Int32Array(nodeCount);
  // Children lie behind their parents: from the last node to the first, they are known before their parents need them.
  for (let node = nodeCount - 1; node >= 0; node--) {
    for (const child of [left[node]!, right[node]!]) {
      const rowCount = child < 0 ? leafRowCounts[~child]! : nodeRowCounts[child]!;
      nodeRowCounts[node]! += rowCount;
      nodeSums[node]! += child < 0 ? rowCount * leafValues[~child]! : nodeSums[child]!;
      heights[node] = Math.max(heights[node]!, 1 + (child < 0 ? 0 : heights[child]!));
    }
  }
  const expected = model.base.slice();
  let depth = 1;
  roots.forEach((root, tree) => {
    expected[tree % expected.length]! +=
      root < 0 ? leafValues[~root]! : nodeSums[root]! / nodeRowCounts[root]!;
    if (root >= 0) depth = Math.max(depth, heights[root]!);
  });
  return { model, nodeRowCounts, expected, depth };
}

/**
 * Adds the Shapley values of one encoded row to `out`: value of feature f for raw output k at `k * featureCount + f`.
 * They sum, for each output, to the raw score minus its expected value.
 */
export function addShapleyValues(trees: ExplainableTrees, row: Float64Array, out: Float64Array): void {
  const { model, depth } = trees;
  const size = ((depth + 2) * (depth + 3)) / 2 + 1;
  const path: Path = {
    feature: new Int32Array(size),
    zero: new Float64Array(size),
    one: new Float64Array(size),
    weight: new Float64Array(size),
  };
  const rawCount = model.base.length;
  model.roots.forEach((root, tree) => {
    if (root < 0) return;
    const output = tree % rawCount;
    const values = out.subarray(output * row.length, (output + 1) * row.length);
    descend({ trees, row, values, path }, root, { begin: 0, length: 0 }, { zero: 1, one: 1, feature: -1 });
  });
}

/** Stretches of these arrays hold the features asked on the way down, with the share of absent and present flows. */
interface Path {
  feature: Int32Array;
  zero: Float64Array;
  one: Float64Array;
  weight: Float64Array;
}

interface Walk {
  trees: ExplainableTrees;
  row: Float64Array;
  values: Float64Array;
  path: Path;
}

interface Stretch {
  begin: number;
  length: number;
}

interface Step {
  zero: number;
  one: number;
  feature: number;
}

function descend(walk: Walk, child: number, parent: Stretch, step: Step): void {
  const { path, trees, row, values } = walk;
  const begin = parent.begin + parent.length;
  // Each level works on a copy of its parent's stretch, laid down behind it.
  for (const array of [path.feature, path.zero, path.one, path.weight])
    array.copyWithin(begin, parent.begin, begin);
  let length = extend(path, begin, parent.length, step);
  if (child < 0) {
    const leafValue = trees.model.leafValues[~child]!;
    for (let index = 1; index < length; index++) {
      const at = begin + index;
      values[path.feature[at]!]! +=
        unwoundSum(path, begin, length, index) * (path.one[at]! - path.zero[at]!) * leafValue;
    }
    return;
  }
  const { model, nodeRowCounts } = trees;
  const feature = model.feature[child]!;
  let zero = 1;
  let one = 1;
  for (let index = 1; index < length; index++) {
    if (path.feature[begin + index] !== feature) continue;
    zero = path.zero[begin + index]!;
    one = path.one[begin + index]!;
    length = unwind(path, begin, length, index);
    break;
  }
  const taken = childOf(model, child, row[feature]!);
  for (const next of [model.left[child]!, model.right[child]!]) {
    const rowCount = next < 0 ? model.leafRowCounts[~next]! : nodeRowCounts[next]!;
    descend(
      walk,
      next,
      { begin, length },
      { zero: (zero * rowCount) / nodeRowCounts[child]!, one: next === taken ? one : 0, feature },
    );
  }
}

function extend(path: Path, begin: number, length: number, { zero, one, feature }: Step): number {
  const { weight } = path;
  const last = begin + length;
  path.feature[last] = feature;
  path.zero[last] = zero;
  path.one[last] = one;
  weight[last] = length === 0 ? 1 : 0;
  for (let index = length - 1; index >= 0; index--) {
    const at = begin + index;
    weight[at + 1] = weight[at + 1]! + (one * weight[at]! * (index + 1)) / (length + 1);
    weight[at] = (zero * weight[at]! * (length - index)) / (length + 1);
  }
  return length + 1;
}

/** Takes entry `index` out of the path again. */
function unwind(path: Path, begin: number, length: number, index: number): number {
  const { weight, zero, one, feature } = path;
  const last = length - 1;
  const ownOne = one[begin + index]!;
  const ownZero = zero[begin + index]!;
  let next = weight[begin + last]!;
  for (let at = last - 1; at >= 0; at--) {
    if (ownOne !== 0) {
      const before = weight[begin + at]!;
      weight[begin + at] = (next * length) / ((at + 1) * ownOne);
      next = before - (weight[begin + at]! * ownZero * (last - at)) / length;
    } else weight[begin + at] = (weight[begin + at]! * length) / (ownZero * (last - at));
  }
  for (let at = begin + index; at < begin + last; at++) {
    feature[at] = feature[at + 1]!;
    zero[at] = zero[at + 1]!;
    one[at] = one[at + 1]!;
  }
  return last;
}

/** Sum of the weights as they would be without entry `index`. */
function unwoundSum(path: Path, begin: number, length: number, index: number): number {
  const { weight, zero, one } = path;
  const last = length - 1;
  const ownOne = one[begin + index]!;
  const ownZero = zero[begin + index]!;
  let next = weight[begin + last]!;
  let total = 0;
  for (let at = last - 1; at >= 0; at--) {
    if (ownOne !== 0) {
      const term = (next * length) / ((at + 1) * ownOne);
      total += term;
      next = weight[begin + at]! - (term * ownZero * (last - at)) / length;
    } else total += (weight[begin + at]! * length) / (ownZero * (last - at));
  }
  return total;
}

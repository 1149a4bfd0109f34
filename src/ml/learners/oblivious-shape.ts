// An oblivious tree as a tree of nodes, which is what models hold. Branches that no row to learn from took are left out:
// whoever would go there goes where the rows went.
import type { RowRange } from '../kernels/tree-kernels.ts';
import type { ObliviousTree } from './oblivious-grower.ts';
import type { Split } from './split-search.ts';

export interface ShapedTree {
  splits: Split[];
  left: number[];
  right: number[];
  /** The rows to learn from that are in each leaf. */
  rowCounts: number[];
  /** For each leaf of the oblivious tree, the leaf that its rows go to. */
  leafOf: Int32Array;
}

export function shapeTree({ questions, leaves }: ObliviousTree): ShapedTree {
  const depth = questions.length;
  const counts = leaves.map(([drawn, rest]) => lengthOf(drawn) + lengthOf(rest));
  const shaped: ShapedTree = {
    splits: [],
    left: [],
    right: [],
    rowCounts: [],
    leafOf: new Int32Array(leaves.length).fill(-1),
  };
  const countBelow = (begin: number, end: number): number =>
    counts.slice(begin, end).reduce((sum, count) => sum + count, 0);
  /** Adds what is below `begin` to `end`; returns the node, or ~leaf. */
  const add = (level: number, begin: number, end: number): number => {
    if (level === depth) {
      shaped.leafOf[begin] = shaped.rowCounts.length;
      return ~(shaped.rowCounts.push(counts[begin]!) - 1);
    }
    const middle = (begin + end) / 2;
    if (countBelow(begin, middle) === 0) return add(level + 1, middle, end);
    if (countBelow(middle, end) === 0) return add(level + 1, begin, middle);
    const node = shaped.splits.push(questions[level]!) - 1;
    shaped.left.push(0);
    shaped.right.push(0);
    shaped.left[node] = add(level + 1, begin, middle);
    shaped.right[node] = add(level + 1, middle, end);
    return node;
  };
  add(0, 0, leaves.length);
  for (let leaf = 0; leaf < leaves.length; leaf++)
    if (shaped.leafOf[leaf] === -1) shaped.leafOf[leaf] = shaped.leafOf[takenFrom(leaf, depth, countBelow)]!;
  return shaped;
}

/** The leaf with rows that answers like those of `leaf` lead to. */
function takenFrom(leaf: number, depth: number, countBelow: (begin: number, end: number) => number): number {
  let begin = 0;
  for (let size = 2 ** (depth - 1); size >= 1; size /= 2) {
    const isRight = Math.floor(leaf / size) % 2 === 1;
    const wanted = isRight ? begin + size : begin;
    const other = isRight ? begin : begin + size;
    begin = countBelow(wanted, wanted + size) > 0 ? wanted : other;
  }
  return begin;
}

function lengthOf({ begin, end }: RowRange): number {
  return end - begin;
}

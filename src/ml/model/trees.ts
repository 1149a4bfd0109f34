// Sums of decision trees in flat arrays. Node n asks one question of one feature: numbers go left when they are at
// most the threshold, categories when their code is in the node's set; NaN goes where the node's flag says. A child
// below zero is the leaf ~child. Children lie behind their parents, so that walking always ends.
import type { Link } from './row-model.ts';

export interface TreesModel {
  kind: 'trees';
  link: Link;
  /** Score that the trees add to, one for each raw output; tree t adds to output t modulo their number. */
  base: Float64Array;
  /** First node of each tree, or ~leaf for a tree of one leaf. */
  roots: Int32Array;
  feature: Uint16Array;
  /** For categorical nodes: number of the set in `categorySets`. */
  threshold: Float64Array;
  left: Int32Array;
  right: Int32Array;
  /** Bit 0: the node is categorical. Bit 1: missing values go left. */
  flags: Uint8Array;
  /** Eight words for each set: bit c of them says that code c goes left. */
  categorySets: Uint32Array;
  leafValues: Float64Array;
}

export const categoricalFlag = 1;
export const missingLeftFlag = 2;
export const wordsPerSet = 8;
const maximumCode = wordsPerSet * 32;

/** Adds the trees' values for row-major `rows` to `raw`. */
export function applyTrees(
  model: TreesModel,
  input: { rows: Float64Array; rowCount: number; featureCount: number },
  raw: Float64Array,
): void {
  const { roots, leafValues } = model;
  const rawCount = model.base.length;
  const { rows, rowCount, featureCount } = input;
  for (let tree = 0; tree < roots.length; tree++) {
    const output = tree % rawCount;
    const root = roots[tree]!;
    for (let row = 0; row < rowCount; row++) {
      const leaf = root < 0 ? ~root : leafOf(model, root, rows, row * featureCount);
      raw[row * rawCount + output]! += leafValues[leaf]!;
    }
  }
}

/** The leaf that the row starting at `start` reaches from node `root`. */
export function leafOf(model: TreesModel, root: number, rows: Float64Array, start: number): number {
  const { feature, threshold, left, right, flags } = model;
  let node = root;
  while (node >= 0) {
    const value = rows[start + feature[node]!]!;
    const flag = flags[node]!;
    let goesLeft: boolean;
    if (value !== value) goesLeft = (flag & missingLeftFlag) !== 0;
    else if ((flag & categoricalFlag) === 0) goesLeft = value <= threshold[node]!;
    else goesLeft = isInSet(model.categorySets, threshold[node]!, value);
    node = goesLeft ? left[node]! : right[node]!;
  }
  return ~node;
}

function isInSet(sets: Uint32Array, set: number, code: number): boolean {
  if (code < 0 || code >= maximumCode) return false;
  const whole = code | 0;
  return ((sets[set * wordsPerSet + (whole >>> 5)]! >>> (whole & 31)) & 1) === 1;
}

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
  /** NaN for categorical nodes. */
  threshold: Float64Array;
  /** For categorical nodes: number of the set in `categorySets`; 0 for others. */
  sets: Int32Array;
  left: Int32Array;
  right: Int32Array;
  /** Bit 0: the node is categorical. Bit 1: missing values go left. */
  flags: Uint8Array;
  /** Eight words for each set: bit c of them says that code c goes left. */
  categorySets: Uint32Array;
  leafValues: Float64Array;
  /** Training rows in each leaf, 1 or more: what explanations weigh branches by. */
  leafRowCounts: Int32Array;
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
  const { feature } = model;
  let node = root;
  while (node >= 0) node = childOf(model, node, rows[start + feature[node]!]!);
  return ~node;
}

/** Where `node` sends a row whose feature has this value. */
export function childOf(model: TreesModel, node: number, value: number): number {
  const limit = model.threshold[node]!;
  // Nearly all questions end in one of these two; NaN on either side (missing, or categorical) in neither.
  if (value <= limit) return model.left[node]!;
  if (value > limit) return model.right[node]!;
  return goesLeftSpecially(model, node, value) ? model.left[node]! : model.right[node]!;
}

function goesLeftSpecially({ flags, sets, categorySets }: TreesModel, node: number, value: number): boolean {
  if (value !== value) return (flags[node]! & missingLeftFlag) !== 0;
  return isInSet(categorySets, sets[node]!, value);
}

function isInSet(sets: Uint32Array, set: number, code: number): boolean {
  if (code < 0 || code >= maximumCode) return false;
  const whole = code | 0;
  return ((sets[set * wordsPerSet + (whole >>> 5)]! >>> (whole & 31)) & 1) === 1;
}

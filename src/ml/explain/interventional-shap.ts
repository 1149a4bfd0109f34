// TreeSHAP, interventional ("independent": Lundberg et al., "From local explanations to global understanding with
// explainable AI for trees", Nature Machine Intelligence 2020): exact Shapley values of one tree's answer, where an
// absent feature has the value of a background row. True to what the model computes even where features depend on each
// other; path-dependent values (tree-shap.ts) instead follow how the training rows divided, and need no background.
import { childOf, type TreesModel } from '../model/trees.ts';

/** Rows to compare with: row-major, `featureCount` numbers each, at least one row. */
export interface Background {
  rows: Float64Array;
  rowCount: number;
}

/**
 * Adds the Shapley values of one encoded row, averaged over the background, to `out`: value of feature f for raw output k
 * at `k * featureCount + f`. They sum to the raw score minus its mean over the background.
 */
export function addInterventionalValues(
  model: TreesModel,
  row: Float64Array,
  { rows, rowCount }: Background,
  out: Float64Array,
): void {
  const rawCount = model.base.length;
  const taken = new Int8Array(row.length);
  for (let index = 0; index < rowCount; index++) {
    const other = rows.subarray(index * row.length, (index + 1) * row.length);
    model.roots.forEach((root, tree) => {
      const output = tree % rawCount;
      const values = out.subarray(output * row.length, (output + 1) * row.length);
      descend({ model, row, other, taken, values, share: 1 / rowCount }, root, { own: 0, others: 0 });
    });
  }
}

/** Mean raw scores over the background. */
export function expectedScores(model: TreesModel, { rows, rowCount }: Background): Float64Array {
  const expected = model.base.slice();
  const featureCount = rows.length / rowCount;
  for (let index = 0; index < rowCount; index++) {
    model.roots.forEach((root, tree) => {
      let node = root;
      while (node >= 0) node = childOf(model, node, rows[index * featureCount + model.feature[node]!]!);
      expected[tree % expected.length]! += model.leafValues[~node]! / rowCount;
    });
  }
  return expected;
}

interface Walk {
  model: TreesModel;
  row: Float64Array;
  other: Float64Array;
  /** For each feature: 1 where the way needs the row's value, -1 where it needs the other's, 0 where either will do. */
  taken: Int8Array;
  values: Float64Array;
  share: number;
}

/** Features on the way that need the row's value, and that need the other's. */
interface Needs {
  own: number;
  others: number;
}

/** What leaves below give each feature that needs the row's value, and each that needs the other's. */
interface Gives {
  own: number;
  others: number;
}

function descend(walk: Walk, node: number, needs: Needs): Gives {
  const { model, row, other, taken, values, share } = walk;
  if (node < 0) return gives(model.leafValues[~node]! * share, needs);
  const feature = model.feature[node]!;
  const ownChild = childOf(model, node, row[feature]!);
  const otherChild = childOf(model, node, other[feature]!);
  if (ownChild === otherChild || taken[feature] === 1) return descend(walk, ownChild, needs);
  if (taken[feature] === -1) return descend(walk, otherChild, needs);
  taken[feature] = 1;
  const withOwn = descend(walk, ownChild, { own: needs.own + 1, others: needs.others });
  taken[feature] = -1;
  const withOther = descend(walk, otherChild, { own: needs.own, others: needs.others + 1 });
  taken[feature] = 0;
  values[feature]! += withOwn.own + withOther.others;
  return { own: withOwn.own + withOther.own, others: withOwn.others + withOther.others };
}

/** A leaf that needs `own` of the row's values and none of `others`: a game whose Shapley values are known. */
function gives(value: number, { own, others }: Needs): Gives {
  const orders = ordersOf(own, others);
  return {
    own: own > 0 ? value / (own * orders) : 0,
    others: others > 0 ? -value / (others * orders) : 0,
  };
}

/** Number of ways to choose `own` of `own + others`. */
function ordersOf(own: number, others: number): number {
  let ways = 1;
  for (let index = 1; index <= Math.min(own, others); index++)
    ways = (ways * (own + others - index + 1)) / index;
  return ways;
}

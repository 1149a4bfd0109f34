// What a loss is to boosting, and sums that losses share.
import type { KernelLoss, RowRange, TreeKernels } from '../kernels/tree-kernels.ts';
import type { Link } from '../model/row-model.ts';

/** Where a loss finds its numbers. Rows below `rowCount` are learned from. Scores lie output by output. */
export interface LossData extends Pick<TreeKernels, 'scores' | 'target' | 'weights' | 'derivatives'> {
  rowCount: number;
  classCount: number;
  /** Number of the group of each row, for losses that look at groups. */
  groups?: Int32Array | undefined;
}

export interface Loss {
  link: Link;
  outputCount: number;
  /** Best constant score of each output. */
  start: () => Float64Array;
  /** The kernel that computes the derivatives, or a function that writes them for the rows learned from. */
  derive: KernelLoss | (() => void);
  /** Weighted mean loss over rows `begin` to `end` - 1. */
  mean: (begin: number, end: number) => number;
  /** Leaf values are this quantile of residuals rather than a Newton step. */
  leafQuantile?: number;
}

/** Weighted mean of a function of the row. */
export function meanOver(
  { weights }: Pick<LossData, 'weights'>,
  begin: number,
  end: number,
  of: (row: number) => number,
): number {
  let sum = 0;
  let total = 0;
  for (let row = begin; row < end; row++) {
    const weight = weights ? weights[row]! : 1;
    sum += weight * of(row);
    total += weight;
  }
  return sum / total;
}

/** Smallest value at which the share `level` of the weight is reached; 0 of none. */
export function weightedQuantile(values: Float64Array, level: number, weights?: Float64Array): number {
  const order = Int32Array.from(values, (_, index) => index).sort((a, b) => values[a]! - values[b]! || a - b);
  let total = 0;
  for (let index = 0; index < values.length; index++) total += weights ? weights[index]! : 1;
  let sum = 0;
  for (const index of order) {
    sum += weights ? weights[index]! : 1;
    if (sum >= total * level) return values[index]!;
  }
  return values.length > 0 ? values[order.at(-1)!]! : 0;
}

/** A quantile of what is left to explain in these rows of the kernels. */
export function residualQuantile(
  { rows, target, scores, weights }: Pick<TreeKernels, 'rows' | 'target' | 'scores' | 'weights'>,
  ranges: readonly RowRange[],
  level: number,
): number {
  const chosen = Int32Array.from(ranges.flatMap(({ begin, end }) => Array.from(rows.subarray(begin, end))));
  const residuals = Float64Array.from(chosen, (row) => target[row]! - scores[row]!);
  return weightedQuantile(residuals, level, weights && Float64Array.from(chosen, (row) => weights[row]!));
}

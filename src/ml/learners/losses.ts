// Loss functions of gradient boosting: first score, gradients and hessians of the scores, and the loss itself.
// Friedman, "Greedy function approximation: a gradient boosting machine" (2001). The derivatives of the common ones are
// kernels; the others are written here.
import { exp, log, logit, softplus } from '../model/arithmetic.ts';
import type { Link } from '../model/row-model.ts';
import type { Task } from '../frame/schema.ts';
import type { KernelLoss, TreeKernels } from '../kernels/tree-kernels.ts';

/** Where a loss finds its numbers. Rows below `rowCount` are learned from. Scores lie output by output. */
export interface LossData extends Pick<TreeKernels, 'scores' | 'target' | 'weights' | 'derivatives'> {
  rowCount: number;
  classCount: number;
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
  /** Leaf values are the median of residuals rather than a Newton step. */
  usesMedian?: boolean;
}

/** Scores for each row that the loss of a task needs. */
export function outputCountFor(task: Task, classCount: number): number {
  return task === 'multiclass' ? classCount : 1;
}

/** The loss for a task; `regressionLoss` is `squared` or `absolute`. */
export function lossFor(task: Task, data: LossData, regressionLoss: string): Loss {
  if (task === 'binary') return logisticLoss(data);
  if (task === 'multiclass') return softmaxLoss(data);
  return regressionLoss === 'absolute' ? absoluteLoss(data) : squaredLoss(data);
}

function squaredLoss(data: LossData): Loss {
  const { scores, target, rowCount } = data;
  return {
    link: 'identity',
    outputCount: 1,
    derive: 'squared',
    start: () => Float64Array.of(meanOver(data, 0, rowCount, (row) => target[row]!)),
    mean: (begin, end) =>
      Math.sqrt(
        meanOver(data, begin, end, (row) => (scores[row]! - target[row]!) * (scores[row]! - target[row]!)),
      ),
  };
}

function absoluteLoss(data: LossData): Loss {
  const { scores, target, weights, rowCount, derivatives } = data;
  return {
    link: 'identity',
    outputCount: 1,
    start: () => Float64Array.of(weightedMedian(target.slice(0, rowCount), weights?.subarray(0, rowCount))),
    derive: () => {
      for (let row = 0; row < rowCount; row++) {
        const weight = weights ? weights[row]! : 1;
        derivatives[2 * row] = weight * Math.sign(scores[row]! - target[row]!);
        derivatives[2 * row + 1] = weight;
      }
    },
    mean: (begin, end) => meanOver(data, begin, end, (row) => Math.abs(scores[row]! - target[row]!)),
    usesMedian: true,
  };
}

function logisticLoss(data: LossData): Loss {
  const { scores, target, rowCount } = data;
  return {
    link: 'logistic',
    outputCount: 1,
    derive: 'logistic',
    start: () => {
      const share = meanOver(data, 0, rowCount, (row) => target[row]!);
      return Float64Array.of(logit(Math.min(1 - 1e-6, Math.max(1e-6, share))));
    },
    mean: (begin, end) =>
      meanOver(data, begin, end, (row) => softplus(scores[row]!) - target[row]! * scores[row]!),
  };
}

/** Each class's tree moves against the sum of the others: hessians carry Friedman's factor K / (K - 1). */
function softmaxLoss(data: LossData): Loss {
  const { scores, target, rowCount, classCount } = data;
  const stride = target.length;
  const logSum = (row: number): number => {
    let highest = -Infinity;
    for (let k = 0; k < classCount; k++) highest = Math.max(highest, scores[k * stride + row]!);
    let sum = 0;
    for (let k = 0; k < classCount; k++) sum += exp(scores[k * stride + row]! - highest);
    return highest + log(sum);
  };
  return {
    link: 'softmax',
    outputCount: classCount,
    derive: 'softmax',
    start: () =>
      Float64Array.from({ length: classCount }, (_, k) =>
        log(
          Math.max(
            1e-6,
            meanOver(data, 0, rowCount, (row) => (target[row] === k ? 1 : 0)),
          ),
        ),
      ),
    mean: (begin, end) =>
      meanOver(data, begin, end, (row) => logSum(row) - scores[target[row]! * stride + row]!),
  };
}

/** Smallest value at which half of the weight is reached. */
export function weightedMedian(values: Float64Array, weights?: Float64Array): number {
  const order = Int32Array.from(values, (_, index) => index).sort((a, b) => values[a]! - values[b]! || a - b);
  let total = 0;
  for (let index = 0; index < values.length; index++) total += weights ? weights[index]! : 1;
  let sum = 0;
  for (const index of order) {
    sum += weights ? weights[index]! : 1;
    if (sum >= total / 2) return values[index]!;
  }
  return 0;
}

function meanOver(
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

// Loss functions of gradient boosting: first score, gradients and hessians of the scores, and the loss itself.
// Friedman, "Greedy function approximation: a gradient boosting machine" (2001). The derivatives of the common ones are
// kernels. Those of numbers are in regression-losses.ts.
import { exp, log, logit, softplus } from '../model/arithmetic.ts';
import type { Task } from '../frame/schema.ts';
import { meanOver, type Loss, type LossData } from './loss.ts';
import { regressionLossFor, type RegressionSettings } from './regression-losses.ts';

/** Scores for each row that the loss of a task needs. */
export function outputCountFor(task: Task, classCount: number): number {
  return task === 'multiclass' ? classCount : 1;
}

/** The loss for a task. */
export function lossFor(task: Task, data: LossData, settings: RegressionSettings): Loss {
  if (task === 'binary') return logisticLoss(data);
  return task === 'multiclass' ? softmaxLoss(data) : regressionLossFor(data, settings);
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

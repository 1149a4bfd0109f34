// Loss functions of gradient boosting: first score, gradients and hessians of the scores, and the loss itself.
// Friedman, "Greedy function approximation: a gradient boosting machine" (2001).
import { exp, log, logit, sigmoid, softplus } from '../model/arithmetic.ts';
import type { Link } from '../model/row-model.ts';
import type { Task } from '../frame/schema.ts';

export interface LossInput {
  target: Float64Array;
  classCount: number;
  weights?: Float64Array | undefined;
}

/** Scores are output-major: output k of row r is at k * rowCount + r. */
export interface Loss {
  link: Link;
  outputCount: number;
  /** Best constant score of each output for `rows`. */
  start: (rows: Int32Array) => Float64Array;
  /** Writes derivatives for output `k` of `rows`. */
  derive: (
    scores: Float64Array,
    k: number,
    rows: Int32Array,
    out: { gradients: Float64Array; hessians: Float64Array },
  ) => void;
  /** Weighted mean loss over `rows`. */
  mean: (scores: Float64Array, rows: Int32Array) => number;
  /** Leaf values are the median of residuals rather than a Newton step. */
  usesMedian?: boolean;
}

/** The loss for a task; `regressionLoss` is `squared` or `absolute`. */
export function lossFor(task: Task, input: LossInput, regressionLoss: string): Loss {
  if (task === 'binary') return logisticLoss(input);
  if (task === 'multiclass') return softmaxLoss(input);
  return regressionLoss === 'absolute' ? absoluteLoss(input) : squaredLoss(input);
}

function squaredLoss({ target, weights }: LossInput): Loss {
  return {
    link: 'identity',
    outputCount: 1,
    start: (rows) => Float64Array.of(meanOver(rows, weights, (row) => target[row]!)),
    derive: (scores, _k, rows, { gradients, hessians }) => {
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!;
        const weight = weights ? weights[row]! : 1;
        gradients[row] = weight * (scores[row]! - target[row]!);
        hessians[row] = weight;
      }
    },
    mean: (scores, rows) =>
      Math.sqrt(
        meanOver(rows, weights, (row) => (scores[row]! - target[row]!) * (scores[row]! - target[row]!)),
      ),
  };
}

function absoluteLoss({ target, weights }: LossInput): Loss {
  return {
    link: 'identity',
    outputCount: 1,
    start: (rows) =>
      Float64Array.of(
        weightedMedian(
          Float64Array.from(rows, (row) => target[row]!),
          weights && Float64Array.from(rows, (row) => weights[row]!),
        ),
      ),
    derive: (scores, _k, rows, { gradients, hessians }) => {
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!;
        const weight = weights ? weights[row]! : 1;
        gradients[row] = weight * Math.sign(scores[row]! - target[row]!);
        hessians[row] = weight;
      }
    },
    mean: (scores, rows) => meanOver(rows, weights, (row) => Math.abs(scores[row]! - target[row]!)),
    usesMedian: true,
  };
}

function logisticLoss({ target, weights }: LossInput): Loss {
  return {
    link: 'logistic',
    outputCount: 1,
    start: (rows) => {
      const share = meanOver(rows, weights, (row) => target[row]!);
      return Float64Array.of(logit(Math.min(1 - 1e-6, Math.max(1e-6, share))));
    },
    derive: (scores, _k, rows, { gradients, hessians }) => {
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!;
        const weight = weights ? weights[row]! : 1;
        const probability = sigmoid(scores[row]!);
        gradients[row] = weight * (probability - target[row]!);
        hessians[row] = weight * Math.max(1e-9, probability * (1 - probability));
      }
    },
    mean: (scores, rows) =>
      meanOver(rows, weights, (row) => softplus(scores[row]!) - target[row]! * scores[row]!),
  };
}

function softmaxLoss({ target, weights, classCount }: LossInput): Loss {
  const rowCount = target.length;
  const probabilities = new Float64Array(rowCount * classCount);
  const share = (row: number, scores: Float64Array): number => {
    let highest = -Infinity;
    for (let k = 0; k < classCount; k++) highest = Math.max(highest, scores[k * rowCount + row]!);
    let sum = 0;
    for (let k = 0; k < classCount; k++)
      sum += probabilities[k * rowCount + row] = exp(scores[k * rowCount + row]! - highest);
    for (let k = 0; k < classCount; k++) probabilities[k * rowCount + row]! /= sum;
    return highest + log(sum);
  };
  // Friedman's factor: each class's tree moves against the sum of the others.
  const factor = classCount / (classCount - 1);
  return {
    link: 'softmax',
    outputCount: classCount,
    start: (rows) =>
      Float64Array.from({ length: classCount }, (_, k) => {
        const frequency = meanOver(rows, weights, (row) => (target[row] === k ? 1 : 0));
        return log(Math.max(1e-6, frequency));
      }),
    derive: (scores, k, rows, { gradients, hessians }) => {
      // All classes of an iteration start from the same scores: probabilities are renewed with the first.
      if (k === 0) for (let index = 0; index < rows.length; index++) share(rows[index]!, scores);
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!;
        const weight = weights ? weights[row]! : 1;
        const probability = probabilities[k * rowCount + row]!;
        gradients[row] = weight * (probability - (target[row] === k ? 1 : 0));
        hessians[row] = weight * Math.max(1e-9, factor * probability * (1 - probability));
      }
    },
    mean: (scores, rows) =>
      meanOver(rows, weights, (row) => share(row, scores) - scores[target[row]! * rowCount + row]!),
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

function meanOver(rows: Int32Array, weights: Float64Array | undefined, of: (row: number) => number): number {
  let sum = 0;
  let total = 0;
  for (let index = 0; index < rows.length; index++) {
    const weight = weights ? weights[rows[index]!]! : 1;
    sum += weight * of(rows[index]!);
    total += weight;
  }
  return sum / total;
}

// What linear models minimise: the loss of all rows at given scores, and its slopes. Squared distance, logistic and
// softmax loss, and Poisson's deviance for counts, whose scores are logarithms (McCullagh & Nelder, "Generalized Linear
// Models", chapter 6).
import { exp, log, sigmoid, softplus } from '../model/arithmetic.ts';
import type { Link } from '../model/row-model.ts';
import type { LearnedTask } from './learner.ts';

export interface LinearLoss {
  link: Link;
  /** Returns the loss, and writes its derivative by each score. */
  derive: (slopes: Slopes) => number;
}

/** Scores and slopes are output-major; weights are in rows. */
export interface Slopes {
  scores: Float64Array;
  slopes: Float64Array;
  truth: Float64Array;
  rowWeights: Float64Array;
  outputCount: number;
}

/** The loss of a task; `regressionLoss` says which for numbers. */
export function linearLossFor(task: LearnedTask, regressionLoss: 'squared' | 'poisson'): LinearLoss {
  switch (task) {
    case 'binary':
      return { link: 'logistic', derive: logisticSlopes };
    case 'multiclass':
      return { link: 'softmax', derive: softmaxSlopes };
    case 'regression':
      return regressionLoss === 'poisson'
        ? { link: 'exponential', derive: poissonSlopes }
        : { link: 'identity', derive: squaredSlopes };
    default:
      return task satisfies never;
  }
}

function squaredSlopes({ scores, slopes, truth, rowWeights }: Slopes): number {
  let loss = 0;
  for (let row = 0; row < truth.length; row++) {
    const error = scores[row]! - truth[row]!;
    slopes[row] = rowWeights[row]! * error;
    loss += (rowWeights[row]! * error * error) / 2;
  }
  return loss;
}

/** Up to a constant; infinite where a step went too far. */
function poissonSlopes({ scores, slopes, truth, rowWeights }: Slopes): number {
  let loss = 0;
  for (let row = 0; row < truth.length; row++) {
    const mean = exp(scores[row]!);
    slopes[row] = rowWeights[row]! * (mean - truth[row]!);
    loss += rowWeights[row]! * (mean - truth[row]! * scores[row]!);
  }
  return loss;
}

function logisticSlopes({ scores, slopes, truth, rowWeights }: Slopes): number {
  let loss = 0;
  for (let row = 0; row < truth.length; row++) {
    const value = scores[row]!;
    slopes[row] = rowWeights[row]! * (sigmoid(value) - truth[row]!);
    loss += rowWeights[row]! * (softplus(value) - truth[row]! * value);
  }
  return loss;
}

function softmaxSlopes({ scores, slopes, truth, rowWeights, outputCount }: Slopes): number {
  const rowCount = truth.length;
  let loss = 0;
  for (let row = 0; row < rowCount; row++) {
    let highest = -Infinity;
    for (let k = 0; k < outputCount; k++) highest = Math.max(highest, scores[k * rowCount + row]!);
    let sum = 0;
    for (let k = 0; k < outputCount; k++)
      sum += slopes[k * rowCount + row] = exp(scores[k * rowCount + row]! - highest);
    const weight = rowWeights[row]!;
    loss += weight * (highest + log(sum) - scores[truth[row]! * rowCount + row]!);
    for (let k = 0; k < outputCount; k++) {
      const at = k * rowCount + row;
      slopes[at] = weight * (slopes[at]! / sum - (truth[row] === k ? 1 : 0));
    }
  }
  return loss;
}

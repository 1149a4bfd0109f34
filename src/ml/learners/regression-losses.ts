// Losses for numbers. Squared, absolute and Huber's (1964) measure distance; the quantile loss (Koenker and Bassett 1978)
// asks for a chosen quantile; Poisson, Gamma and Tweedie (Jorgensen 1987) are for counts and amounts, whose logarithm
// the trees add up to. Ranking, which looks at orders within groups rather than at values, is in ranking-loss.ts.
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { exp, log } from '../model/arithmetic.ts';
import { meanOver, weightedQuantile, type Loss, type LossData } from './loss.ts';
import { checkRanking, rankingLoss } from './ranking-loss.ts';

export const regressionLosses = [
  'squared',
  'absolute',
  'huber',
  'quantile',
  'poisson',
  'gamma',
  'tweedie',
] as const;
export type RegressionLoss = (typeof regressionLosses)[number] | 'ranking';

export interface RegressionSettings {
  loss: RegressionLoss;
  /** With `quantile`. */
  quantile: number;
  /** With `tweedie`: between 1 (Poisson) and 2 (Gamma). */
  tweediePower: number;
  /** With `ranking`, which needs it: the first places that pairs must touch. */
  truncation?: number;
}

/** Share of the targets whose distance from the median counts squared. */
const huberShare = 0.9;
/** Poisson's hessian is made larger by e^0.7, so that steps from large counts stay small (as in LightGBM). */
const poissonCaution = exp(0.7);
/** Scores beyond would leave the numbers. */
const mostScore = 700;

export function regressionLossFor(data: LossData, settings: RegressionSettings): Loss {
  switch (settings.loss) {
    case 'squared':
      return squaredLoss(data);
    case 'absolute':
      return quantileLoss(data, 0.5);
    case 'huber':
      return huberLoss(data);
    case 'quantile':
      return quantileLoss(data, settings.quantile);
    case 'poisson':
      return poissonLoss(data);
    case 'gamma':
      return gammaLoss(data);
    case 'tweedie':
      return tweedieLoss(data, settings.tweediePower);
    case 'ranking':
      assert(settings.truncation !== undefined, 'ranking knows its truncation');
      return rankingLoss(data, settings.truncation);
    default:
      return settings.loss satisfies never;
  }
}

/** @throws Problem `target-unusable` when the loss has no meaning for one of the rows' targets */
export function checkTarget(
  loss: RegressionLoss,
  { target, rows, groups }: { target: Float64Array; rows: Int32Array; groups?: Int32Array },
): void {
  if (loss === 'ranking') checkRanking(target, rows, groups);
  if (loss !== 'poisson' && loss !== 'gamma' && loss !== 'tweedie') return;
  const isRefused = (value: number): boolean => (loss === 'gamma' ? !(value > 0) : !(value >= 0));
  const row = rows.find((one) => isRefused(target[one]!));
  if (row !== undefined)
    throw new Problem(
      'target-unusable',
      `The ${loss} loss needs ${loss === 'gamma' ? 'values above zero' : 'no value below zero'}, but there is ${target[row]}. Use another loss, such as squared.`,
    );
  if (rows.every((one) => target[one] === 0))
    throw new Problem(
      'target-unusable',
      `The ${loss} loss needs a value above zero, but all are zero. Use another loss, such as squared.`,
    );
}

function squaredLoss(data: LossData): Loss {
  const { scores, target, rowCount } = data;
  return {
    link: 'identity',
    outputCount: 1,
    derive: 'squared',
    start: () => Float64Array.of(meanOver(data, 0, rowCount, (row) => target[row]!)),
    mean: (begin, end) => Math.sqrt(meanOver(data, begin, end, (row) => (scores[row]! - target[row]!) ** 2)),
  };
}

/** The pinball loss; at one half it is the absolute loss, and its value the mean absolute error. */
function quantileLoss(data: LossData, level: number): Loss {
  const { scores, target } = data;
  return {
    link: 'identity',
    outputCount: 1,
    start: () => Float64Array.of(targetQuantile(data, level)),
    derive: derivatives(data, (row) => ({
      gradient: scores[row]! > target[row]! ? 1 - level : scores[row]! < target[row]! ? -level : 0,
      hessian: 1,
    })),
    mean: (begin, end) =>
      2 *
      meanOver(data, begin, end, (row) => {
        const residual = target[row]! - scores[row]!;
        return residual >= 0 ? level * residual : (level - 1) * residual;
      }),
    leafQuantile: level,
  };
}

function huberLoss(data: LossData): Loss {
  const { scores, target, weights, rowCount } = data;
  const middle = targetQuantile(data, 0.5);
  const distances = Float64Array.from(target.subarray(0, rowCount), (value) => Math.abs(value - middle));
  const limit = weightedQuantile(distances, huberShare, weights?.subarray(0, rowCount)) || 1;
  return {
    link: 'identity',
    outputCount: 1,
    start: () => Float64Array.of(middle),
    derive: derivatives(data, (row) => ({
      gradient: Math.min(limit, Math.max(-limit, scores[row]! - target[row]!)),
      hessian: 1,
    })),
    mean: (begin, end) =>
      meanOver(data, begin, end, (row) => {
        const distance = Math.abs(scores[row]! - target[row]!);
        return distance <= limit ? distance * distance : limit * (2 * distance - limit);
      }),
  };
}

function poissonLoss(data: LossData): Loss {
  const { scores, target } = data;
  return {
    ...logarithmic(data),
    derive: derivatives(data, (row) => {
      const mean = bounded(scores[row]!);
      return { gradient: mean - target[row]!, hessian: mean * poissonCaution };
    }),
    mean: (begin, end) =>
      meanOver(data, begin, end, (row) => bounded(scores[row]!) - target[row]! * scores[row]!),
  };
}

function gammaLoss(data: LossData): Loss {
  const { scores, target } = data;
  return {
    ...logarithmic(data),
    derive: derivatives(data, (row) => {
      const ratio = target[row]! * bounded(-scores[row]!);
      return { gradient: 1 - ratio, hessian: ratio };
    }),
    mean: (begin, end) =>
      meanOver(data, begin, end, (row) => scores[row]! + target[row]! * bounded(-scores[row]!)),
  };
}

function tweedieLoss(data: LossData, power: number): Loss {
  const { scores, target } = data;
  return {
    ...logarithmic(data),
    derive: derivatives(data, (row) => {
      const first = target[row]! * bounded((1 - power) * scores[row]!);
      const second = bounded((2 - power) * scores[row]!);
      return { gradient: second - first, hessian: (power - 1) * first + (2 - power) * second };
    }),
    mean: (begin, end) =>
      meanOver(data, begin, end, (row) => {
        const first = target[row]! * bounded((1 - power) * scores[row]!);
        return first / (power - 1) + bounded((2 - power) * scores[row]!) / (2 - power);
      }),
  };
}

/** Losses whose scores are logarithms of means. */
function logarithmic(data: LossData): Pick<Loss, 'link' | 'outputCount' | 'start'> {
  return {
    link: 'exponential',
    outputCount: 1,
    start: () => Float64Array.of(log(meanOver(data, 0, data.rowCount, (row) => data.target[row]!))),
  };
}

function bounded(score: number): number {
  return exp(Math.min(mostScore, score));
}

/** Writes weighted derivatives of the rows learned from. Hessians are kept above zero. */
function derivatives(
  { derivatives: out, weights, rowCount }: LossData,
  of: (row: number) => { gradient: number; hessian: number },
): () => void {
  return () => {
    for (let row = 0; row < rowCount; row++) {
      const weight = weights ? weights[row]! : 1;
      const { gradient, hessian } = of(row);
      out[2 * row] = weight * gradient;
      out[2 * row + 1] = weight * Math.max(1e-9, hessian);
    }
  };
}

function targetQuantile({ target, weights, rowCount }: LossData, level: number): number {
  return weightedQuantile(target.slice(0, rowCount), level, weights?.subarray(0, rowCount));
}

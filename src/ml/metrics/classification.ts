// Measures for classes and probabilities; see metrics.ts for what they say. Weighted where weights are given.
import { log } from '../model/arithmetic.ts';
import type { Scored } from './metrics.ts';
import type { Ranked } from './ranking.ts';

const smallestProbability = 1e-15;

/** Weighted counts, `counts[actual * classCount + predicted]`. */
export function confusionCounts({ actual, predicted, classCount, weights }: Scored): Float64Array {
  const counts = new Float64Array(classCount * classCount);
  for (let row = 0; row < actual.length; row++) {
    counts[actual[row]! * classCount + predicted[row]!]! += weights ? weights[row]! : 1;
  }
  return counts;
}

/** The rows of class `wanted` against the rest, by their probability of it. */
export function rankingOf({ actual, probabilities, classCount, weights }: Scored, wanted: number): Ranked {
  const scores = new Float64Array(actual.length);
  const isPositive = new Uint8Array(actual.length);
  for (let row = 0; row < actual.length; row++) {
    scores[row] = probabilities[row * classCount + wanted]!;
    isPositive[row] = actual[row] === wanted ? 1 : 0;
  }
  return { scores, isPositive, ...(weights && { weights }) };
}

/** A ranking measure of the positive class, or its mean over classes (one against the rest) where there are more. */
export function overClasses(scored: Scored, measure: (ranked: Ranked) => number): number {
  if (scored.task === 'binary') return measure(rankingOf(scored, scored.positiveClass));
  const values = Array.from({ length: scored.classCount }, (_, index) => measure(rankingOf(scored, index)));
  return mean(values.filter((value) => value === value));
}

export function logLoss({ actual, probabilities, classCount, weights }: Scored): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < actual.length; row++) {
    const weight = weights ? weights[row]! : 1;
    const probability = probabilities[row * classCount + actual[row]!]!;
    sum -= weight * log(Math.min(1, Math.max(smallestProbability, probability)));
    total += weight;
  }
  return sum / total;
}

/** Squared error of the probabilities; of the positive class for two classes, summed over classes for more. */
export function brier({ task, actual, probabilities, classCount, weights }: Scored): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < actual.length; row++) {
    const weight = weights ? weights[row]! : 1;
    let rowSum = 0;
    for (let index = 0; index < classCount; index++) {
      const error = probabilities[row * classCount + index]! - (actual[row] === index ? 1 : 0);
      rowSum += error * error;
    }
    sum += weight * (task === 'binary' ? rowSum / 2 : rowSum);
    total += weight;
  }
  return sum / total;
}

export function accuracy(scored: Scored): number {
  const counts = confusionCounts(scored);
  let right = 0;
  let total = 0;
  for (let index = 0; index < counts.length; index++) total += counts[index]!;
  for (let index = 0; index < scored.classCount; index++) right += counts[index * scored.classCount + index]!;
  return right / total;
}

export function balancedAccuracy(scored: Scored): number {
  return mean(
    perClass(scored)
      .filter((one) => one.actual > 0)
      .map((one) => one.hits / one.actual),
  );
}

export function macroF1(scored: Scored): number {
  const present = perClass(scored).filter((one) => one.actual + one.predicted > 0);
  return mean(present.map((one) => (2 * one.hits) / (one.actual + one.predicted)));
}

export function precision(scored: Scored): number {
  return positiveOrMean(scored, (one) => (one.predicted > 0 ? one.hits / one.predicted : 0));
}

export function recall(scored: Scored): number {
  return positiveOrMean(scored, (one) => (one.actual > 0 ? one.hits / one.actual : 0));
}

/** Money for a decision, on average; NaN where nobody said what decisions cost. */
export function meanCost({ actual, predicted, weights, costs }: Scored): number {
  if (!costs) return NaN;
  let sum = 0;
  let total = 0;
  for (let row = 0; row < actual.length; row++) {
    const weight = weights ? weights[row]! : 1;
    sum += weight * costs[actual[row]!]![predicted[row]!]!;
    total += weight;
  }
  return sum / total;
}

interface ClassCounts {
  hits: number;
  actual: number;
  predicted: number;
}

function perClass(scored: Scored): ClassCounts[] {
  const { classCount } = scored;
  const counts = confusionCounts(scored);
  return Array.from({ length: classCount }, (_, index) => {
    let actual = 0;
    let predicted = 0;
    for (let other = 0; other < classCount; other++) {
      actual += counts[index * classCount + other]!;
      predicted += counts[other * classCount + index]!;
    }
    return { hits: counts[index * classCount + index]!, actual, predicted };
  });
}

function positiveOrMean(scored: Scored, of: (counts: ClassCounts) => number): number {
  const counts = perClass(scored);
  if (scored.task === 'binary') return of(counts[scored.positiveClass]!);
  return mean(counts.filter((one) => one.actual + one.predicted > 0).map(of));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

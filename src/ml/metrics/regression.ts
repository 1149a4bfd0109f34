// Measures for predicted values; see metrics.ts for what they say. Weighted where weights are given.
import type { Scored } from './metrics.ts';

export function rootMeanSquaredError(scored: Scored): number {
  return Math.sqrt(meanOver(scored, (actual, predicted) => (predicted - actual) * (predicted - actual)));
}

export function meanAbsoluteError(scored: Scored): number {
  return meanOver(scored, (actual, predicted) => Math.abs(predicted - actual));
}

/** NaN when the truth does not vary. */
export function rSquared(scored: Scored): number {
  const center = meanOver(scored, (actual) => actual);
  const spread = meanOver(scored, (actual) => (actual - center) * (actual - center));
  const error = meanOver(scored, (actual, predicted) => (predicted - actual) * (predicted - actual));
  return spread > 0 ? 1 - error / spread : NaN;
}

/** Denominators are kept at or above 2^-52, as scikit-learn does. */
export function meanAbsolutePercentageError(scored: Scored): number {
  return meanOver(
    scored,
    (actual, predicted) => Math.abs(predicted - actual) / Math.max(Number.EPSILON, Math.abs(actual)),
  );
}

/** Without weights: the median of few rows is not stable under them. */
export function medianAbsoluteError({ actual, predicted }: Scored): number {
  const errors = actual.map((value, row) => Math.abs(predicted[row]! - value)).sort();
  const middle = errors.length >> 1;
  return errors.length % 2 === 1 ? errors[middle]! : (errors[middle - 1]! + errors[middle]!) / 2;
}

function meanOver(
  { actual, predicted, weights }: Scored,
  of: (actual: number, predicted: number) => number,
): number {
  let sum = 0;
  let total = 0;
  for (let row = 0; row < actual.length; row++) {
    const weight = weights ? weights[row]! : 1;
    sum += weight * of(actual[row]!, predicted[row]!);
    total += weight;
  }
  return sum / total;
}

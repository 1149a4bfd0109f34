// Where two classes part when mistakes cost money. With right probabilities the costs alone say it (Elkan 2001); where
// out-of-fold rows show clearly that another line would have cost less, the probabilities are off there, and the weights
// of the classes move the line.
import { regretsOf, thresholdOf } from '../model/costs.ts';
import type { Scored } from '../metrics/metrics.ts';

/** Standard errors by which the rows must contradict the costs: the best of many lines is better by chance alone. */
const clearErrors = 2.5;
const smallest = 1e-6;

/** Weights of two classes for decisions of least cost on out-of-fold rows; equal ones for more classes. */
export function fitCostWeights(scored: Scored, matrix: number[][]): number[] {
  const equal = Array.from({ length: scored.classCount }, () => 1);
  if (scored.classCount !== 2) return equal;
  const { actual, probabilities } = scored;
  const regrets = regretsOf(matrix);
  if (regrets[0] <= 0 || regrets[1] <= 0) return equal;
  const order = Int32Array.from(actual, (_, row) => row).sort(
    (a, b) => probabilities[2 * a + 1]! - probabilities[2 * b + 1]! || a - b,
  );
  const chanceAt = (place: number): number => probabilities[2 * order[place]! + 1]!;
  const byCosts = thresholdOf(matrix, equal, 1);
  let start = 0;
  while (start < order.length && chanceAt(start) <= byCosts) start++;
  const best = cheapestPlace(order, scored, regrets);
  if (best === start || !isClear(order, scored, { regrets, from: start, to: best })) return equal;
  const below = best === 0 ? 0 : chanceAt(best - 1);
  const above = best === order.length ? 1 : chanceAt(best);
  const threshold = Math.min(1 - smallest, Math.max(smallest, (below + above) / 2));
  return [1, (regrets[0] * (1 - threshold)) / (regrets[1] * threshold)];
}

/** Rows before this place are decided for the first class, at least cost; a place never lies between equal chances. */
function cheapestPlace(
  order: Int32Array,
  { actual, probabilities }: Scored,
  regrets: readonly [number, number],
): number {
  let cost = 0;
  let least = 0;
  let best = 0;
  for (let place = 0; place < order.length; place++) {
    const row = order[place]!;
    cost += actual[row] === 1 ? regrets[1] : -regrets[0];
    const next = order[place + 1];
    const isBorder = next === undefined || probabilities[2 * next + 1] !== probabilities[2 * row + 1];
    if (isBorder && cost < least) {
      least = cost;
      best = place + 1;
    }
  }
  return best;
}

/** Whether moving the line saves more than chance would let it seem. */
function isClear(
  order: Int32Array,
  { actual }: Scored,
  { regrets, from, to }: { regrets: readonly [number, number]; from: number; to: number },
): boolean {
  // Only rows between the two lines are decided otherwise; moving the line up spares false alarms and adds misses.
  const towards = to > from ? 1 : -1;
  let sum = 0;
  let squares = 0;
  for (const row of order.subarray(Math.min(from, to), Math.max(from, to))) {
    const saved = towards * (actual[row] === 1 ? -regrets[1] : regrets[0]);
    sum += saved;
    squares += saved * saved;
  }
  const deviation = Math.sqrt(Math.max(0, squares - (sum * sum) / order.length));
  return sum > clearErrors * deviation;
}

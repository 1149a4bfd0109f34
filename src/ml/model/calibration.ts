// Probabilities brought in line with how often things happen: Platt scaling (1999) and its form for more classes,
// one slope on log probabilities and an offset for each class (Guo et al., ICML 2017). Fitting is in uncertainty/.
import { log, softmaxInPlace } from './arithmetic.ts';
import { cheapestClass, type DecisionCosts } from './costs.ts';

export type Calibration = { kind: 'none' } | { kind: 'scaling'; slope: number; offsets: number[] };

const smallest = 1e-9;

/** Calibrates row-major probabilities in place. */
export function calibrate(calibration: Calibration, probabilities: Float64Array, classCount: number): void {
  if (calibration.kind === 'none') return;
  for (let start = 0; start < probabilities.length; start += classCount) {
    for (let index = 0; index < classCount; index++) {
      const probability = Math.max(smallest, probabilities[start + index]!);
      probabilities[start + index] = calibration.slope * log(probability) + calibration.offsets[index]!;
    }
    softmaxInPlace(probabilities, start, classCount);
  }
}

/**
 * The class of each row: the largest probability times weight, or with costs the class of least expected cost; the
 * first of equals.
 */
export function decide(
  probabilities: Float64Array,
  weights: readonly number[],
  matrix?: DecisionCosts['matrix'],
): Float64Array {
  const classCount = weights.length;
  const chosen = new Float64Array(probabilities.length / classCount);
  if (matrix) {
    return chosen.map((_, row) =>
      cheapestClass(probabilities.subarray(row * classCount, (row + 1) * classCount), weights, matrix),
    );
  }
  for (let row = 0; row < chosen.length; row++) {
    let best = 0;
    for (let index = 1; index < classCount; index++) {
      const isMore =
        probabilities[row * classCount + index]! * weights[index]! >
        probabilities[row * classCount + best]! * weights[best]!;
      if (isMore) best = index;
    }
    chosen[row] = best;
  }
  return chosen;
}

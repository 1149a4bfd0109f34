// Probabilities brought in line with how often things happen. `scaling`: one slope on log probabilities and an offset for
// each class; without offsets it is temperature scaling (Guo et al., ICML 2017), with two classes it is Platt's (1999).
// `isotonic`: a rising curve for each class, straight between its knots (Zadrozny & Elkan, KDD 2002). Fitting is in
// uncertainty/.
import { log, softmaxInPlace } from './arithmetic.ts';
import { cheapestClass, type DecisionCosts } from './costs.ts';

export type Calibration =
  | { kind: 'none' }
  | { kind: 'scaling'; slope: number; offsets: number[] }
  | { kind: 'isotonic'; curves: CalibrationCurve[] };

/** From what the model said of a class to how often it came true; both rise. */
export interface CalibrationCurve {
  said: number[];
  cameTrue: number[];
}

const smallest = 1e-9;

/** Calibrates row-major probabilities in place. */
export function calibrate(calibration: Calibration, probabilities: Float64Array, classCount: number): void {
  switch (calibration.kind) {
    case 'none':
      return;
    case 'scaling':
      return scale(calibration, probabilities, classCount);
    case 'isotonic':
      return follow(calibration.curves, probabilities, classCount);
    default:
      calibration satisfies never;
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

function scale(
  { slope, offsets }: { slope: number; offsets: readonly number[] },
  probabilities: Float64Array,
  classCount: number,
): void {
  for (let start = 0; start < probabilities.length; start += classCount) {
    for (let index = 0; index < classCount; index++) {
      const probability = Math.max(smallest, probabilities[start + index]!);
      probabilities[start + index] = slope * log(probability) + offsets[index]!;
    }
    softmaxInPlace(probabilities, start, classCount);
  }
}

/** With two classes one curve, of the second class, says both. */
function follow(curves: readonly CalibrationCurve[], probabilities: Float64Array, classCount: number): void {
  for (let start = 0; start < probabilities.length; start += classCount) {
    if (classCount === 2) {
      const chance = heightAt(curves[0]!, probabilities[start + 1]!);
      probabilities[start] = 1 - chance;
      probabilities[start + 1] = chance;
      continue;
    }
    let sum = 0;
    for (let index = 0; index < classCount; index++) {
      const chance = heightAt(curves[index]!, probabilities[start + index]!);
      probabilities[start + index] = chance;
      sum += chance;
    }
    for (let index = 0; index < classCount; index++)
      probabilities[start + index] = probabilities[start + index]! / sum;
  }
}

function heightAt({ said, cameTrue }: CalibrationCurve, at: number): number {
  const last = said.length - 1;
  if (at <= said[0]!) return cameTrue[0]!;
  if (at >= said[last]!) return cameTrue[last]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (said[middle]! <= at) low = middle;
    else high = middle;
  }
  const share = (at - said[low]!) / (said[high]! - said[low]!);
  return cameTrue[low]! + share * (cameTrue[high]! - cameTrue[low]!);
}

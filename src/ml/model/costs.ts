// What decisions cost, and the decision that costs least: the class of least expected cost (Elkan, "The Foundations of
// Cost-Sensitive Learning", IJCAI 2001). Costs are kept in the model file, so that all who predict with it decide alike.

export interface DecisionCosts {
  /** `matrix[actual][decided]`: money for one decision, a gain when negative. Being right is never dearer than a mistake. */
  matrix: number[][];
  /** What the money is counted in, such as `EUR`; may be empty. */
  currency: string;
  /** Decisions that totals are told for, such as a year's. */
  decisionCount: number;
}

/** The class of least expected cost, the first of equals; `probabilities` of one row times `weights` are the chances. */
export function cheapestClass(
  probabilities: Float64Array,
  weights: readonly number[],
  matrix: DecisionCosts['matrix'],
): number {
  let best = 0;
  let least = Infinity;
  for (let decided = 0; decided < weights.length; decided++) {
    let expected = 0;
    for (let actual = 0; actual < weights.length; actual++)
      expected += probabilities[actual]! * weights[actual]! * matrix[actual]![decided]!;
    if (expected < least) {
      best = decided;
      least = expected;
    }
  }
  return best;
}

/** What a mistake about each class costs more than being right, when there are two. */
export function regretsOf(matrix: DecisionCosts['matrix']): [number, number] {
  return [matrix[0]![1]! - matrix[0]![0]!, matrix[1]![0]! - matrix[1]![1]!];
}

/** The probability of `positiveClass`, of two classes, above which it is decided for. */
export function thresholdOf(
  matrix: DecisionCosts['matrix'],
  weights: readonly number[],
  positiveClass: number,
): number {
  const regrets = regretsOf(matrix);
  const positive = regrets[positiveClass]! * weights[positiveClass]!;
  const negative = regrets[1 - positiveClass]! * weights[1 - positiveClass]!;
  return negative / (negative + positive);
}

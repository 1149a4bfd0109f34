// Mean, spread, least and greatest of numbers seen once, in any number of parts (Chan, Golub, LeVeque, "Updating formulae
// and a pairwise algorithm for computing sample variances", 1979).

export interface Moments {
  count: number;
  mean: number;
  /** Sum of squared distances from the mean. */
  squares: number;
  /** Infinity while there are none. */
  minimum: number;
  maximum: number;
}

export function noMoments(): Moments {
  return { count: 0, mean: 0, squares: 0, minimum: Infinity, maximum: -Infinity };
}

/** Adds finite numbers. */
export function addMoments(moments: Moments, values: Float64Array): void {
  if (values.length === 0) return;
  const part = noMoments();
  part.count = values.length;
  for (const value of values) {
    part.mean += value / values.length;
    if (value < part.minimum) part.minimum = value;
    if (value > part.maximum) part.maximum = value;
  }
  for (const value of values) part.squares += (value - part.mean) ** 2;
  mergeMoments(moments, part);
}

/** Adds all that `other` has seen. */
export function mergeMoments(moments: Moments, other: Moments): void {
  if (other.count === 0) return;
  const count = moments.count + other.count;
  const distance = other.mean - moments.mean;
  moments.mean += distance * (other.count / count);
  moments.squares += other.squares + distance ** 2 * ((moments.count * other.count) / count);
  moments.count = count;
  moments.minimum = Math.min(moments.minimum, other.minimum);
  moments.maximum = Math.max(moments.maximum, other.maximum);
}

/** Of a sample; 0 of fewer than two numbers. */
export function standardDeviation({ count, squares }: Moments): number {
  return count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
}

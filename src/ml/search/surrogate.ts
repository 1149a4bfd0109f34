// What trials would score that were not run: Gaussian process regression on the unit cube (Rasmussen and Williams 2006,
// chapter 2) with Matern's 5/2 kernel, for some hundred points. Lengths and noise are chosen by the marginal likelihood.
// Only the arithmetic of model/arithmetic.ts, so that a search proposes the same on every machine.
import { assert } from '../../base/assert.ts';
import { exp, log } from '../model/arithmetic.ts';

/** What is expected at a point, and how sure that is. */
export interface Expectation {
  mean: number;
  /** Standard deviation. */
  deviation: number;
}

export type Surrogate = (point: Float64Array) => Expectation;

/** Distances along an axis at which values have little to do with each other; across the last, an axis hardly matters. */
const lengths = [0.25, 0.6, 1.5, 10];
/** Variances of the noise, where the values' own is 1. */
const noises = [0.003, 0.03, 0.3];
/** Rounds in which each axis may change its length. */
const rounds = 2;

/** Learns the values at points of equal length; at least two. */
export function fitSurrogate(points: readonly Float64Array[], values: readonly number[]): Surrogate {
  const count = points.length;
  assert(count >= 2 && values.length === count, 'a surrogate learns from two points on');
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
  // Where nothing made a difference so far, nothing is expected to.
  const standard = Float64Array.from(values, (value) => (spread > 0 ? (value - mean) / spread : 0));
  const best = bestProcess(points, standard);
  return (point) => {
    const expected = best.at(point);
    return { mean: mean + spread * expected.mean, deviation: spread * expected.deviation };
  };
}

/**
 * How much better than `best` a value is on average, where worse counts as no better (Mockus 1978; Jones, Schonlau and
 * Welch 1998).
 */
export function expectedImprovement({ mean, deviation }: Expectation, best: number): number {
  if (!(deviation > 0)) return Math.max(0, mean - best);
  const z = (mean - best) / deviation;
  return Math.max(
    0,
    (mean - best) * normalShare(z) + deviation * (exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)),
  );
}

/** The share of the normal distribution below `z`, to 1e-7 (Abramowitz and Stegun 1964, 26.2.17). */
export function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const density = exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z >= 0 ? 1 - density * series : density * series;
}

interface Process {
  at: Surrogate;
  logLikelihood: number;
}

/** By likelihood: first one length for all axes, then a length for each (automatic relevance: Neal 1996). */
function bestProcess(points: readonly Float64Array[], values: Float64Array): Process {
  const axes = points[0]!.length;
  const tried = lengths.flatMap((length) =>
    noises.map((noise) => {
      const settings = { lengths: new Float64Array(axes).fill(length), noise };
      return { settings, process: fitProcess(points, values, settings) };
    }),
  );
  let { settings, process } = tried.reduce((a, b) =>
    b.process.logLikelihood > a.process.logLikelihood ? b : a,
  );
  for (let round = 0; round < rounds; round++)
    for (let axis = 0; axis < axes; axis++)
      for (const length of lengths) {
        if (length === settings.lengths[axis]) continue;
        const changed = { ...settings, lengths: settings.lengths.with(axis, length) };
        const other = fitProcess(points, values, changed);
        if (other.logLikelihood > process.logLikelihood) [settings, process] = [changed, other];
      }
  return process;
}

function fitProcess(
  points: readonly Float64Array[],
  values: Float64Array,
  { lengths: along, noise }: { lengths: Float64Array; noise: number },
): Process {
  const count = points.length;
  const factor = new Float64Array(count * count);
  for (let row = 0; row < count; row++)
    for (let column = 0; column <= row; column++)
      factor[row * count + column] =
        likeness(points[row]!, points[column]!, along) + (row === column ? noise : 0);
  factorise(factor, count);
  const halfway = forwards(factor, values);
  const weights = backwards(factor, halfway);
  let logDeterminant = 0;
  for (let row = 0; row < count; row++) logDeterminant += 2 * log(factor[row * count + row]!);
  return {
    logLikelihood: -(halfway.reduce((sum, value) => sum + value * value, 0) + logDeterminant) / 2,
    at: (point) => {
      const near = Float64Array.from(points, (known) => likeness(known, point, along));
      const mean = near.reduce((sum, value, row) => sum + value * weights[row]!, 0);
      const explained = forwards(factor, near).reduce((sum, value) => sum + value * value, 0);
      return { mean, deviation: Math.sqrt(Math.max(1e-12, 1 - explained)) };
    },
  };
}

function likeness(a: Float64Array, b: Float64Array, along: Float64Array): number {
  let squares = 0;
  for (let axis = 0; axis < a.length; axis++) squares += ((a[axis]! - b[axis]!) / along[axis]!) ** 2;
  const distance = Math.sqrt(5 * squares);
  return (1 + distance + (distance * distance) / 3) * exp(-distance);
}

/** Cholesky: the lower half of a symmetric positive matrix becomes its factor. */
function factorise(matrix: Float64Array, count: number): void {
  for (let row = 0; row < count; row++)
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * count + column]!;
      for (let index = 0; index < column; index++)
        sum -= matrix[row * count + index]! * matrix[column * count + index]!;
      matrix[row * count + column] =
        row === column ? Math.sqrt(Math.max(1e-12, sum)) : sum / matrix[column * count + column]!;
    }
}

/** Solves factor * x = values. */
function forwards(factor: Float64Array, values: Float64Array): Float64Array {
  const count = values.length;
  const solved = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    let sum = values[row]!;
    for (let column = 0; column < row; column++) sum -= factor[row * count + column]! * solved[column]!;
    solved[row] = sum / factor[row * count + row]!;
  }
  return solved;
}

/** Solves transposed factor * x = values. */
function backwards(factor: Float64Array, values: Float64Array): Float64Array {
  const count = values.length;
  const solved = new Float64Array(count);
  for (let row = count - 1; row >= 0; row--) {
    let sum = values[row]!;
    for (let below = row + 1; below < count; below++) sum -= factor[below * count + row]! * solved[below]!;
    solved[row] = sum / factor[row * count + row]!;
  }
  return solved;
}

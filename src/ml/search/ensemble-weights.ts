// Refines the weights of an ensemble that predicts numbers: averages lie nearer to the mean than the truth does, because each
// learner holds back. Non-negative least squares on out-of-fold predictions (stacked regressions: Breiman 1996) may give
// the members more than one in all; the baseline, which is the mean, takes the difference. Only where the metric squares
// errors, and where other rows than those that weights are fitted to say that it helps.
import { seededRandom } from '../../base/random.ts';
import { foldRows } from '../frame/split.ts';
import type { EnsembleChoice } from './ensemble.ts';
import type { Prepared } from './prepare.ts';
import { truthOf, validationRows, type Trial } from './trial.ts';

const squaringMetrics = new Set(['rmse', 'r2']);
const partCount = 5;
const fewestRows = 50;
/** How far weights are drawn towards those of the average, as a share of the largest sum of squares. */
const pull = 1e-3;
const rounds = 500;
/** Standard errors by which the squared error must fall. */
const leastGain = 1;

/** The choices with refined weights, which sum to one with that of the baseline; as they were where that does not help. */
export function refineWeights(
  prepared: Prepared,
  choices: readonly EnsembleChoice[],
  trials: readonly Trial[],
): EnsembleChoice[] {
  const { target, metric, training, recipe } = prepared;
  const unchanged = [...choices];
  if (target.task !== 'regression' || !squaringMetrics.has(metric.name)) return unchanged;
  const baseline = trials.find(({ report }) => report.learner === 'baseline');
  if (!baseline || baseline.models.length === 0 || choices.some(({ trial }) => trial === baseline))
    return unchanged;
  const { actual } = truthOf(training, validationRows(prepared));
  if (actual.length < fewestRows) return unchanged;
  const problem: Problem = {
    // What each says beyond the mean; the truth too.
    members: choices.map(({ trial }) => differences(trial.predictions, baseline.predictions)),
    truth: differences(actual, baseline.predictions),
    weights: choices.map(({ weight }) => weight),
  };
  if (gainOverNoise(problem, seededRandom(recipe.seed + 8).below(2_147_483_647)) < leastGain)
    return unchanged;
  const weights = fit(
    problem,
    Int32Array.from(actual, (_, row) => row),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const kept = choices.flatMap(({ trial }, at) =>
    weights[at]! > 0 ? [{ trial, weight: weights[at]! }] : [],
  );
  return kept.length === 0 ? unchanged : [...kept, { trial: baseline, weight: 1 - sum }];
}

interface Problem {
  members: Float64Array[];
  truth: Float64Array;
  /** Those of the average. */
  weights: number[];
}

function differences(values: Float64Array, from: Float64Array): Float64Array {
  return values.map((value, row) => value - from[row]!);
}

/** By how many standard errors the squared error falls on rows that the weights were not fitted to. */
function gainOverNoise(problem: Problem, seed: number): number {
  const { truth, weights } = problem;
  const gains = foldRows({ rowCount: truth.length, foldCount: partCount, seed }).flatMap(
    ({ training, validation }) => {
      const fitted = fit(problem, training);
      return Array.from(
        validation,
        (row) => squaredError(problem, weights, row) - squaredError(problem, fitted, row),
      );
    },
  );
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / gains.length;
  return variance > 0 ? mean / Math.sqrt(variance / gains.length) : 0;
}

function squaredError({ members, truth }: Problem, weights: readonly number[], row: number): number {
  return (truth[row]! - members.reduce((sum, member, at) => sum + weights[at]! * member[row]!, 0)) ** 2;
}

/** Coordinate descent. */
function fit({ members, truth, weights }: Problem, rows: Int32Array): number[] {
  const products = members.map((a) => members.map((b) => product(a, b, rows)));
  const withTruth = members.map((member) => product(member, truth, rows));
  const ridge = pull * Math.max(...products.map((row, at) => row[at]!));
  const found = [...weights];
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < found.length; at++) {
      const own = products[at]![at]! + ridge;
      if (!(own > 0)) continue;
      const others = products[at]!.reduce(
        (sum, value, to) => (to === at ? sum : sum + value * found[to]!),
        0,
      );
      found[at] = Math.max(0, (withTruth[at]! + ridge * weights[at]! - others) / own);
    }
  }
  return found;
}

function product(a: Float64Array, b: Float64Array, rows: Int32Array): number {
  let sum = 0;
  for (const row of rows) sum += a[row]! * b[row]!;
  return sum;
}

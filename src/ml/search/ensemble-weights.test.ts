// Weights of trials whose out-of-fold predictions are made up.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom, type Random } from '../../base/random.ts';
import { frameFromColumns } from '../frame/frame.ts';
import { metricFor } from '../metrics/metrics.ts';
import { ensemblePredictions, type EnsembleChoice } from './ensemble.ts';
import { refineWeights } from './ensemble-weights.ts';
import { prepare, type Prepared } from './prepare.ts';
import { validationRows, type Trial } from './trial.ts';

const rowCount = 1000;
const random = seededRandom(6);
const y = Array.from({ length: rowCount }, () => 50 + 10 * noise(random));
const frame = frameFromColumns({ x: y.map((_, row) => row % 7), y }, [
  { name: 'x', kind: 'numeric' },
  { name: 'y', kind: 'numeric' },
]);
const prepared = prepare(frame, {
  target: 'y',
  task: 'regression',
  metric: 'rmse',
  budget: { trials: 1 },
  seed: 1,
});
const truth = Float64Array.from(validationRows(prepared), (row) => prepared.training.actual[row]!);
const mean = truth.reduce((sum, value) => sum + value, 0) / truth.length;
const baseline = trialSaying('baseline', () => mean);
/** Each says half of what it should, with errors of its own. */
const shy = [1, 2].map((seed) => {
  const own = seededRandom(seed);
  return trialSaying('linear', (value) => mean + 0.5 * (value - mean) + 2 * noise(own));
});

function noise(from: Random): number {
  return from.next() + from.next() + from.next() - 1.5;
}

function trialSaying(learner: string, answer: (truth: number) => number): Trial {
  return { report: { learner }, models: [{}], predictions: truth.map(answer) } as unknown as Trial;
}

function rmse(choices: readonly EnsembleChoice[]): number {
  const predictions = ensemblePredictions(choices);
  const squares = predictions.map((value, row) => (value - truth[row]!) ** 2);
  return Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length);
}

const evenly = shy.map((trial) => ({ trial, weight: 0.5 }));

test('members that hold back get more than one in all, and the baseline takes the difference', () => {
  const refined = refineWeights(prepared, evenly, [baseline, ...shy]);
  const weights = refined.map(({ weight }) => weight);
  assert.equal(refined.at(-1)!.trial, baseline);
  assert.ok(weights[0]! > 0.7 && weights[1]! > 0.7 && weights[2]! < -0.5, weights.join(' '));
  assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-12);
  assert.ok(rmse(refined) < 0.6 * rmse(evenly), `${rmse(refined)} of ${rmse(evenly)}`);
});

test('nothing changes where it does not help', () => {
  const own = seededRandom(3);
  // Errors of a twenty-fifth of the truth's variance, and as little held back as is right with them.
  const right = trialSaying('linear', (value) => mean + (25 / 26) * (value - mean + 2 * noise(own)));
  const alone = [{ trial: right, weight: 1 }];
  assert.deepEqual(
    refineWeights(prepared, alone, [baseline, right]).map(({ trial }) => trial),
    [right],
  );
});

test('nothing changes for metrics that do not square errors, without a baseline, and where it is all there is', () => {
  const byDistance: Prepared = { ...prepared, metric: metricFor('mae', 'regression') };
  assert.deepEqual(refineWeights(byDistance, evenly, [baseline, ...shy]), evenly);
  assert.deepEqual(refineWeights(prepared, evenly, shy), evenly);
  const alone = [{ trial: baseline, weight: 1 }];
  assert.deepEqual(refineWeights(prepared, alone, [baseline]), alone);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { logLoss } from '../metrics/classification.ts';
import type { Scored } from '../metrics/metrics.ts';
import { metricFor } from '../metrics/metrics.ts';
import { logit, sigmoid } from '../model/arithmetic.ts';
import { calibrate } from '../model/calibration.ts';
import { intervalOf } from '../model/intervals.ts';
import { fitCalibration, fitDecisionWeights } from './calibration.ts';
import { fitIntervals } from './conformal.ts';

function drawn(rowCount: number, said: (truth: number) => number, seed = 1): Scored {
  const random = seededRandom(seed);
  const truths = Float64Array.from({ length: rowCount }, () => random.next() ** 3);
  return {
    task: 'binary',
    actual: truths.map((truth) => Number(random.next() < truth)),
    predicted: new Float64Array(rowCount),
    probabilities: Float64Array.from([...truths].flatMap((truth) => [1 - said(truth), said(truth)])),
    classCount: 2,
    positiveClass: 1,
  };
}

test('overconfident probabilities are brought back; the ranking stays', async () => {
  const scored = drawn(4000, (truth) => sigmoid(3 * logit(truth)));
  const calibration = await fitCalibration(scored, 1);
  assert.ok(calibration.kind === 'scaling' && Math.abs(calibration.slope - 1 / 3) < 0.05);
  const after = scored.probabilities.slice();
  calibrate(calibration, after, 2);
  assert.ok(logLoss({ ...scored, probabilities: after }) < logLoss(scored) * 0.9);
  const auc = metricFor('auc', 'binary');
  assert.ok(Math.abs(auc.compute({ ...scored, probabilities: after }) - auc.compute(scored)) < 1e-3);
});

test('probabilities that are right, or too few, are left alone', async () => {
  assert.deepEqual(
    await fitCalibration(
      drawn(4000, (truth) => truth),
      1,
    ),
    { kind: 'none' },
  );
  assert.deepEqual(
    await fitCalibration(
      drawn(50, (truth) => sigmoid(3 * logit(truth))),
      1,
    ),
    { kind: 'none' },
  );
});

test('decisions favour rare classes for balanced accuracy, not for accuracy', () => {
  const scored = drawn(3000, (truth) => truth);
  const [common, rare] = fitDecisionWeights(scored, metricFor('balanced_accuracy', 'binary'));
  assert.ok(rare! > common!);
  assert.deepEqual(fitDecisionWeights(scored, metricFor('auc', 'binary')), [1, 1]);
});

test('intervals hold nine of ten truths, and are wider where errors are larger', () => {
  const random = seededRandom(7);
  const draw = (rowCount: number): { actual: Float64Array; predicted: Float64Array } => {
    const predicted = Float64Array.from({ length: rowCount }, () => random.next() * 10);
    return { predicted, actual: predicted.map((value) => value + (random.next() - 0.5) * (1 + value)) };
  };
  const fitted = draw(3000);
  const table = fitIntervals(fitted.actual, fitted.predicted)!;
  const fresh = draw(5000);
  let inside = 0;
  fresh.actual.forEach((truth, row) => {
    const { lower, upper } = intervalOf(table, fresh.predicted[row]!);
    if (truth >= lower && truth <= upper) inside++;
  });
  assert.ok(inside / 5000 > 0.88 && inside / 5000 < 0.93, `${inside / 5000}`);
  const width = (at: number): number => intervalOf(table, at).upper - intervalOf(table, at).lower;
  assert.ok(width(9.5) > 2 * width(0.5));
  assert.equal(fitIntervals(fitted.actual.slice(0, 10), fitted.predicted.slice(0, 10)), undefined);
});

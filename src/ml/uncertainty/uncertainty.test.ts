import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { calibrationError } from '../metrics/calibration-error.ts';
import { logLoss } from '../metrics/classification.ts';
import type { Scored } from '../metrics/metrics.ts';
import { metricFor } from '../metrics/metrics.ts';
import { logit, sigmoid } from '../model/arithmetic.ts';
import { calibrate } from '../model/calibration.ts';
import { intervalOf } from '../model/intervals.ts';
import { setOf } from '../model/sets.ts';
import { fitCalibration, fitDecisionWeights } from './calibration.ts';
import { fitIntervals, fitSets } from './conformal.ts';
import { fitIsotonic } from './isotonic.ts';

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

test('a temperature where that is enough, curves where no slope fits', async () => {
  const colder = await fitCalibration(
    drawn(4000, (truth) => sigmoid(2 * logit(truth))),
    1,
  );
  assert.ok(colder.kind === 'scaling' && colder.offsets.every((offset) => offset === 0));
  // Two plateaus: what was said between them says nothing.
  const bent = drawn(6000, (truth) => (truth < 0.2 ? truth / 4 : 0.9 + truth / 20));
  const calibration = await fitCalibration(bent, 1);
  assert.equal(calibration.kind, 'isotonic');
  const fresh = drawn(6000, (truth) => (truth < 0.2 ? truth / 4 : 0.9 + truth / 20), 2);
  const before = calibrationError(fresh);
  calibrate(calibration, fresh.probabilities, 2);
  const after = calibrationError(fresh);
  assert.ok(before > 0.15 && after < 0.02, `${before} became ${after}`);
});

test('isotonic curves rise, keep the order, and leave probabilities that sum to one', () => {
  const random = seededRandom(4);
  const actual = Float64Array.from({ length: 2000 }, () => random.below(3));
  const probabilities = Float64Array.from(
    [...actual].flatMap((truth) => {
      const scores = [0, 1, 2].map((index) => random.next() + (index === truth ? 0.6 : 0));
      const sum = scores.reduce((a, b) => a + b, 0);
      return scores.map((score) => score / sum);
    }),
  );
  const curves = fitIsotonic({
    task: 'multiclass',
    actual,
    probabilities,
    predicted: actual,
    classCount: 3,
    positiveClass: 0,
  });
  assert.equal(curves.length, 3);
  for (const { said, cameTrue } of curves) {
    assert.deepEqual([said[0], said.at(-1)], [0, 1]);
    said.slice(1).forEach((value, index) => {
      assert.ok(value > said[index]!);
      assert.ok(cameTrue[index + 1]! >= cameTrue[index]! && cameTrue[index]! > 0);
    });
  }
  calibrate({ kind: 'isotonic', curves }, probabilities, 3);
  for (let row = 0; row < 2000; row++) {
    const sum = probabilities.subarray(row * 3, row * 3 + 3).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 1) < 1e-12);
  }
});

test('sets hold nine of ten truths, and several classes only where the model is not sure', () => {
  const fitted = drawn(3000, (truth) => truth);
  const sets = fitSets(fitted)!;
  const fresh = drawn(5000, (truth) => truth, 3);
  let held = 0;
  for (let row = 0; row < 5000; row++) {
    const own = fresh.probabilities.subarray(row * 2, row * 2 + 2);
    const likely = setOf(sets, own);
    assert.ok(likely.length >= 1 && own[likely[0]!]! >= 0.5);
    held += Number(likely.includes(fresh.actual[row]!));
  }
  assert.ok(Math.abs(held / 5000 - 0.9) < 0.02, `${held / 5000}`);
  assert.equal(fitSets({ ...fitted, actual: fitted.actual.slice(0, 10) }), undefined);
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

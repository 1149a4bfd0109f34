// Expected figures are worked out by hand, or by brute force from the definition.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../../base/problems.ts';
import { evaluate } from './evaluation.ts';
import { allMetrics, metricFor, metrics, type Scored } from './metrics.ts';

function binary(actual: number[], positive: number[], weights?: number[]): Scored {
  return {
    task: 'binary',
    actual: Float64Array.from(actual),
    predicted: Float64Array.from(positive, (p) => (p > 0.5 ? 1 : 0)),
    probabilities: Float64Array.from(positive.flatMap((p) => [1 - p, p])),
    classCount: 2,
    positiveClass: 1,
    ...(weights && { weights: Float64Array.from(weights) }),
  };
}

const close = (value: number | undefined, expected: number): void =>
  assert.ok(Math.abs(value! - expected) < 1e-9, `${value} is not ${expected}`);

test('binary metrics of a small example', () => {
  const values = allMetrics(binary([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]));
  close(values['auc'], 0.75);
  close(values['average_precision'], 0.5 * 1 + 0.5 * (2 / 3));
  close(values['accuracy'], 0.75);
  close(values['balanced_accuracy'], 0.75);
  close(values['precision'], 1);
  close(values['recall'], 0.5);
  close(values['f1'], (2 / 3 + 0.8) / 2);
  close(values['brier'], (0.01 + 0.16 + 0.4225 + 0.04) / 4);
  close(values['log_loss'], -(Math.log(0.9) + Math.log(0.6) + Math.log(0.35) + Math.log(0.8)) / 4);
});

test('regression metrics of a small example', () => {
  const actual = Float64Array.of(3, -0.5, 2, 7);
  const predicted = Float64Array.of(2.5, 0, 2, 8);
  const values = allMetrics({
    task: 'regression',
    actual,
    predicted,
    probabilities: predicted,
    classCount: 0,
    positiveClass: 0,
  });
  close(values['rmse'], Math.sqrt(0.375));
  close(values['mae'], 0.5);
  close(values['r2'], 0.9486081370449679);
  close(values['median_absolute_error'], 0.5);
  close(values['mape'], (0.5 / 3 + 1 + 0 + 1 / 7) / 4);
});

test('AUC is the share of ordered pairs, ties half, with and without weights', () => {
  const row = fc.record({
    actual: fc.constantFrom(0, 1),
    p: fc.integer({ min: 0, max: 8 }),
    weight: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(row, { minLength: 2, maxLength: 40 }), (rows) => {
      const actual = rows.map((one) => one.actual);
      if (!actual.includes(0) || !actual.includes(1)) return;
      for (const weights of [undefined, rows.map((one) => one.weight)]) {
        let pairs = 0;
        let ordered = 0;
        rows.forEach((a, i) =>
          rows.forEach((b, j) => {
            if (a.actual !== 1 || b.actual !== 0) return;
            const weight = weights ? weights[i]! * weights[j]! : 1;
            pairs += weight;
            ordered += weight * (a.p > b.p ? 1 : a.p === b.p ? 0.5 : 0);
          }),
        );
        close(
          metricFor('auc', 'binary').compute(
            binary(
              actual,
              rows.map((one) => one.p / 8),
              weights,
            ),
          ),
          ordered / pairs,
        );
      }
    }),
  );
});

test('whole weights count as repeated rows', () => {
  const weighted = allMetrics(binary([0, 1, 1, 0], [0.2, 0.7, 0.4, 0.6], [1, 2, 1, 3]));
  const repeated = allMetrics(binary([0, 1, 1, 1, 0, 0, 0], [0.2, 0.7, 0.7, 0.4, 0.6, 0.6, 0.6]));
  for (const name of Object.keys(repeated)) close(weighted[name], repeated[name]!);
});

test('names: aliases, hyphens, auto, and a list when there is none', () => {
  assert.equal(metricFor('Log-Loss', 'binary').name, 'log_loss');
  assert.deepEqual(
    (['binary', 'multiclass', 'regression'] as const).map((task) => metricFor('auto', task).name),
    ['auc', 'log_loss', 'rmse'],
  );
  assert.throws(
    () => metricFor('rmse', 'binary'),
    (error: Problem) => error.code === 'invalid-request' && error.message.includes('auc'),
  );
  assert.equal(new Set(metrics.map((metric) => metric.name)).size, metrics.length);
});

test('an evaluation is bounded JSON without gaps', () => {
  const rowCount = 3000;
  const positive = Array.from({ length: rowCount }, (_, row) => ((row * 7919) % 1000) / 1000);
  const scored = binary(
    positive.map((p, row) => Number(p > (row % 10) / 10)),
    positive,
  );
  const evaluation = evaluate({ scored, classes: ['no', 'yes'], inputOf: (row) => ({ row }) });
  assert.ok(evaluation.rocCurve!.length <= 200 && evaluation.precisionRecallCurve!.length <= 200);
  assert.deepEqual(evaluation.rocCurve!.at(-1), { falsePositiveRate: 1, truePositiveRate: 1, threshold: 0 });
  assert.equal(
    evaluation.calibration!.reduce((sum, band) => sum + band.rowCount, 0),
    rowCount,
  );
  assert.equal(
    evaluation.confusionMatrix!.counts.flat().reduce((sum, count) => sum + count, 0),
    rowCount,
  );
  assert.equal(evaluation.samples.length, 20);
  assert.deepEqual(JSON.parse(JSON.stringify(evaluation)), evaluation);
});

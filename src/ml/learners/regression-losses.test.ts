// Losses for numbers: derivatives against differences of the loss, what each one estimates, and what it refuses.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { applyModel } from '../model/row-model.ts';
import { boostedTrees } from './boosted-trees.ts';
import { pauseBy, type TrainingInput } from './learner.ts';
import type { LossData } from './loss.ts';
import { regressionLosses, regressionLossFor, type RegressionLoss } from './regression-losses.ts';

function dataOf(target: Float64Array, weights?: Float64Array): LossData {
  const rowCount = target.length;
  return {
    rowCount,
    classCount: 0,
    target,
    weights,
    scores: new Float64Array(rowCount),
    derivatives: new Float32Array(2 * rowCount),
  };
}

const settings = { quantile: 0.8, tweediePower: 1.4 };

for (const loss of regressionLosses) {
  // The squared loss's derivatives are a kernel.
  if (loss === 'squared') continue;
  test(`${loss}: gradients are the slope of the loss`, () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 40, noNaN: true }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (target, score) => {
          const others = Float64Array.of(target, 1, 2, 3, 50);
          const data = dataOf(others);
          const { derive, mean } = regressionLossFor(data, { loss, ...settings });
          assert.ok(typeof derive === 'function');
          data.scores[0] = score;
          derive();
          const [gradient, hessian] = data.derivatives;
          const step = 1e-5;
          data.scores[0] = score + step;
          const above = mean(0, 1);
          data.scores[0] = score - step;
          const below = mean(0, 1);
          // Distances are twice their half; the pinball loss is given twice, to be the absolute error at one half.
          const factor = ['absolute', 'quantile', 'huber'].includes(loss) ? 2 : 1;
          const slope = (above - below) / (2 * step);
          if (Math.abs(score - target) < 1e-4) return;
          assert.ok(
            Math.abs(factor * gradient! - slope) <= 1e-4 * (1 + Math.abs(slope)),
            `${factor * gradient!} is not ${slope}`,
          );
          assert.ok(hessian! > 0);
        },
      ),
      { seed: 4 },
    );
  });
}

const rowCount = 3000;

async function answers(loss: RegressionLoss, target: Float64Array, more = {}): Promise<Float64Array> {
  const random = seededRandom(2);
  const column = Float64Array.from({ length: rowCount }, () => random.next());
  const input: TrainingInput = {
    table: {
      rowCount,
      features: [{ name: 'x', column: 'x', kind: 'number', levelCount: 0 }],
      columns: [column],
    },
    task: 'regression',
    target,
    classCount: 0,
    rows: Int32Array.from({ length: rowCount }, (_, row) => row),
    hyperparameters: { loss, iterations: 60, learningRate: 0.2, maxLeaves: 4, ...more },
    seed: 1,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  };
  const { model } = await boostedTrees.train(input);
  const out = new Float64Array(rowCount);
  applyModel(model, { rows: column, rowCount, featureCount: 1 }, out);
  return out;
}

test('each loss estimates what it promises: means, medians, quantiles', async () => {
  const random = seededRandom(9);
  const noise = Float64Array.from({ length: rowCount }, () => -Math.log(1 - random.next()));
  const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / rowCount;
  for (const loss of ['squared', 'poisson', 'gamma', 'tweedie'] as const) {
    const estimate = meanOf(await answers(loss, noise));
    assert.ok(Math.abs(estimate / meanOf(noise) - 1) < 0.03, `${loss}: ${estimate} for ${meanOf(noise)}`);
  }
  for (const quantile of [0.1, 0.5, 0.9]) {
    const out = await answers('quantile', noise, { quantile });
    const share = out.filter((answer, row) => noise[row]! <= answer).length / rowCount;
    assert.ok(Math.abs(share - quantile) < 0.03, `${share} of the truths lie below the ${quantile} quantile`);
  }
  const tilted = noise.map((value, row) => (row % 50 === 0 ? 1000 : value));
  for (const loss of ['absolute', 'huber'] as const) {
    const estimate = meanOf(await answers(loss, tilted));
    assert.ok(estimate < 3, `${loss} is not carried away by outliers: ${estimate}`);
  }
});

test('targets that a loss has no meaning for are refused, and wild ones give finite answers', async () => {
  const refused: [RegressionLoss, number][] = [
    ['gamma', 0],
    ['poisson', -1],
    ['tweedie', -0.5],
  ];
  for (const [loss, value] of refused) {
    const target = new Float64Array(rowCount).fill(1);
    target[7] = value;
    await assert.rejects(answers(loss, target), (error: Problem) => error.code === 'target-unusable');
  }
  await assert.rejects(
    answers('poisson', new Float64Array(rowCount)),
    (error: Problem) => error.code === 'target-unusable',
  );
  const wild = Float64Array.from({ length: rowCount }, (_, row) => (row % 3 === 0 ? 1e12 : 1e-12));
  for (const loss of regressionLosses) {
    const out = await answers(loss, wild);
    assert.ok(out.every(Number.isFinite), loss);
  }
});

// Linear models against scikit-learn 1.9 and against the conditions that a minimum fulfils.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import type { LinearModel } from '../model/linear.ts';
import type { Hyperparameters, LearnedTask } from './learner.ts';
import { linear } from './linear.ts';
import { minimise } from './minimise.ts';
import { answersFor, featureTable, trainingOn } from './testing.ts';

const rowCount = 60;
const at = (value: (row: number) => number): Float64Array =>
  Float64Array.from({ length: rowCount }, (_, row) => value(row));
const columns = [
  at((i) => ((i * 37) % 50) / 10),
  at((i) => ((i * i) % 23) / 5),
  at((i) => ((i * 7) % 11) - 5),
  at((i) => ((i * 13) % 17) / 4),
];
const [x0, x1, x2] = columns as [Float64Array, Float64Array, Float64Array, Float64Array];
const targets: Record<string, Float64Array> = {
  amount: at((i) => 2 * x0[i]! - 1.5 * x1[i]! + ((i * 29) % 13) / 6),
  two: at((i) => Number(x0[i]! + x2[i]! / 3 + (i % 4) > 4)),
  count: at((i) => Math.floor(Math.exp(0.3 * x0[i]! - 0.2 * x1[i]!) + (i % 3))),
};

async function fit(
  task: LearnedTask,
  target: Float64Array,
  hyperparameters: Hyperparameters,
  weights?: Float64Array,
): Promise<{ model: LinearModel; answers: Float64Array }> {
  const table = featureTable(columns);
  const input = trainingOn(table, task, target, {
    hyperparameters: { iterations: 1000, ...hyperparameters },
    ...(weights && { weights }),
  });
  const { model } = await linear.train(input);
  const answers = answersFor(model, table, input);
  const width = answers.length / rowCount;
  return {
    model: model as LinearModel,
    answers: answers.filter((_, index) => index % width === width - 1),
  };
}

// On standardised columns Z (and target, for numbers) of n = 60 rows, with scikit-learn 1.9:
//   Ridge(alpha=l2), ElasticNet(alpha=(l1 + l2) / n, l1_ratio=l1 / (l1 + l2)),
//   LogisticRegression(C=1 / (l1 + l2), l1_ratio=l1 / (l1 + l2), solver='saga'), PoissonRegressor(alpha=l2 / n),
//   each with tol=1e-12: .predict(Z)[:4], or .predict_proba(Z)[:4, 1]
const references: [string, Hyperparameters, number[]][] = [
  ['amount', { l2: 5 }, [1.398158, 7.462816, 4.36331, 0.991984]],
  ['amount', { l1: 6, l2: 0 }, [0.949642, 7.262312, 4.303411, 0.902339]],
  ['amount', { l1: 6, l2: 5 }, [1.142708, 6.944157, 4.234439, 1.124064]],
  ['two', { l2: 2 }, [0.002765, 0.701569, 0.113251, 0.453184]],
  ['two', { l1: 2, l2: 0 }, [0.000869, 0.83497, 0.096845, 0.421658]],
  ['two', { l1: 2, l2: 1 }, [0.004694, 0.757408, 0.150167, 0.417537]],
  ['count', { loss: 'poisson', l2: 1 }, [1.591174, 3.330743, 2.372417, 1.566751]],
  ['count', { loss: 'poisson', l2: 20 }, [1.64786, 3.177005, 2.357516, 1.667525]],
];

for (const [name, settings, expected] of references)
  test(`${name} with ${JSON.stringify(settings)} is what scikit-learn finds`, async () => {
    const { answers } = await fit(name === 'two' ? 'binary' : 'regression', targets[name]!, settings);
    expected.forEach((value, row) =>
      assert.ok(Math.abs(answers[row]! - value) < 2e-3, `row ${row}: ${answers[row]} is not ${value}`),
    );
  });

test('an L1 penalty sets weights to exactly zero, the larger the more', async () => {
  const zeros = async (l1: number): Promise<number> => {
    const { model } = await fit('regression', targets['amount']!, { l1, l2: 0 });
    return model.numberWeights.filter((weight) => weight === 0).length;
  };
  assert.deepEqual([await zeros(0), await zeros(6), await zeros(1000)], [0, 2, 4]);
});

test('a weight counts as so many rows do', async () => {
  for (const [name, task] of [
    ['amount', 'regression'],
    ['two', 'binary'],
  ] as const) {
    const once = await fit(task, targets[name]!, { l1: 2, l2: 3 });
    const thrice = await fit(task, targets[name]!, { l1: 6, l2: 9 }, new Float64Array(rowCount).fill(3));
    once.answers.forEach((value, row) => assert.ok(Math.abs(value - thrice.answers[row]!) < 1e-5));
  }
});

test('counts below zero, or none above, are refused by the Poisson loss', async () => {
  for (const target of [at((i) => i - 1), at(() => 0)])
    await assert.rejects(
      fit('regression', target, { loss: 'poisson' }),
      (error: Problem) => error.code === 'target-unusable',
    );
  await assert.rejects(fit('regression', targets['count']!, { loss: 'gamma' }), Problem);
});

test('what is found under an L1 penalty fulfils the conditions of a minimum (Karush, Kuhn, Tucker)', async () => {
  const problems = fc.record({
    seed: fc.nat(10_000),
    size: fc.integer({ min: 1, max: 12 }),
    penalty: fc.double({ min: 0.001, max: 2, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(problems, async ({ seed, size, penalty }) => {
      const random = seededRandom(seed);
      const rows = Array.from({ length: 30 }, () =>
        Float64Array.from({ length: size }, () => random.next() - 0.5),
      );
      const truth = rows.map((row) => 3 * row[0]! + random.next());
      const evaluate = (point: Float64Array, gradient: Float64Array): number => {
        gradient.fill(0);
        let loss = 0;
        rows.forEach((row, index) => {
          const error = row.reduce((sum, value, column) => sum + value * point[column]!, -truth[index]!);
          loss += (error * error) / 2;
          row.forEach((value, column) => (gradient[column]! += error * value));
        });
        return loss;
      };
      const l1 = new Float64Array(size).fill(penalty);
      const { point } = await minimise({ size, evaluate }, new Float64Array(size), {
        iterations: 2000,
        tolerance: 1e-7,
        leastProgress: -1,
        l1,
        goOn: () => Promise.resolve(true),
      });
      const gradient = new Float64Array(size);
      evaluate(point, gradient);
      point.forEach((value, index) => {
        const slope = gradient[index]!;
        const fault = value === 0 ? Math.abs(slope) - penalty : Math.abs(slope + Math.sign(value) * penalty);
        assert.ok(fault < 1e-5, `variable ${index} at ${value} has slope ${slope} under ${penalty}`);
      });
    }),
    { numRuns: 60 },
  );
});

// Nearest neighbours against a search by the definition, against scikit-learn 1.9, and their cap on rows.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import type { NeighboursModel } from '../model/neighbours.ts';
import { neighbours } from './neighbours.ts';
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
const amount = at((i) => 2 * columns[0]![i]! - 1.5 * columns[1]![i]! + ((i * 29) % 13) / 6);

/** Every column a tenth of its standard deviation higher. */
const moved = columns.map((column) => {
  const mean = column.reduce((sum, value) => sum + value, 0) / rowCount;
  const spread = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rowCount);
  return column.map((value) => value + spread / 10);
});

test('numbers are averaged as scikit-learn does', async () => {
  // KNeighborsRegressor(k, weights=...).fit(Z, a).predict(Z + 0.1)[:4], Z standardised
  const references = [
    [1, 'uniform', [0, 7.6, 4.6, 1]],
    [1, 'distance', [0, 7.6, 4.6, 1]],
    [5, 'uniform', [1.706667, 7.28, 3.22, 1.933333]],
    [5, 'distance', [0.741656, 7.461964, 3.839038, 1.403015]],
  ] as const;
  for (const [count, weighting, expected] of references) {
    const hyperparameters = { neighbours: count, weighting };
    const input = trainingOn(featureTable(columns), 'regression', amount, { hyperparameters });
    const { model } = await neighbours.train(input);
    const answers = answersFor(model, featureTable(moved), input);
    expected.forEach((value, row) => assert.ok(Math.abs(answers[row]! - value) < 1e-4, `${answers[row]}`));
  }
});

test('the nearest of mixed rows are those of the definition', async () => {
  const tables = fc.record({ seed: fc.nat(10_000), count: fc.integer({ min: 1, max: 9 }) });
  await fc.assert(
    fc.asyncProperty(tables, async ({ seed, count }) => {
      const random = seededRandom(seed);
      const numbers = Array.from({ length: 11 }, () => at(() => (random.next() < 0.1 ? NaN : random.next())));
      const category = at(() => (random.next() < 0.1 ? NaN : random.below(4)));
      const table = featureTable([...numbers, category], { 11: 5 });
      const hyperparameters = { neighbours: count, weighting: 'uniform' };
      const input = trainingOn(
        table,
        'regression',
        at(() => random.next()),
        { hyperparameters },
      );
      const model = (await neighbours.train(input)).model as NeighboursModel;
      const answers = answersFor(model, table, input);
      const width = model.numberFeature.length;
      const codeWidth = model.codeFeature.length;
      for (let row = 0; row < 5; row++) {
        const own = model.answers.indexOf(input.target[row]!);
        const distance = (other: number): number => {
          let square = 0;
          for (let term = 0; term < width; term++)
            square += (model.numbers[own * width + term]! - model.numbers[other * width + term]!) ** 2;
          for (let term = 0; term < codeWidth; term++)
            if (model.codes[own * codeWidth + term] !== model.codes[other * codeWidth + term])
              square += model.codeWeights[term]!;
          return square;
        };
        const nearest = [...model.answers.keys()].sort((a, b) => distance(a) - distance(b)).slice(0, count);
        const mean = nearest.reduce((sum, one) => sum + model.answers[one]!, 0) / count;
        assert.ok(Math.abs(answers[row]! - mean) < 1e-9);
      }
    }),
    { numRuns: 40 },
  );
});

test('a missing number, and another category, are as far as two rows on average', async () => {
  const random = seededRandom(3);
  const numbers = at(() => (random.next() < 0.3 ? NaN : random.next()));
  const category = at((i) => i % 3);
  const table = featureTable([numbers, category], { 1: 4 });
  const model = (await neighbours.train(trainingOn(table, 'regression', amount))).model as NeighboursModel;
  assert.deepEqual([...model.codeFeature], [0, 1]);
  assert.equal(model.codeWeights[0], 1);
  assert.ok(
    Math.abs(model.codeWeights[1]! - 3) < 1e-12,
    'two over the chance to differ, which is two thirds',
  );
});

test('rows beyond the cap are drawn at random, and it is told', async () => {
  const table = featureTable(columns);
  const few = await neighbours.train(
    trainingOn(table, 'regression', amount, { hyperparameters: { rows: 20 } }),
  );
  assert.equal((few.model as NeighboursModel).answers.length, 20);
  assert.deepEqual(few.notes, [
    'Nearest neighbours hold 20 of 60 rows, drawn at random, which is the most that was allowed.',
  ]);
  assert.equal((await neighbours.train(trainingOn(table, 'regression', amount))).notes, undefined);
});

test('a deadline limits the rows that are held', async () => {
  const many = featureTable([Float64Array.from({ length: 5000 }, (_, row) => row % 977)]);
  const input = trainingOn(many, 'regression', Float64Array.from(many.columns[0]!));
  const control = { ...input.control, deadlineMs: -1 };
  const { model, notes, endedBy } = await neighbours.train({ ...input, control });
  assert.equal((model as NeighboursModel).answers.length, 200);
  assert.match(notes![0]!, /200 of 5000 rows, drawn at random, for lack of time/);
  assert.equal(endedBy, 'deadline');
});

test('classes are never impossible, and columns of one value or of words do not count', async () => {
  const constant = new Float64Array(rowCount).fill(2);
  const words = Uint8Array.from({ length: rowCount }, (_, row) => row % 5);
  const { features } = featureTable([constant, constant, constant]);
  const table = { rowCount, features, columns: [columns[0]!, constant, words] };
  const two = amount.map((value) => Number(value > 3));
  const input = trainingOn(table, 'binary', two, { hyperparameters: { neighbours: 3 } });
  const { model } = await neighbours.train(input);
  assert.deepEqual([...(model as NeighboursModel).numberFeature], [0]);
  assert.ok(answersFor(model, table, input).every((share) => share > 0 && share < 1));
});

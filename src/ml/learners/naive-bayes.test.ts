// Naive Bayes against scikit-learn 1.9, and what missing and unseen values may not do.
import assert from 'node:assert/strict';
import test from 'node:test';
import { heaviestTerm } from '../frame/text-features.ts';
import type { FeatureTable } from '../frame/encoding.ts';
import { naiveBayes } from './naive-bayes.ts';
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
const two = at((i) => Number(columns[0]![i]! + columns[2]![i]! / 3 + (i % 4) > 4));
const three = at((i) => two[i]! + Number(columns[1]![i]! > 2));

function assertNear(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  expected.forEach((value, index) =>
    assert.ok(Math.abs(actual[index]! - value) < tolerance, `${index}: ${actual[index]} is not ${value}`),
  );
}

test('numbers are Gaussian, as scikit-learn finds', async () => {
  // GaussianNB(var_smoothing=1e-9, priors=(counts + 1) / (n + classes)).fit(Z, y).predict_proba(Z)[:3], Z standardised
  const references: [Float64Array, number[]][] = [
    [two, [0.999784, 0.000216, 0.221059, 0.778941, 0.909491, 0.090509]],
    [three, [0.945113, 0.054887, 0, 0.469752, 0.530248, 0, 0.898178, 0.101814, 0.000008]],
  ];
  for (const [target, expected] of references) {
    const table = featureTable(columns);
    const task = target === two ? 'binary' : 'multiclass';
    const input = trainingOn(table, task, target, { hyperparameters: { smoothing: 1e-9 } });
    const { model } = await naiveBayes.train(input);
    assertNear(answersFor(model, table, input), expected, 1e-6);
  }
});

test('words of texts are counted as in a multinomial, as scikit-learn finds', async () => {
  const counts = [0, 1, 2].map((j) =>
    Uint8Array.from(
      { length: rowCount },
      (_, i) => heaviestTerm * ((i * 7 + j * 3) % 4) * ((i + j) % 3 ? 1 : 0),
    ),
  );
  const { features } = featureTable(counts.map((column) => Float64Array.from(column)));
  const table: FeatureTable = { rowCount, features, columns: counts };
  const input = trainingOn(table, 'binary', two);
  const { model } = await naiveBayes.train(input);
  const shares = answersFor(model, table, input).filter((_, index) => index % 2 === 1);
  // MultinomialNB(alpha=1, class_prior=(counts + 1) / (n + 2)).fit(c, y).predict_proba(c)[:4, 1]
  assertNear(shares, [0.478898, 0.170321, 0.264182, 0.673806], 1e-6);
});

test('a missing number, an unseen category and a category that was never missing say nothing', async () => {
  const category = at((i) => (two[i] ? i % 2 : 1 + (i % 2)));
  const input = trainingOn(featureTable([columns[0]!, category], { 1: 4 }), 'binary', two);
  const { model } = await naiveBayes.train(input);
  const asked = featureTable([Float64Array.of(NaN, NaN), Float64Array.of(3, NaN)], { 1: 4 });
  const share = (two.reduce((sum, value) => sum + value, 0) + 1) / (rowCount + 2);
  assertNear(answersFor(model, asked, input), [1 - share, share, 1 - share, share], 1e-12);
});

test('a weight counts as so many rows do', async () => {
  const table = featureTable(columns);
  const weights = at((i) => 1 + (i % 3));
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  const repeated = Int32Array.from([...rows].flatMap((row) => Array<number>(weights[row]!).fill(row)));
  // Standardising looks at rows, not weights: as large a share of each value in both.
  const weighted = await naiveBayes.train(trainingOn(table, 'binary', two, { weights }));
  const doubled = await naiveBayes.train(trainingOn(table, 'binary', two, { rows: repeated }));
  const a = answersFor(weighted.model, table, { task: 'binary', classCount: 2 });
  const b = answersFor(doubled.model, table, { task: 'binary', classCount: 2 });
  assertNear(a, [...b], 1e-3);
});

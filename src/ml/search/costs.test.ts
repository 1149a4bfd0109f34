import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import { metricFor } from '../metrics/metrics.ts';
import { decide } from '../model/calibration.ts';
import { modelCard } from '../model/card.ts';
import { cheapestClass, thresholdOf } from '../model/costs.ts';
import { openModel, writeModel } from '../model/model.ts';
import { predictorOf } from '../model/predictor.ts';
import { readManifest } from '../model/read-manifest.ts';
import { fitCostWeights } from '../uncertainty/threshold.ts';
import { decisionCosts, type CostsOfDecisions } from './costs.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';

type Posed = Parameters<typeof decisionCosts>[1];

const free: CostsOfDecisions = {
  falsePositive: null,
  falseNegative: null,
  truePositive: 0,
  trueNegative: 0,
  cells: [],
  otherMistakes: 0,
  currency: 'EUR',
  decisionCount: 1000,
};
const schema: ColumnSchema[] = [
  { name: 'x', kind: 'numeric' },
  { name: 'z', kind: 'numeric' },
  { name: 'ill', kind: 'categorical' },
  { name: 'size', kind: 'categorical' },
];

function rows(count: number): Record<string, unknown>[] {
  const random = seededRandom(5);
  return Array.from({ length: count }, () => {
    const x = random.next();
    return {
      x,
      z: random.next(),
      ill: random.next() < x ** 2 ? 'yes' : 'no',
      size: random.next() < x ? 'large' : random.next() < 0.5 ? 'middle' : 'small',
    };
  });
}

const whole = (recipe: Partial<Recipe>): Parameters<typeof search>[0] => ({
  frame: frameFromRows(rows(1500), schema),
  recipe: {
    target: 'ill',
    task: 'auto',
    metric: 'auto',
    budget: { trials: 3 },
    seed: 1,
    folds: 3,
    excludedColumns: recipe.target === 'size' ? ['ill'] : ['size'],
    ...recipe,
  },
  clock: systemClock,
});

test('the cheapest class is the one of least expected cost, and equal mistakes leave the likeliest', () => {
  const chance = fc.double({ min: 0.01, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(chance, { minLength: 3, maxLength: 3 }), (probabilities) => {
      const row = Float64Array.from(probabilities);
      const equal = [0, 1, 2].map((actual) => [0, 1, 2].map((said) => Number(said !== actual)));
      const said = cheapestClass(row, [1, 1, 1], equal);
      assert.ok(row[said]! >= Math.max(...probabilities) - 1e-12);
    }),
  );
  // A miss costs nine false alarms: it acts from a tenth on.
  const matrix = [
    [0, 1],
    [9, 0],
  ];
  assert.ok(Math.abs(thresholdOf(matrix, [1, 1], 1) - 0.1) < 1e-12);
  assert.deepEqual([...decide(Float64Array.of(0.91, 0.09, 0.89, 0.11), [1, 1], matrix)], [0, 1]);
});

test('out-of-fold rows move the line only where they clearly contradict the costs', () => {
  const random = seededRandom(3);
  const truths = Float64Array.from({ length: 4000 }, () => random.next());
  const said = (chanceOf: (truth: number) => number): Parameters<typeof fitCostWeights>[0] => ({
    task: 'binary',
    classCount: 2,
    positiveClass: 1,
    actual: truths.map((truth) => Number(seededRandom(Math.floor(truth * 1e9)).next() < truth)),
    predicted: truths,
    probabilities: Float64Array.from([...truths].flatMap((truth) => [1 - chanceOf(truth), chanceOf(truth)])),
  });
  const matrix = [
    [0, 1],
    [4, 0],
  ];
  assert.deepEqual(
    fitCostWeights(
      said((truth) => truth),
      matrix,
    ),
    [1, 1],
  );
  const off = said((truth) => truth ** 3);
  const weights = fitCostWeights(off, matrix);
  const threshold = thresholdOf(matrix, weights, 1);
  assert.ok(Math.abs(threshold - 0.2 ** 3) < 0.01, `${threshold}`);
  const costOf = (with_: readonly number[]): number =>
    decide(off.probabilities, with_, matrix).reduce(
      (sum, decided, row) => sum + matrix[off.actual[row]!]![decided]!,
      0,
    );
  assert.ok(costOf(weights) < costOf([1, 1]));
});

test('a model that is told what mistakes cost decides for less money, and its file decides alike', async () => {
  const costs = { ...free, falsePositive: 1, falseNegative: 20 };
  const plain = await search(whole({}));
  const told = await search(whole({ costs }));
  assert.equal(plain.evaluation.money, undefined);
  assert.equal(plain.evaluation.metrics['cost'], undefined);
  const money = told.evaluation.money!;
  assert.equal(told.evaluation.metrics['cost'], money.perDecision);
  assert.ok(money.threshold! > 0.01 && money.threshold! < 0.2, `${money.threshold}`);
  assert.deepEqual(new Set(money.alternatives.map(({ answer }) => answer)), new Set(['yes', 'no', null]));
  for (const { answer, perDecision, saving } of money.alternatives) {
    assert.ok(Math.abs(perDecision - money.perDecision - saving.perDecision) < 1e-12);
    assert.ok(saving.lower <= saving.perDecision && saving.perDecision <= saving.upper);
    if (answer !== 'yes') assert.ok(saving.lower > 0, `it saves against ${answer}`);
  }
  const { counts } = told.evaluation.confusionMatrix!;
  const [no, yes] = told.classes.map((name) => told.classes.indexOf(name));
  const paid = (counts[no!]![yes!]! * 1 + counts[yes!]![no!]! * 20) / told.evaluation.rowCount;
  assert.ok(Math.abs(paid - money.perDecision) < 1e-9);

  const opened = await openModel(await writeModel(told.model));
  const asked = rows(200).map(({ x, z }) => ({ x, z }));
  const answers = opened.predictRows(asked).predictions;
  assert.deepEqual(answers, predictorOf(told.model).predictRows(asked).predictions);
  for (const { prediction, probabilities } of answers)
    assert.equal(prediction, probabilities!['yes']! > money.threshold! ? 'yes' : 'no');
  const { markdown } = modelCard(told.model.manifest);
  assert.match(markdown, /What its decisions cost/);
  assert.match(markdown, /Saying "no" of what is "yes" costs 20 EUR\./);
});

test('expected cost as the metric, with two classes and with three', async () => {
  const costs = { ...free, falsePositive: 3, falseNegative: 1 };
  const binary = await search(whole({ costs, metric: 'cost' }));
  assert.equal(binary.metric.name, 'cost');
  assert.ok(binary.leaderboard.every(({ score }) => score === null || score >= 0));
  assert.deepEqual(
    binary.leaderboard.map(({ score }) => score),
    binary.leaderboard.map(({ score }) => score).toSorted((a, b) => a! - b!),
  );
  const cells = [{ actual: 'large', predicted: 'small', cost: 50 }];
  const several = await search(
    whole({ target: 'size', metric: 'cost', costs: { ...free, cells, otherMistakes: 1 } }),
  );
  const { money, confusionMatrix } = several.evaluation;
  const [large, small] = ['large', 'small'].map((name) => confusionMatrix!.classes.indexOf(name));
  assert.equal(money!.threshold, undefined);
  assert.equal(money!.costs!.matrix[large!]![small!], 50);
  assert.ok(confusionMatrix!.counts[large!]![small!]! <= 2, 'what costs fifty is avoided');
  assert.ok(money!.alternatives.every(({ saving }) => saving.upper > 0));
});

test('the positive class decides which mistake is the false alarm', () => {
  const costs = { ...free, falsePositive: 2, falseNegative: 7, truePositive: -1 };
  const metric = metricFor('auto', 'binary');
  const matrixFor = (positiveClass: number): number[][] =>
    decisionCosts(costs, { task: 'binary', classes: ['a', 'b'], positiveClass }, { metric })!.matrix;
  assert.deepEqual(matrixFor(1), [
    [0, 2],
    [7, -1],
  ]);
  assert.deepEqual(matrixFor(0), [
    [-1, 7],
    [2, 0],
  ]);
});

test('costs that do not fit are refused by name', () => {
  const binary: Posed = { task: 'binary', classes: ['a', 'b'], positiveClass: 1 };
  const several: Posed = { task: 'multiclass', classes: ['a', 'b', 'c'], positiveClass: 0 };
  const cell = { actual: 'a', predicted: 'b', cost: 1 };
  const refuses = (
    costs: CostsOfDecisions | undefined,
    target: Posed,
    field: string,
    metric = 'accuracy',
  ): void =>
    assert.throws(
      () => decisionCosts(costs, target, { metric: metricFor(metric, target.task), place: 'body.' }),
      (error: Problem) => error.code === 'invalid-request' && error.errors?.[0]?.field === `body.${field}`,
      field,
    );
  refuses(undefined, binary, 'metric', 'cost');
  refuses(free, binary, 'costs.falsePositive');
  refuses({ ...free, falsePositive: 1 }, binary, 'costs.falseNegative');
  refuses({ ...free, falsePositive: 0, falseNegative: 1 }, binary, 'costs');
  refuses({ ...free, falsePositive: 1, falseNegative: 1, truePositive: 2 }, binary, 'costs');
  refuses({ ...free, falsePositive: 1, falseNegative: 1, cells: [cell] }, binary, 'costs.cells');
  refuses({ ...free, falsePositive: 1 }, several, 'costs');
  refuses({ ...free, cells: [{ ...cell, actual: 'zz' }] }, several, 'costs.cells.0');
  refuses({ ...free, cells: [cell, cell] }, several, 'costs.cells.1');
  refuses({ ...free, cells: [cell] }, several, 'costs');
  refuses(
    { ...free, otherMistakes: 1 },
    { task: 'regression', classes: [], positiveClass: 0 },
    'costs',
    'rmse',
  );
});

test('a file whose costs do not fit its classes is refused', async () => {
  const { model } = await search(whole({ costs: { ...free, falsePositive: 1, falseNegative: 2 } }));
  const { manifest } = model;
  const refuses = (costs: unknown): void =>
    assert.throws(
      () => readManifest({ ...manifest, costs }),
      (error: Problem) => error.code === 'model-file-invalid' && error.message.includes('costs'),
    );
  assert.deepEqual(readManifest(manifest), manifest);
  refuses({ ...manifest.costs, matrix: [[0, 1]] });
  refuses({ ...manifest.costs, matrix: [[0, 1], [0]] });
  refuses({
    ...manifest.costs,
    matrix: [
      [0, -1],
      [1, 0],
    ],
  });
  refuses({
    ...manifest.costs,
    matrix: [
      [0, null],
      [1, 0],
    ],
  });
  refuses({ ...manifest.costs, decisionCount: -1 });
  refuses('dear');
});

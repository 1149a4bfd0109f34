import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';

import { boostedTrees } from '../learners/boosted-trees.ts';
import { pauseBy } from '../learners/learner.ts';
import { naiveBayes } from '../learners/naive-bayes.ts';
import { neighbours } from '../learners/neighbours.ts';
import { network } from '../learners/network.ts';
import { featureTable, trainingOn } from '../learners/testing.ts';
import type { NeighboursModel } from '../model/neighbours.ts';
import { applyModel } from '../model/row-model.ts';
import type { TreesModel } from '../model/trees.ts';
import { applyTrees, childOf } from '../model/trees.ts';
import { predictorOf } from '../model/predictor.ts';
import type { Recipe } from '../search/recipe.ts';
import { search } from '../search/search.ts';
import { withMembers } from '../search/testing.ts';
import { explainerOf } from './attributions.ts';
import { addInterventionalValues, expectedScores } from './interventional-shap.ts';
import { firstAndLast } from './first-and-last.ts';
import { addShapleyValues, explainable, type ExplainableTrees } from './tree-shap.ts';

/** The mean answer when only the features of `known` are given, by the definition. */
function valueOf(trees: ExplainableTrees, row: Float64Array, known: number): number {
  const { model, nodeRowCounts } = trees;
  const countOf = (child: number): number =>
    child < 0 ? model.leafRowCounts[~child]! : nodeRowCounts[child]!;
  const walk = (node: number): number => {
    if (node < 0) return model.leafValues[~node]!;
    if (known & (1 << model.feature[node]!)) return walk(childOf(model, node, row[model.feature[node]!]!));
    const [left, right] = [model.left[node]!, model.right[node]!];
    return (countOf(left) * walk(left) + countOf(right) * walk(right)) / (countOf(left) + countOf(right));
  };
  return model.roots.reduce((sum, root) => sum + walk(root), model.base[0]!);
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}

const featureCount = 4;

/** Three numbers with missing values and a category, and small trees that learned from them. */
async function smallTrees(): Promise<{ columns: Float64Array[]; trees: ExplainableTrees }> {
  const random = seededRandom(2);
  const rowCount = 200;
  const columns = Array.from({ length: featureCount }, (_, feature) =>
    Float64Array.from({ length: rowCount }, () =>
      random.next() < 0.1 ? NaN : feature === 3 ? random.below(5) : random.next(),
    ),
  );
  const target = Float64Array.from(
    { length: rowCount },
    (_, row) =>
      (columns[0]![row]! > 0.5 ? 3 : 0) * (columns[1]![row]! > 0.3 ? 1 : -1) +
      (columns[3]![row] === 2 ? 2 : 0) +
      random.next(),
  );
  const { model } = await boostedTrees.train({
    table: featureTable(columns, { 3: 6 }),
    target,
    task: 'regression',
    classCount: 0,
    seed: 1,
    rows: Int32Array.from({ length: rowCount }, (_, row) => row),
    hyperparameters: { iterations: 8, maxLeaves: 12, minRowsPerLeaf: 4, featureShare: 1 },
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  });
  return { columns, trees: explainable(model as TreesModel) };
}

/** By the definition: what a feature adds, over all orders in which features could become known. */
function shapleyValue(feature: number, valueOf: (known: number) => number): number {
  let value = 0;
  for (let known = 0; known < 1 << featureCount; known++) {
    if (known & (1 << feature)) continue;
    const size = known.toString(2).replaceAll('0', '').length;
    const chance = (factorial(size) * factorial(featureCount - size - 1)) / factorial(featureCount);
    value += chance * (valueOf(known | (1 << feature)) - valueOf(known));
  }
  return value;
}

test('TreeSHAP gives the Shapley values of the definition', async () => {
  const { columns, trees } = await smallTrees();
  for (let at = 0; at < 30; at++) {
    const row = Float64Array.from(columns, (column) => column[at]!);
    const values = new Float64Array(featureCount);
    addShapleyValues(trees, row, values);
    for (let feature = 0; feature < featureCount; feature++) {
      const expected = shapleyValue(feature, (known) => valueOf(trees, row, known));
      assert.ok(Math.abs(values[feature]! - expected) < 1e-9, `${values[feature]} is not ${expected}`);
    }
  }
});

test('interventional TreeSHAP gives them too, with absent features from a background', async () => {
  const { columns, trees } = await smallTrees();
  const { model } = trees;
  const rowCount = 12;
  const rows = Float64Array.from(
    { length: rowCount * featureCount },
    (_, at) => columns[at % featureCount]![100 + Math.floor(at / featureCount)]!,
  );
  const scoreOf = (row: Float64Array): number => {
    const raw = Float64Array.of(model.base[0]!);
    applyTrees(model, { rows: row, rowCount: 1, featureCount }, raw);
    return raw[0]!;
  };
  const background = { rows, rowCount };
  const base = expectedScores(model, background)[0]!;
  for (let at = 0; at < 20; at++) {
    const row = Float64Array.from(columns, (column) => column[at]!);
    const mixed = (known: number): number => {
      let sum = 0;
      for (let other = 0; other < rowCount; other++)
        sum += scoreOf(
          row.map((value, feature) =>
            known & (1 << feature) ? value : rows[other * featureCount + feature]!,
          ),
        );
      return sum / rowCount;
    };
    const values = new Float64Array(featureCount);
    addInterventionalValues(model, row, background, values);
    for (let feature = 0; feature < featureCount; feature++) {
      const expected = shapleyValue(feature, mixed);
      assert.ok(Math.abs(values[feature]! - expected) < 1e-9, `${values[feature]} is not ${expected}`);
    }
    assert.ok(Math.abs(base + values.reduce((sum, value) => sum + value, 0) - scoreOf(row)) < 1e-9);
  }
});

test('contributions of any ensemble add up to its answer, and name the column that matters', async () => {
  const rows = Array.from({ length: 300 }, (_, index) => {
    const x = (index * 37) % 101;
    return {
      x,
      group: 'abc'[index % 3],
      noise: (index * 7919) % 13,
      two: x > 50 ? 'yes' : 'no',
      three: x > 70 ? 'high' : x > 30 ? 'middle' : 'low',
      amount: x * 2 + (index % 3),
    };
  });
  const schema: ColumnSchema[] = [
    { name: 'x', kind: 'numeric' },
    { name: 'group', kind: 'categorical' },
    { name: 'noise', kind: 'numeric' },
    { name: 'two', kind: 'categorical' },
    { name: 'three', kind: 'categorical' },
    { name: 'amount', kind: 'numeric' },
  ];
  for (const target of ['two', 'three', 'amount']) {
    const excludedColumns = ['two', 'three', 'amount'].filter((name) => name !== target);
    const frame = frameFromRows(rows, schema);
    const recipe: Recipe = {
      target,
      task: 'auto',
      metric: 'auto',
      budget: { trials: 4 },
      seed: 1,
      folds: 2,
      excludedColumns,
    };
    const found = await search({ frame, recipe, clock: systemClock });
    const others = target === 'amount' ? [neighbours, network] : [naiveBayes, neighbours, network];
    const model = await withMembers(found.model, others, { frame, recipe });
    const asked = [{ x: 95, group: 'a', noise: 3 }, { x: 10, group: 'zzz' }, {}];
    const { predictions } = predictorOf(model).predictRows(asked);
    explainerOf(model)(asked).forEach(({ base, prediction, contributions, outcome }, index) => {
      const answer = predictions[index]!;
      const said = answer.probabilities ? answer.probabilities[outcome]! : (answer.prediction as number);
      const scale = Math.max(1, Math.abs(said));
      assert.ok(Math.abs(prediction - said) < 1e-9 * scale, `${prediction} is not ${said}`);
      assert.ok(
        Math.abs(base + contributions.reduce((sum, one) => sum + one.contribution, 0) - said) < 1e-9 * scale,
      );
      if (index === 0) assert.equal(contributions[0]!.column, 'x');
    });
    const compareWith = rows.slice(0, 40);
    for (const { base, prediction, contributions } of explainerOf(model, compareWith)(asked)) {
      const sum = base + contributions.reduce((total, one) => total + one.contribution, 0);
      assert.ok(Math.abs(sum - prediction) < 1e-9 * Math.max(1, Math.abs(prediction)));
    }
  }
});

test('without parts, moves are Shapley values where columns act in pairs, and always sum to the whole', async () => {
  const random = seededRandom(4);
  const rowCount = 300;
  const columns = Array.from({ length: 2 }, () =>
    Float64Array.from({ length: rowCount }, () => random.next()),
  );
  const category = Float64Array.from({ length: rowCount }, () => random.below(3));
  const table = featureTable([...columns, category], { 2: 4 });
  const target = Float64Array.from(columns[0]!, (value, row) => value * columns[1]![row]! + category[row]!);
  const { model } = await neighbours.train(trainingOn(table, 'regression', target));
  const { centre } = model as NeighboursModel;
  const answer = (row: Float64Array): number => {
    const out = new Float64Array(1);
    applyModel(model, { rows: row, rowCount: 1, featureCount: 3 }, out);
    return out[0]!;
  };
  for (let at = 0; at < 20; at++) {
    const row = Float64Array.of(columns[0]![at]!, columns[1]![at]!, at % 2 ? category[at]! : NaN);
    const found = firstAndLast(model as NeighboursModel, row, { output: 0, outputCount: 1 });
    const whole = found.here[0]! - found.base[0]!;
    assert.ok(Math.abs(found.values.reduce((sum, value) => sum + value, 0) - whole) < 1e-12);
    if (at % 2) continue;
    // Two columns move: Shapley's value is the mean of both orders.
    const [none, first, second] = [
      answer(Float64Array.of(centre[0]!, centre[1]!, NaN)),
      answer(Float64Array.of(row[0]!, centre[1]!, NaN)),
      answer(Float64Array.of(centre[0]!, row[1]!, NaN)),
    ];
    const expected = (first - none + answer(row) - second) / 2;
    assert.ok(Math.abs(found.values[0]! - expected) < 1e-12, `${found.values[0]} is not ${expected}`);
    assert.equal(found.values[2], 0);
  }
});

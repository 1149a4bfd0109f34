// Categorical boosting beyond what every learner promises: statistics that see no row's own target, symmetric trees, the
// same model on all kernels, and a model that answers as the training believed.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import type { Problem } from '../../base/problems.ts';
import { copyFeatureRow, type FeatureTable } from '../frame/encoding.ts';
import { plainKernels } from '../kernels/plain-kernels.ts';
import { applyModel, type RowModel } from '../model/row-model.ts';
import type { TreesModel } from '../model/trees.ts';
import { binnedTable } from './bins.ts';
import { categoricalBoosting, categoricalBoostingOn } from './categorical-boosting.ts';
import { pauseBy, type TrainingInput } from './learner.ts';
import type { ObliviousTree } from './oblivious-grower.ts';
import { shapeTree } from './oblivious-shape.ts';
import { noSplit } from './split-search.ts';
import { orderedStatistics, startSums, type StatisticsInput } from './target-statistics.ts';
import { featureTable } from './testing.ts';

const rowCount = 1500;
const cityCount = 60;

/** A number, and a city of which every third has mostly class 1; the last feature is chance. */
function cities(seed: number, noiseLevels = 200): { table: FeatureTable; target: Float64Array } {
  const random = seededRandom(seed);
  const draw = (of: () => number): Float64Array => Float64Array.from({ length: rowCount }, of);
  const x = draw(() => random.next());
  const city = draw(() => (random.next() < 0.05 ? NaN : random.below(cityCount)));
  const noise = draw(() => random.below(noiseLevels));
  const target = x.map((value, row) =>
    Number(random.next() < 0.15 + 0.25 * value + (city[row]! % 3 === 0 ? 0.5 : 0)),
  );
  return { table: featureTable([x, city, noise], { 1: cityCount + 1, 2: noiseLevels + 1 }), target };
}

function inputOf(
  { table, target }: { table: FeatureTable; target: Float64Array },
  changes: Partial<TrainingInput> = {},
): TrainingInput {
  const rows = Int32Array.from(target, (_, row) => row);
  return {
    table,
    target,
    task: 'binary',
    classCount: 2,
    rows: rows.filter((row) => row % 3 !== 0),
    validationRows: rows.filter((row) => row % 3 === 0),
    hyperparameters: { iterations: 60 },
    seed: 4,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
    ...changes,
  };
}

/** The share of class 1 for rows of the table. */
function answers(model: RowModel, table: FeatureTable, rows: Int32Array): Float64Array {
  const featureCount = table.features.length;
  const encoded = new Float64Array(rows.length * featureCount);
  rows.forEach((row, index) =>
    copyFeatureRow(table, row, encoded.subarray(index * featureCount, (index + 1) * featureCount)),
  );
  const out = new Float64Array(rows.length * 2);
  applyModel(model, { rows: encoded, rowCount: rows.length, featureCount }, out);
  return out.filter((_, index) => index % 2 === 1);
}

function logLossOf(shares: Float64Array, target: Float64Array, rows: Int32Array): number {
  const sum = shares.reduce(
    (total, share, index) => total - Math.log(target[rows[index]!] === 1 ? share : 1 - share),
    0,
  );
  return sum / rows.length;
}

/** A category column and what its statistics are computed from. */
const columns = fc.integer({ min: 1, max: 60 }).chain((count) =>
  fc.record({
    codes: fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(NaN)), {
      minLength: count,
      maxLength: count,
    }),
    target: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: count, maxLength: count }),
    order: fc.shuffledSubarray([...Array(count).keys()], { minLength: count }),
    at: fc.nat(count - 1),
  }),
);

function orderedOf(codes: number[], target: number[], order: number[]): Float64Array {
  const table = featureTable([Float64Array.from(codes)], { 0: 6 });
  const source = binnedTable(table).features[0]!;
  const input: StatisticsInput = {
    task: 'binary',
    classCount: 2,
    target: Float64Array.from(target),
    weights: undefined,
    priorRows: 1,
    order: Int32Array.from(order),
    followers: new Int32Array(0),
  };
  return orderedStatistics(source, startSums(source, 1, input), input);
}

test('a statistic is the smoothed mean of the rows before, and no row sees its own target', () => {
  fc.assert(
    fc.property(columns, ({ codes, target, order, at }) => {
      const ordered = orderedOf(codes, target, order);
      order.forEach((row, index) => {
        const before = order.slice(0, index);
        const prior = before.length === 0 ? 0 : before.reduce((sum, one) => sum + target[one]!, 0) / index;
        const same = before.filter((one) => Object.is(codes[one], codes[row]));
        const expected = (same.reduce((sum, one) => sum + target[one]!, 0) + prior) / (same.length + 1);
        assert.ok(Math.abs(ordered[index]! - expected) < 1e-12);
      });
      const changed = target.slice();
      changed[order[at]!] = 1 - changed[order[at]!]!;
      assert.deepEqual(orderedOf(codes, changed, order).slice(0, at + 1), ordered.slice(0, at + 1));
    }),
    { seed: 3 },
  );
});

test('a column of chance with many categories teaches nothing', async () => {
  for (const levels of [50, 200, 250]) {
    const { table, target } = cities(7, levels);
    const { rows, validationRows } = inputOf({ table, target });
    const alone: FeatureTable = {
      ...table,
      features: table.features.slice(2),
      columns: table.columns.slice(2),
    };
    const without: FeatureTable = {
      ...table,
      features: table.features.slice(0, 2),
      columns: table.columns.slice(0, 2),
    };
    const mean = rows.reduce((sum, row) => sum + target[row]!, 0) / rows.length;
    const lossOf = async (of: FeatureTable): Promise<number> => {
      const { validationRows: _, ...input } = inputOf({ table: of, target });
      const hyperparameters = { iterations: 60, statisticsAbove: 2 };
      const { model } = await categoricalBoosting.train({ ...input, hyperparameters });
      return logLossOf(answers(model, of, validationRows!), target, validationRows!);
    };
    const baseline = logLossOf(new Float64Array(validationRows!.length).fill(mean), target, validationRows!);
    const ofChance = await lossOf(alone);
    assert.ok(ofChance < baseline * 1.06, `${levels} levels: ${ofChance} against ${baseline}`);
    const [both, clean] = [await lossOf(table), await lossOf(without)];
    assert.ok(both < clean * 1.06 && both < baseline * 0.95, `${levels} levels: ${both} against ${clean}`);
  }
});

test('statistics find what categories one by one cannot', async () => {
  const { table, target } = cities(9);
  const lossWith = async (statisticsAbove: number): Promise<number> => {
    const input = inputOf({ table, target }, { hyperparameters: { iterations: 200, statisticsAbove } });
    const { model } = await categoricalBoosting.train(input);
    return logLossOf(answers(model, table, input.validationRows!), target, input.validationRows!);
  };
  const [withStatistics, without] = [await lossWith(16), await lossWith(1000)];
  assert.ok(withStatistics < without, `${withStatistics} against ${without}`);
});

test('the model answers as the training believed: every statistic became the right set of categories', async () => {
  const input = inputOf(cities(11), { hyperparameters: { iterations: 80, statisticsAbove: 2 } });
  const { model, curve, iterationCount } = await categoricalBoosting.train(input);
  const trees = model as TreesModel;
  assert.ok(trees.feature.includes(1), 'cities are asked about');
  const loss = logLossOf(
    answers(model, input.table, input.validationRows!),
    input.target,
    input.validationRows!,
  );
  const believed = curve[iterationCount - 1]!.validationScore;
  assert.ok(Math.abs(loss - believed) < 1e-9, `${loss} is not ${believed}`);
});

test('trees are symmetric: each path asks a part of the same few questions, in the same order', async () => {
  const { model } = await categoricalBoosting.train(
    inputOf(cities(12), { hyperparameters: { iterations: 40, depth: 4 } }),
  );
  const trees = model as TreesModel;
  const question = (node: number): string =>
    [trees.feature[node], trees.threshold[node], trees.sets[node], trees.flags[node]].join();
  for (const root of trees.roots) {
    const levels: string[] = [];
    const collect = (node: number): void => {
      if (node < 0) return;
      if (!levels.includes(question(node))) levels.push(question(node));
      collect(trees.left[node]!);
      collect(trees.right[node]!);
    };
    collect(root);
    assert.ok(levels.length <= 4, 'four questions for each tree');
    const before = new Map(levels.map((level) => [level, new Set<string>()]));
    const walk = (node: number, asked: string[]): void => {
      if (node < 0) return;
      for (const earlier of asked) before.get(question(node))!.add(earlier);
      walk(trees.left[node]!, [...asked, question(node)]);
      walk(trees.right[node]!, [...asked, question(node)]);
    };
    walk(root, []);
    for (const [level, earlier] of before)
      for (const other of earlier)
        assert.ok(!before.get(other)!.has(level), 'no two questions change places');
  }
});

test('leaves without rows are left out, and answers that lead to them go where rows are', () => {
  const depth = 3;
  const counts = fc
    .array(fc.constantFrom(0, 0, 3), { minLength: 2 ** depth, maxLength: 2 ** depth })
    .filter((list) => list.some((count) => count > 0));
  fc.assert(
    fc.property(counts, (list) => {
      const part = (length: number): { begin: number; end: number } => ({ begin: 0, end: length });
      const tree: ObliviousTree = {
        questions: Array.from({ length: depth }, (_, feature) => ({ ...noSplit, feature })),
        leaves: list.map((count) => [part(Math.min(1, count)), part(Math.max(0, count - 1)), part(1)]),
      };
      const shaped = shapeTree(tree);
      assert.deepEqual(
        shaped.rowCounts,
        list.filter((count) => count > 0),
      );
      list.forEach((_, leaf) => {
        let node = shaped.splits.length > 0 ? 0 : ~0;
        while (node >= 0) {
          const isRight = (leaf >> (depth - 1 - shaped.splits[node]!.feature)) & 1;
          node = (isRight ? shaped.right : shaped.left)[node]!;
        }
        assert.equal(shaped.leafOf[leaf], ~node);
      });
    }),
  );
});

test('plain and WebAssembly kernels learn the same model, for every task', async () => {
  const { table, target } = cities(5);
  const three = target.map((value, row) => value + Number(row % 5 === 0));
  const sampling = { iterations: 12, baggingTemperature: 0.7, rowShare: 0.6, featureShare: 0.7 };
  const cases: Partial<TrainingInput>[] = [
    {},
    { task: 'multiclass', classCount: 3, target: three },
    { task: 'regression', classCount: 0, target: three },
    { task: 'regression', classCount: 0, target: three },
  ];
  const losses = ['squared', 'squared', 'squared', 'quantile'];
  for (const [index, changes] of cases.entries()) {
    const hyperparameters = { ...sampling, loss: losses[index]! };
    const input = inputOf({ table, target }, { ...changes, hyperparameters });
    const here = await categoricalBoosting.train(input);
    const plain = await categoricalBoostingOn(plainKernels).train(input);
    assert.ok((here.model as TreesModel).feature.length > 0);
    assert.deepEqual(here.model, plain.model);
  }
});

test('one category, only missing values, unseen and missing categories', async () => {
  const { table, target } = cities(6);
  const only = new Float64Array(rowCount).fill(0);
  const missing = new Float64Array(rowCount).fill(NaN);
  const rare = Float64Array.from(only, (_, row) => (row === 1 ? 3 : NaN));
  const odd = featureTable([only, missing, rare, ...table.columns.slice(0, 2)] as Float64Array[], {
    0: 2,
    1: 3,
    2: 5,
    4: cityCount + 1,
  });
  for (const statisticsAbove of [0, 16]) {
    const hyperparameters = { iterations: 20, statisticsAbove };
    const { model } = await categoricalBoosting.train(inputOf({ table: odd, target }, { hyperparameters }));
    const asked = featureTable(
      [
        Float64Array.of(1, NaN, 0),
        Float64Array.of(2, 0, NaN),
        Float64Array.of(4, 0, 3),
        Float64Array.of(0.5, 0.5, NaN),
        Float64Array.of(cityCount, NaN, cityCount + 1),
      ],
      { 0: 2, 1: 3, 2: 5, 4: cityCount + 1 },
    );
    const shares = answers(model, asked, Int32Array.of(0, 1, 2));
    assert.ok(shares.every((share) => share > 0 && share < 1));
  }
});

test('constraints are refused, and what a loss cannot learn from', async () => {
  const { table, target } = cities(2);
  await assert.rejects(
    categoricalBoosting.train(inputOf({ table, target }, { constraints: { monotone: [1, 0, 0] } })),
    (error: Problem) => error.code === 'invalid-request',
  );
  const hyperparameters = { loss: 'gamma' };
  await assert.rejects(
    categoricalBoosting.train(
      inputOf({ table, target }, { task: 'regression', classCount: 0, hyperparameters }),
    ),
    (error: Problem) => error.code === 'target-unusable',
  );
});

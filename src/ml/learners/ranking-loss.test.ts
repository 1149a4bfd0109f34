// The ranking loss: pushes against their definition, pair by pair, and orders that are learned.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { plainKernels } from '../kernels/plain-kernels.ts';
import { normalisedGain, queriesOf, usualDepth } from '../metrics/queries.ts';
import { applyModel, type RowModel } from '../model/row-model.ts';
import type { TreesModel } from '../model/trees.ts';
import { boostedTrees, boostedTreesOn } from './boosted-trees.ts';
import { pauseBy, type Hyperparameters, type TrainingInput } from './learner.ts';
import type { LossData } from './loss.ts';
import { rankingLoss } from './ranking-loss.ts';
import { featureTable } from './testing.ts';

/** Derivatives are kept in 4 bytes; those of these examples are below 8. */
const rounding = 2e-6;

function dataOf(groups: number[], relevance: number[], scores: number[], weights?: number[]): LossData {
  return {
    rowCount: relevance.length,
    classCount: 0,
    target: Float64Array.from(relevance),
    weights: weights && Float64Array.from(weights),
    scores: Float64Array.from(scores),
    derivatives: new Float32Array(2 * relevance.length),
    groups: Int32Array.from(groups),
  };
}

function derive(data: LossData, truncation: number): { gradients: number[]; hessians: number[] } {
  const { derive: write } = rankingLoss(data, truncation);
  assert.ok(typeof write === 'function');
  write();
  const all = [...data.derivatives];
  return {
    gradients: all.filter((_, index) => index % 2 === 0),
    hessians: all.filter((_, index) => index % 2 === 1),
  };
}

/** LightGBM's lambdarank for one query, straight from its definition: all pairs of rows, ranks by counting. */
function byDefinition(
  relevance: number[],
  scores: number[],
  truncation: number,
): { gradients: number[]; hessians: number[] } {
  const count = relevance.length;
  const rank = scores.map(
    (score, row) => scores.filter((other, index) => other > score || (other === score && index < row)).length,
  );
  const gain = relevance.map((value) => 2 ** value - 1);
  const discount = (place: number): number => 1 / Math.log2(place + 2);
  const ideal = gain.toSorted((a, b) => b - a).slice(0, truncation);
  const best = ideal.reduce((sum, value, place) => sum + value * discount(place), 0);
  const gradients = scores.map(() => 0);
  const hessians = scores.map(() => 0);
  let total = 0;
  for (let high = 0; high < count; high++)
    for (let low = 0; low < count; low++) {
      if (!(relevance[high]! > relevance[low]!) || Math.min(rank[high]!, rank[low]!) >= truncation) continue;
      const lead = scores[high]! - scores[low]!;
      let change =
        ((gain[high]! - gain[low]!) * Math.abs(discount(rank[high]!) - discount(rank[low]!))) / best;
      if (Math.max(...scores) !== Math.min(...scores)) change /= 0.01 + Math.abs(lead);
      const doubt = 1 / (1 + Math.exp(lead));
      gradients[high]! -= doubt * change;
      gradients[low]! += doubt * change;
      hessians[high]! += doubt * (1 - doubt) * change;
      hessians[low]! += doubt * (1 - doubt) * change;
      total += 2 * doubt * change;
    }
  const scale = total > 0 ? Math.log2(1 + total) / total : 1;
  return {
    gradients: gradients.map((value) => value * scale),
    hessians: hessians.map((value) => value * scale),
  };
}

test('two rows, by hand: swapping them changes the NDCG by 1 - 1 / log2(3)', () => {
  const change = 1 - 1 / Math.log2(3);
  // Level scores: each pair is in doubt by one half, and the sum of pushes is that of both rows.
  const { gradients, hessians } = derive(dataOf([9, 9], [0, 1], [0, 0]), 30);
  const scale = Math.log2(1 + change) / change;
  assert.ok(Math.abs(gradients[0]! - 0.5 * change * scale) < rounding);
  assert.ok(Math.abs(gradients[1]! + 0.5 * change * scale) < rounding);
  assert.ok(Math.abs(hessians[0]! - 0.25 * change * scale) < rounding);
});

test('pushes are those of the definition, query by query, and cancel out in each query', () => {
  const row = fc.record({
    group: fc.integer({ min: 0, max: 2 }),
    relevance: fc.integer({ min: 0, max: 4 }),
    score: fc.integer({ min: -4, max: 4 }),
    weight: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 9 }),
      (rows, truncation) => {
        const groups = rows.map(({ group }) => group);
        const found = derive(
          dataOf(
            groups,
            rows.map(({ relevance }) => relevance),
            rows.map(({ score }) => score / 2),
            rows.map(({ weight }) => weight),
          ),
          truncation,
        );
        for (const group of new Set(groups)) {
          const own = rows.map((_, index) => index).filter((index) => groups[index] === group);
          const expected = byDefinition(
            own.map((index) => rows[index]!.relevance),
            own.map((index) => rows[index]!.score / 2),
            truncation,
          );
          let sum = 0;
          own.forEach((index, at) => {
            const { weight } = rows[index]!;
            sum += found.gradients[index]! / weight;
            assert.ok(Math.abs(found.gradients[index]! - weight * expected.gradients[at]!) < rounding);
            assert.ok(
              Math.abs(found.hessians[index]! - weight * Math.max(1e-9, expected.hessians[at]!)) < rounding,
            );
          });
          assert.ok(Math.abs(sum) < rounding);
        }
      },
    ),
    { seed: 6, numRuns: 300 },
  );
});

const queryCount = 150;
const rowsPerQuery = 12;

/** Each query has a level of its own, which says nothing of the order; the order is in two of three columns. */
function input(hyperparameters: Hyperparameters = {}): TrainingInput {
  const random = seededRandom(12);
  const rowCount = queryCount * rowsPerQuery;
  const level = Float64Array.from({ length: queryCount }, () => random.next() * 20);
  const groups = Int32Array.from({ length: rowCount }, (_, row) => row % queryCount);
  const column = (): Float64Array => Float64Array.from({ length: rowCount }, () => random.next() * 10);
  const columns = [column(), column(), Float64Array.from(groups, (query) => level[query]!)];
  const target = Float64Array.from({ length: rowCount }, (_, row) => {
    const value = columns[0]![row]! * 0.7 + Math.abs(columns[1]![row]! - 5) + random.next() * 2;
    return Math.min(4, Math.max(0, Math.floor((value - 4) / 1.8)));
  });
  const all = Int32Array.from({ length: rowCount }, (_, row) => row);
  return {
    table: featureTable(columns),
    task: 'regression',
    target,
    classCount: 0,
    groups,
    rows: all.filter((row) => row % queryCount < 100),
    validationRows: all.filter((row) => row % queryCount >= 100),
    hyperparameters: { loss: 'ranking', iterations: 60, learningRate: 0.1, maxLeaves: 8, ...hyperparameters },
    seed: 2,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  };
}

function validationGain(model: RowModel, { table, target, groups, validationRows }: TrainingInput): number {
  const featureCount = table.features.length;
  const rows = validationRows!;
  const encoded = Float64Array.from(
    { length: rows.length * featureCount },
    (_, index) => table.columns[index % featureCount]![rows[Math.floor(index / featureCount)]!]!,
  );
  const scores = new Float64Array(rows.length);
  applyModel(model, { rows: encoded, rowCount: rows.length, featureCount }, scores);
  return normalisedGain(
    {
      scores,
      relevance: Float64Array.from(rows, (row) => target[row]!),
      queries: queriesOf(Int32Array.from(rows, (row) => groups![row]!)),
    },
    usualDepth,
  );
}

test('an order is learned, and what was watched is 1 - NDCG', async () => {
  const given = input();
  const trained = await boostedTrees.train(given);
  const gain = validationGain(trained.model, given);
  const level = validationGain({ kind: 'constant', values: Float64Array.of(0) }, given);
  assert.ok(gain > 0.9 && level < 0.7, `${gain}, and ${level} without a model`);
  const watched = trained.curve[trained.iterationCount - 1]!.validationScore;
  assert.ok(Math.abs(1 - watched - gain) < 1e-9);
});

test('the same on other kernels, from an earlier model, and with other numbers for the queries', async () => {
  const given = input({ iterations: 20, rowShare: 0.8 });
  const { model } = await boostedTrees.train(given);
  assert.deepEqual((await boostedTreesOn(plainKernels).train(given)).model, model);
  const renamed = { ...given, groups: given.groups!.map((group) => 1000 - group) };
  assert.deepEqual((await boostedTrees.train(renamed)).model, model);
  delete given.validationRows;
  const whole = await boostedTrees.train(given);
  const half = { ...given, hyperparameters: { ...given.hyperparameters, iterations: 10 } };
  const first = await boostedTrees.train(half);
  const earlier = { model: first.model as TreesModel, features: given.table.features };
  assert.deepEqual((await boostedTrees.train({ ...half, earlier })).model, whole.model);
});

test('what cannot be ranked is refused', async () => {
  const given = input();
  const isRefused =
    (code: string, what: RegExp) =>
    (error: Problem): boolean =>
      error.code === code && what.test(error.message);
  const { groups: _groups, ...without } = given;
  await assert.rejects(
    boostedTrees.train(without),
    isRefused('invalid-request', /which column tells the groups/),
  );
  await assert.rejects(
    boostedTrees.train({ ...given, groups: given.groups!.slice(1) }),
    isRefused('invalid-request', /1799 groups of rows for 1800/),
  );
  for (const odd of [-1, 0.5, 32, NaN])
    await assert.rejects(
      boostedTrees.train({ ...given, target: given.target.map((value, row) => (row === 3 ? odd : value)) }),
      isRefused('target-unusable', /whole numbers from 0 .* to 31, but there is/),
    );
  await assert.rejects(
    boostedTrees.train({ ...given, target: Float64Array.from(given.groups!, (group) => group % 4) }),
    isRefused('target-unusable', /no order to learn/),
  );
});

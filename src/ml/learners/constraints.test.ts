// Constraints hold everywhere, whatever the data says, and constraints that do not fit are refused.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { applyModel } from '../model/row-model.ts';
import type { TreesModel } from '../model/trees.ts';
import { boostedTrees } from './boosted-trees.ts';
import type { Constraints } from './constraints.ts';
import { pauseBy, type Hyperparameters, type TrainingInput } from './learner.ts';
import { learners } from './learners.ts';
import { featureTable } from './testing.ts';

const rowCount = 600;

function input(seed: number, constraints: Constraints, hyperparameters: Hyperparameters = {}): TrainingInput {
  const random = seededRandom(seed);
  const column = (): Float64Array =>
    Float64Array.from({ length: rowCount }, () => (random.next() < 0.1 ? NaN : random.next() * 10));
  const columns = [
    column(),
    column(),
    column(),
    Float64Array.from({ length: rowCount }, () => random.below(5)),
  ];
  const at = (index: number, row: number): number => columns[index]![row]! || 0;
  return {
    table: featureTable(columns, { 3: 5 }),
    task: 'regression',
    // It rises and falls with every number, and all of them interact.
    target: Float64Array.from(
      { length: rowCount },
      (_, row) =>
        Math.sin(at(0, row)) * at(1, row) +
        Math.cos(at(1, row) + at(2, row)) +
        at(3, row) * at(0, row) +
        random.next(),
    ),
    classCount: 0,
    rows: Int32Array.from({ length: rowCount }, (_, row) => row),
    constraints,
    hyperparameters: { iterations: 25, learningRate: 0.3, minRowsPerLeaf: 3, ...hyperparameters },
    seed,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  };
}

test('answers only rise and only fall where they must, whatever the data, loss and borders', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 1000 }),
      fc.constantFrom('squared', 'huber', 'poisson', 'tweedie'),
      fc.constantFrom('best', 'random'),
      async (seed, loss, borders) => {
        const given = input(seed, { monotone: [1, -1, 0, 0] }, { loss, borders });
        if (loss !== 'squared' && loss !== 'huber') given.target = given.target.map(Math.abs);
        const { model } = await boostedTrees.train(given);
        const random = seededRandom(seed);
        for (let probe = 0; probe < 20; probe++) {
          const row = [random.next() * 10, random.next() * 10, random.next() * 10, random.below(5)];
          for (const [feature, direction] of [
            [0, 1],
            [1, -1],
          ] as const) {
            const steps = 60;
            const rows = Float64Array.from({ length: steps * 4 }, (_, index) =>
              index % 4 === feature ? (index >> 2) / 5 - 1 : row[index % 4]!,
            );
            const out = new Float64Array(steps);
            applyModel(model, { rows, rowCount: steps, featureCount: 4 }, out);
            for (let step = 1; step < steps; step++)
              assert.ok(direction * (out[step]! - out[step - 1]!) >= 0, `${out[step - 1]} then ${out[step]}`);
          }
        }
      },
    ),
    { numRuns: 12, seed: 5 },
  );
});

test('only features of one group meet on a branch', async () => {
  const groups = [
    [0, 1],
    [1, 2],
  ];
  const { model } = await boostedTrees.train(input(4, { interactionGroups: groups }));
  const trees = model as TreesModel;
  let meetings = 0;
  const walk = (node: number, asked: Set<number>): void => {
    if (node < 0) {
      if (asked.size < 2) return;
      meetings++;
      assert.ok(
        groups.some((group) => [...asked].every((feature) => group.includes(feature))),
        `${[...asked]} met`,
      );
      return;
    }
    const here = new Set([...asked, trees.feature[node]!]);
    walk(trees.left[node]!, here);
    walk(trees.right[node]!, here);
  };
  trees.roots.forEach((root) => walk(root, new Set()));
  assert.ok(meetings > 10, 'features of a group do meet');
  assert.ok(trees.feature.includes(3), 'a feature without a group is asked about alone');
});

test('constraints that do not fit are refused, and so are learners that cannot keep to them', async () => {
  const isRefused = (error: Problem): boolean => error.code === 'invalid-request';
  const wrong: Constraints[] = [
    { monotone: [1] },
    { monotone: [2, 0, 0, 0] },
    { monotone: [0, 0, 0, 1] },
    { interactionGroups: [[0, 4]] },
    { interactionGroups: [[0.5]] },
  ];
  for (const constraints of wrong) await assert.rejects(boostedTrees.train(input(1, constraints)), isRefused);
  const rising: Constraints = { monotone: [1, 0, 0, 0] };
  await assert.rejects(boostedTrees.train(input(1, rising, { loss: 'quantile' })), isRefused);
  const classes = { ...input(1, rising), task: 'multiclass' as const, classCount: 3 };
  classes.target = classes.target.map((_, row) => row % 3);
  await assert.rejects(boostedTrees.train(classes), isRefused);
  for (const learner of learners) {
    const given = { ...input(1, rising), hyperparameters: {} };
    if (learner.spec.abilities.constraints) await learner.train(given);
    else await assert.rejects(learner.train(given), isRefused);
  }
});

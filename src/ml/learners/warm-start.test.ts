// Going on from an earlier training comes to the same as never having stopped, and refuses what does not fit.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import type { FeatureTable } from '../frame/encoding.ts';
import { applyModel, outputCountOf } from '../model/row-model.ts';
import type { TreesModel } from '../model/trees.ts';
import { boostedTrees } from './boosted-trees.ts';
import {
  pauseBy,
  type Hyperparameters,
  type LearnedTask,
  type TrainedModel,
  type TrainingInput,
} from './learner.ts';
import { learners } from './learners.ts';
import { featureTable } from './testing.ts';

const rowCount = 900;

/** Numbers with missing ones, a category, and a noisy target; rows divisible by 3 are for validation. */
function input(task: LearnedTask, hyperparameters: Hyperparameters, seed = 1): TrainingInput {
  const random = seededRandom(seed);
  const column = (): Float64Array =>
    Float64Array.from({ length: rowCount }, () => (random.next() < 0.1 ? NaN : random.next() * 10));
  const columns = [column(), column(), Float64Array.from({ length: rowCount }, () => random.below(5))];
  const signal = Float64Array.from(
    { length: rowCount },
    (_, row) =>
      Math.sin(columns[0]![row]! || 0) * (columns[1]![row]! || 1) + 2 * columns[2]![row]! + random.next() * 3,
  );
  const all = Int32Array.from({ length: rowCount }, (_, row) => row);
  return {
    table: featureTable(columns, { 2: 5 }),
    task,
    target:
      task === 'regression' ? signal : signal.map((value) => Math.min(2, Math.max(0, Math.floor(value / 4)))),
    classCount: task === 'regression' ? 0 : 3,
    rows: all.filter((row) => row % 3 !== 0),
    hyperparameters: { learningRate: 0.1, ...hyperparameters },
    seed,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  };
}

function goOn(given: TrainingInput, { model }: TrainedModel): TrainingInput {
  return { ...given, earlier: { model: model as TreesModel, features: given.table.features } };
}

function predict(model: TrainedModel['model'], { columns, features }: FeatureTable, outputCount: number) {
  const rows = Float64Array.from(
    { length: rowCount * features.length },
    (_, index) => columns[index % features.length]![Math.floor(index / features.length)]!,
  );
  const out = new Float64Array(rowCount * outputCount);
  applyModel(model, { rows, rowCount, featureCount: features.length }, out);
  return out;
}

function validationError(trained: TrainedModel, { table, target }: TrainingInput): number {
  const values = predict(trained.model, table, 1);
  const rows = Int32Array.from({ length: rowCount / 3 }, (_, index) => index * 3);
  return Math.sqrt(rows.reduce((sum, row) => sum + (values[row]! - target[row]!) ** 2, 0) / rows.length);
}

for (const task of ['regression', 'multiclass'] as const)
  test(`${task}: 50 and 50 more trees are the 100 of one training, bit for bit`, async () => {
    // Also with rows and columns drawn at random: each round has its own draws.
    for (const shares of [{ featureShare: 1 }, { featureShare: 0.7, rowShare: 0.8 }] as Hyperparameters[]) {
      const first = await boostedTrees.train(input(task, { iterations: 50, ...shares }));
      const second = await boostedTrees.train(goOn(input(task, { iterations: 50, ...shares }), first));
      const whole = await boostedTrees.train(input(task, { iterations: 100, ...shares }));
      assert.deepEqual(second.model, whole.model);
      assert.equal(second.iterationCount, 100);
    }
  });

test('more trees are better than fewer, on other rows too, and the earlier model is left as it was', async () => {
  const given = input('regression', { iterations: 15 });
  const first = await boostedTrees.train(given);
  const before = structuredClone(first.model);
  const second = await boostedTrees.train(goOn(given, first));
  assert.ok(validationError(second, given) < 0.9 * validationError(first, given));
  // New rows have bins of their own, so the trees differ from those of a single training, but they go on from it.
  const other = input('regression', { iterations: 15 }, 7);
  const moved = await boostedTrees.train(goOn(other, first));
  assert.ok(validationError(moved, other) < 0.9 * validationError(first, other));
  assert.deepEqual(await boostedTrees.train(goOn(other, first)), moved, 'same input, same bytes');
  const roots = (moved.model as TreesModel).roots;
  assert.equal(roots.length, 30);
  assert.deepEqual(roots.slice(0, 15), (before as TreesModel).roots);
  assert.deepEqual(first.model, before);
});

test('early stopping goes on: the curve continues, and trees that do not help are not kept', async () => {
  const given = input('regression', { iterations: 20, patience: 10 });
  given.validationRows = Int32Array.from({ length: rowCount / 3 }, (_, index) => index * 3);
  const first = await boostedTrees.train(given);
  assert.equal(first.iterationCount, 20);
  const longer = { ...given, hyperparameters: { ...given.hyperparameters, iterations: 600 } };
  const second = await boostedTrees.train(goOn(longer, first));
  const whole = await boostedTrees.train(longer);
  assert.equal(second.endedBy, 'early-stopping');
  assert.deepEqual(second.model, whole.model);
  assert.deepEqual([...first.curve, ...second.curve], whole.curve);
  const third = await boostedTrees.train(goOn(longer, second));
  assert.equal(third.endedBy, 'early-stopping');
  assert.ok(
    third.curve.every(
      (point) => point.validationScore >= whole.curve[whole.iterationCount - 1]!.validationScore,
    ),
  );
  assert.deepEqual(third.model, second.model, 'what was best remains');
});

test('an earlier training that does not fit is refused, and so are learners that cannot go on', async () => {
  const given = input('regression', { iterations: 3 });
  const first = await boostedTrees.train(given);
  const earlier = { model: first.model as TreesModel, features: given.table.features };
  const isRefused = (what: RegExp) => (error: Problem) =>
    error.code === 'invalid-request' && error.errors?.[0]?.field === 'earlier' && what.test(error.message);
  const cases: [Partial<TrainingInput>, RegExp][] = [
    [{ earlier: { ...earlier, features: earlier.features.slice(1) } }, /2 features .* 3/],
    [
      { earlier: { ...earlier, features: earlier.features.toReversed() } },
      /feature 0 is the category "f2" with 5/,
    ],
    [{ earlier, constraints: { monotone: [1, 0, 0] } }, /constraints/],
    [
      { earlier, hyperparameters: { loss: 'poisson' }, target: given.target.map(Math.abs) },
      /"identity".*"exponential"/,
    ],
    [{ earlier, ...pick(input('multiclass', {})) }, /"identity".*"softmax"/],
  ];
  for (const [change, what] of cases)
    await assert.rejects(boostedTrees.train({ ...given, ...change }), isRefused(what));
  const classes = input('multiclass', { iterations: 2 });
  const three = await boostedTrees.train(classes);
  const two = {
    ...goOn(classes, three),
    classCount: 2,
    target: classes.target.map((value) => Math.min(1, value)),
  };
  await assert.rejects(boostedTrees.train(two), isRefused(/3 outputs .* 2/));
  for (const learner of learners.filter(({ spec }) => !spec.abilities.warmStart))
    await assert.rejects(
      learner.train({ ...goOn(given, first), hyperparameters: {} }),
      (error: Problem) => error.code === 'invalid-request' && /earlier model/.test(error.message),
    );
  assert.equal(outputCountOf('multiclass', 3), (three.model as TreesModel).base.length);
});

function pick({ task, target, classCount }: TrainingInput): Partial<TrainingInput> {
  return { task, target, classCount };
}

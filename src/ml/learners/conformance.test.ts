// What every learner promises, run by every learner: determinism, no NaN, and indifference to what must not matter.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { Problem } from '../../base/problems.ts';
import type { Feature, FeatureTable } from '../frame/encoding.ts';
import { applyModel, outputCountOf, type RowModel } from '../model/row-model.ts';
import { readPart, writePart } from '../model/read-parts.ts';
import type { SectionArray } from '../model/container.ts';
import {
  completeHyperparameters,
  pauseBy,
  type LearnedTask,
  type Learner,
  type TrainingInput,
} from './learner.ts';
import { learners } from './learners.ts';

const rowCount = 400;
const quick: Record<string, Record<string, number>> = {
  'boosted-trees': { iterations: 30 },
  'categorical-boosting': { iterations: 30 },
  'random-forest': { trees: 12 },
  'extra-trees': { trees: 12 },
  network: { epochs: 10, width: 8, heads: 2, blocks: 1, learningRate: 0.01 },
};

interface Example {
  table: FeatureTable;
  target: Float64Array;
  classCount: number;
}

function example(task: LearnedTask, seed = 1): Example {
  const random = seededRandom(seed);
  const number = (name: string): Feature => ({ name, column: name, kind: 'number', levelCount: 0 });
  const a = Float64Array.from({ length: rowCount }, () => random.next() * 10);
  const b = Float64Array.from({ length: rowCount }, () => (random.next() < 0.2 ? NaN : random.next() - 0.5));
  const c = Float64Array.from({ length: rowCount }, () => (random.next() < 0.1 ? NaN : random.below(4)));
  const constant = new Float64Array(rowCount).fill(3);
  const empty = new Float64Array(rowCount).fill(NaN);
  const signal = (row: number): number =>
    a[row]! + (b[row] === b[row] ? 4 * b[row]! : 3) + (c[row] === 2 ? 3 : 0);
  const raw = Float64Array.from({ length: rowCount }, (_, row) => signal(row) + random.next());
  const target =
    task === 'regression'
      ? raw
      : raw.map((value) => (task === 'binary' ? Number(value > 6) : value < 4 ? 0 : value < 8 ? 1 : 2));
  return {
    table: {
      rowCount,
      features: [
        number('a'),
        number('b'),
        { name: 'c', column: 'c', kind: 'category', levelCount: 6 },
        number('constant'),
        number('empty'),
      ],
      columns: [a, b, c, constant, empty],
    },
    target,
    classCount: task === 'regression' ? 0 : task === 'binary' ? 2 : 3,
  };
}

function inputFor(learner: Learner, task: LearnedTask, changes: Partial<TrainingInput> = {}): TrainingInput {
  const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
  return {
    ...example(task),
    task,
    rows: rows.filter((row) => row % 4 !== 0),
    validationRows: rows.filter((row) => row % 4 === 0),
    hyperparameters: quick[learner.spec.name] ?? {},
    seed: 5,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
    ...changes,
  };
}

function predict(model: RowModel, table: FeatureTable, task: LearnedTask, classCount: number): Float64Array {
  const featureCount = table.features.length;
  const rows = new Float64Array(table.rowCount * featureCount);
  for (let row = 0; row < table.rowCount; row++)
    table.columns.forEach((column, feature) => (rows[row * featureCount + feature] = column[row]!));
  const out = new Float64Array(table.rowCount * outputCountOf(task, classCount));
  applyModel(model, { rows, rowCount: table.rowCount, featureCount }, out);
  return out;
}

async function trainAndPredict(
  learner: Learner,
  task: LearnedTask,
  changes: Partial<TrainingInput> = {},
): Promise<Float64Array> {
  const input = inputFor(learner, task, changes);
  const { model } = await learner.train(input);
  return predict(model, input.table, task, input.classCount);
}

function assertSound(values: Float64Array, task: LearnedTask, classCount: number): void {
  assert.ok(values.every(Number.isFinite), 'every answer is a finite number');
  if (task === 'regression') return;
  for (let row = 0; row < values.length; row += classCount) {
    const sum = values.subarray(row, row + classCount).reduce((total, value) => total + value, 0);
    assert.ok(
      Math.abs(sum - 1) < 1e-9 && values.subarray(row, row + classCount).every((value) => value >= 0),
      'probabilities sum to one',
    );
  }
}

for (const learner of learners) {
  const { spec } = learner;
  test(`${spec.name}: its specification agrees with itself`, () => {
    assert.deepEqual(
      Object.keys(completeHyperparameters(spec, {})),
      spec.hyperparameters.map((setting) => setting.name),
    );
    for (const setting of spec.hyperparameters) {
      assert.doesNotThrow(() => completeHyperparameters(spec, { [setting.name]: setting.default }));
      if (setting.type !== 'choice')
        assert.throws(() => completeHyperparameters(spec, { [setting.name]: setting.max! + 1 }), Problem);
    }
    assert.throws(
      () => completeHyperparameters(spec, { nothing: 1 }),
      (error: Problem) => error.errors?.[0]?.field === 'nothing',
    );
  });

  for (const task of spec.tasks) {
    const { table, target, classCount } = example(task);

    test(`${spec.name}, ${task}: same seed, same bytes; sound answers with missing values`, async () => {
      const first = await learner.train(inputFor(learner, task));
      const second = await learner.train(inputFor(learner, task));
      assert.deepEqual(first.model, second.model);
      assertSound(predict(first.model, table, task, classCount), task, classCount);
    });

    test(`${spec.name}, ${task}: better than the baseline on rows it did not see`, async () => {
      if (spec.name === 'baseline') return;
      const values = await trainAndPredict(learner, task);
      const width = outputCountOf(task, classCount);
      let error = 0;
      let baseError = 0;
      const mean = target.reduce((sum, value) => sum + value, 0) / rowCount;
      for (let row = 0; row < rowCount; row += 4) {
        const truth = target[row]!;
        error += task === 'regression' ? (values[row]! - truth) ** 2 : 1 - values[row * width + truth]!;
        baseError +=
          task === 'regression'
            ? (mean - truth) ** 2
            : 1 - target.filter((value) => value === truth).length / rowCount;
      }
      assert.ok(error < baseError * 0.7, `${error} is not well below ${baseError}`);
    });

    test(`${spec.name}, ${task}: a constant target gives that constant`, async () => {
      const constant = new Float64Array(rowCount).fill(1);
      const values = await trainAndPredict(learner, task, { target: constant });
      assertSound(values, task, classCount);
      const width = outputCountOf(task, classCount);
      for (let row = 0; row < rowCount; row++) {
        const answer = task === 'regression' ? values[row]! : values[row * width + 1]!;
        assert.ok(Math.abs(answer - 1) < 0.05, `answers ${answer}`);
      }
    });

    test(`${spec.name}, ${task}: unseen codes, wild and missing numbers get sound answers`, async () => {
      const { model } = await learner.train(inputFor(learner, task));
      const wild: FeatureTable = {
        rowCount: 4,
        features: table.features,
        columns: [
          Float64Array.of(1e300, -1e300, NaN, 0),
          Float64Array.of(NaN, 1e9, 0, -1e9),
          Float64Array.of(5, 5, NaN, 4),
          new Float64Array(4),
          new Float64Array(4).fill(1),
        ],
      };
      assertSound(predict(model, wild, task, classCount), task, classCount);
    });

    test(`${spec.name}, ${task}: a zero-column table is learned as a baseline`, async () => {
      const values = await trainAndPredict(learner, task, { table: { rowCount, features: [], columns: [] } });
      assertSound(values, task, classCount);
    });

    test(`${spec.name}, ${task}: constant weights change nothing, doubled rows count double`, async () => {
      if (!spec.abilities.weights) return;
      const plain = await trainAndPredict(learner, task);
      const weighted = await trainAndPredict(learner, task, { weights: new Float64Array(rowCount).fill(1) });
      assert.deepEqual(weighted, plain);
      const heavy = Float64Array.from(target, (value) =>
        value > 0.5 && (task !== 'regression' || value > 6) ? 50 : 1,
      );
      const tilted = await trainAndPredict(learner, task, { weights: heavy });
      const width = outputCountOf(task, classCount);
      const meanOf = (values: Float64Array): number => {
        let sum = 0;
        for (let row = 0; row < rowCount; row++)
          sum += task === 'regression' ? values[row]! : 1 - values[row * width]!;
        return sum / rowCount;
      };
      assert.ok(meanOf(tilted) > meanOf(plain), 'heavy rows pull the answers towards them');
      assertSound(tilted, task, classCount);
    });

    test(`${spec.name}, ${task}: it survives being written and read`, async () => {
      const { model } = await learner.train(inputFor(learner, task));
      const sections = new Map<string, SectionArray>();
      const part: unknown = JSON.parse(JSON.stringify(writePart(model, 'x', sections)));
      const levelCounts = table.features.map((feature) => feature.levelCount);
      const read = readPart(part, 'x', {
        sections,
        levelCounts,
        outputCount: outputCountOf(task, classCount),
      });
      assert.deepEqual(predict(read, table, task, classCount), predict(model, table, task, classCount));
    });
  }

  test(`${spec.name}: a deadline in the past still leaves a model, an abort does not`, async () => {
    const control = { clock: systemClock, pause: pauseBy(systemClock), deadlineMs: -1 };
    assertSound(await trainAndPredict(learner, 'binary', { control }), 'binary', 2);
    const aborted = { clock: systemClock, pause: pauseBy(systemClock, AbortSignal.abort()) };
    await assert.rejects(
      learner.train(inputFor(learner, 'binary', { control: aborted })),
      (error: Problem) => error.code === 'cancelled',
    );
  });

  test(`${spec.name}: the order of columns does not change what is learned`, async () => {
    const { table, classCount } = example('binary');
    const order = [4, 2, 0, 3, 1];
    const turned: FeatureTable = {
      rowCount,
      features: order.map((index) => table.features[index]!),
      columns: order.map((index) => table.columns[index]!),
    };
    // All columns for each tree and question, so that no draw depends on their order.
    const all = {
      'boosted-trees': { iterations: 30, featureShare: 1 },
      'categorical-boosting': { iterations: 30, randomStrength: 0 },
      'random-forest': { trees: 12, featureShare: 1 },
    }[spec.name];
    // These draw a border, or weights, for each column in turn.
    if (spec.name === 'extra-trees' || spec.name === 'network') return;
    const hyperparameters = all ?? {};
    const plain = await learner.train(inputFor(learner, 'binary', { hyperparameters }));
    const other = await learner.train(inputFor(learner, 'binary', { hyperparameters, table: turned }));
    const a = predict(plain.model, table, 'binary', classCount);
    const b = predict(other.model, turned, 'binary', classCount);
    // Of two questions that are equally good the first column's is asked, which may move a leaf's border.
    for (let index = 0; index < a.length; index++)
      assert.ok(Math.abs(a[index]! - b[index]!) < 0.03, `${a[index]} and ${b[index]}`);
  });
}

// Trees from streams against trees from tables: equal bits where the sketches lose nothing, equal quality where they do.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { seededRandom, type Random } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { encodeFrame, featuresOf, type Encoding } from '../frame/encoding.ts';
import { fitEncoding } from '../frame/fit-encoding.ts';
import type { Column, Frame } from '../frame/frame.ts';
import type { RowStream } from '../frame/row-stream.ts';
import { areaUnderRoc } from '../metrics/ranking.ts';
import { boostedTrees } from './boosted-trees.ts';
import { pauseBy, type LearnedTask } from './learner.ts';
import { mostStreamedRows, trainStreamedTrees, type StreamedTraining } from './streamed-trees.ts';
import { answersFor } from './testing.ts';

/** The rows of a frame, `batchRows` at a time; draws are the shares of the rows that come before. */
function streamOf({ rowCount, columns }: Frame, batchRows = 700): RowStream {
  return {
    rowCount,
    batches: async function* (wanted) {
      for (let begin = 0; begin < rowCount; begin += batchRows) {
        const end = Math.min(rowCount, begin + batchRows);
        yield {
          draws: Float64Array.from({ length: end - begin }, (_, row) => (begin + row) / rowCount),
          columns: wanted.map(({ name, categories }) => {
            const column = columns.find((one) => one.name === name)!;
            if (column.kind === 'text') throw new Error('no texts are asked for');
            if (column.kind !== 'categorical') return column.values.slice(begin, end);
            const placeOf = (category: string): number => {
              const place = categories!.indexOf(category);
              return place < 0 ? categories!.length : place;
            };
            return Float64Array.from(column.codes.subarray(begin, end), (code) =>
              code < 0 ? NaN : placeOf(column.categories[code]!),
            );
          }),
        };
      }
    },
  };
}

/** Numbers with and without gaps, categories, dates, truth values and odd values. */
function exampleFrame(random: Random, rowCount: number): Frame {
  const numbers = (
    name: string,
    of: (row: number) => number,
    kind: 'numeric' | 'boolean' | 'date' = 'numeric',
  ): Column => ({
    name,
    kind,
    values: Float64Array.from({ length: rowCount }, (_, row) => of(row)),
  });
  const day = (): number => Date.UTC(2020, 0, 1) + Math.floor(random.next() * 2000) * 86_400_000;
  const columns: Column[] = [
    numbers('dense', () => random.next() * 100),
    numbers('gaps', () => (random.next() < 0.3 ? NaN : random.next() ** 5)),
    numbers('few', () => random.below(4)),
    numbers('odd', () => [Infinity, -Infinity, 1e308, -1e308, NaN, 0][random.below(6)]!),
    numbers('flag', () => Number(random.next() < 0.2), 'boolean'),
    {
      name: 'colour',
      kind: 'categorical',
      codes: Int32Array.from({ length: rowCount }, () => random.below(13) - 1),
      categories: Array.from({ length: 12 }, (_, code) => `colour ${code}`),
    },
    numbers('start', () => (random.next() < 0.1 ? NaN : day()), 'date'),
    numbers('end', day, 'date'),
  ];
  const [dense, gaps, , , flag, , start] = columns as (Column & { values: Float64Array })[];
  const colour = columns[5] as Column & { kind: 'categorical' };
  columns.push(
    numbers('target', (row) => {
      const month = new Date(start!.values[row]!).getUTCMonth();
      return (
        dense!.values[row]! / 30 +
        (gaps!.values[row]! > 0.1 ? 1 : 0) +
        flag!.values[row]! +
        (colour.codes[row]! % 3) +
        (month > 5 ? 1 : 0) +
        random.next()
      );
    }),
  );
  return { rowCount, columns };
}

interface Example {
  frame: Frame;
  encoding: Encoding;
  target: Float64Array;
  task: LearnedTask;
  classCount: number;
}

function example(task: LearnedTask, seed: number, rowCount: number): Example {
  const frame = exampleFrame(seededRandom(seed), rowCount);
  const inputs = { rowCount, columns: frame.columns.slice(0, -1) };
  const { encoding } = fitEncoding(inputs);
  const { values } = frame.columns.at(-1)! as { values: Float64Array };
  const classCount = task === 'regression' ? 0 : task === 'binary' ? 2 : 3;
  const target =
    classCount === 0 ? values : values.map((value) => Math.min(classCount - 1, Math.floor(value / 3)));
  const named: Column = { name: 'target', kind: 'numeric', values: target };
  return { frame: { rowCount, columns: [...inputs.columns, named] }, encoding, target, task, classCount };
}

const control = { clock: systemClock, pause: pauseBy(systemClock) };

function streamedInput(
  { frame, encoding, task, classCount }: Example,
  changes: Partial<StreamedTraining> = {},
): StreamedTraining {
  return {
    stream: streamOf(frame),
    encoding,
    target: { column: { name: 'target' }, valueOf: (value) => value },
    task,
    classCount,
    learned: { from: 0, to: 0.8 },
    stopping: { from: 0.8, to: 1 },
    hyperparameters: { iterations: 15, maxLeaves: 20 },
    seed: 3,
    control,
    ...changes,
  };
}

/** What the learner for tables makes of the same rows, which sees the features that streams have. */
async function fromTable({ frame, encoding, target, task, classCount }: Example): Promise<unknown> {
  const table = encodeFrame(frame, encoding);
  const seen = {
    ...table,
    columns: table.columns.map((column, index) =>
      table.features[index]!.isForScales ? new Float64Array(frame.rowCount) : column,
    ),
  };
  const rows = Int32Array.from({ length: frame.rowCount }, (_, row) => row);
  const isLearned = (row: number): boolean => row / frame.rowCount < 0.8;
  return boostedTrees.train({
    table: seen,
    task,
    target,
    classCount,
    rows: rows.filter(isLearned),
    validationRows: rows.filter((row) => !isLearned(row)),
    hyperparameters: { iterations: 15, maxLeaves: 20 },
    seed: 3,
    control,
  });
}

for (const task of ['binary', 'multiclass', 'regression'] as const)
  test(`${task}: where sketches lose nothing, a stream and a table teach the same bits`, async () => {
    const data = example(task, 1, 9000);
    const { rows, leftOut, ...streamed } = await trainStreamedTrees(streamedInput(data));
    assert.deepEqual(streamed, await fromTable(data));
    assert.deepEqual(rows, { learned: 7200, stopping: 1800, withoutTarget: 0 });
    assert.deepEqual(leftOut, []);
  });

test('more rows than are moved in memory: a stream teaches as well as a table', async () => {
  const data = example('binary', 2, 170_000);
  const { model, rows } = await trainStreamedTrees(
    streamedInput(data, { learned: { from: 0, to: 0.75 }, stopping: { from: 0.75, to: 0.8 } }),
  );
  assert.equal(rows.learned, 127_500);
  const { model: other } = (await fromTable(data)) as { model: typeof model };
  const table = encodeFrame(data.frame, data.encoding);
  const areas = [model, other].map((one) => {
    const answers = answersFor(one, table, data);
    const heldOut = Int32Array.from({ length: 34_000 }, (_, row) => 136_000 + row);
    return areaUnderRoc({
      scores: Float64Array.from(heldOut, (row) => answers[2 * row + 1]!),
      isPositive: Uint8Array.from(heldOut, (row) => data.target[row]!),
    });
  });
  assert.ok(areas[0]! > 0.9, String(areas));
  assert.ok(Math.abs(areas[0]! - areas[1]!) < 0.004, String(areas));
});

test('the size of batches does not matter, and rows in neither part are not seen', async () => {
  const data = example('regression', 4, 3000);
  const learn = (batchRows: number, frame = data.frame): Promise<unknown> =>
    trainStreamedTrees(
      streamedInput(data, {
        stream: streamOf(frame, batchRows),
        learned: { from: 0, to: 0.5 },
        stopping: { from: 0.5, to: 0.7 },
      }),
    );
  const known = await learn(3000);
  assert.deepEqual(await learn(1), known);
  const spoilt = {
    ...data.frame,
    columns: data.frame.columns.map((column) =>
      column.kind === 'numeric'
        ? { ...column, values: column.values.map((value, row) => (row < 2100 ? value : 7)) }
        : column,
    ),
  };
  assert.deepEqual(await learn(97, spoilt), known);
});

test('rows without a target are left out and counted', async () => {
  const data = example('regression', 5, 2000);
  const target = data.frame.columns.at(-1)! as { values: Float64Array };
  for (let row = 0; row < 2000; row += 10) target.values[row] = row % 20 === 0 ? NaN : Infinity;
  const { rows } = await trainStreamedTrees(streamedInput(data));
  assert.deepEqual(rows, { learned: 1440, stopping: 360, withoutTarget: 200 });
});

test('columns of anything: missing throughout, constant, immense', async () => {
  const column = fc.constantFrom<(row: number) => number>(
    () => NaN,
    () => 5,
    () => Infinity,
    (row) => (row % 2 === 0 ? 1e308 : -1e308),
    (row) => (row % 3 === 0 ? NaN : -Infinity),
    (row) => row,
    (row) => (row === 17 ? 1 : 0),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(column, { minLength: 1, maxLength: 5 }), async (makers) => {
      const columns = makers.map((make, index): Column => ({
        name: `c${index}`,
        kind: 'numeric',
        values: Float64Array.from({ length: 300 }, (_, row) => make(row)),
      }));
      const target = Float64Array.from({ length: 300 }, (_, row) => row % 2);
      const data: Example = {
        frame: { rowCount: 300, columns: [...columns, { name: 'target', kind: 'numeric', values: target }] },
        encoding: columns.map(({ name }) => ({ kind: 'number', column: name })),
        target,
        task: 'binary',
        classCount: 2,
      };
      const { model } = await trainStreamedTrees(streamedInput(data));
      const answers = answersFor(model, encodeFrame(data.frame, data.encoding), data);
      assert.ok(answers.every((value) => value >= 0 && value <= 1));
    }),
    { numRuns: 40 },
  );
});

test('texts are left out and named', async () => {
  const data = example('binary', 6, 1000);
  const note: Column = {
    name: 'note',
    kind: 'text',
    values: Array.from({ length: 1000 }, (_, row) => `the quick fox number ${row} jumps over dog ${row % 7}`),
  };
  const { encoding: texts } = fitEncoding({ rowCount: 1000, columns: [note] });
  const encoding = [...texts, ...data.encoding];
  assert.equal(texts[0]!.kind, 'text');
  const { leftOut, model } = await trainStreamedTrees(streamedInput({ ...data, encoding }));
  assert.deepEqual(leftOut, ['note']);
  const first = featuresOf(encoding).findIndex(({ column }) => column !== 'note');
  assert.ok(model.kind === 'trees' && model.feature.every((feature) => feature >= first));
});

test('what a stream cannot teach is refused', async () => {
  const data = example('regression', 7, 500);
  const refusal = async (changes: Partial<StreamedTraining>): Promise<string> => {
    const error = await trainStreamedTrees(streamedInput(data, changes)).then(
      () => assert.fail('it was not refused'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Problem);
    return error.code;
  };
  assert.equal(await refusal({ hyperparameters: { loss: 'huber' } }), 'invalid-request');
  assert.equal(await refusal({ hyperparameters: { leaves: 3 } }), 'invalid-request');
  assert.equal(await refusal({ learned: { from: 0, to: 0.001 } }), 'too-few-rows');
  const late = { ...control, deadlineMs: systemClock.monotonicMs() - 1 };
  assert.equal(await refusal({ control: late }), 'training-failed');
  const cancelled = { clock: systemClock, pause: pauseBy(systemClock, AbortSignal.abort()) };
  assert.equal(await refusal({ control: cancelled }), 'cancelled');
  const falling = data.target.map((value) => -value);
  const columns = data.frame.columns.map((column) =>
    column.name === 'target' ? { ...column, values: falling } : column,
  );
  const stream = streamOf({ rowCount: 500, columns: columns as Column[] });
  assert.equal(await refusal({ stream, hyperparameters: { loss: 'poisson' } }), 'target-unusable');
});

test('50 million rows of 30 columns fit 4 GiB', () => {
  const encoding: Encoding = Array.from({ length: 30 }, (_, index) => ({
    kind: 'number',
    column: `c${index}`,
  }));
  const sizes = { encoding, task: 'binary' as const, classCount: 2, threadCount: 2, hyperparameters: {} };
  const most = mostStreamedRows(Infinity, sizes);
  assert.ok(most > 55e6 && most < 62e6, String(most));
  const half = mostStreamedRows(2e9, sizes);
  assert.ok(half > 24e6 && half < 29e6, String(half));
  assert.equal(mostStreamedRows(1000, sizes), 0);
});

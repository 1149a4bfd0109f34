// What a foreign model's answers become, with graphs that are stood in for by plain functions: the real runtime is asked
// in drivers/onnx-runtime.test.ts and test/foreign-models.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../base/problems.ts';
import { problemOf } from '../../base/testing.ts';
import { tryModel } from './first-run.ts';
import { foreignPredictor, type RunGraph } from './foreign.ts';
import type { InputType, OnnxInput } from './signature-inputs.ts';
import type { Draft, OnnxSignature } from './signature.ts';
import { batchesOf, joinAnswers, type Feed, type FeedAnswer } from './tensors.ts';

test('scores of any meaning become probabilities', async () => {
  const cases: [NonNullable<OnnxSignature['scores']>['meaning'], number[], number[]][] = [
    ['probabilities', [0.25, 0.75], [0.25, 0.75]],
    ['logits', [0, Math.log(3)], [0.25, 0.75]],
    ['positive', [0.75], [0.25, 0.75]],
    ['positive-logit', [Math.log(3)], [0.25, 0.75]],
  ];
  for (const [meaning, scores, expected] of cases) {
    const run: RunGraph = async ({ rowCount }) => [answerOf('s', rowCount, scores)];
    const { predictions } = await foreignPredictor(
      signature({ scores: { output: 's', meaning } }),
      run,
    ).predictRows([{ a: 1 }, { a: 2 }]);
    for (const { prediction, probabilities } of predictions) {
      assert.equal(prediction, 'yes');
      assert.ok(Math.abs(probabilities!['no']! - expected[0]!) < 1e-12);
      assert.ok(Math.abs(probabilities!['yes']! - expected[1]!) < 1e-12);
    }
  }
});

test('the label decides, under the name that was given to it; margins are no probabilities', async () => {
  const run: RunGraph = async ({ rowCount }) => [
    answerOf('l', rowCount, ['0']),
    answerOf('s', rowCount, [-3, 9]),
  ];
  const shape = signature({ label: 'l', scores: { output: 's', meaning: 'none' } });
  const { predictions } = await foreignPredictor(shape, run).predictRows([{ a: 1 }]);
  assert.deepEqual(predictions, [{ prediction: 'no' }]);
  const other: RunGraph = async ({ rowCount }) => [answerOf('l', rowCount, ['7'])];
  const fault = await problemOf(() =>
    foreignPredictor(signature({ label: 'l', scores: null }), other).predictRows([{ a: 1 }]),
  );
  assert.match(fault.message, /answers "7", which is none of its classes/);
});

test('an answer that is no number is a problem of its row, never NaN', async () => {
  const run: RunGraph = async ({ feeds, rowCount }) => [
    { name: 'v', shape: [rowCount, 1], values: feeds[0]!.values },
  ];
  const model = foreignPredictor(signature({ task: 'regression', classes: [], value: 'v' }), run);
  assert.deepEqual((await model.predictRows([{ a: 2.5 }])).predictions, [{ prediction: 2.5 }]);
  const fault = await problemOf(() => model.predictRows([{ a: 1 }, {}]));
  assert.equal(fault.code, 'prediction-input');
  assert.match(fault.message, /^Row 2 gets no finite number/);
});

const values: [InputType, unknown, number | string | null | RegExp][] = [
  ['float32', 1.5, 1.5],
  ['float32', null, null],
  ['float32', 1e39, /range of 32-bit/],
  ['double', 1e300, 1e300],
  ['double', Infinity, /finite number/],
  ['int64', 7, 7],
  ['int64', 7.5, /whole number/],
  ['int64', 2 ** 60, /whole number/],
  ['int64', null, /must be given/],
  ['uint8', 256, /whole number from 0 to 255/],
  ['int8', -128, -128],
  ['string', 'Oulu', 'Oulu'],
  ['string', 3, '3'],
  ['string', null, ''],
  ['string', { a: 1 }, /must be text/],
  ['bool', true, 1],
  ['bool', 1, /true or false/],
  ['bool', null, /must be given/],
];
for (const [type, value, expected] of values) {
  test(`a ${type} takes ${JSON.stringify(value) ?? value} as ${String(expected)}`, async () => {
    const seen: Feed[] = [];
    const run: RunGraph = async ({ feeds, rowCount }) => {
      seen.push(...feeds);
      return [answerOf('v', rowCount, [1])];
    };
    const kind = type === 'string' ? 'categorical' : type === 'bool' ? 'boolean' : 'numeric';
    const inputs: OnnxInput[] = [{ name: 'x', type, dimensionCount: 2, columns: [{ name: 'a', kind }] }];
    const model = foreignPredictor(signature({ task: 'regression', classes: [], value: 'v', inputs }), run);
    if (expected instanceof RegExp)
      assert.match((await problemOf(() => model.predictRows([{ a: value }]))).message, expected);
    else {
      await model.predictRows([{ a: value }]);
      assert.deepEqual(seen[0]!.values, [expected]);
    }
  });
}

test('rows of wide tables go in parts, and a graph of fixed size gets its last part filled', async () => {
  const columns = Array.from({ length: 1000 }, (_, index) => ({
    name: `c${index}`,
    kind: 'numeric' as const,
  }));
  const inputs: OnnxInput[] = [{ name: 'x', type: 'float32', dimensionCount: 2, columns }];
  const counts: number[] = [];
  const run: RunGraph = async ({ feeds, rowCount }) => {
    counts.push(rowCount);
    const values = Array.from({ length: rowCount }, (_, row) => feeds[0]!.values[row * 1000]!);
    return [{ name: 'v', shape: [rowCount, 1], values }];
  };
  const rows = Array.from({ length: 450 }, (_, row) => ({ c0: row }));
  const model = foreignPredictor(signature({ task: 'regression', classes: [], value: 'v', inputs }), run);
  const { predictions } = await model.predictRows(rows);
  assert.deepEqual(
    predictions,
    rows.map(({ c0 }) => ({ prediction: c0 })),
  );
  assert.deepEqual(counts, [200, 200, 50]);

  const feed: Feed = {
    name: 'x',
    type: 'float32',
    dimensionCount: 2,
    columnCount: 2,
    values: [1, 2, 3, 4, 5, 6],
  };
  const parts = batchesOf({ feeds: [feed], rowCount: 3, batchRowCount: 2 });
  assert.deepEqual(
    parts.map(([part]) => part!.values),
    [
      [1, 2, 3, 4],
      [5, 6, 5, 6],
    ],
  );
  const answers = parts.map(([part]) => [{ name: 'y', shape: [2, 2], values: part!.values }]);
  assert.deepEqual(joinAnswers(answers, { rowCount: 3, batchRowCount: 2 }), [
    { name: 'y', shape: [3, 2], values: [1, 2, 3, 4, 5, 6] },
  ]);
  assert.equal(
    joinAnswers([[{ name: 'y', shape: [1], values: [1] }]], { rowCount: 3, batchRowCount: null }),
    undefined,
  );
});

test('the first run falls back to zeros, then to one row at a time, and tells the first fault', async () => {
  const tried: string[] = [];
  const fussy =
    (accepts: (feed: Feed, batchRowCount: number | null) => boolean): RunGraph =>
    async ({ feeds, rowCount, batchRowCount }) => {
      const isZero = feeds[0]!.values.every((value) => value === 0);
      tried.push(`${isZero ? 'zeros' : 'varied'} ${batchRowCount}`);
      if (!accepts(feeds[0]!, batchRowCount)) throw new Problem('onnx-unsupported', `fault ${tried.length}`);
      return [answerOf('v', rowCount, [1])];
    };
  const asked = draft({ task: 'regression', value: 'v' });
  const found = await tryModel(
    asked,
    fussy((_, batchRowCount) => batchRowCount === 1),
  );
  assert.equal(found.batchRowCount, 1);
  assert.deepEqual(tried, ['varied null', 'zeros null', 'varied 1']);
  assert.equal(
    (
      await problemOf(() =>
        tryModel(
          asked,
          fussy(() => false),
        ),
      )
    ).message,
    'fault 4',
  );
});

test('what scores are is seen by their values', async () => {
  const meaningOf = async (scores: number[], label: string | null): Promise<unknown> => {
    const run: RunGraph = async ({ rowCount }) => [
      ...(label === null ? [] : [answerOf('l', rowCount, [label])]),
      answerOf('s', rowCount, scores),
    ];
    const asked = draft({ label: label === null ? null : 'l', scores: { output: 's', meaning: undefined } });
    return (await tryModel(asked, run)).scores!.meaning;
  };
  assert.equal(await meaningOf([0.2, 0.8], '1'), 'probabilities');
  assert.equal(await meaningOf([-1.2, 4], '1'), 'none');
  assert.equal(await meaningOf([-1.2, 4], null), 'logits');
  assert.equal(await meaningOf([0.4], null), 'positive');
  assert.equal(await meaningOf([-7], null), 'positive-logit');
});

function signature(changes: Partial<OnnxSignature>): OnnxSignature {
  return {
    task: 'binary',
    target: 'left',
    classes: ['no', 'yes'],
    labels: ['0', '1'],
    inputs: [{ name: 'x', type: 'double', dimensionCount: 2, columns: [{ name: 'a', kind: 'numeric' }] }],
    batchRowCount: null,
    label: null,
    scores: null,
    value: null,
    interval: null,
    ...changes,
  };
}

function draft(changes: Partial<Draft>): Draft {
  const { classes: _classes, labels: _labels, ...rest } = signature({});
  return { ...rest, labels: undefined, wantedClasses: undefined, ...changes };
}

function answerOf(name: string, rowCount: number, row: readonly (number | string)[]): FeedAnswer {
  return { name, shape: [rowCount, row.length], values: Array.from({ length: rowCount }, () => row).flat() };
}

// The search through its front door, on small frames; real learners, a clock of its own where time matters.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock, type Clock } from '../../base/time.ts';
import { frameFromColumns, frameFromRows, type Frame } from '../frame/frame.ts';
import { inferSchema } from '../frame/infer-schema.ts';
import type { ColumnKind, ColumnSchema } from '../frame/schema.ts';
import { modelCard } from '../model/card.ts';
import { openModel, writeModel } from '../model/model.ts';
import { prepare } from './prepare.ts';
import type { Recipe, SearchEvent } from './recipe.ts';
import { search } from './search.ts';
import { trialContext } from './testing.ts';
import { runTrial } from './trial.ts';

const recipe: Recipe = { target: 'y', task: 'auto', metric: 'auto', budget: { trials: 4 }, seed: 3 };

function frameOf(
  rowCount: number,
  yOf: (x: number, group: string, random: () => number) => unknown,
  kind: ColumnKind = 'categorical',
): Frame {
  const random = seededRandom(9);
  const rows = Array.from({ length: rowCount }, (_, index) => {
    const x = random.next() * 10;
    const group = 'abcd'[random.below(4)]!;
    return {
      x: index % 11 ? x : null,
      group: index % 13 ? group : null,
      on: random.next() < 0.5,
      day: new Date(Date.UTC(2025, 0, 1 + random.below(300))).toISOString(),
      note: `${random.next() < 0.5 ? 'good' : 'bad'} thing number ${index} of all`,
      y: yOf(x, group, () => random.next()),
    };
  });
  const schema: ColumnSchema[] = [
    { name: 'x', kind: 'numeric' },
    { name: 'group', kind: 'categorical' },
    { name: 'on', kind: 'boolean' },
    { name: 'day', kind: 'date' },
    { name: 'note', kind: 'text' },
    { name: 'y', kind },
  ];
  return frameFromRows(rows, schema);
}

const twoClasses = frameOf(300, (x, group, random) =>
  x + (group === 'b' ? 3 : 0) + random() > 6 ? 'yes' : 'no',
);
const threeClasses = frameOf(300, (x, _group, random) =>
  x + random() > 7 ? 'high' : x > 3 ? 'middle' : 'low',
);
const amounts = frameOf(
  400,
  (x, group, random) => 3 * x + (group === 'a' ? 10 : 0) + random() * (1 + x),
  'numeric',
);

for (const [name, frame] of Object.entries({ twoClasses, threeClasses, amounts })) {
  test(`${name}: same recipe and seed, same bytes; the opened file answers as the holdout was answered`, async () => {
    const events: SearchEvent[] = [];
    const asJudged = { ...recipe, refit: false };
    const first = await search({
      frame,
      recipe: asJudged,
      clock: systemClock,
      onProgress: (event) => events.push(event),
    });
    const second = await search({ frame, recipe: asJudged, clock: systemClock });
    const bytes = await writeModel(first.model);
    assert.deepEqual(bytes, await writeModel(second.model));
    const predictor = await openModel(bytes);
    for (const { input, prediction, probability } of first.evaluation.samples) {
      const [answer] = predictor.predictRows([input]).predictions;
      assert.equal(answer!.prediction, prediction);
      if (probability !== undefined) assert.equal(answer!.probabilities![String(prediction)], probability);
      else
        assert.ok(
          answer!.lower! <= (answer!.prediction as number) &&
            answer!.upper! >= (answer!.prediction as number),
        );
    }
    assert.equal(first.leaderboard.length, 4);
    assert.ok(first.leaderboard.every((trial) => trial.state === 'finished' && trial.score !== null));
    assert.ok(Math.abs(first.leaderboard.reduce((sum, trial) => sum + trial.weight, 0) - 1) < 1e-9);
    assert.equal(first.importance[0]!.column, 'x');
    assert.deepEqual(
      events.filter((event) => event.kind === 'stage').map((event) => event.stage),
      ['preparing', 'baseline', 'searching', 'ensembling', 'evaluating', 'done'],
    );
    assert.deepEqual(JSON.parse(JSON.stringify(events)), events, 'events are plain data');
    assert.match(modelCard(predictor.manifest).markdown, /# Model of y/);
    const other = await search({ frame, recipe: { ...asJudged, seed: 4 }, clock: systemClock });
    assert.notDeepEqual(await writeModel(other.model), bytes);
  });
}

test('columns in, columns out: the same as row by row', async () => {
  const { model } = await search({
    frame: twoClasses,
    recipe: { ...recipe, budget: { trials: 3 } },
    clock: systemClock,
  });
  const predictor = await openModel(await writeModel(model));
  const columns = {
    x: ['1', '9', ''],
    group: ['b', 'never', ''],
    on: ['true', 'no', ''],
    surplus: ['1', '2', '3'],
  };
  const byColumns = predictor.predictColumns(columns, 'text');
  const byRows = predictor.predictRows([
    { x: 1, group: 'b', on: true },
    { x: 9, group: 'never', on: false },
    {},
  ]);
  assert.deepEqual(
    byColumns.prediction,
    byRows.predictions.map((one) => one.prediction),
  );
  assert.deepEqual(
    [...byColumns.probabilities!['yes']!],
    byRows.predictions.map((one) => one.probabilities!['yes']),
  );
  assert.match(byColumns.warnings[0]!, /"surplus"/);
  assert.throws(
    () => predictor.predictRows([{ x: 'wide' }]),
    (error: Problem) => error.code === 'prediction-input' && error.errors![0]!.field === 'x',
  );
  assert.deepEqual(predictor.predictRows([]).predictions, []);
});

test('targets that cannot be learned are refused with a reason', async () => {
  const refuse = async (
    y: unknown[],
    kind: ColumnKind,
    code: string,
    change: Partial<Recipe> = {},
  ): Promise<void> => {
    const frame = frameFromColumns({ x: y.map((_, index) => index % 7), y }, [
      { name: 'x', kind: 'numeric' },
      { name: 'y', kind },
    ]);
    await assert.rejects(
      search({ frame, recipe: { ...recipe, ...change }, clock: systemClock }),
      (error: Problem) => error.code === code && error.message.length > 20,
    );
  };
  const many = (of: (index: number) => unknown, count = 60): unknown[] =>
    Array.from({ length: count }, (_, index) => of(index));
  await refuse(
    many(() => null),
    'numeric',
    'target-unusable',
  );
  await refuse(
    many(() => 'same'),
    'categorical',
    'target-unusable',
  );
  await refuse(
    many((index) => `name ${index}`),
    'text',
    'target-unusable',
  );
  await refuse(
    many((index) => 1e12 + index),
    'date',
    'target-unusable',
  );
  await refuse(
    many((index) => index % 2, 8),
    'numeric',
    'too-few-rows',
  );
  await refuse(
    many((index) => `c${index % 300}`, 900),
    'categorical',
    'too-many-classes',
  );
  await refuse(
    many((index) => `c${index % 3}`),
    'categorical',
    'target-unusable',
    { task: 'regression' },
  );
  await refuse(
    many((index) => index % 2),
    'numeric',
    'column-unknown',
    { target: 'z' },
  );
  await refuse(
    many((index) => index % 2),
    'numeric',
    'invalid-request',
    { metric: 'rmse' },
  );
  await refuse(
    many((index) => index % 2),
    'numeric',
    'invalid-request',
    { budget: {} },
  );
  await refuse(
    many((index) => index % 2),
    'numeric',
    'invalid-request',
    { positiveClass: 'maybe' },
  );
});

test('odd frames do not fail: odd names, ten rows, no helpful column, rare classes, missing targets', async () => {
  const learn = async (
    columns: Record<string, unknown[]>,
    kinds: Record<string, ColumnKind>,
  ): Promise<void> => {
    const frame = frameFromColumns(
      columns,
      Object.entries(kinds).map(([name, kind]) => ({ name, kind })),
    );
    const { model, evaluation } = await search({ frame, recipe, clock: systemClock });
    const predictor = await openModel(await writeModel(model));
    assert.ok(evaluation.rowCount > 0);
    assert.equal(predictor.predictRows([{}, {}]).predictions.length, 2);
  };
  const y = Array.from({ length: 40 }, (_, index) => (index % 4 ? 'constructor' : '__proto__'));
  const odd = Object.fromEntries([
    ['__proto__', y.map((_, index) => index % 5)],
    ['', y.map((_, index) => (index % 3 ? 'toString' : null))],
    ['y', y],
  ]);
  await learn(
    odd,
    Object.fromEntries([
      ['__proto__', 'numeric' as const],
      ['', 'categorical' as const],
      ['y', 'categorical' as const],
    ]),
  );
  await learn(
    { x: [1, 2, 3, 4, 5, 6, 7, 8, 9, 0], y: [1, 0, 1, 0, 1, 0, 1, 0, 1, 0] },
    { x: 'numeric', y: 'numeric' },
  );
  await learn(
    { x: y.map(() => 1), y: y.map((_, index) => (index * 7.3) % 11) },
    { x: 'numeric', y: 'numeric' },
  );
  await learn(
    {
      x: y.map((_, index) => index % 9),
      y: y.map((_, index) => (index === 3 ? 'lonely' : index < 5 ? null : 'pq'[index % 2])),
    },
    { x: 'numeric', y: 'categorical' },
  );
  await learn(
    {
      x: y.map((_, index) => (index % 2 ? 1e300 : -1e300)),
      y: y.map((_, index) => (index % 2 ? 1e6 : 0.5) + index),
    },
    { x: 'numeric', y: 'numeric' },
  );
});

test('a column that gives the target away is named in a warning', async () => {
  const leaky = frameFromColumns(
    {
      x: Array.from({ length: 200 }, (_, index) => (index * 37) % 100),
      late: Array.from({ length: 200 }, (_, index) => (index % 3 ? 5 : 1)),
      y: Array.from({ length: 200 }, (_, index) => (index % 3 ? 'a' : 'b')),
    },
    [
      { name: 'x', kind: 'numeric' },
      { name: 'late', kind: 'numeric' },
      { name: 'y', kind: 'categorical' },
    ],
  );
  const { warnings } = await search({ frame: leaky, recipe, clock: systemClock });
  assert.ok(warnings.some((warning) => warning.includes('"late"')));
});

/** A clock that moves on by itself a little whenever it is looked at: work takes time, the same every run. */
function steppingClock(stepMs: number): Clock {
  let nowMs = 0;
  return { nowMs: () => nowMs, monotonicMs: () => (nowMs += stepMs) };
}

test('a time budget is kept, even one that hardly allows anything', async () => {
  for (const seconds of [0.2, 2, 10]) {
    const clock = steppingClock(2);
    const result = await search({ frame: twoClasses, recipe: { ...recipe, budget: { seconds } }, clock });
    assert.ok(clock.monotonicMs() <= seconds * 1010 + 50, `${clock.monotonicMs()} ms of ${seconds} s`);
    assert.ok(result.model.members.length > 0 && result.leaderboard.length > 0);
  }
});

test('aborting ends the search with "cancelled"', async () => {
  const controller = new AbortController();
  const onProgress = (event: SearchEvent): void => {
    if (event.kind === 'trial-started' && event.trial.id === 'trial-3') controller.abort();
  };
  await assert.rejects(
    search({ frame: twoClasses, recipe, clock: systemClock, signal: controller.signal, onProgress }),
    (error: Problem) => error.code === 'cancelled',
  );
});

test('a trial that fails says why, and throws nothing', async () => {
  const context = trialContext(prepare(twoClasses, recipe));
  const candidate = {
    learner: 'linear',
    label: 'broken',
    hyperparameters: { l2: -1 },
    timeShare: 1,
    isExploring: false,
  };
  const { report } = await runTrial(context, candidate, 1, 1);
  assert.equal(report.state, 'failed');
  assert.match(report.problem!.detail, /l2/);
});

test('the memory limit leaves rows out and says so', async () => {
  const { warnings, rows } = await search({
    frame: amounts,
    recipe: { ...recipe, budget: { trials: 2, memoryBytes: 60_000 } },
    clock: systemClock,
  });
  assert.ok(rows.training + rows.holdout < 400);
  assert.ok(warnings.some((warning) => warning.includes('memory')));
});

const adultPath = new URL('../../../../shared/data/adult/data.csv.gz', import.meta.url);

test(
  'adult: boosted trees reach an AUC of 0.92 on a locked holdout',
  { skip: existsSync(adultPath) ? false : 'shared/data/adult is not there' },
  async () => {
    const [header, ...lines] = gunzipSync(readFileSync(adultPath))
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.trimEnd().split(','));
    const rows = lines
      .filter((fields) => fields.length === header!.length)
      .filter((_, index) => index % 2 === 0);
    const columns = Object.fromEntries(
      header!.map((name, index) => [name, rows.map((fields) => fields[index]!)]),
    );
    const frame = frameFromColumns(columns, inferSchema(columns), 'text');
    const { evaluation } = await search({
      frame,
      recipe: { ...recipe, target: 'income', budget: { trials: 3 }, folds: 3, excludedColumns: ['split'] },
      clock: systemClock,
    });
    assert.ok(evaluation.metrics['auc']! > 0.92, `AUC ${evaluation.metrics['auc']}`);
  },
);

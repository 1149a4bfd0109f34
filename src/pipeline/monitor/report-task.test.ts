// Reports over real Parquet: the training data of a real model, and logs whose rows have moved by so much.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { dayMs } from '../../base/time.ts';
import { reportDetails } from '../../contract/monitor.ts';
import type { DataEngine } from '../../platform/ports/data-engine.ts';
import type { TaskContext } from '../../platform/ports/jobs.ts';
import {
  loggedDayMs,
  makeLog,
  makeTraining,
  openFolder,
  type Made,
  type Moved,
  type Task,
} from './report.fixture.ts';
import {
  run,
  type Details,
  type Reference,
  type ReportTaskInput,
  type ReportTaskOutput,
} from './report-task.ts';

let folder = '';
let engine: DataEngine;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilvi-report-'));
  engine = await openFolder(folder);
});

after(async () => {
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

let seed = 10;

async function report(
  made: Made,
  {
    moved = {},
    rowCount = 3000,
    task = 'binary',
    reference,
    hasOutcomes = false,
    isRedacted = false,
  }: {
    moved?: Moved;
    rowCount?: number;
    task?: Task;
    reference?: Reference;
    hasOutcomes?: boolean;
    isRedacted?: boolean;
  },
): Promise<ReportTaskOutput> {
  const file = await makeLog(engine, folder, { rowCount, watched: made.watched, moved, task, seed: ++seed });
  const { contentPath, modelPath, watched } = made;
  const input: ReportTaskInput = {
    watched,
    model:
      task === 'binary'
        ? { task, classes: ['no', 'yes'], positiveClass: 'yes', metric: 'auc', trainedScore: 0.97 }
        : { task, classes: null, positiveClass: null, metric: 'rmse', trainedScore: 5 },
    importance: { amount: 0.9 },
    reference: reference ?? { kind: 'training', keptPath: null, contentPath },
    modelPath,
    isRedacted,
    why: null,
    current: {
      files: [file],
      outcomePaths: hasOutcomes ? [file.outcomePath] : [],
      fromMs: loggedDayMs,
      toMs: loggedDayMs + dayMs,
    },
  };
  const output = await run(input, contextIn(await mkdtemp(join(folder, 'work-'))));
  assert.deepEqual(reportDetails.parse(JSON.parse(JSON.stringify(output.details))), output.details);
  return output;
}

suite('a model of two classes', () => {
  let made: Made;
  before(async () => {
    made = await makeTraining(engine, folder, { rowCount: 4000 });
  });

  test('what has not moved is the same, answers too', async () => {
    const { details, rowCount } = await report(made, {});
    assert.equal(rowCount, 3000);
    assert.deepEqual(details.comparedWith, { kind: 'training', rowCount: 4000, why: null });
    assert.deepEqual(details.columns.map(({ column, drift }) => [column, drift?.level]).toSorted(), [
      ['amount', 'same'],
      ['city', 'same'],
      ['member', 'same'],
      ['note', 'same'],
      ['since', 'same'],
    ]);
    assert.equal(details.answers!.level, 'same');
    assert.ok(Math.abs(details.expectedAccuracy!.value - 0.9) < 1e-9);
    assert.equal(details.performance, null);
    for (const { quality } of details.columns)
      assert.deepEqual([quality.invalidShare, quality.unseenShare ?? 0], [0, 0]);
  });

  test('what has moved comes first, with what is wrong with it', async () => {
    const { details } = await report(made, {
      moved: { amountBy: 40, newCityShare: 0.5, missingShare: 0.2 },
    });
    assert.deepEqual(
      details.columns
        .slice(0, 2)
        .map(({ column, drift }) => [column, drift!.level])
        .toSorted(),
      [
        ['amount', 'lot'],
        ['city', 'lot'],
      ],
    );
    assert.deepEqual(
      details.columns.slice(2).map(({ drift }) => drift!.level),
      ['same', 'same', 'same'],
    );
    const { quality: amount, importance } = columnOf(details, 'amount');
    assert.ok(Math.abs(amount.missingShare - 0.2) < 0.03);
    assert.equal(amount.referenceMissingShare, 0);
    assert.ok(Math.abs(amount.outsideShare! - 0.4) < 0.05);
    assert.equal(importance, 0.9);
    const { quality: city } = columnOf(details, 'city');
    assert.deepEqual(city.unseenValues, ['Vaasa']);
    assert.ok(Math.abs(city.unseenShare! - 0.5) < 0.05);
    assert.notEqual(details.answers!.level, 'same');
  });

  test('kept sketches say the same as the training data', async () => {
    const first = await report(made, { moved: { amountBy: 10 } });
    assert.ok(first.referenceFileName);
    const path = join(lastFolder, first.referenceFileName);
    seed--;
    const again = await report(made, {
      moved: { amountBy: 10 },
      reference: { kind: 'training', keptPath: path, contentPath: null },
    });
    assert.equal(again.referenceFileName, null);
    assert.deepEqual(again.details, first.details);
  });

  test('another window, nothing to compare with, and no rows', async () => {
    const earlier = await makeLog(engine, folder, { rowCount: 2000, watched: made.watched, seed: ++seed });
    const window = { files: [earlier], outcomePaths: [], fromMs: loggedDayMs, toMs: loggedDayMs + dayMs };
    const { details } = await report(made, {
      moved: { amountBy: 40 },
      reference: { kind: 'window', window },
    });
    assert.deepEqual([details.comparedWith.kind, details.comparedWith.rowCount], ['previous-window', 2000]);
    assert.equal(details.columns[0]!.column, 'amount');
    assert.equal(details.columns[1]!.drift!.level, 'same');

    const alone = await report(made, { reference: { kind: 'nothing' } });
    assert.ok(alone.details.columns.every(({ drift }) => drift === null));
    assert.equal(alone.details.columns.length, 5);

    const empty = await report(made, { rowCount: 0 });
    assert.ok(empty.details.columns.every(({ drift }) => drift?.level === 'unclear'));
  });

  test('outcomes: the metric with its interval, coverage, and where it is worse', async () => {
    const { details } = await report(made, { moved: { mistakesInOulu: 0.5 }, hasOutcomes: true });
    const { performance, coverage } = details;
    assert.ok(performance && coverage);
    assert.equal(performance.outcomeCount, 3000);
    assert.equal(performance.metric, 'auc');
    const { value, lower, upper } = performance.score;
    assert.ok(lower <= value && value <= upper && upper - lower < 0.1);
    // A tenth everywhere, half in a third of the rows.
    assert.ok(Math.abs(performance.error.value - 0.25) < 0.04);
    assert.deepEqual(
      performance.slices.map(({ column, segment }) => [column, segment]),
      [['city', 'Oulu']],
    );
    assert.ok(Math.abs(performance.slices[0]!.errorElsewhere - 0.1) < 0.03);
    assert.ok(Math.abs(coverage.value - 0.75) < 0.04);
    assert.equal(coverage.promised, 0.9);
  });
});

test('what counts for the answers: another column, where the one that counted hardly differs any more', async () => {
  const made = await makeTraining(engine, folder, { rowCount: 2000, task: 'regression' });
  const usual = (await report(made, { task: 'regression' })).details.attributions!;
  assert.equal(usual.level, 'same');
  assert.equal(usual.columns[0]!.column, 'amount');
  assert.ok(usual.columns[0]!.reference > 0.7 && usual.columns[0]!.current > 0.7);
  assert.ok(usual.rowCount >= 50 && usual.referenceRowCount >= 50);

  const narrow = { task: 'regression' as const, moved: { amountSpread: 2 } };
  const { attributions } = (await report(made, narrow)).details;
  assert.equal(attributions!.level, 'lot');
  assert.equal(attributions!.columns.find(({ column }) => column === 'city')!.current > 0.5, true);
  const whole = attributions!.columns.reduce((sum, { current }) => sum + current, 0);
  assert.ok(Math.abs(whole - 1) < 1e-4);

  assert.equal((await report(made, { ...narrow, isRedacted: true })).details.attributions, null);
});

test('a model of numbers: drift of answers, distance from the truth, coverage of intervals', async () => {
  const made = await makeTraining(engine, folder, { rowCount: 2000, task: 'regression' });
  const { details } = await report(made, { task: 'regression', moved: { amountBy: 60 }, hasOutcomes: true });
  assert.equal(details.answers!.level, 'lot');
  assert.equal(details.confidence, null);
  assert.equal(details.expectedAccuracy, null);
  assert.equal(details.performance!.metric, 'rmse');
  // Even from -10 to 10: the mean distance is 5, its root mean square 10 / sqrt(3).
  assert.ok(Math.abs(details.performance!.error.value - 5) < 0.3);
  assert.ok(Math.abs(details.performance!.score.value - 5.77) < 0.3);
  assert.ok(Math.abs(details.coverage!.value - 0.9) < 0.03);
});

let lastFolder = '';

function contextIn(workFolder: string): TaskContext {
  lastFolder = workFolder;
  return {
    jobId: 'job',
    attempt: 1,
    workFolder,
    signal: new AbortController().signal,
    report: () => undefined,
    progress: () => undefined,
  };
}

function columnOf({ columns }: Details, name: string): Details['columns'][number] {
  return columns.find(({ column }) => column === name)!;
}

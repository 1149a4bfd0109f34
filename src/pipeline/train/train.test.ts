// Trainings through their operations and their job, without running one: what lists show, and the money that a
// training holds however long it waits.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { dayMs } from '../../base/time.ts';
import { createMeter, type RunningMeter } from '../../capabilities/billing/billing.ts';
import { assertLedgerAddsUp, testClock, type TestClock } from '../../capabilities/billing/testing.ts';
import { openLedger } from '../../capabilities/billing/ledger.ts';
import { recipe as recipeSchema, trainingSummary } from '../../contract/training.ts';
import type { Context } from '../../platform/context.ts';
import { openJobs, type OpenedJobs } from '../../platform/jobs/jobs.ts';
import { createProject } from '../../platform/tenancy/tenancy.ts';
import { insertWorkspace } from '../../platform/tenancy/rows.ts';
import { openTestServices, type TestServices } from '../../platform/testing.ts';
import { addDataset, addVersion } from '../data/rows.ts';
import { trainingJob } from './jobs.ts';
import { listTrainingRows, updateTraining } from './rows.ts';
import { createTraining, getTraining, listTrainings } from './train.ts';
import { asStopped, trialsOf } from './trials.ts';

const trial = {
  learner: 'linear',
  label: 'Linear model',
  hyperparameters: {},
  score: null,
  foldScores: [],
  seconds: 0,
  weight: 0,
  problem: null,
};

let opened: TestServices;
let workFolder: string;
let clock: TestClock;
let meter: RunningMeter;
let jobs: OpenedJobs;
let context: Context;
let projectId: string;
let datasetVersionId: string;

before(async () => {
  const base = await openTestServices();
  workFolder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  clock = testClock();
  meter = createMeter({ ...base.services, clock, tendEveryMs: null });
  jobs = await openJobs({
    ...base.services,
    clock,
    workFolder,
    kinds: [trainingJob],
    services: () => opened.services,
  });
  const { close } = base;
  opened = await openTestServices({ ...base.services, clock, meter, jobs });
  const closeOpened = opened.close;
  opened.close = async () => {
    await jobs.close();
    await meter.close();
    await closeOpened();
    await close();
    await rm(workFolder, { recursive: true, force: true });
  };
});
after(() => opened.close());

beforeEach(async () => {
  context = opened.contextFor();
  const { workspaceId, newId } = context;
  const createdAt = new Date(clock.nowMs());
  await context.database.asSystem('test', (transaction) =>
    insertWorkspace(transaction, { id: workspaceId, name: 'Test', createdAt }),
  );
  await context.transaction((transaction) => openLedger({ clock, newId }, transaction, workspaceId));
  projectId = (await createProject(context, { name: 'a project', description: '' })).id;
  const content = await context.blobs.put(bytes('the content, which no test here reads'), { maxBytes: 1000 });
  datasetVersionId = newId('datasetVersion');
  const datasetId = newId('dataset');
  await context.transaction(async (transaction) => {
    const owner = { workspaceId, projectId, createdAt };
    await addDataset(transaction, { ...owner, id: datasetId, name: 'customers' });
    await addVersion(transaction, {
      ...owner,
      id: datasetVersionId,
      datasetId,
      state: 'ready',
      jobId: newId('job'),
      reservationId: newId('reservation'),
      source: { kind: 'upload', uploadId: newId('upload') },
      profileJobId: newId('job'),
      sourceLabel: 'customers.csv',
      options: {},
      columns: [
        { name: 'age', type: 'integer' },
        { name: 'left', type: 'text' },
      ],
      rowCount: 100,
      contentSha256: content.sha256,
      sizeBytes: content.sizeBytes,
      warnings: [],
    });
  });
});

function start() {
  const recipe = recipeSchema.parse({ datasetVersionId, target: 'left', budget: { seconds: 10 } });
  return createTraining(context, projectId, recipe);
}

async function held(): Promise<string[]> {
  const { reservations } = await assertLedgerAddsUp(context.database, context.workspaceId);
  return reservations.filter(({ state }) => state === 'held').map(({ subjectId }) => subjectId);
}

test('lists show the state of the job, and leave out what only one training has to tell', async () => {
  const { id, jobId } = await start();
  const [listed] = (await listTrainings(context, { projectId, limit: 10 })).items;
  assert.deepEqual(trainingSummary.strict().parse(listed), listed);
  assert.equal(listed!.state, 'queued');
  await context.jobs.cancel(context.workspaceId, jobId);
  const one = await getTraining(context, id);
  const [again] = (await listTrainings(context, { projectId, limit: 10 })).items;
  assert.deepEqual([again!.state, one.state], ['cancelled', 'cancelled']);
});

test('lists leave the curves of evaluations where they are; one training has them', async () => {
  const { id } = await start();
  const evaluation = {
    task: 'binary' as const,
    rowCount: 20,
    metrics: { auc: 0.75 },
    rocCurve: [],
    samples: [],
  };
  const result = {
    task: 'binary' as const,
    taskReason: 'two values',
    metric: 'auc',
    score: 0.75,
    crossValidationScore: 0.7,
    evaluation,
    importance: [],
    leaderboard: [],
    droppedColumns: [],
    warnings: [],
    seconds: 1,
    fields: [],
    rows: { total: 100, search: 80, model: 80, holdout: 20 },
  };
  await context.transaction((transaction) => updateTraining(transaction, id, { state: 'succeeded', result }));
  const [row] = await context.transaction((transaction) =>
    listTrainingRows(transaction, projectId, { limit: 1, after: undefined }),
  );
  assert.deepEqual(row!.result!.evaluation, { task: 'binary', rowCount: 20, metrics: { auc: 0.75 } });
  const [listed] = (await listTrainings(context, { projectId, limit: 10 })).items;
  assert.deepEqual(trainingSummary.strict().parse(listed), listed);
  assert.deepEqual((await getTraining(context, id)).evaluation, evaluation);
});

test('what an ended training was trying when it ended has stopped', () => {
  const finished = { ...trial, id: 'a', state: 'finished' as const };
  const running = { ...trial, id: 'b', state: 'running' as const };
  const events = [
    { name: 'trial-started', data: { trial: { ...finished, state: 'running' } } },
    { name: 'trial-finished', data: { trial: finished } },
    { name: 'trial-started', data: { trial: running } },
  ];
  assert.deepEqual(
    trialsOf(events)
      .map(asStopped)
      .map(({ id, state }) => [id, state]),
    [
      ['a', 'finished'],
      ['b', 'stopped'],
    ],
  );
});

test('a training that waits longer than its reservation lasts holds its money when it starts', async () => {
  const { id, jobId } = await start();
  assert.deepEqual(await held(), [id]);
  clock.advance(3 * dayMs);
  await meter.tend();
  assert.deepEqual(await held(), [], 'the reaper took what nobody renewed');
  await prepare(id, jobId);
  assert.deepEqual(await held(), [id]);
});

test('a training that starts in time keeps its reservation for as long as it may run', async () => {
  const { id, jobId } = await start();
  clock.advance(dayMs);
  await prepare(id, jobId);
  clock.advance(60_000);
  await meter.tend();
  assert.deepEqual(await held(), [id]);
});

function prepare(trainingId: string, jobId: string) {
  const { workspaceId } = context;
  const run = { jobId, workspaceId, projectId, attempt: 1, startedAt: null, workFolder: null };
  return trainingJob.prepare(context, { trainingId }, run);
}

async function* bytes(text: string): AsyncIterable<Uint8Array> {
  yield new TextEncoder().encode(text);
}

// Automatic updates from outside: new data starts a training by the same recipe, the gate decides, the version takes over;
// through a kill of the server; and only as often as the rest between updates allows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AnswerFor } from '../src/sdk/types.ts';
import { uploadFile } from '../src/sdk/upload.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { startProduct, until, type Product } from './product.ts';
import { askFor, deployWatched, ordersTable } from './watched-endpoint.ts';

type Update = AnswerFor<'getUpdate'>;

let product: Product;
let projectId: string;
let datasetId: string;
let endpointId: string;
let firstVersionId: string;

before(async () => {
  product = await startProduct();
  const { client } = product;
  const made = await deployWatched(client);
  ({ projectId, datasetId, endpointId, modelVersionId: firstVersionId } = made);
  await askFor(client, endpointId, { rowCount: 200, seed: 5 });
});
after(() => product.close());

async function addData(seed: number): Promise<void> {
  const { client } = product;
  const file = new Blob([ordersTable({ seed })]);
  const { id: uploadId } = await uploadFile(client, { projectId, file, fileName: 'newer.csv' });
  const source = { kind: 'upload', uploadId } as const;
  const { jobId } = await client.createDatasetVersion({ datasetId, body: { source } });
  await waitForJob(client, jobId);
}

async function newest(): Promise<Update | undefined> {
  return (await product.client.listUpdates({ endpointId, limit: 1 })).items[0];
}

async function ended(updateId: string): Promise<Update> {
  let found: Update | undefined;
  await until('the update has ended', async () => {
    found = await product.client.getUpdate({ updateId });
    return found.endedAt !== null;
  });
  return found!;
}

async function answering(): Promise<string> {
  return (await product.client.getEndpoint({ endpointId })).deployments[0]!.modelVersionId;
}

test('an endpoint is not updated unless somebody wants that', async () => {
  const { client } = product;
  const { settings, waiting } = await client.getUpdatePolicy({ endpointId });
  assert.deepEqual([settings.isOn, settings.restHours, waiting], [false, 24, null]);
  await client.setUpdatePolicy({ endpointId, body: { onAlerts: [] } });
  assert.deepEqual((await client.getUpdatePolicy({ endpointId })).settings.onAlerts, []);
  const strategy = { kind: 'challenger', role: 'live', trafficShare: 0.1 } as const;
  const takesOver = { strategy, leastRequests: 0 };
  await assert.rejects(client.setUpdatePolicy({ endpointId, body: { takesOver } }), /challenger stays until/);
  await assert.rejects(client.setUpdatePolicy({ endpointId, body: { everyHours: 0 } }), {
    code: 'invalid-request',
  });
  await assert.rejects(client.getUpdate({ updateId: 'upd_none' }), { code: 'not-found' });
});

test('the same data is not learned twice', async () => {
  const { client } = product;
  const update = await ended((await client.startUpdate({ endpointId })).id);
  assert.equal(update.state, 'skipped');
  assert.match(update.reasons[0]!, /no version newer than 1/);
  assert.equal((await client.getUpdatePolicy({ endpointId })).restsUntil, null);
  await assert.rejects(client.cancelUpdate({ updateId: update.id }), { code: 'wrong-state' });
  await assert.rejects(client.takeBackUpdate({ updateId: update.id }), { code: 'wrong-state' });
});

test('new data starts one update, which survives a kill of the server and takes over', async () => {
  const { client } = product;
  await client.setGateRule({ endpointId, body: { rule: 'rows >= 100 and flipped <= 30%' } });
  const takesOver = { strategy: { kind: 'all-at-once', bakingMinutes: 0 }, leastRequests: 0 } as const;
  await client.setUpdatePolicy({ endpointId, body: { isOn: true, takesOver } });
  await addData(21);
  await until('it trains', async () => (await newest())?.state === 'training');
  await assert.rejects(client.startUpdate({ endpointId }), { code: 'wrong-state' });
  await product.kill();
  await product.start();
  const update = await ended((await newest())!.id);
  assert.deepEqual([update.state, update.trigger.kind, update.reasons], ['promoted', 'new-data', []]);
  assert.deepEqual(
    update.steps.map(({ state }) => state),
    ['starting', 'training', 'comparing', 'releasing', 'releasing', 'promoted'],
  );
  assert.equal(await answering(), update.candidate!.modelVersionId);
  assert.equal((await client.getRelease({ releaseId: update.releaseId! })).state, 'finished');
  const { verdict } = await client.getComparison({ comparisonId: update.comparisonId! });
  assert.equal(verdict!.passed, true);
  // One training by hand, one by the update: the kill made no other.
  assert.equal((await client.listTrainings({ projectId })).items.length, 2);
});

test('what happens during the rest waits, and an update is taken back', async () => {
  const { client } = product;
  await addData(22);
  await addData(23);
  await until(
    'the trigger waits',
    async () => (await client.getUpdatePolicy({ endpointId })).waiting?.kind === 'new-data',
  );
  const promoted = (await newest())!;
  assert.equal(promoted.state, 'promoted');
  const back = await client.takeBackUpdate({ updateId: promoted.id });
  assert.equal(back.state, 'taken-back');
  assert.equal(await answering(), firstVersionId);
  assert.equal((await client.getUpdatePolicy({ endpointId })).waiting, null);
});

test('what would cost too much is not begun', async () => {
  const { client } = product;
  await client.setUpdatePolicy({ endpointId, body: { isOn: false, maxMicroUsdPerRun: 0 } });
  const update = await ended((await client.startUpdate({ endpointId })).id);
  assert.equal(update.state, 'failed');
  assert.match(update.reasons[0]!, /more than the 0 /);
  assert.equal((await client.listTrainings({ projectId })).items.length, 2);
});

test('an update is cancelled with its training, and goes with its endpoint', async () => {
  const { client } = product;
  await client.setUpdatePolicy({ endpointId, body: { maxMicroUsdPerRun: null } });
  const started = await client.startUpdate({ endpointId });
  assert.equal(started.state, 'training');
  const cancelled = await client.cancelUpdate({ updateId: started.id });
  assert.equal(cancelled.state, 'cancelled');
  await until('the training has ended', async () => {
    const { state } = await client.getTraining({ trainingId: started.trainingId! });
    return state === 'cancelled';
  });
  assert.equal(await answering(), firstVersionId);
  await client.deleteEndpoint({ endpointId });
  await until('the update is gone', async () => {
    try {
      await client.getUpdate({ updateId: started.id });
      return false;
    } catch {
      return true;
    }
  });
});

// A dataset version can be used as soon as it is imported; describing it goes on in a job of its own. Here that job is
// waited for, stopped, and overtaken by the deletion of what it describes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PilviError } from '../src/sdk/pilvi-error.ts';
import { until } from './product.ts';
import { openServer, type TestServer } from './server.ts';
import { importTable } from './world.ts';

/** So many columns take a while to describe, so that the job can be stopped. */
const manyColumns = 400;
let server: TestServer;
let projectId: string;

before(async () => {
  server = await openServer();
  projectId = (await server.client.listProjects({})).items[0]!.id;
});
after(() => server?.close());

/** A version that has just become usable, and the job that describes it. */
async function imported(
  name: string,
  columnCount: number,
): Promise<{ datasetId: string; versionId: string; jobId: string }> {
  const header = Array.from({ length: columnCount }, (_, column) => `c${column}`);
  const rows = Array.from({ length: 60 }, (_, row) => header.map((_name, column) => (row * column) % 97));
  const content = [header, ...rows].map((cells) => cells.join(',')).join('\n');
  const { datasetId, versionId } = await importTable(server.client, { projectId, name, content });
  const { profileJobId } = await server.client.getDatasetVersion({ versionId });
  assert.ok(profileJobId !== null);
  return { datasetId, versionId, jobId: profileJobId };
}

async function endOf(jobId: string): Promise<string> {
  let state = '';
  await until('the job ends', async () => {
    ({ state } = await server.client.getJob({ jobId }));
    return ['succeeded', 'failed', 'cancelled'].includes(state);
  });
  return state;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'no problem',
    (error: unknown) => {
      if (error instanceof PilviError) return error.problem.code;
      throw error;
    },
  );
}

test('a profile that is asked for at once is waited for', async () => {
  const { versionId, jobId } = await imported('asked at once', 3);
  const profile = await server.client.getDatasetProfile({ versionId });
  assert.equal(profile.columns.length, 3);
  const job = await server.client.getJob({ jobId });
  assert.deepEqual([job.kind, job.state, job.subjectId], ['dataset-profile', 'succeeded', versionId]);
});

test('a version whose description was stopped says so, and can be used like any other', async () => {
  const { versionId, jobId } = await imported('stopped', manyColumns);
  const asked = codeOf(server.client.getDatasetProfile({ versionId }));
  await server.client.cancelJob({ jobId });
  assert.equal(await endOf(jobId), 'cancelled');
  assert.equal(await asked, 'cancelled');
  assert.equal(await codeOf(server.client.getDatasetProfile({ versionId })), 'cancelled');
  assert.equal((await server.client.getDatasetVersion({ versionId })).state, 'ready');
  const rows = await server.client.getDatasetRows({ versionId, limit: 5 });
  assert.equal(rows.rows.length, 5);
  const answer = await server.client.runQuery({
    projectId,
    body: { sql: 'SELECT count(*) AS rows FROM stopped' },
  });
  assert.deepEqual(answer.table.rows, [[60]]);
});

test('a dataset may be deleted while it is described', async () => {
  const { datasetId, versionId, jobId } = await imported('deleted', manyColumns);
  await server.client.deleteDataset({ datasetId });
  assert.equal(await codeOf(server.client.getDatasetProfile({ versionId })), 'not-found');
  const state = await endOf(jobId);
  const { problem } = await server.client.getJob({ jobId });
  assert.ok(state === 'succeeded' || problem?.code === 'not-found', JSON.stringify({ state, problem }));
  await until('nothing is left of the work', async () => (await server.workFiles()).length === 0);
});

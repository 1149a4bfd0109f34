// Batches through the front door: what goes in, what comes out, what it costs, and what is told when it does not fit.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { AnswerFor, Client, InputFor } from '../src/sdk/types.ts';
import { uploadFile } from '../src/sdk/upload.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { openServer, type TestServer } from './server.ts';
import { fillWorld, tableOf, type World } from './world.ts';

type Batch = AnswerFor<'getBatch'>;
type Body = InputFor<'createBatch'>['body'];
type Row = Record<string, string>;

let server: TestServer;
let client: Client;
let world: World;
let through: Body['through'];

before(async () => {
  server = await openServer();
  client = server.client;
  world = await fillWorld(client, 'amber');
  through = { kind: 'model-version', modelVersionId: world.modelVersionId };
});
after(() => server?.close());

async function uploaded(content: string, fileName = 'rows.csv'): Promise<Body['input']> {
  const { id } = await uploadFile(client, {
    projectId: world.projectId,
    file: new Blob([content]),
    fileName,
  });
  return { kind: 'upload', uploadId: id, options: {} };
}

async function start(body: Partial<Body> & Pick<Body, 'input'>): Promise<Batch> {
  return await client.createBatch({ projectId: world.projectId, body: { through, ...body } });
}

/** Starts a batch that succeeds, and waits for it. */
async function run(body: Partial<Body> & Pick<Body, 'input'>): Promise<Batch> {
  const { id: batchId, jobId } = await start(body);
  await waitForJob(client, jobId);
  return await client.getBatch({ batchId });
}

async function textOf({ id: batchId }: Batch): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await client.downloadBatch({ batchId })).body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function rowsOf(batch: Batch): Promise<Row[]> {
  return parse(await textOf(batch), { columns: true });
}

async function expectedRows(csv: string): Promise<Row[]> {
  const answer = await server.ask({
    method: 'POST',
    path: `/api/v1/endpoints/${world.endpointId}/predictions.csv`,
    headers: { 'content-type': 'text/csv' },
    body: csv,
  });
  assert.equal(answer.status, 200, answer.text);
  return parse(answer.text, { columns: true });
}

/** Numbers as numbers: two writers spell them in two ways. */
function asValues(row: Row): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, text]) => [
      name,
      text === '' || Number.isNaN(Number(text)) ? text : Number(text),
    ]),
  );
}

function isProblem(code: string, detail = /./): (error: { code?: string; message: string }) => boolean {
  return (error) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, detail);
    return true;
  };
}

test('a dataset through an endpoint: the answers of the endpoint itself, a price as quoted, a dataset and a file', async () => {
  const input = { kind: 'dataset-version', versionId: world.versionId } as const;
  const endpoint = { kind: 'endpoint', endpointId: world.endpointId } as const;
  const quote = await client.quoteBatch({
    projectId: world.projectId,
    body: { input, through: endpoint },
  });
  assert.equal(quote.rowCount, 120);
  assert.equal(quote.maximumMicroUsd, 120);
  assert.equal(quote.modelVersionId, world.modelVersionId);
  assert.deepEqual(quote.missingColumns, []);
  const batch = await run({
    input,
    through: endpoint,
    output: { format: 'csv', columns: ['amber_size'], datasetName: 'answers' },
  });
  assert.equal(batch.state, 'succeeded');
  assert.deepEqual([batch.rowCount, batch.answeredRowCount, batch.chargedMicroUsd], [120, 120, 120]);
  const rows = await rowsOf(batch);
  const expected = await expectedRows(tableOf('amber'));
  assert.deepEqual(Object.keys(rows[0]!), [
    'amber_size',
    'prediction',
    'probability_no',
    'probability_yes',
    'problem',
  ]);
  assert.deepEqual(
    rows.map(({ amber_size: _z, problem: _p, ...answer }) => asValues(answer)),
    expected.map(asValues),
  );
  assert.ok(rows.every(({ amber_size: size }, index) => Number(size) === (index * 37) % 101));
  const version = await client.getDatasetVersion({ versionId: batch.datasetVersionId! });
  assert.equal(version.state, 'ready');
  assert.equal(version.rowCount, 120);
  assert.match(version.sourceLabel, /amber table.*answered by amber model version 1/);
  const { table } = await client
    .getDatasetRows({ versionId: version.id, limit: 1 })
    .then((shown) => ({ table: shown }));
  assert.deepEqual(
    table.columns.map(({ name }) => name),
    Object.keys(rows[0]!),
  );
  const profile = await client.getDatasetProfile({ versionId: version.id });
  assert.equal(profile.rowCount, 120);
  const again = await run({ input, output: { columns: [], datasetName: 'answers' } });
  assert.equal(again.datasetId, batch.datasetId);
  assert.equal((await client.getDatasetVersion({ versionId: again.datasetVersionId! })).number, 2);
});

test('an uploaded file: rows that do not fit have no answer, say why, and cost nothing', async () => {
  const lines = [
    'amber_place,amber_size,id',
    'amber-place-1,12,007',
    'amber-place-2,many,008',
    'nowhere,90,009',
    ',,010',
  ];
  const input = await uploaded(`${lines.join('\n')}\n`);
  const batch = await run({ input, output: { format: 'csv' } });
  assert.deepEqual([batch.rowCount, batch.answeredRowCount, batch.chargedMicroUsd], [4, 3, 3]);
  assert.deepEqual(batch.problems, [{ row: 2, message: 'amber_size must be a number, got "many"' }]);
  const rows = await rowsOf(batch);
  assert.deepEqual(Object.keys(rows[0]!).slice(0, 4), ['amber_place', 'amber_size', 'id', 'prediction']);
  assert.deepEqual([rows[1]!['prediction'], rows[1]!['probability_yes']], ['', '']);
  assert.equal(rows[1]!['problem'], 'amber_size must be a number, got "many"');
  const expected = await expectedRows([lines[0], lines[1], lines[3], lines[4]].join('\n'));
  const answered = [rows[0]!, rows[2]!, rows[3]!].map(
    ({ amber_place: _a, amber_size: _s, id: _i, problem: _p, ...answer }) => answer,
  );
  assert.deepEqual(answered.map(asValues), expected.map(asValues));
  const refused = await start({
    input: await uploaded(`${lines.join('\n')}\n`),
    output: { badRows: 'refuse' },
  });
  await assert.rejects(
    waitForJob(client, refused.jobId),
    isProblem('prediction-input', /Row 2: amber_size must be a number/),
  );
  const failed = await client.getBatch({ batchId: refused.id });
  assert.deepEqual(
    [failed.state, failed.chargedMicroUsd, failed.problem?.code],
    ['failed', 0, 'prediction-input'],
  );
  await assert.rejects(client.downloadBatch({ batchId: refused.id }), isProblem('wrong-state'));
});

test('what is wrong is told before anything is paid', async () => {
  const { projectId } = world;
  const quote = async (input: Body['input']) => client.quoteBatch({ projectId, body: { input, through } });
  const other = await uploaded('a,b\n1,2\n');
  await assert.rejects(
    quote(other),
    isProblem('prediction-input', /none of the columns that the model reads: "amber_size"/),
  );
  await assert.rejects(quote(await uploaded('amber_size,amber_place\n')), isProblem('file-empty'));
  await assert.rejects(quote(await uploaded('amber_size,amber_place\n1,2,3\n')), isProblem('row-ragged'));
  const partly = await quote(await uploaded('amber_size\n1\n'));
  assert.deepEqual(partly.missingColumns, ['amber_place']);
  assert.match(partly.warnings[0]!, /lacks columns that the model reads.*"amber_place"/);
  const input = await uploaded('amber_size,prediction\n1,2\n');
  await assert.rejects(
    start({ input, output: { columns: ['nothing'] } }),
    isProblem('column-unknown', /no column "nothing".*"amber_size", "prediction"/),
  );
  await assert.rejects(
    start({ input, output: { columns: ['prediction'] } }),
    isProblem('invalid-request', /twice: "prediction"/),
  );
  await assert.rejects(start({ input, maxMicroUsd: 0 }), isProblem('budget-exceeded'));
  const batch = await run({ input, output: { format: 'csv' } });
  assert.match(batch.warnings.join(), /left out: "prediction"/);
  assert.ok(['yes', 'no'].includes((await rowsOf(batch))[0]!['prediction']!));
  const missing = { kind: 'dataset-version', versionId: 'dsv_nothing' } as const;
  await assert.rejects(quote(missing), isProblem('not-found'));
});

test('lists go by endpoint and model; what has ended can be removed, and its money is back', async () => {
  const { projectId, endpointId, modelVersionId } = world;
  const { items } = await client.listBatches({ projectId, endpointId });
  assert.ok(items.length === 1 && items[0]!.endpointId === endpointId);
  const all = await client.listBatches({ projectId, modelVersionId });
  assert.ok(all.items.length > 3);
  assert.deepEqual((await client.listBatches({ projectId, modelVersionId: 'mdv_nothing' })).items, []);
  for (const { id: batchId } of all.items) await client.deleteBatch({ batchId });
  assert.deepEqual((await client.listBatches({ projectId })).items, []);
  await assert.rejects(client.getBatch({ batchId: items[0]!.id }), isProblem('not-found'));
  const { items: budgets } = await client.listBudgets({});
  assert.ok(budgets.every(({ reservedMicroUsd }) => reservedMicroUsd === 0));
  assert.deepEqual(await server.workFiles(), []);
});

test('a batch is cancelled: it ends, costs nothing and leaves nothing', async () => {
  const lines = Array.from({ length: 300_000 }, (_, row) => `${row % 101},amber-place-${row % 3}`);
  const batch = await start({ input: await uploaded(`amber_size,amber_place\n${lines.join('\n')}\n`) });
  await client.cancelBatch({ batchId: batch.id });
  await assert.rejects(waitForJob(client, batch.jobId), isProblem('cancelled'));
  const ended = await client.getBatch({ batchId: batch.id });
  assert.deepEqual([ended.state, ended.chargedMicroUsd, ended.fileSizeBytes], ['cancelled', 0, null]);
});

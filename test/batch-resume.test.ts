// kill -9 in the middle of a batch: of its worker, and of the whole server. It goes on after the parts that were written,
// makes the very file that it would have made, every row once, is charged once, and leaves nothing.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { uploadFile } from '../src/sdk/upload.ts';
import { processesMentioning, startProduct, until, type Product } from './product.ts';
import { fillWorld, type World } from './world.ts';

const rowCount = 600_000;

let product: Product;
let world: World;
let uploadId: string;
/** The file of a batch that nobody disturbs. */
let expected: string;

before(async () => {
  product = await startProduct();
  world = await fillWorld(product.client, 'amber');
  const lines = Array.from(
    { length: rowCount },
    (_, row) => `${(row * 37) % 101},amber-place-${row % 3},${row}`,
  );
  const file = new Blob([`amber_size,amber_place,row\n${lines.join('\n')}\n`]);
  uploadId = (await uploadFile(product.client, { projectId: world.projectId, file, fileName: 'rows.csv' }))
    .id;
  expected = await fileOf(await start());
});
after(() => product?.close());

test('a batch whose worker is killed goes on where it was', async () => {
  const batchId = await start();
  await untilHalfDone(batchId);
  const workers = (await processesMentioning(product.home)).filter((line) => line.includes('task-main'));
  const parts = await writtenParts();
  process.kill(Number.parseInt(workers.at(-1)!, 10), 'SIGKILL');
  await checkGoneOn(batchId, parts);
});

test('a batch whose server is killed goes on where it was', async () => {
  const batchId = await start();
  await untilHalfDone(batchId);
  await product.kill();
  await until(
    'its worker is gone',
    async () => (await processesMentioning(product.home)).length === 0,
    15_000,
  );
  const parts = await writtenParts();
  await product.start();
  await checkGoneOn(batchId, parts);
});

test('what was kept between the tries is gone', async () => {
  await product.stop();
  assert.deepEqual(await readdir(join(product.home, 'work')), []);
});

async function start(): Promise<string> {
  const { projectId, modelVersionId } = world;
  const batch = await product.client.createBatch({
    projectId,
    body: {
      input: { kind: 'upload', uploadId, options: {} },
      through: { kind: 'model-version', modelVersionId },
      output: { format: 'csv' },
    },
  });
  return batch.id;
}

async function untilHalfDone(batchId: string): Promise<void> {
  await until(
    'some parts are written',
    async () => {
      const { state, progress } = await product.client.getBatch({ batchId });
      assert.ok(state === 'queued' || state === 'running', 'it was too fast to be killed');
      return progress.share > 0.3 && (await writtenParts()).size > 1;
    },
    120_000,
  );
}

/** When each of the parts was written that lie in the folder of work in progress. */
async function writtenParts(): Promise<Map<string, number>> {
  const folder = join(product.home, 'work');
  const names = await readdir(folder, { recursive: true });
  const parts = new Map<string, number>();
  for (const name of names.filter((each) => /parts\/rows-\d+-\d+\.parquet$/.test(each))) {
    // It may go at any time with the end of its job.
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found) parts.set(name, found.mtimeMs);
  }
  return parts;
}

async function checkGoneOn(batchId: string, parts: ReadonlyMap<string, number>): Promise<void> {
  assert.ok(parts.size > 0);
  let mostParts = 0;
  const watch = async (): Promise<void> => {
    const now = await writtenParts();
    mostParts = Math.max(mostParts, now.size);
    for (const [name, writtenMs] of now)
      assert.equal(writtenMs, parts.get(name) ?? writtenMs, `${name} was written once`);
  };
  assert.equal(await fileOf(batchId, watch), expected, 'the same bytes as without the kill');
  assert.ok(mostParts >= parts.size, 'the second try found the parts of the first');
  const { items } = await product.client.listJobs({ subjectId: batchId });
  assert.equal(items[0]!.attempt, 2);
  const batch = await product.client.getBatch({ batchId });
  assert.deepEqual([batch.rowCount, batch.answeredRowCount], [rowCount, rowCount]);
  const { items: charges } = await product.client.listCharges({ projectId: world.projectId });
  assert.equal(charges.filter(({ subjectId }) => subjectId === batchId).length, 1, 'charged once');
  const { items: budgets } = await product.client.listBudgets({});
  assert.ok(
    budgets.every(({ reservedMicroUsd }) => reservedMicroUsd === 0),
    'nothing is reserved any more',
  );
}

/** The digest of the file of a batch that succeeds. */
async function fileOf(batchId: string, watch = async (): Promise<void> => {}): Promise<string> {
  const { client } = product;
  await until(
    'the batch has ended',
    async () => {
      const { state, problem } = await client.getBatch({ batchId });
      await watch();
      assert.ok(['queued', 'running', 'succeeded'].includes(state), problem?.detail);
      return state === 'succeeded';
    },
    240_000,
  );
  const hash = createHash('sha256');
  let lineCount = 0;
  for await (const chunk of (await client.downloadBatch({ batchId })).body) {
    hash.update(chunk);
    for (const byte of chunk) if (byte === 10) lineCount++;
  }
  assert.equal(lineCount, rowCount + 1);
  return hash.digest('hex');
}

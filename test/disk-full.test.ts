// The disk that everything is kept on fills up under a running product. What cannot be kept is refused and says why,
// what was kept stays as it was, and once there is room again everything goes on, in the same process.
import assert from 'node:assert/strict';
import { mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../src/sdk/client.ts';
import { mountSmallDisk } from '../src/platform/testing.ts';
import { PilviError } from '../src/sdk/pilvi-error.ts';
import { startProduct, until } from './product.ts';
import { fillWorld, importTable, tableOf } from './world.ts';

/** Room for the product with one of everything, and little more. */
const diskMiB = 300;
/** What may be answered while nothing can be written. */
const refusals = new Set(['disk-full', 'unavailable']);

test('a disk that fills up costs nothing that was kept', async (context) => {
  const disk = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  const mounted = mountSmallDisk(context, disk, diskMiB);
  if (!mounted) return await rmdir(disk);
  const product = await startProduct({ PILVI_HOME: join(disk, 'home'), PILVI_LOG_LEVEL: 'silent' });
  try {
    const { client, url, token } = product;
    const impatient = createClient({ baseUrl: url, token, attempts: 1 });
    const processId = product.processId();
    const world = await fillWorld(client, 'kept');
    const { projectId } = world;
    const read = (by = client) => by.getDatasetRows({ versionId: world.versionId, limit: 50 });
    const predict = (by = client) =>
      by.predict({ endpointId: world.endpointId, body: { rows: [{ kept_size: 70, kept_place: 'x' }] } });
    const [rows, prediction] = [await read(), await predict()];

    const tooMuch = new Blob(Array.from({ length: diskMiB }, () => new Uint8Array(1_048_576).fill(0x31)));
    const upload = await client.createUpload({
      projectId,
      body: { fileName: 'too-much.csv', sizeBytes: tooMuch.size },
    });
    await assert.rejects(
      client.appendUpload({ uploadId: upload.id, offset: 0, stream: tooMuch }),
      (error) => error instanceof PilviError && error.code === 'disk-full',
    );
    // The part that was refused left nothing: so the disk is filled from outside, to the last byte.
    await writeFile(join(disk, 'ballast'), tooMuch.stream()).catch(() => {});

    for (let round = 0; round < 6; round++) {
      const label = `while-full-${round}`;
      await assertKeptOrRefused(() => impatient.createProject({ body: { name: label } }));
      await assertKeptOrRefused(() =>
        importTable(impatient, { projectId, name: label, content: tableOf('full', 5000) }),
      );
      await assertKeptOrRefused(() => predict(impatient));
      await assertKeptOrRefused(() => read(impatient));
    }
    assert.equal(product.processId(), processId);

    await rm(join(disk, 'ballast'));
    await until('it writes again', () =>
      client.createProject({ body: { name: 'after' } }).then(isTrue, isFalse),
    );
    assert.deepEqual((await read()).rows, rows.rows);
    assert.deepEqual((await predict()).predictions, prediction.predictions);
    await importTable(client, { projectId, name: 'after', content: tableOf('after') });
    await until('no money is held for what was refused', async () => {
      const { items } = await client.listJobs({ projectId, limit: 200 });
      return items.every(({ state }) => state !== 'queued' && state !== 'running');
    });
    assert.equal(product.processId(), processId, 'the server ended');

    await product.stop();
    await product.start();
    assert.deepEqual((await read()).rows, rows.rows);
    assert.deepEqual((await predict()).predictions, prediction.predictions);
  } finally {
    await product.close();
    mounted.unmount();
    await rmdir(disk);
  }
});

async function assertKeptOrRefused(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    assert.ok(error instanceof PilviError, String(error));
    assert.ok(refusals.has(error.code), `${error.code}: ${error.message}`);
    await sleep(20);
  }
}

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

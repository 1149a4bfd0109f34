// kill -9 of the server and of its workers at random points of import and training. Afterwards everything has either
// finished or says what happened; money is accounted for; no process and no file of the work is left behind.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom, type Random } from '../src/base/random.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { processesMentioning, startProduct, until, type Product } from './product.ts';
import { peopleTable, startImport } from './world.ts';

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
let product: Product;
let projectId: string;

before(async () => {
  product = await startProduct();
  projectId = (await product.client.listProjects({})).items[0]!.id;
});
after(() => product?.close());

for (const seed of seeds) {
  test(`kill -9 at a random point, seed ${seed}`, async () => {
    const random = seededRandom(seed);
    const started = await startWork(seed, random);
    await sleep(random.below(seed % 2 === 0 ? 4000 : 1200));
    if (seed % 4 === 0) await killAWorker(random);
    else {
      await product.kill();
      await until(
        'the workers of the killed server are gone',
        async () => (await processesMentioning(product.home)).length === 0,
        15_000,
      );
      await product.start();
    }
    await checkEverythingEnded(started);
  });
}

test('after all of it the ledger holds nothing and the work folder is empty', async () => {
  const { items } = await product.client.listBudgets({});
  for (const budget of items) {
    assert.ok(budget.spentMicroUsd <= budget.capMicroUsd);
    await until(
      'nothing is reserved',
      async () =>
        (await product.client.listBudgets({})).items.every(({ reservedMicroUsd }) => reservedMicroUsd === 0),
      30_000,
    );
  }
  const own = await readdir(join(product.home, 'work'), { recursive: true });
  assert.ok(own.length <= 1, `only the empty folder of the running server: ${own}`);
  await product.stop();
  assert.deepEqual(await readdir(join(product.home, 'work')), [], 'work folders are left behind');
});

interface Started {
  versionId: string;
  trainingId: string | undefined;
}

/** Half of the seeds are killed during the import, half during a training. */
async function startWork(seed: number, random: Random): Promise<Started> {
  const { client } = product;
  const content = peopleTable(random, seed % 2 === 0 ? 2_000 : 60_000);
  const { versionId, jobId } = await startImport(client, { projectId, name: `table ${seed}`, content });
  if (seed % 2 === 1) return { versionId, trainingId: undefined };
  await waitForJob(client, jobId);
  const training = await client.createTraining({
    projectId,
    body: { datasetVersionId: versionId, target: 'label', budget: { seconds: 4 } },
  });
  return { versionId, trainingId: training.id };
}

async function killAWorker(random: Random): Promise<void> {
  const workers = (await processesMentioning(product.home)).filter((line) => line.includes('task-main'));
  if (workers.length === 0) return;
  process.kill(Number.parseInt(workers[random.below(workers.length)]!, 10), 'SIGKILL');
}

async function checkEverythingEnded({ versionId, trainingId }: Started): Promise<void> {
  const { client } = product;
  await until(
    'the import has ended',
    async () => (await client.getDatasetVersion({ versionId })).state !== 'importing',
    90_000,
  );
  const version = await client.getDatasetVersion({ versionId });
  if (version.state === 'failed') assert.ok(version.problem, 'a failed import says why');
  else
    assert.ok(version.rowCount === 2_000 || version.rowCount === 60_000, 'an import that is ready is whole');
  if (trainingId === undefined) return;
  await until(
    'the training has ended',
    async () => !['queued', 'running'].includes((await client.getTraining({ trainingId })).state),
    120_000,
  );
  const training = await client.getTraining({ trainingId });
  if (training.state === 'failed') assert.ok(training.problem, 'a failed training says why');
  else {
    assert.equal(training.state, 'succeeded');
    await until(
      'its model version is there',
      async () => (await client.getTraining({ trainingId })).modelVersionId !== null,
      30_000,
    );
  }
  assert.notEqual(training.chargedMicroUsd, null, 'an ended training is settled');
}

// kill -9 in the middle of a training: of its worker, and of the whole server. The training goes on after the trials that
// had finished, trains none of them twice, makes the very file that it would have made, is charged once, and leaves nothing.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { seededRandom } from '../src/base/random.ts';
import { processesMentioning, startProduct, until, type Product } from './product.ts';
import { importTable, peopleTable } from './world.ts';

const budget = { seconds: 240, trials: 6 };
/** So many trials are known to have finished before anything is killed. */
const finishedBefore = 3;

let product: Product;
let projectId: string;
let versionId: string;
/** The file that a training makes whom nobody disturbs. */
let expected: string;

before(async () => {
  product = await startProduct();
  const { client } = product;
  projectId = (await client.listProjects({})).items[0]!.id;
  ({ versionId } = await importTable(client, {
    projectId,
    name: 'table',
    content: peopleTable(seededRandom(3), 2000),
  }));
  expected = await fileOf(await train());
});
after(() => product?.close());

test('a training whose worker is killed goes on where it was', async () => {
  const trainingId = await train();
  await untilFinished(trainingId, finishedBefore);
  const workers = (await processesMentioning(product.home)).filter((line) => line.includes('task-main'));
  assert.equal(workers.length, 1);
  process.kill(Number.parseInt(workers[0]!, 10), 'SIGKILL');
  await checkGoneOn(trainingId);
});

test('a training whose server is killed goes on where it was', async () => {
  const trainingId = await train();
  await untilFinished(trainingId, finishedBefore);
  await product.kill();
  await until(
    'its worker is gone',
    async () => (await processesMentioning(product.home)).length === 0,
    15_000,
  );
  await product.start();
  await checkGoneOn(trainingId);
});

test('what was kept between the tries is gone', async () => {
  await product.stop();
  assert.deepEqual(await readdir(join(product.home, 'work')), []);
});

async function train(): Promise<string> {
  const body = { datasetVersionId: versionId, target: 'label', budget, seed: 5 };
  return (await product.client.createTraining({ projectId, body })).id;
}

async function checkGoneOn(trainingId: string): Promise<void> {
  assert.equal(await fileOf(trainingId), expected, 'the same bytes as without the kill');
  const { items } = await product.client.listJobs({ subjectId: trainingId });
  assert.equal(items[0]!.attempt, 2);
  const started = await eventsNamed(trainingId, 'trial-started');
  // The last that was seen to finish may not have been written down yet.
  for (let trial = 1; trial < finishedBefore; trial++)
    assert.equal(started.filter((id) => id === `trial-${trial}`).length, 1, `trial ${trial} ran once`);
  const training = await product.client.getTraining({ trainingId });
  assert.equal(training.leaderboard.length, budget.trials);
  const { items: budgets } = await product.client.listBudgets({});
  assert.ok(
    budgets.every(({ reservedMicroUsd }) => reservedMicroUsd === 0),
    'nothing is reserved any more',
  );
}

/** The address of the model file of a training that succeeds. */
async function fileOf(trainingId: string): Promise<string> {
  const { client } = product;
  await until(
    'the training has a model',
    async () => {
      const { state, modelVersionId, problem } = await client.getTraining({ trainingId });
      assert.ok(['queued', 'running', 'succeeded'].includes(state), problem?.detail);
      return modelVersionId !== null;
    },
    240_000,
  );
  const { modelVersionId } = await client.getTraining({ trainingId });
  return (await client.getModelVersion({ versionId: modelVersionId! })).fileSha256;
}

async function untilFinished(trainingId: string, count: number): Promise<void> {
  await until(
    `${count} trials have finished`,
    async () => {
      const { leaderboard, state } = await product.client.getTraining({ trainingId });
      assert.notEqual(state, 'succeeded', 'it was too fast to be killed');
      return leaderboard.filter((trial) => trial.state !== 'running').length >= count;
    },
    240_000,
  );
}

/** The ids of the trials that all kept events of one name speak of. */
async function eventsNamed(trainingId: string, name: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { name: kind, data } of product.client.watchTraining({ trainingId }))
    if (kind === name) ids.push((data as { trial: { id: string } }).trial.id);
  return ids;
}

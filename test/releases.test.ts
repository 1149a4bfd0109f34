// Releases on the product as its users start it: shadows beside real requests, outcomes that tell a worse model, and kill -9 of
// the server in the middle of a canary.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PilviError } from '../src/sdk/pilvi-error.ts';
import type { AnswerFor, InputFor } from '../src/sdk/types.ts';
import { startProduct, until, type Product } from './product.ts';
import { askFor, deployWatched, ordersTable, trainLeaving } from './watched-endpoint.ts';
import { importTable } from './world.ts';

let product: Product;
let endpointId: string;
let formerId: string;
let spoiltId: string;

before(async () => {
  product = await startProduct();
  const { client } = product;
  const deployed = await deployWatched(client);
  const { projectId } = deployed;
  ({ endpointId, modelVersionId: formerId } = deployed);
  const table = { projectId, name: 'spoilt', content: ordersTable({ isSpoilt: true }) };
  const { versionId } = await importTable(client, table);
  spoiltId = await trainLeaving(client, { projectId, versionId });
});
after(() => product?.close());

type Release = AnswerFor<'getRelease'>;

async function start(body: Partial<InputFor<'startRelease'>['body']>): Promise<string> {
  const { id } = await product.client.startRelease({
    endpointId,
    body: { modelVersionId: spoiltId, strategy: { kind: 'all-at-once' }, ...body },
  });
  return id;
}

async function untilRelease(
  what: string,
  releaseId: string,
  condition: (release: Release) => boolean,
): Promise<Release> {
  let release = await product.client.getRelease({ releaseId });
  await until(what, async () => {
    release = await product.client.getRelease({ releaseId });
    return condition(release);
  });
  return release;
}

/** One request for each row; what turned out to be true is sent. */
async function ask(requestCount: number, seed: number): Promise<void> {
  const outcomes = [];
  for (let place = 0; place < requestCount; place++)
    outcomes.push(...(await askFor(product.client, endpointId, { rowCount: 1, seed: seed + place })));
  await product.client.sendOutcomes({ endpointId, body: { outcomes } });
}

test('a shadow answers copies that nobody sees or pays for, and is taken back for its mistakes', async () => {
  const { client } = product;
  const before = (await client.getEndpoint({ endpointId })).predictionCount;
  const releaseId = await start({
    strategy: { kind: 'shadow', bakingMinutes: 0 },
    // Its answers differ, too; here its mistakes are to tell.
    guard: { leastRequests: 100, answers: null },
  });
  // It does not go on before the outcomes are there.
  await client.pauseRelease({ releaseId, body: {} });
  await ask(160, 1000);
  await until('the shadow has answered', async () => {
    const { candidate } = (await client.getRelease({ releaseId })).comparison ?? {};
    return (candidate?.requestCount ?? 0) >= 100;
  });
  await client.resumeRelease({ releaseId, body: {} }).catch((error: unknown) => {
    // It may have been taken back while it was paused.
    if (!(error instanceof PilviError) || error.problem.code !== 'wrong-state') throw error;
  });
  const { state, reason, comparison } = await untilRelease(
    'it is rolled back',
    releaseId,
    (release) => release.endedAt !== null,
  );
  assert.equal(state, 'rolled-back');
  assert.match(reason!, /of the answers turned out wrong or far off; with the current version/);
  assert.ok(comparison!.candidate.requestCount >= 100, String(comparison!.candidate.requestCount));
  const { items } = await client.listLoggedPredictions({ endpointId, limit: 200 });
  assert.equal(items.length, 160, 'only answers that were given');
  assert.ok(items.every(({ modelVersionId }) => modelVersionId === formerId));
  await until(
    'what was answered is counted',
    async () => (await client.getEndpoint({ endpointId })).predictionCount === before + 160,
  );
});

test('a canary goes on after kill -9, and a rule about changed decisions holds it back', async () => {
  const releaseId = await start({
    strategy: {
      kind: 'canary',
      steps: [
        { trafficShare: 0.2, bakingMinutes: 0.2 },
        { trafficShare: 0.5, bakingMinutes: 0 },
      ],
    },
    guard: { leastRequests: 0, quality: null, answers: null },
  });
  await untilRelease('it bakes', releaseId, ({ bakedMinutes }) => bakedMinutes > 0);
  await product.kill();
  await product.start();
  const { history } = await untilRelease('it finished', releaseId, ({ endedAt }) => endedAt !== null);
  assert.deepEqual(
    history.map(({ kind, stepIndex }) => [kind, stepIndex]),
    [
      ['started', null],
      ['step', 0],
      ['step', 1],
      ['finished', 1],
    ],
  );
  const { client } = product;
  assert.deepEqual(
    (await client.getEndpoint({ endpointId })).deployments.map(({ modelVersionId }) => modelVersionId),
    [spoiltId],
  );
  const back = await client.rollBackRelease({ releaseId, body: { reason: 'enough' } });
  assert.equal(back.state, 'rolled-back');
  assert.deepEqual(
    (await client.getEndpoint({ endpointId })).deployments.map(({ modelVersionId }) => modelVersionId),
    [formerId],
  );
  await client.setGateRule({ endpointId, body: { rule: 'flipped <= 0.1 %' } });
  const held = await start({});
  const { waitingFor, stepIndex } = await untilRelease('it was compared', held, (release) =>
    release.waitingFor.some((reason) => reason.includes('%')),
  );
  assert.equal(stepIndex, null);
  assert.match(waitingFor.join(), /decided otherwise/);
  await client.rollBackRelease({ releaseId: held, body: {} });
});

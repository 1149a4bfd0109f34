// Endpoints through their operations: names, shares, history, and what other workspaces and projects see.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Problem } from '../../base/problems.ts';
import { endpoint as endpointSchema } from '../../contract/endpoint.ts';
import type { Context } from '../../platform/context.ts';
import type { ModelVersion } from '../registry/registry.ts';
import {
  createEndpoint,
  currentChangeCounts,
  deleteEndpoint,
  deployModel,
  getEndpoint,
  listEndpoints,
  predictionTarget,
  recordPredictions,
  watchEndpoints,
} from './deploy.ts';
import { openDeployTest, type DeployTest } from './testing.ts';

let opened: DeployTest;
let context: Context;
let projectId: string;
let version: ModelVersion;

before(async () => {
  opened = await openDeployTest();
  context = await opened.freshWorkspace();
});
beforeEach(async () => {
  projectId = await opened.freshProject(context);
  version = await opened.freshVersion(context, projectId);
});
after(() => opened.close());

function isProblem(code: string, detail = /./): (error: unknown) => boolean {
  return (error) => error instanceof Problem && error.code === code && detail.test(error.message);
}

describe('an endpoint', () => {
  test('is made with a version that gets all of its traffic', async () => {
    const endpoint = await createEndpoint(context, { projectId, name: 'churn', modelVersionId: version.id });
    endpointSchema.parse(endpoint);
    assert.equal(endpoint.state, 'ready');
    assert.equal(endpoint.predictPath, `/api/v1/endpoints/${endpoint.id}/predictions`);
    assert.deepEqual(
      endpoint.deployments.map(({ modelVersionId, trafficShare }) => [modelVersionId, trafficShare]),
      [[version.id, 1]],
    );
    assert.deepEqual(endpoint.fields, version.fields);
    assert.deepEqual(await getEndpoint(context, endpoint.id), endpoint);
  });

  test('has a name that is its own in the project, also when many ask at once', async () => {
    const input = { projectId, name: 'churn', modelVersionId: version.id };
    const made = await Promise.allSettled([1, 2, 3].map(() => createEndpoint(context, input)));
    assert.equal(made.filter((one) => one.status === 'fulfilled').length, 1);
    for (const one of made)
      if (one.status === 'rejected') assert.ok(isProblem('already-exists', /"churn"/)(one.reason));
    const other = await opened.freshProject(context);
    const theirs = await opened.freshVersion(context, other);
    await createEndpoint(context, { projectId: other, name: 'churn', modelVersionId: theirs.id });
    const [first] = (await listEndpoints(context, { projectId, limit: 5 })).items;
    await deleteEndpoint(context, first!.id);
    await createEndpoint(context, input);
  });

  test('is not made of what is not there', async () => {
    const other = await opened.freshProject(context);
    const input = { projectId, name: 'x', modelVersionId: version.id };
    for (const wrong of [{ modelVersionId: 'mdv_none' }, { projectId: 'prj_none' }, { projectId: other }])
      // oxlint-disable-next-line no-await-in-loop
      await assert.rejects(createEndpoint(context, { ...input, ...wrong }), isProblem('not-found'));
    assert.deepEqual((await listEndpoints(context, { projectId, limit: 5 })).items, []);
  });

  test('is listed page by page, newest first', async () => {
    for (const name of ['a', 'b', 'c'])
      // oxlint-disable-next-line no-await-in-loop
      await createEndpoint(context, { projectId, name, modelVersionId: version.id });
    const first = await listEndpoints(context, { projectId, limit: 2 });
    const second = await listEndpoints(context, { projectId, limit: 2, cursor: first.nextCursor! });
    assert.deepEqual(
      [...first.items, ...second.items].map((one) => [one.name, one.deployments.length]),
      [
        ['c', 1],
        ['b', 1],
        ['a', 1],
      ],
    );
    assert.equal(second.nextCursor, null);
  });

  test('is seen by its workspace alone, and by keys of its project', async () => {
    const { id } = await createEndpoint(context, { projectId, name: 'churn', modelVersionId: version.id });
    const stranger = await opened.freshWorkspace();
    const { workspaceId } = context;
    const keyOf = (bound: string): Context =>
      opened.contextFor({
        workspaceId,
        actor: { kind: 'key', id: 'key_1', role: 'editor', projectId: bound },
      });
    const wanted = [{ modelVersionId: version.id, trafficShare: 1 }];
    for (const other of [stranger, keyOf(await opened.freshProject(context))]) {
      // oxlint-disable-next-line no-await-in-loop
      await assert.rejects(getEndpoint(other, id), isProblem('not-found'));
      // oxlint-disable-next-line no-await-in-loop
      await assert.rejects(deleteEndpoint(other, id), isProblem('not-found'));
      // oxlint-disable-next-line no-await-in-loop
      await assert.rejects(deployModel(other, id, wanted), isProblem('not-found'));
      // oxlint-disable-next-line no-await-in-loop
      await assert.rejects(predictionTarget(other, id), isProblem('not-found'));
    }
    assert.equal((await getEndpoint(keyOf(projectId), id)).id, id);
  });
});

describe('deploying', () => {
  test('shares the traffic among versions and tells servers', async () => {
    const { id } = await createEndpoint(context, { projectId, name: 'churn', modelVersionId: version.id });
    const second = await opened.freshVersion(context, projectId);
    const changed: string[] = [];
    const end = await watchEndpoints(context.database, (endpointId) => changed.push(endpointId));
    const endpoint = await deployModel(context, id, [
      { modelVersionId: version.id, trafficShare: 0.1 },
      { modelVersionId: second.id, trafficShare: 0.9 },
    ]);
    assert.deepEqual(
      endpoint.deployments.map(({ versionNumber, trafficShare }) => [versionNumber, trafficShare]),
      [
        [second.number, 0.9],
        [version.number, 0.1],
      ],
    );
    assert.deepEqual(await getEndpoint(context, id), endpoint);
    assert.equal((await predictionTarget(context, id)).revision, 2);
    assert.deepEqual(await currentChangeCounts(context.database, [id, 'ep_none']), new Map([[id, 1]]));
    await deleteEndpoint(context, id);
    assert.deepEqual(await currentChangeCounts(context.database, [id]), new Map());
    await context.database.ping();
    assert.deepEqual(changed, [id, id]);
    await end();
  });

  test('refuses shares that do not add up, versions named twice, and different questions', async () => {
    const { id } = await createEndpoint(context, { projectId, name: 'churn', modelVersionId: version.id });
    const second = await opened.freshVersion(context, projectId);
    const spend = await opened.freshVersion(context, projectId, 'spend');
    const deploy = (...shares: [ModelVersion, number][]): Promise<unknown> =>
      deployModel(
        context,
        id,
        shares.map(([{ id: modelVersionId }, trafficShare]) => ({ modelVersionId, trafficShare })),
      );
    await assert.rejects(deploy([version, 0.5]), isProblem('invalid-request', /0\.5/));
    await assert.rejects(deploy([version, 0.5], [second, 0.6]), isProblem('invalid-request', /1\.1/));
    await assert.rejects(deploy([version, 0.5], [version, 0.5]), isProblem('invalid-request', /twice/));
    await assert.rejects(
      deploy([version, 0.5], [spend, 0.5]),
      isProblem('invalid-request', /binary of "left".*regression of "spend"/),
    );
    assert.equal((await predictionTarget(context, id)).revision, 1);
    await deploy([version, 0], [second, 1]);
    await deploy([spend, 1]);
    assert.deepEqual((await getEndpoint(context, id)).fields, spend.fields);
  });

  test('at the same time keeps one revision after the other', async () => {
    const { id } = await createEndpoint(context, { projectId, name: 'churn', modelVersionId: version.id });
    const wanted = [{ modelVersionId: version.id, trafficShare: 1 }];
    await Promise.all([1, 2, 3, 4].map(() => deployModel(context, id, wanted)));
    assert.equal((await predictionTarget(context, id)).revision, 5);
    assert.equal((await getEndpoint(context, id)).deployments.length, 1);
  });
});

test('predictions are counted, those of deleted endpoints passed over', async () => {
  const { id } = await createEndpoint(context, { projectId, name: 'churn', modelVersionId: version.id });
  const count = (by: number): Promise<void> =>
    recordPredictions(
      context.database,
      new Map([
        ['ep_gone', 5],
        [id, by],
      ]),
    );
  await Promise.all([count(2), count(3)]);
  assert.equal((await getEndpoint(context, id)).predictionCount, 5);
});

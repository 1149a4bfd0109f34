// How models are served: apart and in process, from zero, kept ready, over servers, and while things go wrong. With real
// worker processes, which are really killed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { listBudgets, setBudget } from '../../capabilities/billing/billing.ts';
import { dayMs, hourMs, minuteMs, secondMs } from '../../base/time.ts';
import type { ServingSettings } from '../../contract/endpoint.ts';
import type { Context, Services } from '../../platform/context.ts';
import { unreachable } from '../../platform/database/errors.ts';
import { outageMs } from '../../platform/database/outage.ts';
import { openLog } from '../../platform/drivers/log.ts';
import { openModelServers, type OpenedModelServers } from '../../platform/model-servers/model-servers.ts';
import { createEndpoint, setServingSettings } from '../deploy/deploy.ts';
import { customers, openDeployTest, type DeployTest } from '../deploy/testing.ts';
import { closePredictions, getServingStatus, openPredictions, predict, predictCsv } from './predict.ts';

let passedMs = 0;
let jumpedMs = 0;
let isDatabaseOut = false;
let stuck: Promise<void> | undefined;
let openedFiles = 0;
let folder: string;
let modelServers: OpenedModelServers;
let opened: DeployTest;
let context: Context;
let projectId: string;

const clock = { nowMs: () => Date.now() + jumpedMs, monotonicMs: () => performance.now() + passedMs };
const asked = customers.slice(0, 30).map(({ left: _left, spend: _spend, ...row }) => row);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilvi-serving-'));
  const log = openLog({ level: 'silent' });
  modelServers = await openModelServers({ clock, log, workFolder: folder });
  const unlessOut = async (): Promise<void> => {
    await stuck;
    if (isDatabaseOut) throw unreachable(new Error('no connection'));
  };
  opened = await openDeployTest({
    clock,
    modelServers,
    wrapDatabase: (database) => ({
      ...database,
      inWorkspace: async (scope, work) => (await unlessOut(), await database.inWorkspace(scope, work)),
      asSystem: async (reason, work) => (await unlessOut(), await database.asSystem(reason, work)),
    }),
  });
  const { blobs } = opened.services;
  const { open, localPath } = blobs;
  blobs.open = (...which) => (openedFiles++, open.apply(blobs, which));
  blobs.localPath = (...which) => (openedFiles++, localPath.apply(blobs, which));
});
beforeEach(async () => {
  context = await opened.freshWorkspace();
  projectId = await opened.freshProject(context);
});
after(async () => {
  await closePredictions(opened.services);
  await modelServers.close();
  await opened.close();
  await rm(folder, { recursive: true });
});

async function freshEndpoint(serving: Partial<ServingSettings> = {}): Promise<string> {
  const { id: modelVersionId } = await opened.freshVersion(context, projectId);
  const { id } = await createEndpoint(context, { projectId, name: 'served', modelVersionId });
  await setServingSettings(context, id, serving);
  openedFiles = 0;
  return id;
}

const request = (): Context => ({ ...context, requestId: context.newId('request') });

const answersOf = async (endpointId: string) => (await predict(request(), endpointId, asked)).predictions;

const versionOf = async (endpointId: string) => (await getServingStatus(context, endpointId)).versions[0]!;

/** Waits for upkeep, whose clock runs faster meanwhile. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; !(await isSo()); waitedMs += 20) {
    assert.ok(waitedMs < 30_000, what);
    await sleep(20);
    passedMs += secondMs / 5;
  }
}

test('a model that is served apart answers as in process, JSON and CSV, and says what is wrong as there', async () => {
  const endpointId = await freshEndpoint({ place: 'in-process' });
  const expected = await answersOf(endpointId);
  const csv = `age,city,shoe\n60,Oulu,1\n,Turku,2\n`;
  const csvOf = async () => {
    const source = (async function* () {
      yield Buffer.from(csv);
    })();
    const { output, warnings } = await predictCsv(request(), endpointId, source);
    return {
      text: Buffer.concat(await Array.fromAsync(output.body as AsyncIterable<Buffer>)).toString(),
      warnings,
    };
  };
  const inProcess = await csvOf();
  assert.deepEqual((await versionOf(endpointId)).place, 'in-process');
  const { serving } = await setServingSettings(context, endpointId, { place: 'apart', idleMinutes: 3 });
  assert.deepEqual(serving, { place: 'apart', minReplicas: 0, maxReplicas: 4, idleMinutes: 3 });
  assert.equal((await getServingStatus(context, endpointId)).state, 'cold');
  assert.deepEqual(await answersOf(endpointId), expected);
  assert.deepEqual(await csvOf(), inProcess);
  const { place, state, replicas, serverCount } = await versionOf(endpointId);
  assert.deepEqual([place, state, replicas.ready, serverCount], ['apart', 'warm', 1, 1]);
  const [known, unknown] = await Promise.all([
    predict(request(), endpointId, [{ age: 60 }]),
    predict(request(), endpointId, [{ age: 60, shoe: 44 }]),
  ]);
  assert.deepEqual([known.warnings, unknown.warnings.length], [[], 1]);
  await assert.rejects(predict(request(), endpointId, [{ age: 60 }, { age: 'old' }]), (error: Error) => {
    assert.match(error.message, /"age" must be a number, got "old" \(row 2\)/);
    return true;
  });
});

for (const place of ['in-process', 'apart'] as const)
  test(`200 first calls at once, ${place}: one load, and nobody fails`, async () => {
    const endpointId = await freshEndpoint({ place });
    const told = await Promise.all(
      Array.from({ length: 200 }, (_, index) => predict(request(), endpointId, [asked[index % 30]!])),
    );
    assert.equal(told.length, 200);
    assert.equal(openedFiles, 1);
    const expected = await answersOf(endpointId);
    told.forEach(({ predictions }, index) => assert.deepEqual(predictions[0], expected[index % 30]));
  });

test('kill -9 of the process in the middle of requests: all are answered', async () => {
  const endpointId = await freshEndpoint({ place: 'apart' });
  const expected = await answersOf(endpointId);
  const answering = Array.from({ length: 20 }, () => answersOf(endpointId));
  killWorkers();
  for (const predictions of await Promise.all(answering)) assert.deepEqual(predictions, expected);
  assert.match((await versionOf(endpointId)).lastFailure!.detail, /ended/);
});

test('an endpoint that is kept ready is warm before anyone asks, on each server, and its minutes are paid', async () => {
  const endpointId = await freshEndpoint({ place: 'apart', minReplicas: 1 });
  passedMs += minuteMs;
  await until('it is warm', async () => (await getServingStatus(context, endpointId)).state === 'warm');
  const [budget] = await listBudgets(context);
  assert.ok(budget!.reservedMicroUsd >= 1_000, 'a minute is paid ahead');
  // Another server on the same database has heard of it, keeps one of its own, and takes it back when it stops.
  const other: Services = { ...opened.services, database: { ...opened.services.database } };
  openPredictions(other);
  const elsewhere = { ...context, database: other.database };
  await until('the other hears of it', async () => {
    const { versions } = await getServingStatus(elsewhere, endpointId);
    return versions[0]!.serverCount === 2;
  });
  await closePredictions(other);
  assert.equal((await versionOf(endpointId)).serverCount, 1);
  await setServingSettings(context, endpointId, { minReplicas: 0 });
  passedMs += 20 * minuteMs;
  await until('it is let go', async () => (await getServingStatus(context, endpointId)).state === 'cold');
});

test('what the budget does not allow is not kept, and answers from zero', async () => {
  const endpointId = await freshEndpoint({ place: 'apart' });
  await setBudget(context, { scope: { kind: 'workspace' }, period: 'month', capMicroUsd: 400 });
  await setServingSettings(context, endpointId, { minReplicas: 2 });
  passedMs += minuteMs;
  await until('it says why', async () => {
    const { state, lastFailure } = await versionOf(endpointId);
    return state === 'cold' && lastFailure?.detail.startsWith('No replica is kept ready: ') === true;
  });
  assert.equal((await predict(request(), endpointId, [{}])).predictions.length, 1);
});

test('while the database does not answer, endpoints that did answer on for a minute, then say why not', async () => {
  const endpointId = await freshEndpoint();
  const cold = await freshEndpointBeside();
  const expected = await answersOf(endpointId);
  isDatabaseOut = true;
  try {
    for (let second = 0; second < outageMs / secondMs - 2; second += 10) {
      assert.deepEqual(await answersOf(endpointId), expected);
      passedMs += 10 * secondMs;
    }
    await assert.rejects(answersOf(cold), { code: 'unavailable' });
    passedMs += 15 * secondMs;
    await assert.rejects(answersOf(endpointId), { code: 'unavailable', retryAfterSeconds: 5 });
  } finally {
    isDatabaseOut = false;
  }
  assert.deepEqual(await answersOf(endpointId), expected);
});

test('a database that neither answers nor fails holds nobody up', async () => {
  const endpointId = await freshEndpoint();
  const expected = await answersOf(endpointId);
  const { promise, resolve } = Promise.withResolvers<void>();
  stuck = promise;
  passedMs += 10 * secondMs;
  assert.deepEqual(await answersOf(endpointId), expected);
  stuck = undefined;
  resolve();
});

test('a clock that jumps, forward or back, costs no prediction', async () => {
  const endpoints = [await freshEndpoint({ place: 'apart' }), await freshEndpointBeside()];
  const expected = await Promise.all(endpoints.map(answersOf));
  for (jumpedMs of [hourMs, -2 * hourMs, dayMs, 0])
    assert.deepEqual(await Promise.all(endpoints.map(answersOf)), expected, `${jumpedMs} ms away`);
});

async function freshEndpointBeside(): Promise<string> {
  const { id: modelVersionId } = await opened.freshVersion(context, projectId);
  return (await createEndpoint(context, { projectId, name: 'beside', modelVersionId })).id;
}

/** Kills the worker processes of this test: what it started, but not the one that looks for them. */
function killWorkers(): void {
  const lines = execFileSync('ps', ['-e', '-o', 'pid=,ppid=,args=']).toString().split('\n');
  for (const line of lines) {
    const [pid, parent, ...words] = line.trim().split(/\s+/);
    if (Number(parent) !== process.pid || !words.join(' ').includes('task-main')) continue;
    process.kill(Number(pid), 'SIGKILL');
  }
}

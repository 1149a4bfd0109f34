// Model servers with real processes that are really killed. Time passes when the test says so.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs } from '../../base/time.ts';
import { openLog } from '../drivers/log.ts';
import type { ServedModel } from '../ports/model-servers.ts';
import type { MachineLimits } from './machine.ts';
import { openModelServers, type OpenedModelServers } from './model-servers.ts';
import { taskModule, type Behaviour, type Source, type Told } from './model-task.fixture.ts';

const mebibyte = 1_048_576;
let folder: string;
let servers: OpenedModelServers;
let passedMs = 0;
let names = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilvi-models-'));
});
beforeEach(() => open());
afterEach(async () => {
  await servers.close();
  assert.deepEqual(await readdir(join(folder, 'work')), [], 'no folder of a process is left');
});
after(() => rm(folder, { recursive: true }));

async function open(machine: MachineLimits = { processes: 4, memoryBytes: 4096 * mebibyte }): Promise<void> {
  servers = await openModelServers({
    clock: { nowMs: () => Date.now(), monotonicMs: () => performance.now() + passedMs },
    log: openLog({ level: 'silent' }),
    workFolder: join(folder, 'work'),
    machine,
    isTended: false,
  });
}

/** A file of the test that is not there yet. */
const freshFile = (): string => join(folder, `file-${names++}`);

interface Fixture extends ServedModel {
  openings: string;
}

function modelOf(source: Partial<Source> = {}, changes: Partial<ServedModel> = {}): Fixture {
  const openings = freshFile();
  return {
    name: `model ${names++}`,
    taskModule,
    source: () => Promise.resolve({ openings, ...source }),
    memoryBytes: 200 * mebibyte,
    scale: { maxReplicas: 3, idleMs: minuteMs },
    openings,
    ...changes,
  };
}

const ask = (model: ServedModel, behaviour: Behaviour = {}, rowCount = 1): Promise<Told> =>
  servers.ask<Told>(model, { input: behaviour, rowCount });

const openingsOf = ({ openings }: Fixture): number =>
  existsSync(openings) ? readFileSync(openings, 'utf8').trim().split('\n').length : 0;

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 5) {
    assert.ok(waitedMs < 30_000, what);
    await sleep(5);
  }
}

function tendAfter(ms: number): void {
  passedMs += ms;
  servers.tend();
}

test('a thousand that ask at once are answered after one load, in batches within their bounds', async () => {
  const model = modelOf();
  assert.equal(servers.statusOf(model.name), undefined);
  const asked = Array.from({ length: 1000 }, (_, value) => ask(model, { value }));
  assert.equal(servers.statusOf(model.name)!.state, 'loading');
  const told = await Promise.all(asked);
  assert.deepEqual(
    told.map(({ value }) => value),
    told.map((_, index) => index),
  );
  assert.equal(openingsOf(model), 1);
  const largest = Math.max(...told.map(({ batch }) => batch));
  assert.ok(largest > 1 && largest <= 256, `${largest} in a batch`);
  assert.equal((await ask(model)).batch, 1, 'one that need not wait goes alone');
});

test('a refused question does not touch those that were asked with it', async () => {
  const model = modelOf();
  const told = await Promise.allSettled([ask(model, { do: 'refuse' }), ask(model), ask(model)]);
  assert.deepEqual(
    told.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  );
  assert.equal(((told[0] as PromiseRejectedResult).reason as Problem).code, 'prediction-input');
});

test('kill -9 in the middle of a question: it is asked once more elsewhere, and answered', async () => {
  const model = modelOf();
  const [pidFile, once] = [freshFile(), freshFile()];
  const answering = ask(model, { do: 'announce-and-hang', file: pidFile, once, value: 7 });
  await until('the question is being answered', () => existsSync(pidFile));
  const pid = Number(readFileSync(pidFile, 'utf8'));
  process.kill(pid, 'SIGKILL');
  const told = await answering;
  assert.equal(told.value, 7);
  assert.notEqual(told.pid, pid);
  assert.equal(servers.statusOf(model.name)!.lastFailure!.problem.code, 'worker-lost');
});

test('a process that is killed between questions is replaced', async () => {
  const model = modelOf();
  const { pid } = await ask(model);
  process.kill(pid, 'SIGKILL');
  assert.notEqual((await ask(model)).pid, pid);
});

test('a question that kills every process fails alone, with when to try again', async () => {
  const model = modelOf();
  const poison = ask(model, { do: 'kill-itself' });
  const others = Array.from({ length: 5 }, (_, value) => ask(model, { value }));
  await assert.rejects(poison, (error: Problem) => {
    assert.equal(error.code, 'unavailable');
    assert.match(error.message, /ended twice/);
    assert.ok(error.retryAfterSeconds! > 0);
    return true;
  });
  assert.deepEqual(
    (await Promise.all(others)).map(({ value }) => value),
    [0, 1, 2, 3, 4],
  );
});

test('a process over its memory is replaced, and the reason is told', async () => {
  const model = modelOf();
  assert.equal((await ask(model, { do: 'allocate', once: freshFile(), value: 1 })).value, 1);
  const { problem } = servers.statusOf(model.name)!.lastFailure!;
  assert.equal(problem.code, 'memory-limit');
  assert.match(problem.message, /more than its limit of 200 MiB/);
  await assert.rejects(ask(model, { do: 'allocate' }), { code: 'memory-limit' });
  const { pid } = await ask(model, { do: 'keep-memory' });
  await until('it is ended between two questions', () => {
    servers.tend();
    return servers.statusOf(model.name)!.lastFailure!.problem.message.startsWith('Between two requests');
  });
  assert.notEqual((await ask(model)).pid, pid);
});

test('a mistake in the model is one of the question, not of its neighbours', async () => {
  const model = modelOf();
  const [wrong, right] = await Promise.allSettled([ask(model, { do: 'throw' }), ask(model, { value: 2 })]);
  assert.equal((wrong as PromiseRejectedResult).reason.code, 'internal');
  assert.equal((right as PromiseFulfilledResult<Told>).value.value, 2);
});

test('a model that cannot be opened says so to everyone who waits; one whose process dies is opened twice', async () => {
  const damaged = modelOf({ fails: 'problem' });
  for (const one of await Promise.allSettled([ask(damaged), ask(damaged)]))
    assert.equal((one as PromiseRejectedResult).reason.code, 'model-file-invalid');
  assert.equal(openingsOf(damaged), 1);
  const deadly = modelOf({ fails: 'kill-itself' });
  await assert.rejects(ask(deadly), { code: 'unavailable' });
  assert.equal(openingsOf(deadly), 2);
});

test('the progress of a load is told', async () => {
  const waitsFor = freshFile();
  const model = modelOf({ waitsFor });
  const answering = ask(model);
  await until('it has begun to load', () => servers.statusOf(model.name)!.loadedShare === 0.4);
  assert.equal(servers.statusOf(model.name)!.waitingCount, 1);
  writeFileSync(waitsFor, '');
  await answering;
  const { state, replicas, loadedShare } = servers.statusOf(model.name)!;
  assert.deepEqual([state, replicas, loadedShare], ['warm', { ready: 1, loading: 0 }, null]);
});

test('replicas follow the traffic, up to their maximum, and go when it does', async () => {
  const model = modelOf();
  const file = freshFile();
  const { pid } = await ask(model);
  const busy = Array.from({ length: 40 }, () => ask(model, { do: 'wait-for', file }, 64));
  for (let replicas = 2; replicas <= 3; replicas++) {
    tendAfter(secondMs);
    await until(`${replicas} replicas`, () => servers.statusOf(model.name)!.replicas.ready === replicas);
  }
  tendAfter(secondMs);
  assert.equal(openingsOf(model), 3);
  writeFileSync(file, '');
  assert.equal(new Set((await Promise.all(busy)).map((told) => told.pid)).size, 3);
  assert.ok((await ask(model)).pid > 0 && pid > 0);
  tendAfter(minuteMs - secondMs);
  assert.equal(servers.statusOf(model.name)!.state, 'warm', 'before its idle time is over');
  tendAfter(2 * secondMs);
  await until('all are gone', () => servers.statusOf(model.name)!.replicas.loading === 0);
  servers.tend();
  assert.equal(servers.statusOf(model.name), undefined);
});

test('replicas that are kept are ready before the first question, stay, are replaced and let go', async () => {
  const model = modelOf();
  servers.keepReady([{ model, minReplicas: 1 }]);
  servers.tend();
  await until('it is ready', () => servers.statusOf(model.name)!.state === 'warm');
  tendAfter(10 * minuteMs);
  const { pid } = await ask(model);
  process.kill(pid, 'SIGKILL');
  await until('its end was seen', () => servers.statusOf(model.name)!.state === 'cold');
  servers.tend();
  await until('it is ready again', () => servers.statusOf(model.name)!.state === 'warm');
  servers.keepReady([]);
  tendAfter(10 * minuteMs);
  await until('it is gone', () => servers.statusOf(model.name)!.replicas.loading === 0);
});

test('a machine with room for one process: models take turns, the busy one gives way', async () => {
  await servers.close();
  await open({ processes: 1, memoryBytes: 0 });
  const [first, second] = [modelOf(), modelOf()];
  await ask(first);
  assert.equal((await ask(second, { value: 5 })).value, 5, 'one that is idle makes room at once');
  const file = freshFile();
  const busy = Array.from({ length: 3 }, () => ask(second, { do: 'wait-for', file }, 1000));
  const starving = ask(first, { value: 6 });
  passedMs += secondMs;
  assert.equal(servers.statusOf(first.name)!.state, 'queued');
  writeFileSync(file, '');
  assert.equal((await starving).value, 6);
  await Promise.all(busy);
});

test('closing tells those who wait that the server is stopping', async () => {
  const model = modelOf();
  const answering = ask(model, { do: 'wait-for', file: freshFile() });
  await until('it is loaded', () => servers.statusOf(model.name)!.state === 'warm');
  const waiting = ask(model, {}, 1000);
  const told = [answering, waiting].map((one) => assert.rejects(one, { code: 'unavailable' }));
  await servers.close();
  await Promise.all(told);
});

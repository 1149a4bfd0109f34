import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../base/json.ts';
import type { Log } from '../ports/log.ts';
import { residentBytes } from './resident-memory.ts';
import { eventIntervalMs } from './task-reporter.ts';
import { maxOutputBytes } from './worker-messages.ts';
import { WorkerProcess, type TaskOutcome, type TaskRun } from './worker-process.ts';

const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog };
const taskModule = new URL('./misbehaving-task.fixture.ts', import.meta.url);
const mebibyte = 1_048_576;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilvi-worker-'));
});
after(() => rm(folder, { recursive: true, force: true }));

class Worker implements AsyncDisposable {
  readonly events: { name: string; data: JsonObject }[] = [];
  readonly process: WorkerProcess;

  constructor(silenceMs?: number) {
    this.process = new WorkerProcess({
      homeFolder: folder,
      memoryBytes: 400 * mebibyte,
      priority: 'interactive',
      log: silentLog,
      ...(silenceMs !== undefined && { silenceMs }),
    });
  }

  run(input: JsonObject, changes: Partial<TaskRun> = {}): Promise<TaskOutcome> {
    return this.process.run({
      taskModule,
      input,
      jobId: 'job_1',
      attempt: 1,
      workFolder: folder,
      limits: { memoryBytes: 400 * mebibyte, timeoutMs: 60_000 },
      signal: new AbortController().signal,
      onEvent: (event) => void this.events.push(event),
      ...changes,
    });
  }

  async event(name: string): Promise<JsonObject> {
    for (;;) {
      const found = this.events.find((event) => event.name === name);
      if (found) return found.data;
      await sleep(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.end();
    assert.ok(!isAlive(this.process.pid!), 'the process is gone');
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A zombie waits only for its new parent to take note.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(20);
}

function problemCode(outcome: TaskOutcome): string {
  return outcome.kind === 'problem' ? outcome.problem.code : outcome.kind;
}

test('a task gets its input and gives its output; the process takes the next', async () => {
  await using worker = new Worker();
  assert.deepEqual(await worker.run({ do: 'echo', value: [1, 'two', null] }), {
    kind: 'output',
    output: { echoed: [1, 'two', null], attempt: 1 },
  });
  assert.ok(worker.process.isReusable);
  assert.deepEqual(await worker.run({ do: 'nothing' }), { kind: 'output', output: null });
});

test('nothing of the environment of the server reaches the task', async () => {
  process.env.DATABASE_URL = 'postgres://secret';
  await using worker = new Worker();
  const outcome = await worker.run({ do: 'environment' });
  delete process.env.DATABASE_URL;
  assert.ok(outcome.kind === 'output');
  const { environment, hasSend } = outcome.output as { environment: object; hasSend: boolean };
  assert.deepEqual(
    Object.keys(environment).filter((name) => !name.startsWith('NODE_CHANNEL_')),
    ['HOME', 'TMPDIR', 'TEMP', 'TMP', 'TZ', 'LANG'],
  );
  assert.equal(hasSend, false);
});

test('a problem keeps its code and says whether trying again makes sense', async () => {
  await using worker = new Worker();
  const first = await worker.run({ do: 'problem', code: 'file-empty' });
  assert.ok(first.kind === 'problem');
  assert.equal(first.problem.code, 'file-empty');
  assert.equal(first.problem.message, 'The fixture was told to fail.');
  assert.equal(first.retryable, false);
  const second = await worker.run({ do: 'problem', code: 'disk-full' });
  assert.ok(second.kind === 'problem' && second.retryable);
});

for (const behaviour of ['throw', 'throw-later', 'bigint', 'unknown-behaviour']) {
  test(`a mistake in the task is "internal" and not tried again: ${behaviour}`, async () => {
    await using worker = new Worker();
    const outcome = await worker.run({ do: behaviour });
    assert.ok(outcome.kind === 'problem');
    assert.equal(outcome.problem.code, 'internal');
    assert.equal(outcome.retryable, false);
    assert.doesNotMatch(outcome.problem.message, /mistake|\.ts/, 'no stack or message of ours');
    assert.equal(worker.process.isReusable, false);
  });
}

test('an output beyond the bound is refused', async () => {
  await using worker = new Worker();
  assert.equal(problemCode(await worker.run({ do: 'huge-output', bytes: maxOutputBytes })), 'internal');
});

test('a task module that does not exist, or has no task, is "internal"', async () => {
  for (const name of ['./no-such-module.ts', './module-url.ts']) {
    await using worker = new Worker();
    const outcome = await worker.run({}, { taskModule: new URL(name, import.meta.url) });
    assert.equal(problemCode(outcome), 'internal');
  }
});

test('a process that ends by itself is lost', async () => {
  for (const input of [{ do: 'exit', code: 3 }, { do: 'exit', code: 0 }, { do: 'kill-itself' }]) {
    await using worker = new Worker();
    assert.equal((await worker.run(input)).kind, 'lost');
  }
});

test('memory beyond the limit ends the process', async () => {
  for (const behaviour of ['allocate', 'allocate-heap']) {
    await using worker = new Worker();
    assert.equal(problemCode(await worker.run({ do: behaviour })), 'memory-limit');
    assert.ok(!isAlive(worker.process.pid!));
  }
});

test('time beyond the limit ends the process, busy or not', async () => {
  for (const behaviour of ['busy', 'sleep']) {
    await using worker = new Worker();
    const limits = { memoryBytes: 400 * mebibyte, timeoutMs: 800 };
    assert.equal(problemCode(await worker.run({ do: behaviour, forMs: 60_000 }, { limits })), 'time-limit');
    assert.ok(!isAlive(worker.process.pid!));
  }
});

test('aborting asks the task, and kills the one that does not listen', async () => {
  for (const behaviour of ['wait-for-abort', 'ignore-abort', 'busy-reporting']) {
    await using worker = new Worker();
    const controller = new AbortController();
    const outcome = worker.run({ do: behaviour, forMs: 60_000 }, { signal: controller.signal });
    await worker.event('waiting');
    controller.abort();
    assert.equal((await outcome).kind, 'aborted');
    assert.ok(!isAlive(worker.process.pid!));
  }
});

test('a task that was aborted before it began does not begin', async () => {
  await using worker = new Worker();
  const outcome = await worker.run({ do: 'echo' }, { signal: AbortSignal.abort() });
  assert.equal(outcome.kind, 'aborted');
});

test('a long computation is alive: its thread speaks for it, and its progress arrives meanwhile', async () => {
  await using worker = new Worker(5_000);
  const outcome = worker.run({ do: 'busy-reporting', forMs: 6_000 });
  await worker.event('progress');
  assert.equal((await outcome).kind, 'output');
  const shares = worker.events
    .filter(({ name }) => name === 'progress')
    .map(({ data }) => Number(data.share));
  assert.ok(shares.length > 2 && shares.length < 30, `${shares.length} events in 6 s`);
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  );
});

test('a process that falls silent is lost and ended', async () => {
  await using worker = new Worker(1_500);
  const outcome = await worker.run({ do: 'stop-itself' });
  assert.equal(outcome.kind, 'lost');
  assert.ok(!isAlive(worker.process.pid!));
});

test('a flood of events is thinned and the last of each name arrives', async () => {
  await using worker = new Worker();
  const startMs = performance.now();
  assert.equal((await worker.run({ do: 'flood', count: 50_000 })).kind, 'output');
  // The 256 names that have a place, the rest together, and progress: each once in every interval, however slow it is.
  const intervalCount = Math.ceil((performance.now() - startMs) / eventIntervalMs) + 1;
  assert.ok(worker.events.length <= 258 * intervalCount, `${worker.events.length} events`);
  assert.ok(worker.events.length < 100_000 / 2, `${worker.events.length} events`);
  const last = worker.events.findLast(({ name }) => name === 'progress');
  assert.equal(last?.data.message, 'event 49999');
});

test('an event that is too large is left out and the task goes on', async () => {
  await using worker = new Worker();
  assert.equal((await worker.run({ do: 'large-event' })).kind, 'output');
  assert.deepEqual(worker.events, []);
});

test('files are written in the work folder', async () => {
  await using worker = new Worker();
  await worker.run({ do: 'write', value: 'written' });
  assert.equal(await readFile(join(folder, 'result.txt'), 'utf8'), 'written');
});

test('what the task started ends with it', async () => {
  const controller = new AbortController();
  await using worker = new Worker();
  const outcome = worker.run({ do: 'start-process' }, { signal: controller.signal });
  const { pid } = await worker.event('started');
  controller.abort();
  await outcome;
  await untilGone(Number(pid));
});

test('resident memory counts what a process started', { skip: process.platform !== 'linux' }, async () => {
  await using worker = new Worker();
  const controller = new AbortController();
  const outcome = worker.run({ do: 'start-process' }, { signal: controller.signal });
  const { pid } = await worker.event('started');
  while ((residentBytes(Number(pid)) ?? 0) < 10 * mebibyte) await sleep(10);
  assert.ok(residentBytes(worker.process.pid!)! > residentBytes(Number(pid))!);
  controller.abort();
  await outcome;
  assert.equal(residentBytes(Number(pid)), undefined);
});

for (const behaviour of ['busy-reporting', 'ignore-abort', 'start-process']) {
  test(`a server that is killed leaves no worker behind: ${behaviour}`, async () => {
    const host = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('./worker-host.fixture.ts', import.meta.url)),
        folder,
        JSON.stringify({ do: behaviour, forMs: 600_000 }),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = (await once(host.stdout, 'data')) as [Buffer];
    const pids = String(line).split('\n', 1)[0]!.split(' ').map(Number);
    assert.ok(pids.every(isAlive), `${pids} live`);
    host.kill('SIGKILL');
    await once(host, 'close');
    for (const pid of pids) await untilGone(pid);
  });
}

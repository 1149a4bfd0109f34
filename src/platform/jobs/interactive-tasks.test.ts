// Tasks that someone waits for, with real worker processes.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Problem } from '../../base/problems.ts';
import { openLog } from '../drivers/log.ts';
import type { TaskOptions } from './housed-process.ts';
import { InteractiveTasks } from './interactive-tasks.ts';
import { taskModule, type Behaviour } from './jobs.fixture.ts';
import { openWorkFolders, type WorkFolders } from './work-folders.ts';

const limits = { memoryBytes: 400 * 1_048_576, timeoutMs: 60_000 };
const { signal: never } = new AbortController();
const log = openLog({ level: 'silent' });
let root: string;
let folders: WorkFolders;
let tasks: InteractiveTasks;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'pilvi-tasks-'));
  folders = await openWorkFolders(root, log);
  tasks = new InteractiveTasks({ folders, log });
});
after(async () => {
  await tasks.close();
  await folders.close();
  assert.deepEqual(await readdir(root), [], 'no work folder is left');
  await rm(root, { recursive: true });
});

test('a task answers, and its process is used again', async () => {
  assert.deepEqual(await run({ do: 'echo', value: 'hello' }), { echoed: 'hello', attempt: 1 });
  const homes = [await homeOf(), await homeOf(), await homeOf()];
  assert.equal(new Set(homes).size, 1);
});

test('a task that fails throws its problem', async () => {
  assert.equal(await codeOf({ do: 'problem', code: 'query-invalid' }), 'query-invalid');
  assert.equal(await codeOf({ do: 'throw' }), 'internal');
  assert.equal(await codeOf({ do: 'exit', code: 1 }), 'worker-lost');
  assert.equal(
    await codeOf({ do: 'busy', forMs: 60_000 }, { limits: { ...limits, timeoutMs: 300 } }),
    'time-limit',
  );
  const controller = new AbortController();
  const left = codeOf({ do: 'ignore-abort' }, { signal: controller.signal });
  setTimeout(() => controller.abort(), 300);
  assert.equal(await left, 'cancelled');
});

test('tasks beyond the bound are refused, those within take turns', async () => {
  const waiting = Array.from({ length: 36 }, () => run({ do: 'sleep', forMs: 1 }));
  assert.equal(await codeOf({ do: 'echo' }), 'too-many-requests');
  await Promise.all(waiting);
});

test('closing ends what runs and what waits, and refuses what comes after', async () => {
  const own = new InteractiveTasks({ folders, log, maxRunning: 1 });
  const task = { taskModule, input: { do: 'sleep', forMs: 60_000 }, options: { limits, signal: never } };
  const ended = [own.run(task), own.run(task)].map((one) => assert.rejects(one, { code: 'cancelled' }));
  await own.close();
  await Promise.all(ended);
  await assert.rejects(own.run(task), { code: 'cancelled' });
});

async function run(behaviour: Behaviour, options: Partial<TaskOptions> = {}): Promise<unknown> {
  return await tasks.run({ taskModule, input: behaviour, options: { limits, signal: never, ...options } });
}

/** The code of the problem that a task ends with, or `none`. */
async function codeOf(behaviour: Behaviour, options: Partial<TaskOptions> = {}): Promise<string> {
  try {
    await run(behaviour, options);
    return 'none';
  } catch (error) {
    assert.ok(error instanceof Problem);
    return error.code;
  }
}

/** The home folder of the process that runs a task now. */
async function homeOf(): Promise<string> {
  const output = await run({ do: 'environment' });
  return (output as { environment: { HOME: string } }).environment.HOME;
}

// Tasks that someone waits for, on their own and in lanes, with real worker processes.
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
import { TaskLanes } from './task-lanes.ts';
import { openWorkFolders, type WorkFolders } from './work-folders.ts';

const limits = { memoryBytes: 400 * 1_048_576, timeoutMs: 60_000 };
const { signal: never } = new AbortController();
const log = openLog({ level: 'silent' });
let root: string;
let folders: WorkFolders;
let tasks: InteractiveTasks;
let lanes: TaskLanes;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'pilvi-tasks-'));
  folders = await openWorkFolders(root, log);
  tasks = new InteractiveTasks({ folders, log });
  lanes = new TaskLanes({ folders, log });
});
after(async () => {
  await Promise.all([tasks.close(), lanes.close()]);
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

test('tasks of a lane run one after the other in one process; another lane has its own', async () => {
  const homes = await Promise.all(['a', 'a', 'b', 'a'].map(homeOf));
  assert.equal(new Set([homes[0], homes[1], homes[3]]).size, 1);
  assert.notEqual(homes[2], homes[0]);
  const others = await Promise.all(['c', 'd', 'e', 'f'].map(homeOf));
  assert.equal(new Set(others).size, 4);
  // Four processes at most: that of the lane that was used first had to make room.
  assert.notEqual(await homeOf('a'), homes[0]);
});

test('a lane goes on with a fresh process after one that died, was too slow or was left', async () => {
  const lane = 'sick';
  assert.equal(await codeOf({ do: 'echo' }, { lane }), 'none');
  const both = await Promise.all([codeOf({ do: 'kill-itself' }, { lane }), codeOf({ do: 'echo' }, { lane })]);
  assert.deepEqual(both, ['worker-lost', 'none']);
  const slow = { lane, limits: { ...limits, timeoutMs: 300 } };
  assert.equal(await codeOf({ do: 'busy', forMs: 60_000 }, slow), 'time-limit');
  assert.equal(await codeOf({ do: 'echo' }, { lane }), 'none');
  const controller = new AbortController();
  const left = codeOf({ do: 'sleep', forMs: 60_000 }, { lane, signal: controller.signal });
  const next = codeOf({ do: 'echo' }, { lane });
  controller.abort();
  assert.equal(await left, 'cancelled');
  assert.equal(await next, 'none');
});

test('a lane refuses tasks beyond those that may wait', async () => {
  const waiting = Array.from({ length: 65 }, () => run({ do: 'echo' }, { lane: 'full' }));
  assert.equal(await codeOf({ do: 'echo' }, { lane: 'full' }), 'too-many-requests');
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
  const task = { taskModule, input: behaviour, options: { limits, signal: never, ...options } };
  return options.lane === undefined ? await tasks.run(task) : await lanes.run(options.lane, task);
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
async function homeOf(lane?: string): Promise<string> {
  const output = await run({ do: 'environment' }, lane === undefined ? {} : { lane });
  return (output as { environment: { HOME: string } }).environment.HOME;
}

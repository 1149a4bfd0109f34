import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openLog } from '../drivers/log.ts';
import { openWorkFolders } from './work-folders.ts';

const log = openLog({ level: 'silent' });
const machine = hostname().replaceAll(/[^\w-]/g, '_');
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pilvi-folders-'));
});
afterEach(() => rm(root, { recursive: true }));

test('a folder is empty, of its own, and gone after its task', async () => {
  const folders = await openWorkFolders(root, log);
  const [one, two] = [await folders.make(), await folders.make()];
  assert.notEqual(one.work, two.work);
  assert.deepEqual(await readdir(one.work), []);
  await writeFile(join(one.work, 'file'), 'text');
  await one.remove();
  assert.ok(!existsSync(one.work) && !existsSync(one.home) && existsSync(two.work));
  await one.remove();
  await folders.close();
  assert.deepEqual(await readdir(root), []);
});

test('what a dead process left is swept; what a living one, or another machine, uses is not', async () => {
  const deadPid = spawnSync(process.execPath, ['-e', '']).pid;
  const names = {
    dead: `${machine}.${deadPid}.0123456789ab`,
    earlierWithOurNumber: `${machine}.${process.pid}.0123456789ab`,
    living: `${machine}.${process.ppid}.0123456789ab`,
    elsewhere: `another-machine.1.0123456789ab`,
    elsewhereAbandoned: `another-machine.2.0123456789ab`,
    foreign: 'something-else',
  };
  for (const name of Object.values(names))
    await mkdir(join(root, name, 'task-1', 'work'), { recursive: true });
  const longAgo = new Date(Date.now() - 2 * 86_400_000);
  await utimes(join(root, names.elsewhereAbandoned), longAgo, longAgo);
  const other = await openWorkFolders(root, log);
  const { work } = await other.make();
  const folders = await openWorkFolders(root, log);
  assert.ok(existsSync(work), 'another user in this process keeps its folders');
  await other.close();
  await folders.close();
  assert.deepEqual(
    (await readdir(root)).toSorted(),
    [names.living, names.elsewhere, names.foreign].toSorted(),
  );
});

test('what a job keeps outlives its tries and their server, until it is forgotten', async () => {
  const first = await openWorkFolders(root, log);
  const kept = first.keptFor('job_1');
  await mkdir(kept);
  await writeFile(join(kept, 'file'), 'text');
  await first.close();
  const second = await openWorkFolders(root, log);
  assert.deepEqual(await second.keptJobs(), ['job_1']);
  assert.equal(second.keptFor('job_1'), kept);
  assert.ok(existsSync(join(kept, 'file')));
  await second.forget('job_1');
  await second.forget('job_1');
  assert.deepEqual(await second.keptJobs(), []);
  await second.close();
  assert.deepEqual(await readdir(root), []);
});

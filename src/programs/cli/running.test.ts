import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { newRunKey, readRunning, recordRunning } from './running.ts';
import { temporaryFolder } from './testing.ts';

test('the record of a running server is for its owner alone, and goes with the server', async () => {
  await using home = await temporaryFolder();
  assert.equal(await readRunning(home.path), undefined);
  const record = { url: 'http://127.0.0.1:4700', processId: process.pid, key: newRunKey() };
  const forget = await recordRunning(home.path, record);
  assert.equal((await stat(home.at('running.json'))).mode & 0o777, 0o600);
  assert.deepEqual(await readRunning(home.path), record);
  await forget();
  assert.equal(await readRunning(home.path), undefined);
});

test('a record that a crash left behind counts for nothing', async () => {
  await using home = await temporaryFolder();
  await writeFile(
    home.at('running.json'),
    JSON.stringify({ url: 'http://x', processId: 2 ** 22 + 1, key: 'k' }),
  );
  assert.equal(await readRunning(home.path), undefined);
  await writeFile(home.at('running.json'), '{"url":');
  assert.equal(await readRunning(home.path), undefined);
});

test('a server that stops leaves the record of its successor alone', async () => {
  await using home = await temporaryFolder();
  const forgetFirst = await recordRunning(home.path, { url: 'http://a', processId: process.ppid, key: null });
  await recordRunning(home.path, { url: 'http://b', processId: process.pid, key: null });
  await forgetFirst();
  assert.equal((await readRunning(home.path))?.url, 'http://b');
});

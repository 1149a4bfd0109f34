// What a killed try left is there for the next, whole or not at all.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openTrainingJournal } from './training-journal.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilvi-journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('records and the time used outlive whoever wrote them', async () => {
  const kept = join(folder, 'made', 'when needed');
  const first = await openTrainingJournal(kept);
  assert.equal(first.spentMs, 0);
  assert.equal(await first.read(0), undefined);
  await first.write(0, Uint8Array.of(1, 2));
  await first.write(1, Uint8Array.of(3));
  await first.write(1, Uint8Array.of(4));
  await first.close();
  await writeFile(join(kept, 'spent-ms'), '2500');
  const second = await openTrainingJournal(kept);
  assert.equal(second.spentMs, 2500);
  assert.deepEqual(await second.read(0), Uint8Array.of(1, 2));
  assert.deepEqual(await second.read(1), Uint8Array.of(4));
  await second.close();
  const third = await openTrainingJournal(kept);
  assert.ok(third.spentMs >= 2500, 'the time of the second is added');
  await third.close();
  assert.deepEqual((await readdir(kept)).toSorted(), ['spent-ms', 'trial-1', 'trial-2'], 'no draft is left');
});

test('a time that nobody wrote counts as none', async () => {
  for (const text of ['', '-5', '1e9', 'NaN', '12 34', '9'.repeat(20)]) {
    await writeFile(join(folder, 'spent-ms'), text);
    const journal = await openTrainingJournal(folder);
    assert.equal(journal.spentMs, 0, text);
    await journal.close();
  }
});

test('beyond its size it keeps no more', async () => {
  const journal = await openTrainingJournal(folder, { maxBytes: 5 });
  await journal.write(0, new Uint8Array(3));
  await journal.write(1, new Uint8Array(3));
  assert.equal(await journal.read(1), undefined);
  await journal.close();
});

test('a folder that cannot be written, or is none, harms nobody', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  const journal = await openTrainingJournal(file);
  await journal.write(0, new Uint8Array(3));
  assert.equal(await journal.read(0), undefined);
  await journal.close();
  await mkdir(join(folder, 'trial-1'));
  const blocked = await openTrainingJournal(folder);
  await blocked.write(0, new Uint8Array(3));
  assert.equal(await blocked.read(0), undefined);
  await blocked.close();
});

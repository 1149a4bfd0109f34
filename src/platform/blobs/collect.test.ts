import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { dayMs, systemClock } from '../../base/time.ts';
import { openTestServices, type TestServices } from '../testing.ts';
import { collectBlobs } from './collect.ts';

let opened: TestServices;
before(async () => {
  opened = await openTestServices();
});
after(() => opened.close());

const put = (text: string) =>
  opened.services.blobs.put(Readable.from([Buffer.from(text)]), { maxBytes: 1000 });
const later = (days: number) => ({
  ...opened.services,
  clock: { ...systemClock, nowMs: () => Date.now() + days * dayMs },
});

test('removes what nobody refers to once it is old, and nothing else', async () => {
  const { blobs } = opened.services;
  const [kept, left] = [await put('kept'), await put('left')];
  const owners = [async () => [kept.sha256]];
  assert.equal(await collectBlobs(later(0), owners), 0, 'young blobs may belong to an open transaction');
  assert.equal(await collectBlobs(later(2), owners), 1);
  assert.equal((await blobs.stat(kept.sha256))?.sizeBytes, 4);
  assert.equal(await blobs.stat(left.sha256), undefined);
});

test('what one of several owners refers to stays', async () => {
  const { blobs } = opened.services;
  const [first, second, left] = [await put('first'), await put('second'), await put('third')];
  await collectBlobs(later(2), [async () => [first.sha256], async () => [second.sha256]]);
  assert.ok(await blobs.stat(first.sha256));
  assert.ok(await blobs.stat(second.sha256));
  assert.equal(await blobs.stat(left.sha256), undefined);
});

// The cache of opened models: bounded, one opening for many who wait, failures forgotten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Predictor } from '../../ml/model/predictor.ts';
import { ModelCache, mostWaiting, type OpenedModel } from './model-cache.ts';

const opened = (heldBytes: number): OpenedModel => ({ model: {} as Predictor, heldBytes });

test('the least recently used leave when there are too many bytes', async () => {
  const cache = new ModelCache(100);
  for (const name of ['a', 'b', 'c']) await cache.load(name, async () => opened(30));
  assert.ok(cache.get('a'));
  await cache.load('d', async () => opened(30));
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((name) => cache.get(name) !== undefined),
    [true, false, true, true],
  );
  await cache.load('huge', async () => opened(1_000));
  assert.deepEqual(
    ['a', 'c', 'd', 'huge'].map((name) => cache.get(name) !== undefined),
    [false, false, false, true],
    'one model is kept even if it is larger than the bound',
  );
  await cache.load('e', async () => opened(10));
  assert.equal(cache.get('huge'), undefined);
});

test('many that ask at once wait for one opening', async () => {
  const cache = new ModelCache(100);
  let openings = 0;
  const open = async (): Promise<OpenedModel> => {
    openings++;
    await new Promise(setImmediate);
    return opened(1);
  };
  const models = await Promise.all([1, 2, 3].map(() => cache.load('a', open)));
  assert.equal(openings, 1);
  assert.equal(new Set([...models, await cache.load('a', open)]).size, 1);
});

test('a failure reaches all who wait and is tried again', async () => {
  const cache = new ModelCache(100);
  const fail = async (): Promise<OpenedModel> => {
    await new Promise(setImmediate);
    throw new Error('damaged');
  };
  const results = await Promise.allSettled([cache.load('a', fail), cache.load('a', fail)]);
  assert.ok(results.every((result) => result.status === 'rejected'));
  assert.ok(await cache.load('a', async () => opened(1)));
});

test('no more wait for an opening than may, and they are told when to come again', async () => {
  const cache = new ModelCache(100);
  const opening = Promise.withResolvers<OpenedModel>();
  const waiting = Array.from({ length: mostWaiting }, () => cache.load('a', () => opening.promise));
  await assert.rejects(
    cache.load('a', () => opening.promise),
    { code: 'unavailable', retryAfterSeconds: 2 },
  );
  opening.resolve(opened(1));
  await Promise.all(waiting);
  assert.ok(await cache.load('b', async () => opened(1)));
});

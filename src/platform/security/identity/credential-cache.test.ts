import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { outageMs } from '../../database/outage.ts';
import { unreachable } from '../../database/errors.ts';
import { CredentialCache } from './credential-cache.ts';

interface Fact {
  name: string;
}

/** A cache over a map that stands for the database; each reading waits until it is let go. */
function cacheOver(stored: Map<string, string>, maxEntries = 100) {
  let nowMs = 0;
  const readings: { hashes: readonly string[]; answer(): void; fail(error?: unknown): void }[] = [];
  const cache = new CredentialCache<Fact>({
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    staleAfterMs: 5000,
    maxEntries,
    read: (hashes) =>
      new Promise((resolve, reject) => {
        const found = hashes.filter((hash) => stored.has(hash));
        const facts = new Map(found.map((hash) => [hash, { name: stored.get(hash)! }]));
        readings.push({
          hashes,
          answer: () => resolve(facts),
          fail: (error: unknown = new Error('no database')) => reject(error),
        });
      }),
  });
  return { cache, readings, advance: (ms: number) => void (nowMs += ms) };
}

describe('credential cache', () => {
  it('reads together what is asked for in one turn, each hash once', async () => {
    const { cache, readings } = cacheOver(new Map([['a', 'Ann']]));
    const loads = [cache.load('a'), cache.load('b'), cache.load('a')];
    await nextTurn();
    assert.deepEqual(
      readings.map(({ hashes }) => hashes),
      [['a', 'b']],
    );
    readings[0]!.answer();
    assert.deepEqual(await Promise.all(loads), [{ name: 'Ann' }, undefined, { name: 'Ann' }]);
    assert.deepEqual(cache.peek('a'), { name: 'Ann' });
    assert.equal(cache.peek('b'), undefined, 'what does not exist is not remembered');
  });

  it('uses what it knows for a minute while the database does not answer, and asks it once a second', async () => {
    const { cache, readings, advance } = cacheOver(new Map([['a', 'Ann']]));
    const first = cache.load('a');
    await nextTurn();
    readings[0]!.answer();
    await first;
    for (let second = 5; second < outageMs / 1000; second++) {
      advance(second === 5 ? 5000 : 1000);
      assert.equal(cache.peek('a'), undefined);
      const load = cache.load('a');
      await nextTurn();
      readings.at(-1)!.fail(unreachable(new Error('no connection')));
      assert.deepEqual(await load, { name: 'Ann' });
      assert.deepEqual(cache.peek('a'), { name: 'Ann' }, 'nobody else asks in this second');
    }
    advance(1000);
    const last = assert.rejects(cache.load('a'), { code: 'unavailable' });
    await nextTurn();
    readings.at(-1)!.fail(unreachable(new Error('no connection')));
    await last;
  });

  it('reads an entry in use anew before it is stale, and forgets it then', async () => {
    const stored = new Map([['a', 'Ann']]);
    const { cache, readings, advance } = cacheOver(stored);
    const load = cache.load('a');
    await nextTurn();
    readings[0]!.answer();
    await load;
    advance(2499);
    cache.peek('a');
    await nextTurn();
    assert.equal(readings.length, 1, 'fresh');
    advance(1);
    stored.delete('a');
    assert.ok(cache.peek('a'), 'does not wait');
    await nextTurn();
    assert.equal(readings.length, 2);
    readings[1]!.answer();
    await nextTurn();
    assert.equal(cache.peek('a'), undefined, 'gone from the database, gone from here');
  });

  it('never answers with what is older than its limit', async () => {
    const { cache, readings, advance } = cacheOver(new Map([['a', 'Ann']]));
    const load = cache.load('a');
    await nextTurn();
    // Counted from when it was asked for: the answer may be as old as that.
    advance(4000);
    readings[0]!.answer();
    await load;
    advance(999);
    assert.ok(cache.peek('a'));
    advance(1);
    assert.equal(cache.peek('a'), undefined);
  });

  it('keeps nothing that was read before it was told to forget', async () => {
    const { cache, readings } = cacheOver(new Map([['a', 'Ann']]));
    const before = cache.load('a');
    await nextTurn();
    cache.forget(({ name }) => name === 'Ann');
    const after = cache.load('a');
    assert.notEqual(before, after, 'who asks now does not get the old answer');
    readings[0]!.answer();
    await before;
    assert.equal(cache.peek('a'), undefined);
    await nextTurn();
    readings[1]!.answer();
    await after;
    assert.ok(cache.peek('a'));
  });

  it('keeps nothing that was about to be read when it was told to forget', async () => {
    const { cache, readings } = cacheOver(new Map([['a', 'Ann']]));
    const waiting = cache.load('a');
    cache.forget(() => true);
    await nextTurn();
    readings[0]!.answer();
    assert.deepEqual(await waiting, { name: 'Ann' });
    assert.ok(cache.peek('a'), 'it was read after the change, so it may stay');
  });

  it('tells everyone who waits when the database fails, and asks again next time', async () => {
    const { cache, readings } = cacheOver(new Map([['a', 'Ann']]));
    const [one, other] = [cache.load('a'), cache.load('b')];
    await nextTurn();
    readings[0]!.fail();
    await assert.rejects(one, /no database/);
    await assert.rejects(other, /no database/);
    const again = cache.load('a');
    await nextTurn();
    readings[1]!.answer();
    assert.deepEqual(await again, { name: 'Ann' });
  });

  it('holds no more than it may', async () => {
    const names = Array.from({ length: 50 }, (_, index) => String(index));
    const { cache, readings } = cacheOver(new Map(names.map((name) => [name, name])), 10);
    const loads = names.map((name) => cache.load(name));
    await nextTurn();
    readings[0]!.answer();
    await Promise.all(loads);
    assert.equal(cache.size, 10);
    assert.ok(cache.peek('49'));
    assert.equal(cache.peek('0'), undefined);
  });
});

// How many replicas are wanted, how large batches grow, and how much may wait: pure rules over time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../../base/problems.ts';
import { BatchSize } from './batch-size.ts';
import { Scaler } from './scaling.ts';
import { mostWaiting, mostWaitingRows, WaitingRoom, type Waiting } from './waiting-room.ts';

/** A second for each mean concurrency; what is wanted after each, when wishes are granted at once. */
function wantedOver(scaler: Scaler, concurrencies: number[], medianWaitMs: number | null = null): number[] {
  let ready = 1;
  return concurrencies.map((concurrency, second) => {
    scaler.record({ atMs: second * 1000, spanMs: 1000, concurrency, medianWaitMs });
    return (ready = scaler.wanted(second * 1000, ready));
  });
}

test('steady traffic has four questions for each replica; one that is never alone needs one', () => {
  assert.equal(
    wantedOver(
      new Scaler(),
      Array.from({ length: 120 }, () => 1),
    ).at(-1),
    1,
  );
  assert.equal(
    wantedOver(
      new Scaler(),
      Array.from({ length: 120 }, () => 12),
    ).at(-1),
    3,
  );
});

test('a burst is answered at once, and what it brought stays for a minute, then goes by halves', () => {
  const calm = Array.from({ length: 60 }, () => 1);
  const wanted = wantedOver(new Scaler(), [...calm, 200, ...Array.from({ length: 140 }, () => 1)]);
  assert.ok(wanted[60]! >= 8, `${wanted[60]} at the burst`);
  assert.equal(wanted[60 + 59], wanted[60], 'nothing goes while the minute runs');
  for (let second = 61; second < wanted.length; second++)
    assert.ok(wanted[second]! >= Math.floor(wanted[second - 1]! / 2), 'by halves');
  assert.equal(wanted.at(-1), 1);
});

test('what waited for a model to load, and is gone at once, wants no second replica', () => {
  // A thousand that are answered within 100 ms.
  const scaler = new Scaler();
  scaler.record({ atMs: 100, spanMs: 100, concurrency: 200, medianWaitMs: 50 });
  assert.equal(scaler.wanted(100, 1), 1);
});

test('too long waits want one more, however few wait', () => {
  assert.equal(wantedOver(new Scaler(), [1, 1], 250).at(-1), 3);
  assert.equal(wantedOver(new Scaler(), [1, 1], 50).at(-1), 1);
});

test('batches grow by steps while they are full and quick, shrink when they are slow, and keep their bounds', () => {
  const size = new BatchSize();
  const first = size.rows;
  size.record({ rowCount: first, questionCount: first, tookMs: 5 });
  assert.ok(size.rows > first);
  for (let round = 0; round < 200; round++)
    size.record({ rowCount: size.rows, questionCount: 10, tookMs: 5 });
  assert.equal(size.rows, 1000);
  for (let round = 0; round < 200; round++)
    size.record({ rowCount: size.rows, questionCount: 10, tookMs: 500 });
  assert.equal(size.rows, 1);
});

const waiting = (rowCount: number, changes: Partial<Waiting> = {}): Waiting => ({
  question: { input: {}, rowCount },
  sinceMs: 0,
  lostCount: 0,
  resolve: () => undefined,
  reject: () => undefined,
  ...changes,
});

test('batches are taken in order, never beyond their bounds but for a first that is larger alone', () => {
  const sizes = fc.array(fc.record({ rowCount: fc.integer({ min: 1, max: 300 }), isLost: fc.boolean() }));
  const bounds = fc.record({
    rows: fc.integer({ min: 1, max: 500 }),
    questions: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(sizes, bounds, (wanted, limits) => {
      const room = new WaitingRoom();
      const all = wanted.map(({ rowCount, isLost }) => waiting(rowCount, { lostCount: isLost ? 1 : 0 }));
      for (const one of all) room.enter(one);
      const taken: Waiting[] = [];
      while (room.count > 0) {
        const batch = room.take(limits, 1);
        const rows = batch.reduce((sum, { question }) => sum + question.rowCount, 0);
        assert.ok(batch.length > 0 && batch.length <= limits.questions);
        assert.ok(
          batch.length === 1 || (rows <= limits.rows && batch.every(({ lostCount }) => lostCount === 0)),
        );
        taken.push(...batch);
      }
      assert.deepEqual(taken, all);
    }),
  );
});

test('who does not fit in is told when there will be room; one that is too large alone may wait alone', () => {
  const room = new WaitingRoom();
  room.enter(waiting(mostWaitingRows + 1));
  const isFull = (error: unknown): boolean => {
    const { code, retryAfterSeconds } = error as Problem;
    return code === 'unavailable' && retryAfterSeconds! >= 1 && retryAfterSeconds! <= 30;
  };
  assert.throws(() => room.enter(waiting(1)), isFull);
  room.take({ rows: 1, questions: 1 }, 0);
  for (let count = 0; count < mostWaiting; count++) room.enter(waiting(1));
  assert.throws(() => room.enter(waiting(1, { sinceMs: 20 })), isFull);
});

test('who waited for a minute is told, and the others wait on', () => {
  const room = new WaitingRoom();
  const told: unknown[] = [];
  const reject = (error: unknown): void => void told.push((error as Problem).code);
  room.enter(waiting(1, { reject }));
  room.enter(waiting(1, { sinceMs: 30_000, reject }));
  room.expire(60_000);
  assert.deepEqual(told, []);
  room.expire(60_001);
  assert.deepEqual(told, ['unavailable']);
  assert.equal(room.count, 1);
});

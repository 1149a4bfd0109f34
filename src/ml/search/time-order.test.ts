// A model that will predict what comes later is judged by later rows: no row learns from its future.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';
import { foldsByTime, splitByTime } from './time-order.ts';

const dayMs = 86_400_000;
const recipe: Recipe = {
  target: 'y',
  task: 'auto',
  metric: 'auto',
  budget: { trials: 3 },
  seed: 5,
  timeColumn: 'day',
};

/** Rows in any order, whose answer follows `x` less and less as time goes on. */
function driftingRows(rowCount: number, isOrdered: boolean): Frame {
  const random = seededRandom(2);
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const day = isOrdered ? row : random.below(rowCount);
    const x = random.next();
    const followsX = random.next() > day / rowCount;
    return {
      x,
      day: new Date(day * dayMs).toISOString(),
      y: (followsX ? x > 0.5 : random.next() > 0.5) ? 'yes' : 'no',
    };
  });
  return frameFromRows(rows, [
    { name: 'x', kind: 'numeric' },
    { name: 'day', kind: 'date' },
    { name: 'y', kind: 'categorical' },
  ]);
}

const someTimes = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 3, maxLength: 200 });

test('nothing is learned from later than what it is judged by; every row is on one side; moments stay whole', () => {
  fc.assert(
    fc.property(someTimes, fc.double({ min: 0.05, max: 0.5, noNaN: true }), (list, share) => {
      const times = Float64Array.from(list);
      const { first, second } = splitByTime(times, share);
      assert.deepEqual(
        [...first, ...second].sort((a, b) => a - b),
        [...times.keys()],
      );
      assert.ok(first.length > 0 && second.length > 0);
      const latest = Math.max(...first.map((row) => times[row]!));
      const earliest = Math.min(...second.map((row) => times[row]!));
      assert.ok(latest <= earliest);
      if (new Set(list).size > 1) assert.ok(latest < earliest);
    }),
  );
});

test('folds are judged by blocks one after the other, and learn from all rows before', () => {
  fc.assert(
    fc.property(someTimes, fc.integer({ min: 1, max: 8 }), (list, foldCount) => {
      const times = Float64Array.from(list);
      const folds = foldsByTime(times, foldCount);
      assert.ok(folds.length >= 1 && folds.length <= foldCount);
      let end = folds[0]!.training.length;
      for (const { training, validation } of folds) {
        assert.equal(training.length, end);
        assert.ok(validation.length > 0);
        assert.ok(
          Math.max(...training.map((row) => times[row]!)) <=
            Math.min(...validation.map((row) => times[row]!)),
        );
        end += validation.length;
      }
      assert.equal(end, times.length);
    }),
  );
});

test('where the world changes, the score by later rows is honest and the random one flatters', async () => {
  const frame = driftingRows(3000, false);
  const { timeColumn: _time, ...anyOrder } = recipe;
  const later = await search({ frame, recipe, clock: systemClock });
  const mixed = await search({ frame, recipe: anyOrder, clock: systemClock });
  const [auc, flattering] = [later, mixed].map(({ evaluation }) => evaluation.metrics['auc']!);
  assert.ok(auc! < flattering! - 0.1, `${auc} is not below ${flattering}`);
  assert.equal(later.rows.holdout, 600);
});

test('rows that lie in the order of a date are told of', () => {
  const { timeColumn: _time, ...anyOrder } = recipe;
  const warned = (frame: Frame, by: Recipe): boolean =>
    prepare(frame, by).warnings.some((warning) => /in the order of "day".*name that column/.test(warning));
  assert.ok(warned(driftingRows(200, true), anyOrder));
  assert.ok(!warned(driftingRows(200, false), anyOrder));
  assert.ok(!warned(driftingRows(200, true), recipe));
});

test('columns that tell no time are refused by name', () => {
  const frame = driftingRows(100, true);
  const refused = (changes: Partial<Recipe>, message: RegExp): void =>
    assert.throws(
      () => prepare(frame, { ...recipe, ...changes }),
      (error: Problem) =>
        error.code === 'invalid-request' &&
        message.test(error.message) &&
        error.errors?.[0]?.field === 'timeColumn',
    );
  refused({ timeColumn: 'y' }, /The target "y" cannot tell the time/);
  refused({ target: 'x', timeColumn: 'y' }, /"y" holds neither dates nor numbers/);
  refused({ target: 'y', groupColumn: 'x' }, /by time and by groups at once/);
  assert.throws(
    () => prepare(frame, { ...recipe, timeColumn: 'nothing' }),
    (error: Problem) => error.code === 'column-unknown',
  );
});

test('classes that only come late leave nothing to learn from, and that is said', () => {
  const rows = Array.from({ length: 100 }, (_, at) => ({ at, x: at % 7, y: at < 90 ? 'before' : 'after' }));
  const frame = frameFromRows(rows, [
    { name: 'at', kind: 'numeric' },
    { name: 'x', kind: 'numeric' },
    { name: 'y', kind: 'categorical' },
  ]);
  assert.throws(
    () => prepare(frame, { ...recipe, timeColumn: 'at' }),
    (error: Problem) =>
      error.code === 'target-unusable' && /all earlier rows have the same value/.test(error.message),
  );
});

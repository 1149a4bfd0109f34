// The form of ids, against their definition bit by bit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idPrefixes, idSource, isId, type IdKind } from './ids.ts';
import { systemClock } from './time.ts';

const digits = '0123456789abcdefghjkmnpqrstvwxyz';

/** The 128 bits of an id. */
function bitsOf(id: string): bigint {
  return [...id.split('_')[1]!].reduce((bits, digit) => (bits << 5n) | BigInt(digits.indexOf(digit)), 0n);
}

test('ids are UUIDs of version 7 in another writing: their time can be read, and they sort by it', () => {
  const times = fc.array(fc.integer({ min: 0, max: 2 ** 48 - 1 }), { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(times, fc.constantFrom(...(Object.keys(idPrefixes) as IdKind[])), (given, kind) => {
      const ids = given.map((nowMs) => idSource({ ...systemClock, nowMs: () => nowMs })(kind));
      for (const [index, id] of ids.entries()) {
        assert.ok(isId(kind, id), id);
        const bits = bitsOf(id);
        assert.equal(Number(bits >> 80n), given[index]);
        assert.equal((bits >> 76n) & 15n, 7n);
        assert.equal((bits >> 62n) & 3n, 2n);
      }
      const byTime = ids.toSorted((a, b) => Number(bitsOf(a) >> 80n) - Number(bitsOf(b) >> 80n));
      const byText = ids.toSorted();
      assert.deepEqual(
        byText.map((id) => bitsOf(id) >> 80n),
        byTime.map((id) => bitsOf(id) >> 80n),
      );
    }),
  );
});

test('no two are the same, and every random bit is sometimes set and sometimes not', () => {
  const newId = idSource({ ...systemClock, nowMs: () => 0 });
  const ids = Array.from({ length: 5000 }, () => newId('request'));
  assert.equal(new Set(ids).size, ids.length);
  const all = ids.map(bitsOf);
  const isRandom = (bit: bigint): boolean => bit < 62n || (bit >= 64n && bit < 76n);
  for (let bit = 0n; bit < 76n; bit++) {
    const set = all.filter((bits) => (bits >> bit) & 1n).length;
    if (isRandom(bit)) assert.ok(set > 2000 && set < 3000, `bit ${bit} is set in ${set}`);
  }
});

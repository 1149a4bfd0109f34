import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alignmentDistance, nearest } from './nearest.ts';

test('finds what was meant', () => {
  const commands = ['dataset', 'training', 'model', 'endpoint', 'predict'];
  assert.equal(nearest('datset', commands), 'dataset');
  assert.equal(nearest('modle', commands), 'model');
  assert.equal(nearest('Predict', commands), 'predict');
  assert.equal(nearest('xyz', commands), undefined);
});

test('the distance is a distance, and a swap of neighbours is one step', () => {
  assert.equal(alignmentDistance('protr', 'port'), 2);
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = alignmentDistance(a, b);
      assert.equal(distance, alignmentDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance >= Math.abs(a.length - b.length) && distance <= Math.max(a.length, b.length));
    }),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 2 }),
      fc.nat(),
      (letters, place) => {
        const at = place % (letters.length - 1);
        const swapped = letters.toSpliced(at, 2, letters[at + 1]!, letters[at]!);
        assert.equal(alignmentDistance(letters.join(''), swapped.join('')), 1);
      },
    ),
  );
});

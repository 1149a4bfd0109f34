import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectRange } from './values.ts';

test('ranges of columns: both ends, or one; names may hold anything', () => {
  const ranges = collectRange('price=..-1.5', collectRange('age=18..65', undefined));
  assert.deepEqual(ranges, [
    { column: 'age', from: 18, to: 65 },
    { column: 'price', from: null, to: -1.5 },
  ]);
  assert.deepEqual(collectRange('a=b..c=3..', undefined), [{ column: 'a=b..c', from: 3, to: null }]);
});

test('what is no range is refused with the form it must have', () => {
  for (const text of ['', 'age', 'age=', 'age=18', 'age=..', '=1..2', 'age=old..65', 'age=1..2..3'])
    assert.throws(() => collectRange(text, undefined), /COLUMN=FROM\.\.TO/, text);
});

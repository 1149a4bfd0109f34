import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../base/json.ts';
import { Problem } from '../../base/problems.ts';
import { storableData, storableProblem, storableText } from './storable.ts';

const anyText = fc.string({ unit: fc.oneof(fc.constantFrom('\0', '\ud800', '\udc00', '\\'), fc.string()) });

test('what is stored has neither U+0000 nor half a surrogate pair, and well-formed text is left alone', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const stored = storableText(text);
      assert.ok(stored.isWellFormed() && !stored.includes('\0'));
      if (text.isWellFormed() && !text.includes('\0')) assert.equal(stored, text);
    }),
  );
});

test('data is cleaned in its names and strings, at any depth, and otherwise the same', () => {
  fc.assert(
    fc.property(fc.dictionary(anyText, fc.jsonValue()), fc.array(anyText), (members, texts) => {
      const data = JSON.parse(JSON.stringify({ members, texts })) as JsonObject;
      const stored = storableData(data);
      assert.doesNotMatch(JSON.stringify(stored), /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i);
      if (!/\\u(?:0000|d[89a-f])/i.test(JSON.stringify(data))) assert.deepEqual(stored, data);
    }),
  );
  assert.deepEqual(storableData({ 'a\0b': ['\0', { c: 'x\ud800' }, 1, null] }), {
    ab: ['', { c: 'x\ufffd' }, 1, null],
  });
});

test('a problem keeps all but the words that cannot be stored', () => {
  const problem = storableProblem(
    new Problem('column-unknown', 'no\0 such', {
      errors: [{ field: 'a\0', message: 'b' }],
      retryAfterSeconds: 3,
    }),
  );
  assert.equal(problem.message, 'no such');
  assert.deepEqual(problem.errors, [{ field: 'a', message: 'b' }]);
  assert.equal(problem.retryAfterSeconds, 3);
});

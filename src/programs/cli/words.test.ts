import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesInWords, countInWords, durationInWords, scoreInWords, usdInWords } from './words.ts';

test('figures read well', () => {
  assert.deepEqual([0, 512, 1536, 600_173, 1024 ** 3, 5e14].map(bytesInWords), [
    '0 B',
    '512 B',
    '1.5 KiB',
    '586 KiB',
    '1.0 GiB',
    '455 TiB',
  ]);
  assert.deepEqual([0.85, 12.34, 65, 3725].map(durationInWords), [
    '850 ms',
    '12.3 s',
    '1 min 5 s',
    '1 h 2 min',
  ]);
  assert.deepEqual([0.912345, 12_345.6, Infinity, null].map(scoreInWords), [
    '0.9123',
    '12350',
    'Infinity',
    '',
  ]);
  assert.equal(countInWords(48_842), '48,842');
  assert.equal(usdInWords(1_250_000), '$1.25');
  assert.equal(usdInWords(null), '');
});

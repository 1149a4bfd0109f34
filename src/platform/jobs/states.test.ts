import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { retryDelayMs } from './states.ts';

test('the pause before the next try grows, is never long, and differs between jobs', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 40 }), (jobId, attempt) => {
      const delayMs = retryDelayMs(jobId, attempt);
      const fullMs = Math.min(60_000, 1_000 * 2 ** (attempt - 1));
      assert.ok(delayMs > fullMs / 2 - 1 && delayMs <= fullMs);
      assert.equal(delayMs, retryDelayMs(jobId, attempt));
    }),
  );
  const delays = new Set(Array.from({ length: 100 }, (_, index) => retryDelayMs(`job_${index}`, 3)));
  assert.ok(delays.size > 50);
});

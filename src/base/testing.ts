// What tests of any shelf ask of problems.
import assert from 'node:assert/strict';
import { Problem } from './problems.ts';

/** The problem that `work` throws at once or later; anything else, or nothing, fails the test. */
export async function problemOf(work: () => unknown): Promise<Problem> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return error;
  }
  return assert.fail('nothing was thrown');
}

// Assertions guard against our own mistakes; problems (problems.ts) tell of the world's.

/** A broken promise inside Pilvi. Reaching it is a bug: it becomes an `internal` problem at the edge. */
export class AssertionFailure extends Error {
  override name = 'AssertionFailure';
}

/** Throws an {@link AssertionFailure} unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Returns `value`, which must be neither null nor undefined; `what` names it in the failure. */
export function present<T>(value: T | null | undefined, what: string): T {
  assert(value !== null && value !== undefined, `${what} is missing`);
  return value;
}

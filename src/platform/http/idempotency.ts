// Idempotency-Key: a POST that is sent twice with one key is carried out once, and answered the same both times.
// (draft-ietf-httpapi-idempotency-key-header). Answers that hold secrets are not kept.
import { sha256 } from '../../base/hash.ts';
import { canonicalJson, type JsonValue } from '../../base/json.ts';
import { Problem } from '../../base/problems.ts';
import { dayMs, minuteMs } from '../../base/time.ts';
import type { Operation } from '../../contract/operation.ts';
import type { Context } from '../context.ts';
import { claimKey, forgetKeys, recordAnswer, releaseKey, type KeyIdentity } from './rows.ts';

/** How long an answer is kept, and how long a request may run before its key counts as abandoned. */
export const answerKeptMs = dayMs;
const abandonedAfterMs = 5 * minuteMs;

/** Whether a key has a meaning for this operation. */
export function takesIdempotencyKey(operation: Operation): boolean {
  return (
    operation.method === 'post' &&
    'json' in operation.response &&
    !operation.request.stream &&
    operation.answerHoldsSecret !== true
  );
}

/**
 * Runs `work` unless the key was used before; then returns the earlier answer.
 * Throws `idempotency-key-reused` when the earlier request was a different one, `request-in-progress` while it runs.
 */
export async function runOnce(
  context: Context,
  operation: Operation,
  request: { key: string; input: unknown },
  work: () => Promise<unknown>,
): Promise<{ output: unknown; replayed: boolean }> {
  if (!/^[\x21-\x7e]{1,200}$/.test(request.key)) {
    throw new Problem('invalid-request', 'Idempotency-Key must be 1 to 200 visible ASCII characters.', {
      errors: [{ field: 'Idempotency-Key', message: 'use a UUID' }],
    });
  }
  const identity: KeyIdentity = {
    workspaceId: context.workspaceId,
    actorId: context.actor.id,
    key: request.key,
  };
  const requestHash = await sha256(canonicalJson([operation.operationId, request.input]));
  const now = new Date(context.clock.nowMs());
  const earlier = await context.transaction(async (transaction) => {
    await forgetKeys(transaction, new Date(now.getTime() - answerKeptMs));
    const row = await claimKey(transaction, identity, requestHash, now);
    const abandoned = row?.status === null && now.getTime() - row.createdAt.getTime() > abandonedAfterMs;
    if (!abandoned) return row;
    await releaseKey(transaction, identity);
    return await claimKey(transaction, identity, requestHash, now);
  });
  if (earlier) {
    if (earlier.requestHash !== requestHash)
      throw new Problem(
        'idempotency-key-reused',
        'The key was used for a request with another body or address.',
      );
    if (earlier.status === null)
      throw new Problem('request-in-progress', 'The first request with this key has not been answered yet.', {
        retryAfterSeconds: 1,
      });
    return { output: earlier.answer, replayed: true };
  }
  try {
    const output = await work();
    await context.transaction((transaction) =>
      recordAnswer(transaction, identity, { status: operation.response.status, body: output as JsonValue }),
    );
    return { output, replayed: false };
  } catch (error) {
    await context.transaction((transaction) => releaseKey(transaction, identity));
    throw error;
  }
}

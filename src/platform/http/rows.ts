// The table of idempotency keys: what was answered to a POST, so that a retry gets the same answer.
import { and, eq, lt } from 'drizzle-orm';
import { integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { JsonValue } from '../../base/json.ts';
import { tenantPolicies, time } from '../database/table.ts';
import type { Transaction } from '../ports/database.ts';

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    workspaceId: text('workspace_id').notNull(),
    /** Who used it, so that two actors' keys never meet. */
    actorId: text('actor_id').notNull(),
    key: text('key').notNull(),
    requestHash: text('request_hash').notNull(),
    /** Null while the first request is still running. */
    status: integer('status'),
    answer: jsonb('answer').$type<JsonValue>(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.actorId, table.key] }),
    ...tenantPolicies('workspace'),
  ],
);

export interface KeyIdentity {
  workspaceId: string;
  actorId: string;
  key: string;
}

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

/** Claims the key for a request; returns undefined when it is new, and the row when it was used before. */
export async function claimKey(
  transaction: Transaction,
  identity: KeyIdentity,
  requestHash: string,
  now: Date,
): Promise<IdempotencyRow | undefined> {
  const claimed = await transaction
    .insert(idempotencyKeys)
    .values({ ...identity, requestHash, createdAt: now })
    .onConflictDoNothing()
    .returning();
  if (claimed.length > 0) return undefined;
  const [row] = await transaction.select().from(idempotencyKeys).where(sameKey(identity));
  return row;
}

/** Records the answer that retries get. */
export async function recordAnswer(
  transaction: Transaction,
  identity: KeyIdentity,
  answer: { status: number; body: JsonValue },
): Promise<void> {
  await transaction
    .update(idempotencyKeys)
    .set({ status: answer.status, answer: answer.body })
    .where(sameKey(identity));
}

/** Frees the key: the request failed and may be sent again. */
export async function releaseKey(transaction: Transaction, identity: KeyIdentity): Promise<void> {
  await transaction.delete(idempotencyKeys).where(sameKey(identity));
}

/** Forgets keys older than `before`. */
export async function forgetKeys(transaction: Transaction, before: Date): Promise<void> {
  await transaction.delete(idempotencyKeys).where(lt(idempotencyKeys.createdAt, before));
}

function sameKey({ workspaceId, actorId, key }: KeyIdentity) {
  return and(
    eq(idempotencyKeys.workspaceId, workspaceId),
    eq(idempotencyKeys.actorId, actorId),
    eq(idempotencyKeys.key, key),
  );
}

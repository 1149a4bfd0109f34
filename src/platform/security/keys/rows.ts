// The table of keys. A key that is bound to a project never reaches it (`workspace-wide`).
import { and, desc, eq, inArray, isNull, lt } from 'drizzle-orm';
import { index, pgTable, text } from 'drizzle-orm/pg-core';
import type { Role } from '../../context.ts';
import { tenantColumns, tenantPolicies, time } from '../../database/table.ts';
import type { Transaction } from '../../ports/database.ts';

export const keys = pgTable(
  'keys',
  {
    ...tenantColumns,
    name: text('name').notNull(),
    /** The first characters of the secret. */
    hint: text('hint').notNull(),
    secretHash: text('secret_hash').notNull().unique(),
    role: text('role').$type<Role>().notNull(),
    /** The only project that it may touch; null: all of the workspace. */
    projectId: text('project_id'),
    createdBy: text('created_by').notNull(),
    expiresAt: time('expires_at'),
    /** Accurate to a minute: it is written now and then, not at each request. */
    lastUsedAt: time('last_used_at'),
    revokedAt: time('revoked_at'),
  },
  (table) => [index('keys_workspace').on(table.workspaceId, table.id), ...tenantPolicies('workspace-wide')],
);

export type KeyRow = typeof keys.$inferSelect;

export async function insertKey(transaction: Transaction, key: KeyRow): Promise<void> {
  await transaction.insert(keys).values(key);
}

export async function findKey(transaction: Transaction, id: string): Promise<KeyRow | undefined> {
  const [key] = await transaction.select().from(keys).where(eq(keys.id, id));
  return key;
}

/** Newest first. */
export async function listKeyRows(
  transaction: Transaction,
  { before, limit }: { before: string | undefined; limit: number },
): Promise<KeyRow[]> {
  return transaction
    .select()
    .from(keys)
    .where(before === undefined ? undefined : lt(keys.id, before))
    .orderBy(desc(keys.id))
    .limit(limit);
}

/** Returns whether it was this call that revoked the key. */
export async function revokeKeyRow(transaction: Transaction, id: string, at: Date): Promise<boolean> {
  const revoked = await transaction
    .update(keys)
    .set({ revokedAt: at })
    .where(and(eq(keys.id, id), isNull(keys.revokedAt)))
    .returning({ id: keys.id });
  return revoked.length === 1;
}

/** The keys with these hashes that were not revoked. */
export async function findKeysByHash(
  transaction: Transaction,
  secretHashes: readonly string[],
): Promise<KeyRow[]> {
  return transaction
    .select()
    .from(keys)
    .where(and(inArray(keys.secretHash, [...secretHashes]), isNull(keys.revokedAt)));
}

export async function touchKeys(
  transaction: Transaction,
  keyIds: readonly string[],
  at: Date,
): Promise<void> {
  await transaction
    .update(keys)
    .set({ lastUsedAt: at })
    .where(inArray(keys.id, [...keyIds]));
}

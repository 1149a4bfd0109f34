// The table of signing keys: the public half of every key that a server of this installation signs with, or did before the
// key was withdrawn. It belongs to no workspace, every workspace may read it; private keys are in no database.
import { and, desc, eq, isNull, sql } from 'drizzle-orm';
import { pgPolicy, pgTable, text } from 'drizzle-orm/pg-core';
import { tenantRole, time } from '../../database/table.ts';
import type { Transaction } from '../../ports/database.ts';

export const signingKeys = pgTable(
  'signing_keys',
  {
    publicKey: text('public_key').primaryKey(),
    createdAt: time('created_at').notNull(),
    /** Since when nothing that it signed is trusted. */
    withdrawnAt: time('withdrawn_at'),
  },
  () => [pgPolicy('tenant_read', { for: 'select', to: tenantRole, using: sql`true` })],
);

export type SigningKeyRow = typeof signingKeys.$inferSelect;

/** Adds the key unless it is there. */
export async function addSigningKey(
  transaction: Transaction,
  row: Pick<SigningKeyRow, 'publicKey' | 'createdAt'>,
): Promise<void> {
  await transaction.insert(signingKeys).values(row).onConflictDoNothing();
}

/** Every key, newest first. */
export async function findSigningKeys(transaction: Transaction): Promise<SigningKeyRow[]> {
  return await transaction.select().from(signingKeys).orderBy(desc(signingKeys.createdAt));
}

/** Marks the key; false when there is no such key, or it was withdrawn before. */
export async function markWithdrawn(
  transaction: Transaction,
  { publicKey, withdrawnAt }: { publicKey: string; withdrawnAt: Date },
): Promise<boolean> {
  const marked = await transaction
    .update(signingKeys)
    .set({ withdrawnAt })
    .where(and(eq(signingKeys.publicKey, publicKey), isNull(signingKeys.withdrawnAt)))
    .returning();
  return marked.length > 0;
}

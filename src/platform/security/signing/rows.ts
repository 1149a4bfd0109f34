// The table of signing keys: the public half of every key that a server of this installation signs with. It belongs to no
// workspace; private keys are in no database.
import { desc } from 'drizzle-orm';
import { pgTable, text } from 'drizzle-orm/pg-core';
import { time } from '../../database/table.ts';
import type { Transaction } from '../../ports/database.ts';

export const signingKeys = pgTable('signing_keys', {
  publicKey: text('public_key').primaryKey(),
  createdAt: time('created_at').notNull(),
});

export type SigningKeyRow = typeof signingKeys.$inferSelect;

/** Adds the key unless it is there. */
export async function addSigningKey(transaction: Transaction, row: SigningKeyRow): Promise<void> {
  await transaction.insert(signingKeys).values(row).onConflictDoNothing();
}

/** Every key, newest first. */
export async function findSigningKeys(transaction: Transaction): Promise<SigningKeyRow[]> {
  return await transaction.select().from(signingKeys).orderBy(desc(signingKeys.createdAt));
}

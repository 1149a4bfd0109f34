// Keys: how programs sign in. A key belongs to a workspace, has a role, may be bound to one project, and may expire.
// Its secret is in the answer that made it and nowhere else. What is asked of keys at each request is in
// ../identity/authenticator.ts; revoking tells it, so that the key stops working here at once.
import type { z } from 'zod';
import type { Sha256 } from '../../../base/hash.ts';
import { Problem } from '../../../base/problems.ts';
import { dayMs, toIso } from '../../../base/time.ts';
import type { key } from '../../../contract/workspace.ts';
import type { Context, Role } from '../../context.ts';
import { pageOf, readCursor } from '../../http/cursor.ts';
import type { Transaction } from '../../ports/database.ts';
import { requireProject } from '../../tenancy/tenancy.ts';
import { hashSecret } from '../identity/secrets.ts';
import { hintOf, newKeySecret } from './key-secret.ts';
import {
  findKey,
  findKeysByHash,
  insertKey,
  listKeyRows,
  revokeKeyRow,
  touchKeys,
  type KeyRow,
} from './rows.ts';

/** A key as the API shows it. */
export type Key = z.input<typeof key>;

/** Newest first; revoked and expired ones too. */
export async function listKeys(
  context: Context,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: Key[]; nextCursor: string | null }> {
  const before = readCursor(cursor);
  const rows = await context.transaction((transaction) =>
    listKeyRows(transaction, { before, limit: limit + 1 }),
  );
  return pageOf(rows, limit, (row) => row.id, show);
}

/** Makes a key. Throws `not-found` when the project it is to be bound to is not there. */
export async function createKey(
  context: Context,
  input: { name: string; role: Role; projectId: string | null; expiresInDays: number | null },
): Promise<{ key: Key; secret: string }> {
  const { name, role, projectId, expiresInDays } = input;
  const nowMs = context.clock.nowMs();
  const secret = newKeySecret();
  const row: KeyRow = {
    id: context.newId('key'),
    workspaceId: context.workspaceId,
    createdAt: new Date(nowMs),
    name,
    hint: hintOf(secret),
    secretHash: hashSecret(secret),
    role,
    projectId,
    createdBy: context.actor.id,
    expiresAt: expiresInDays === null ? null : new Date(nowMs + expiresInDays * dayMs),
    lastUsedAt: null,
    revokedAt: null,
  };
  await context.transaction(async (transaction) => {
    if (projectId !== null) await requireProject(transaction, projectId);
    await insertKey(transaction, row);
    const details = { name, role, projectId, hint: row.hint };
    await context.audit(transaction, { action: 'key:create', subjectId: row.id, details });
  });
  return { key: show(row), secret };
}

/** Revokes a key; doing it twice changes nothing. Throws `not-found`. */
export async function revokeKey(
  context: Context,
  authenticator: { forgetKey(keyId: string): void },
  { keyId }: { keyId: string },
): Promise<void> {
  await context.transaction(async (transaction) => {
    const { name } = await requireKey(transaction, keyId);
    const revoked = await revokeKeyRow(transaction, keyId, new Date(context.clock.nowMs()));
    if (revoked)
      await context.audit(transaction, { action: 'key:revoke', subjectId: keyId, details: { name } });
  });
  authenticator.forgetKey(keyId);
}

/** The key, or `not-found` when the transaction's workspace has no such key. */
export async function requireKey(transaction: Transaction, keyId: string): Promise<Key> {
  const row = await findKey(transaction, keyId);
  if (!row) throw new Problem('not-found', 'There is no such key in this workspace.');
  return show(row);
}

/** What signing in needs to know of a key. */
export interface KeyFacts {
  id: string;
  workspaceId: string;
  name: string;
  role: Role;
  projectId: string | null;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

/** The keys that have these secrets and were not revoked, in any workspace: for a system transaction. */
export async function readKeyFacts(
  transaction: Transaction,
  secretHashes: readonly Sha256[],
): Promise<Map<Sha256, KeyFacts>> {
  const rows = await findKeysByHash(transaction, secretHashes);
  return new Map(rows.map((row) => [row.secretHash, row]));
}

/** Notes when keys were used. */
export async function recordKeyUse(
  transaction: Transaction,
  keyIds: readonly string[],
  at: Date,
): Promise<void> {
  await touchKeys(transaction, keyIds, at);
}

function show(row: KeyRow): Key {
  const iso = (at: Date | null): string | null => (at === null ? null : toIso(at.getTime()));
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    role: row.role,
    projectId: row.projectId,
    createdAt: toIso(row.createdAt.getTime()),
    expiresAt: iso(row.expiresAt),
    lastUsedAt: iso(row.lastUsedAt),
    revokedAt: iso(row.revokedAt),
  };
}

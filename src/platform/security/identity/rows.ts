// The tables of identity: people, their one-time links and their sessions. They belong to no workspace and have no
// policy for the tenant role: only sign-in work, which runs as the system, reaches them. Secrets are kept as hashes.
import { and, asc, eq, gt, inArray, isNull, lt, or, sql } from 'drizzle-orm';
import { index, pgTable, text } from 'drizzle-orm/pg-core';
import { time } from '../../database/table.ts';
import type { Transaction } from '../../ports/database.ts';

export const users = pgTable('users', {
  id: text('id').primaryKey(),
  createdAt: time('created_at').notNull(),
  /** When they signed in for the first time; null: never yet. */
  firstSignInAt: time('first_sign_in_at'),
});

/** What a link was made for; a `first-start` link is valid until it is used or replaced. */
export type LinkPurpose = 'first-start' | 'another-browser' | 'invitation';

export const signInLinks = pgTable(
  'sign_in_links',
  {
    codeHash: text('code_hash').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** Where it was made, and where it leads. */
    workspaceId: text('workspace_id').notNull(),
    purpose: text('purpose').$type<LinkPurpose>().notNull(),
    createdAt: time('created_at').notNull(),
    /** Null: does not expire. */
    expiresAt: time('expires_at'),
  },
  (table) => [index('sign_in_links_user').on(table.userId)],
);

export const sessions = pgTable(
  'sessions',
  {
    id: text('id').primaryKey(),
    tokenHash: text('token_hash').notNull().unique(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: time('created_at').notNull(),
    /** Accurate to an hour: it is written now and then, not at each request. */
    lastUsedAt: time('last_used_at').notNull(),
  },
  (table) => [index('sessions_user').on(table.userId)],
);

export type UserRow = typeof users.$inferSelect;
export type LinkRow = typeof signInLinks.$inferSelect;
export type SessionRow = typeof sessions.$inferSelect;

/** Lets one server at a time do the work of the first start. */
export async function lockUsers(transaction: Transaction): Promise<void> {
  await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended('first start', 0))`);
}

export async function insertUser(transaction: Transaction, user: UserRow): Promise<void> {
  await transaction.insert(users).values(user);
}

/** Whoever was there first: the owner of the server. */
export async function findFirstUser(transaction: Transaction): Promise<UserRow | undefined> {
  const [user] = await transaction.select().from(users).orderBy(asc(users.id)).limit(1);
  return user;
}

/** Remembers a first sign-in; later ones change nothing. */
export async function recordFirstSignIn(transaction: Transaction, userId: string, at: Date): Promise<void> {
  const neverBefore = and(eq(users.id, userId), isNull(users.firstSignInAt));
  await transaction.update(users).set({ firstSignInAt: at }).where(neverBefore);
}

export async function insertLink(transaction: Transaction, link: LinkRow): Promise<void> {
  await transaction.insert(signInLinks).values(link);
}

/** Removes a link that is still valid and returns it: of two that try at once, one gets it. */
export async function takeLink(
  transaction: Transaction,
  codeHash: string,
  now: Date,
): Promise<LinkRow | undefined> {
  const valid = or(isNull(signInLinks.expiresAt), gt(signInLinks.expiresAt, now));
  const [link] = await transaction
    .delete(signInLinks)
    .where(and(eq(signInLinks.codeHash, codeHash), valid))
    .returning();
  return link;
}

export async function deleteLinksFor(transaction: Transaction, purpose: LinkPurpose): Promise<void> {
  await transaction.delete(signInLinks).where(eq(signInLinks.purpose, purpose));
}

/** Removes the links that lead a user into a workspace. */
export async function deleteLinksInto(
  transaction: Transaction,
  userId: string,
  workspaceId: string,
): Promise<void> {
  const into = and(eq(signInLinks.userId, userId), eq(signInLinks.workspaceId, workspaceId));
  await transaction.delete(signInLinks).where(into);
}

export async function insertSession(transaction: Transaction, session: SessionRow): Promise<void> {
  await transaction.insert(sessions).values(session);
}

export async function findSessionsByHash(
  transaction: Transaction,
  tokenHashes: readonly string[],
): Promise<SessionRow[]> {
  return transaction
    .select()
    .from(sessions)
    .where(inArray(sessions.tokenHash, [...tokenHashes]));
}

export async function findSession(
  transaction: Transaction,
  sessionId: string,
): Promise<SessionRow | undefined> {
  const [session] = await transaction.select().from(sessions).where(eq(sessions.id, sessionId));
  return session;
}

export async function touchSessions(
  transaction: Transaction,
  sessionIds: readonly string[],
  at: Date,
): Promise<void> {
  await transaction
    .update(sessions)
    .set({ lastUsedAt: at })
    .where(inArray(sessions.id, [...sessionIds]));
}

export async function deleteSession(transaction: Transaction, sessionId: string): Promise<void> {
  await transaction.delete(sessions).where(eq(sessions.id, sessionId));
}

export async function deleteSessionsOf(transaction: Transaction, userId: string): Promise<void> {
  await transaction.delete(sessions).where(eq(sessions.userId, userId));
}

/** Removes what nobody can use any more. */
export async function deleteExpired(
  transaction: Transaction,
  limits: { now: Date; idleSince: Date; bornBefore: Date },
): Promise<void> {
  await transaction.delete(signInLinks).where(lt(signInLinks.expiresAt, limits.now));
  await transaction
    .delete(sessions)
    .where(or(lt(sessions.lastUsedAt, limits.idleSince), lt(sessions.createdAt, limits.bornBefore)));
}

// Sessions: a browser that signed in with a one-time link. The token is in a cookie and, as a hash, in the database;
// a session ends a week after its last use, a month after its start, when signed out, or with its last membership.
import type { z } from 'zod';
import { present } from '../../../base/assert.ts';
import { Problem } from '../../../base/problems.ts';
import { toIso } from '../../../base/time.ts';
import type { session, signInLink } from '../../../contract/session.ts';
import type { Context, Services } from '../../context.ts';
import type { Transaction } from '../../ports/database.ts';
import { membershipsOf, renamePerson, requireWorkspace } from '../../tenancy/memberships.ts';
import { appendAudit } from '../audit/audit.ts';
import { requireKey } from '../keys/keys.ts';
import { sessionIdleMs, sessionLifeMs } from './credentials.ts';
import { firstPerson, operatorKeyId, personOf } from './people.ts';
import {
  deleteExpired,
  deleteLinksFor,
  deleteSession,
  findSession,
  insertSession,
  recordFirstSignIn,
  takeLink,
  type SessionRow,
} from './rows.ts';
import { hashSecret, newSecret } from './secrets.ts';
import { createSignInLinkFor } from './sign-in-links.ts';

/** A session as the API shows it. */
export type Session = z.input<typeof session>;

/**
 * Signs in with the code of a link, which is used up by it: of two who try at once, one gets in.
 * Throws `sign-in-link-spent` when it was used, has expired or never was.
 * @returns the token, for the cookie, and the session.
 */
export async function signIn(
  services: Pick<Services, 'database' | 'clock' | 'newId'>,
  { code, displayName }: { code: string; displayName?: string | undefined },
): Promise<{ token: string; session: Session }> {
  const token = newSecret();
  const now = new Date(services.clock.nowMs());
  const { database, clock, newId } = services;
  return database.asSystem('sign in', async (transaction) => {
    const link = await takeLink(transaction, hashSecret(code), now);
    const memberships = link && (await membershipsOf(transaction, [link.userId])).get(link.userId);
    if (!link || !memberships?.some(({ workspaceId }) => workspaceId === link.workspaceId)) {
      throw new Problem(
        'sign-in-link-spent',
        'This link was used, has expired, or was replaced by a newer one.',
      );
    }
    const { userId, workspaceId, purpose } = link;
    if (displayName !== undefined) await renamePerson(transaction, userId, displayName);
    if (purpose === 'first-start') await deleteLinksFor(transaction, purpose);
    await deleteExpired(transaction, {
      now,
      idleSince: new Date(now.getTime() - sessionIdleMs),
      bornBefore: new Date(now.getTime() - sessionLifeMs),
    });
    await recordFirstSignIn(transaction, userId, now);
    const row: SessionRow = {
      id: newId('session'),
      tokenHash: hashSecret(token),
      userId,
      createdAt: now,
      lastUsedAt: now,
    };
    await insertSession(transaction, row);
    const actor = { kind: 'user', id: userId, sessionId: row.id } as const;
    const entry = { action: 'session:create', subjectId: row.id, details: { purpose } };
    await appendAudit(transaction, { workspaceId, actor, clock }, entry);
    return {
      token,
      session: await describePerson(transaction, { userId, workspaceId, expiresAt: endOf(row) }),
    };
  });
}

/** Ends the session that asks. A key has none, so nothing happens then. */
export async function signOut(
  context: Context,
  authenticator: { forgetSession(sessionId: string): void },
): Promise<void> {
  const { actor, workspaceId, clock } = context;
  if (actor.kind !== 'user') return;
  await context.database.asSystem('sign out', async (transaction) => {
    await deleteSession(transaction, actor.sessionId);
    const entry = { action: 'session:delete', subjectId: actor.sessionId };
    await appendAudit(transaction, { workspaceId, actor, clock }, entry);
  });
  authenticator.forgetSession(actor.sessionId);
}

/** Who asks, and where else they may go. */
export async function getSession(context: Context): Promise<Session> {
  const { actor, workspaceId, database } = context;
  if (actor.kind === 'key' && actor.id !== operatorKeyId) return describeKey(context, actor.id);
  return database.asSystem('describe a session', async (transaction) => {
    if (actor.kind === 'user') {
      const row = await findSession(transaction, actor.sessionId);
      if (!row) throw new Problem('not-signed-in', 'The session has ended.');
      return describePerson(transaction, { userId: actor.id, workspaceId, expiresAt: endOf(row) });
    }
    const { userId } = present(await firstPerson(transaction), 'first person');
    const described = await describePerson(transaction, { userId, workspaceId, expiresAt: null });
    return { ...described, actor: { kind: 'key', id: operatorKeyId, displayName: 'Bootstrap token' } };
  });
}

/** Makes a link with which the person who asks signs in on another browser. */
export async function createSignInLink(
  context: Context,
  { origin }: { origin: string },
): Promise<z.input<typeof signInLink>> {
  const { workspaceId, actor, clock } = context;
  const purpose = 'another-browser';
  return context.database.asSystem('make a sign-in link', async (transaction) => {
    const userId = await personOf(transaction, actor);
    if (userId === undefined) throw new Problem('not-allowed', 'A key is not a person who could sign in.');
    const request = { userId, workspaceId, purpose, origin } as const;
    const { url, expiresAt } = await createSignInLinkFor(transaction, clock, request);
    await appendAudit(
      transaction,
      { workspaceId, actor, clock },
      { action: 'sign-in-link:create', subjectId: userId },
    );
    return { url, expiresAt: toIso(present(expiresAt, 'end of the link').getTime()) };
  });
}

async function describePerson(
  transaction: Transaction,
  { userId, workspaceId, expiresAt }: { userId: string; workspaceId: string; expiresAt: string | null },
): Promise<Session> {
  const memberships = (await membershipsOf(transaction, [userId])).get(userId) ?? [];
  const here = memberships.find((membership) => membership.workspaceId === workspaceId);
  if (!here) throw new Problem('not-signed-in', 'You are not a member of this workspace any more.');
  return {
    actor: { kind: 'user', id: userId, displayName: here.displayName },
    workspace: { id: workspaceId, name: here.workspaceName },
    role: here.role,
    workspaces: memberships.map(({ workspaceId: id, workspaceName: name, role }) => ({ id, name, role })),
    expiresAt,
  };
}

async function describeKey(context: Context, keyId: string): Promise<Session> {
  const { workspaceId } = context;
  // As the system: a key that is bound to a project sees neither keys nor members, but may know itself.
  return context.database.asSystem('describe the key that asks', async (transaction) => {
    const key = await requireKey(transaction, keyId);
    const { id, name } = await requireWorkspace(transaction, workspaceId);
    return {
      actor: { kind: 'key', id: keyId, displayName: key.name },
      workspace: { id, name },
      role: key.role,
      workspaces: [{ id, name, role: key.role }],
      expiresAt: key.expiresAt,
    };
  });
}

function endOf({ createdAt, lastUsedAt }: SessionRow): string {
  return toIso(Math.min(createdAt.getTime() + sessionLifeMs, lastUsedAt.getTime() + sessionIdleMs));
}

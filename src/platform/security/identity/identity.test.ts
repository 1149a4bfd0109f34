// Signing in from the first start on, with a real database.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { sql } from 'drizzle-orm';
import { dayMs, hourMs, minuteMs, secondMs, toIso } from '../../../base/time.ts';
import { ensureOwner } from '../../tenancy/first-start.ts';
import { createWorkspace, inviteMember, removeMember, updateMember } from '../../tenancy/tenancy.ts';
import type { TestServices } from '../../testing.ts';
import { createKey, listKeys, revokeKey } from '../keys/keys.ts';
import {
  assertProblem,
  bootstrapToken,
  codeOf,
  factsWith,
  openTestSecurity,
  openTestServer,
  origin,
  type TestSecurity,
} from '../security.fixture.ts';
import { createSignInLink, getSession, signIn, signOut } from './sessions.ts';

let server: TestServices;
let security: TestSecurity;
before(async () => {
  server = await openTestServer();
});
beforeEach(async () => {
  security = await openTestSecurity(server);
});
afterEach(() => security.close());
after(() => server.close());

async function firstLink(): Promise<string> {
  const { signInUrl } = await ensureOwner(security.services, { origin });
  assert.ok(signInUrl);
  return signInUrl;
}

const anyKey = { name: 'CI', role: 'editor', projectId: null, expiresInDays: null } as const;

describe('the first start', () => {
  it('makes an owner, a workspace, a project, an event and one link', async () => {
    const cookie = await security.openLink(await firstLink(), 'Olga');
    const context = await security.contextOf({ cookie });
    const session = await getSession(context);
    assert.equal(session.actor.displayName, 'Olga');
    assert.equal(session.workspace.name, 'My workspace');
    assert.equal(session.role, 'owner');
    assert.equal(session.expiresAt, toIso(security.services.clock.nowMs() + 7 * dayMs));
    const { rows } = await security.services.database.asSystem('test', (transaction) =>
      transaction.execute(sql`select name, workspace_id, data from outbox_events`),
    );
    const data = { workspaceId: session.workspace.id, name: 'My workspace' };
    assert.deepEqual(rows, [{ name: 'workspace-created', workspace_id: session.workspace.id, data }]);
    const projects = await context.transaction((transaction) =>
      transaction.execute(sql`select name from projects`),
    );
    assert.deepEqual(projects.rows, [{ name: 'First project' }]);
  });

  it('happens once, however many servers start at once', async () => {
    await Promise.all(Array.from({ length: 5 }, firstLink));
    const { rows } = await security.services.database.asSystem('test', (transaction) =>
      transaction.execute(
        sql`select (select count(*)::int from users) as users, (select count(*)::int from workspaces) as workspaces, (select count(*)::int from sign_in_links) as links`,
      ),
    );
    assert.deepEqual(rows, [{ users: 1, workspaces: 1, links: 1 }]);
  });

  it('prints a new link at each start until one is used, and only the newest works', async () => {
    const old = await firstLink();
    security.advance(400 * dayMs);
    const newest = await firstLink();
    await assertProblem(security.openLink(old), 'sign-in-link-spent');
    await security.openLink(newest);
    assert.deepEqual(await ensureOwner(security.services, { origin }), { signInUrl: null });
  });
});

describe('sign-in links', () => {
  it('work once, also when many try at the same time', async () => {
    const code = codeOf(await firstLink());
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => signIn(security.services, { code })),
    );
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    await assertProblem(signIn(security.services, { code }), 'sign-in-link-spent');
  });

  it('for another browser expire after 15 minutes', async () => {
    const { context } = await security.signInOwner();
    const late = await createSignInLink(context, { origin });
    security.advance(15 * minuteMs);
    await assertProblem(security.openLink(late.url), 'sign-in-link-spent');
    const link = await createSignInLink(context, { origin });
    assert.equal(link.expiresAt, toIso(security.services.clock.nowMs() + 15 * minuteMs));
    security.advance(15 * minuteMs - 1);
    const principal = await security.authenticate({ cookie: await security.openLink(link.url) });
    assert.equal(principal.actor.id, context.actor.id);
  });

  it('are stored as hashes alone', async () => {
    const code = codeOf(await firstLink());
    const { rows } = await security.services.database.asSystem('test', (transaction) =>
      transaction.execute(sql`select * from sign_in_links`),
    );
    assert.ok(!JSON.stringify(rows).includes(code));
    assert.match(String(rows[0]?.['code_hash']), /^[0-9a-f]{64}$/);
  });

  it('that were made up are spent', async () => {
    await firstLink();
    for (const code of ['', 'x'.repeat(43), 'x'.repeat(200), "' or 1=1 --", '\u0000']) {
      await assertProblem(signIn(security.services, { code }), 'sign-in-link-spent');
    }
  });
});

describe('sessions', () => {
  it('end a week after their last use', async () => {
    const { cookie } = await security.signInOwner();
    for (let day = 0; day < 4; day++) {
      security.advance(6 * dayMs);
      await security.authenticate({ cookie });
      await security.authenticator.writeUses();
    }
    security.advance(7 * dayMs);
    await assertProblem(security.authenticate({ cookie }), 'not-signed-in');
  });

  it('end a month after their start, however busy', async () => {
    const { cookie } = await security.signInOwner();
    for (let day = 0; day < 30; day++) {
      await security.authenticate({ cookie });
      await security.authenticator.writeUses();
      security.advance(dayMs);
    }
    await assertProblem(security.authenticate({ cookie }), 'not-signed-in');
  });

  it('slide on other servers too', async () => {
    const { cookie } = await security.signInOwner();
    security.advance(6 * dayMs);
    await security.authenticate({ cookie });
    await security.authenticator.writeUses();
    security.advance(6 * dayMs);
    await security.otherServer().authenticate(factsWith({ cookie }));
  });

  it('end at once when signed out, and within five seconds elsewhere', async () => {
    const { cookie, context } = await security.signInOwner();
    const elsewhere = security.otherServer();
    await elsewhere.authenticate(factsWith({ cookie }));
    await signOut(context, security.authenticator);
    await assertProblem(security.authenticate({ cookie }), 'not-signed-in');
    security.advance(5 * secondMs);
    await assertProblem(elsewhere.authenticate(factsWith({ cookie })), 'not-signed-in');
  });

  it('are refused when the cookie is not theirs', async () => {
    const { cookie } = await security.signInOwner();
    const token = cookie.split('=')[1]!;
    const wrong = ['', 'pilvi_session=', `pilvi_session=${token}x`, `pilvi_session=${token.slice(1)}`];
    for (const other of [...wrong, `xpilvi_session=${token}`, `pilvi_session=${token.toLowerCase()}`]) {
      await assertProblem(security.authenticate({ cookie: other }), 'not-signed-in');
    }
    await security.authenticate({ cookie: `a=b; ${cookie}; c=d` });
  });

  it('have another cookie over https, and neither counts for the other', async () => {
    const { cookie } = await security.signInOwner();
    await assertProblem(security.authenticate({ cookie, secure: true }), 'not-signed-in');
    await security.authenticate({ cookie: `__Host-${cookie}`, secure: true });
    await assertProblem(security.authenticate({ cookie: `__Host-${cookie}` }), 'not-signed-in');
  });

  it('choose the workspace by header, among their own', async () => {
    const { cookie, context, principal } = await security.signInOwner();
    const other = await createWorkspace(context, security.authenticator, { name: 'Second' });
    assert.equal((await security.authenticate({ cookie })).workspaceId, principal.workspaceId);
    const there = await security.authenticate({ cookie, workspaceHeader: other.id });
    assert.deepEqual([there.workspaceId, there.caller], [other.id, { kind: 'user', role: 'owner' }]);
    const foreign = security.services.newId('workspace');
    await assertProblem(security.authenticate({ cookie, workspaceHeader: foreign }), 'not-found');
  });

  it('follow changes of role and membership at once', async () => {
    const { context } = await security.signInOwner();
    const invited = await inviteMember(context, { displayName: 'Eve', role: 'editor', origin });
    const { userId } = invited.member;
    const cookie = await security.openLink(invited.link.url);
    assert.deepEqual((await security.authenticate({ cookie })).caller, { kind: 'user', role: 'editor' });
    await updateMember(context, security.authenticator, { userId, role: 'viewer' });
    assert.deepEqual((await security.authenticate({ cookie })).caller, { kind: 'user', role: 'viewer' });
    await removeMember(context, security.authenticator, { userId });
    await assertProblem(security.authenticate({ cookie }), 'not-signed-in');
  });
});

describe('keys', () => {
  it('sign in with their role, and their project if they are bound to one', async () => {
    const { context } = await security.signInOwner();
    const { rows } = await context.transaction((transaction) =>
      transaction.execute(sql`select id from projects`),
    );
    const projectId = String(rows[0]!['id']);
    const { key, secret } = await createKey(context, { ...anyKey, role: 'predictor', projectId });
    assert.match(secret, /^pilvi_[0-9A-Za-z]{49}$/);
    assert.equal(key.hint, secret.slice(0, 10));
    assert.deepEqual(await security.authenticate({ authorization: `Bearer ${secret}` }), {
      actor: { kind: 'key', id: key.id, role: 'predictor', projectId },
      caller: { kind: 'key', role: 'predictor', projectBound: true },
      workspaceId: context.workspaceId,
      projectId,
    });
    const session = await getSession(await security.contextOf({ authorization: `bearer ${secret}` }));
    assert.deepEqual(session.actor, { kind: 'key', id: key.id, displayName: 'CI' });
    assert.deepEqual([session.role, session.workspace.name], ['predictor', 'My workspace']);
  });

  it('need not wait for the database once they are known', async () => {
    const { context } = await security.signInOwner();
    const { secret } = await createKey(context, anyKey);
    const authorization = `Bearer ${secret}`;
    await security.authenticate({ authorization });
    const countBefore = security.systemTransactionCount();
    for (let count = 0; count < 100; count++) await security.authenticate({ authorization });
    assert.equal(security.systemTransactionCount(), countBefore);
  });

  it('stop at once when revoked, and within five seconds elsewhere', async () => {
    const { context } = await security.signInOwner();
    const { key, secret } = await createKey(context, anyKey);
    const facts = factsWith({ authorization: `Bearer ${secret}` });
    const elsewhere = security.otherServer();
    await Promise.all([security.authenticator.authenticate(facts), elsewhere.authenticate(facts)]);
    await revokeKey(context, security.authenticator, { keyId: key.id });
    await assertProblem(security.authenticator.authenticate(facts), 'not-signed-in');
    security.advance(5 * secondMs);
    await assertProblem(elsewhere.authenticate(facts), 'not-signed-in');
    await revokeKey(context, security.authenticator, { keyId: key.id });
    const [listed] = (await listKeys(context, { limit: 10 })).items;
    assert.ok(listed?.revokedAt);
  });

  it('stop when they expire, also those that are known', async () => {
    const { context } = await security.signInOwner();
    const { secret } = await createKey(context, { ...anyKey, expiresInDays: 1 });
    const authorization = `Bearer ${secret}`;
    security.advance(dayMs - 1);
    await security.authenticate({ authorization });
    security.advance(1);
    await assertProblem(security.authenticate({ authorization }), 'not-signed-in');
  });

  it('tell when they were last used, to the minute', async () => {
    const { context } = await security.signInOwner();
    const { secret } = await createKey(context, anyKey);
    const lastUsed = async (): Promise<string | null | undefined> => {
      await security.authenticator.writeUses();
      return (await listKeys(context, { limit: 10 })).items[0]?.lastUsedAt;
    };
    assert.equal(await lastUsed(), null);
    await security.authenticate({ authorization: `Bearer ${secret}` });
    assert.equal(await lastUsed(), toIso(security.services.clock.nowMs()));
    security.advance(hourMs);
    await security.authenticate({ authorization: `Bearer ${secret}` });
    assert.equal(await lastUsed(), toIso(security.services.clock.nowMs()));
  });

  it('are refused when they are wrong in any way, and do not fall back to a session', async () => {
    const { context, cookie } = await security.signInOwner();
    const { secret } = await createKey(context, anyKey);
    const flipped = secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0');
    for (const wrong of [
      flipped,
      secret.slice(1),
      `${secret}0`,
      secret.toUpperCase(),
      'x',
      bootstrapToken.slice(1),
    ]) {
      await assertProblem(
        security.authenticate({ authorization: `Bearer ${wrong}`, cookie }),
        'not-signed-in',
      );
    }
    await assertProblem(
      security.authenticate({ authorization: `Basic ${btoa(`x:${secret}`)}` }),
      'not-signed-in',
    );
    await assertProblem(security.authenticate({}), 'not-signed-in');
  });

  it('are stored as hashes alone', async () => {
    const { context } = await security.signInOwner();
    const { secret } = await createKey(context, anyKey);
    const dump = await security.services.database.asSystem('test', async (transaction) => [
      (await transaction.execute(sql`select * from keys`)).rows,
      (await transaction.execute(sql`select * from audit_lines`)).rows,
      (await transaction.execute(sql`select * from outbox_events`)).rows,
    ]);
    assert.ok(!JSON.stringify(dump).includes(secret.slice(10)));
  });

  it('enter no workspace but their own', async () => {
    const { context } = await security.signInOwner();
    const { secret } = await createKey(context, anyKey);
    const authorization = `Bearer ${secret}`;
    await security.authenticate({ authorization, workspaceHeader: context.workspaceId });
    const other = await createWorkspace(context, security.authenticator, { name: 'Second' });
    await assertProblem(security.authenticate({ authorization, workspaceHeader: other.id }), 'not-found');
  });

  it('make neither links nor workspaces', async () => {
    const { context } = await security.signInOwner();
    const { secret } = await createKey(context, { ...anyKey, role: 'owner' });
    const asKey = await security.contextOf({ authorization: `Bearer ${secret}` });
    await assertProblem(createSignInLink(asKey, { origin }), 'not-allowed');
    await assertProblem(createWorkspace(asKey, security.authenticator, { name: 'Mine' }), 'not-allowed');
  });
});

describe('the bootstrap token', () => {
  const authorization = `Bearer ${bootstrapToken}`;

  it('acts as an owner key for the first person', async () => {
    await ensureOwner(security.services, { origin });
    const principal = await security.authenticate({ authorization });
    assert.deepEqual(principal.caller, { kind: 'operator', role: 'owner' });
    assert.deepEqual(principal.actor, { kind: 'key', id: 'key_bootstrap', role: 'owner', projectId: null });
    const context = await security.contextOf({ authorization });
    assert.equal((await getSession(context)).actor.displayName, 'Bootstrap token');
    await security.openLink((await createSignInLink(context, { origin })).url);
    const other = await createWorkspace(context, security.authenticator, { name: 'Second' });
    assert.equal(
      (await security.authenticate({ authorization, workspaceHeader: other.id })).workspaceId,
      other.id,
    );
  });

  it('does nothing before there is an owner, nor where none is set', async () => {
    await assertProblem(security.authenticate({ authorization }), 'not-signed-in');
  });
});

describe('a flood of wrong secrets', () => {
  it('is stopped before it reaches the database, and does not stop those who are known', async () => {
    const { cookie } = await security.signInOwner();
    const guess = (count: number): string => `pilvi_session=${String(count).padStart(43, 'x')}`;
    for (let count = 0; count < 100; count++) {
      await assertProblem(security.authenticate({ cookie: guess(count) }), 'not-signed-in');
    }
    const countBefore = security.systemTransactionCount();
    const problem = await assertProblem(security.authenticate({ cookie: guess(100) }), 'too-many-requests');
    assert.equal(problem.retryAfterSeconds, 60);
    await security.authenticate({ cookie });
    assert.equal(security.systemTransactionCount(), countBefore);
    security.advance(minuteMs);
    await assertProblem(security.authenticate({ cookie: guess(101) }), 'not-signed-in');
  });
});

describe('the tenant role', () => {
  it('reaches no people, links or sessions', async () => {
    const { context } = await security.signInOwner();
    for (const table of ['users', 'sign_in_links', 'sessions']) {
      const read = context
        .transaction((transaction) => transaction.execute(sql.raw(`select * from ${table}`)))
        .then(({ rows }) => rows.length);
      assert.equal(await read.catch(() => 0), 0, table);
    }
  });
});

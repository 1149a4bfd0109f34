// Workspaces, members and projects through the routes of the contract, with a real database.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { operations } from '../../contract/contract.ts';
import type { Context } from '../context.ts';
import type { Exchange, Route } from '../http/route.ts';
import { auditRoutes } from '../security/audit/routes.ts';
import { listAuditLines, verifyAudit } from '../security/audit/audit.ts';
import { identityRoutes } from '../security/identity/routes.ts';
import { createSignInLink } from '../security/identity/sessions.ts';
import { createKey } from '../security/keys/keys.ts';
import { keyRoutes } from '../security/keys/routes.ts';
import {
  assertProblem,
  bootstrapToken,
  openTestSecurity,
  openTestServer,
  origin,
  type TestSecurity,
} from '../security/security.fixture.ts';
import { createThrottle } from '../security/throttle.ts';
import type { TestServices } from '../testing.ts';
import { ensureOwner } from './first-start.ts';
import { tenancyRoutes } from './routes.ts';
import {
  createProject,
  createWorkspace,
  getProject,
  getWorkspace,
  inviteMember,
  listMembers,
  listProjects,
  removeMember,
  requireProject,
  updateMember,
  updateProject,
  updateWorkspace,
} from './tenancy.ts';

let server: TestServices;
let security: TestSecurity;
let owner: Context;
before(async () => {
  server = await openTestServer();
});
beforeEach(async () => {
  security = await openTestSecurity(server);
  owner = (await security.signInOwner()).context;
});
afterEach(() => security.close());
after(() => server.close());

const plain = (name: string): { name: string; description: string } => ({ name, description: '' });

async function actions(context: Context): Promise<string[]> {
  assert.equal((await verifyAudit(context)).intact, true);
  const { items } = await listAuditLines(context, { limit: 100 });
  return items.map(({ action }) => action).toReversed();
}

describe('workspaces', () => {
  it('have a name that owners change', async () => {
    assert.equal((await getWorkspace(owner)).name, 'My workspace');
    const renamed = await updateWorkspace(owner, { name: 'Lab' });
    assert.deepEqual([renamed.name, renamed.id], ['Lab', owner.workspaceId]);
    assert.deepEqual(await getWorkspace(owner), renamed);
    assert.deepEqual(await actions(owner), ['workspace:create', 'session:create', 'workspace:update']);
  });

  it('are made with an owner, a first project and a log of their own', async () => {
    const made = await createWorkspace(owner, security.authenticator, { name: 'Second' });
    const cookie = await cookieOfOwner();
    const there = await security.contextOf({ cookie, workspaceHeader: made.id });
    assert.deepEqual(
      (await listMembers(there)).items.map(({ displayName, role }) => [displayName, role]),
      [['Olga', 'owner']],
    );
    assert.deepEqual(
      (await listProjects(there, { limit: 10 })).items.map(({ name }) => name),
      ['First project'],
    );
    assert.deepEqual(await actions(there), ['workspace:create']);
  });

  it('see nothing of each other', async () => {
    const made = await createWorkspace(owner, security.authenticator, { name: 'Second' });
    const there = await security.contextOf({ cookie: await cookieOfOwner(), workspaceHeader: made.id });
    const { id: projectId } = await createProject(there, plain('Secret'));
    const invited = await inviteMember(there, { displayName: 'Eve', role: 'viewer', origin });
    const { userId } = invited.member;
    await assertProblem(getProject(owner, { projectId }), 'not-found');
    await assertProblem(updateProject(owner, { projectId, name: 'Mine' }), 'not-found');
    await assertProblem(updateMember(owner, security.authenticator, { userId, role: 'owner' }), 'not-found');
    await assertProblem(removeMember(owner, security.authenticator, { userId }), 'not-found');
    await assertProblem(
      createKey(owner, { name: 'x', role: 'editor', projectId, expiresInDays: null }),
      'not-found',
    );
    assert.equal((await listMembers(owner)).items.length, 1);
    assert.deepEqual(
      (await listProjects(owner, { limit: 10 })).items.map(({ name }) => name),
      ['First project'],
    );
  });
});

describe('members', () => {
  it('come in by invitation, once', async () => {
    const invited = await inviteMember(owner, { displayName: 'Ed', role: 'editor', origin });
    const cookie = await security.openLink(invited.link.url, 'Eduard');
    await assertProblem(security.openLink(invited.link.url), 'sign-in-link-spent');
    const context = await security.contextOf({ cookie });
    assert.deepEqual([context.workspaceId, context.actor.id], [owner.workspaceId, invited.member.userId]);
    const { items } = await listMembers(owner);
    assert.deepEqual(
      items.map(({ displayName, role }) => [displayName, role]),
      [
        ['Olga', 'owner'],
        ['Eduard', 'editor'],
      ],
    );
    assert.ok((await actions(owner)).includes('member:invite'));
  });

  it('do not come in any more once they were removed', async () => {
    const { member, link } = await inviteMember(owner, { displayName: 'Ed', role: 'editor', origin });
    await removeMember(owner, security.authenticator, member);
    await assertProblem(security.openLink(link.url), 'sign-in-link-spent');
    await assertProblem(removeMember(owner, security.authenticator, member), 'not-found');
  });

  it('that own the workspace alone stay its owners', async () => {
    const userId = owner.actor.id;
    const change = { userId, role: 'editor' } as const;
    await assertProblem(updateMember(owner, security.authenticator, change), 'wrong-state');
    await assertProblem(removeMember(owner, security.authenticator, { userId }), 'wrong-state');
    await updateMember(owner, security.authenticator, { userId, role: 'owner' });
    await inviteMember(owner, { displayName: 'Ann', role: 'owner', origin });
    assert.equal((await updateMember(owner, security.authenticator, change)).role, 'editor');
  });

  it('never leave a workspace without an owner, whoever goes at once', async () => {
    const { member } = await inviteMember(owner, { displayName: 'Ann', role: 'owner', origin });
    const results = await Promise.allSettled([
      updateMember(owner, security.authenticator, { userId: owner.actor.id, role: 'viewer' }),
      removeMember(owner, security.authenticator, member),
      updateMember(owner, security.authenticator, { userId: member.userId, role: 'viewer' }),
      removeMember(owner, security.authenticator, { userId: owner.actor.id }),
    ]);
    assert.ok(results.some(({ status }) => status === 'rejected'));
    const { items } = await listMembers(owner);
    assert.equal(items.filter(({ role }) => role === 'owner').length, 1);
  });

  it('that are gone before the server starts again leave it without a link, not without a start', async () => {
    const { member, link } = await inviteMember(owner, { displayName: 'Ann', role: 'owner', origin });
    const ann = await security.contextOf({ cookie: await security.openLink(link.url) });
    await removeMember(ann, security.authenticator, { userId: owner.actor.id });
    assert.deepEqual(await ensureOwner(security.services, { origin }), { signInUrl: null });
    assert.deepEqual(
      (await listMembers(ann)).items.map(({ userId }) => userId),
      [member.userId],
    );
    await assertProblem(
      security.authenticate({ authorization: `Bearer ${bootstrapToken}` }),
      'not-signed-in',
    );
  });
});

describe('projects', () => {
  it('have names that are unique in the workspace, however they are written', async () => {
    const churn = await createProject(owner, { name: 'Churn', description: 'Who leaves' });
    for (const name of ['Churn', 'churn', 'CHURN', 'Ｃｈｕｒｎ']) {
      await assertProblem(createProject(owner, plain(name)), 'already-exists');
    }
    const other = await createProject(owner, plain('Sales'));
    await assertProblem(updateProject(owner, { projectId: other.id, name: 'churn' }), 'already-exists');
    const renamed = await updateProject(owner, { projectId: churn.id, name: 'CHURN' });
    assert.deepEqual(renamed, { ...churn, name: 'CHURN' });
    assert.deepEqual(await updateProject(owner, { projectId: churn.id, description: '' }), {
      ...renamed,
      description: '',
    });
    assert.deepEqual(await updateProject(owner, { projectId: churn.id }), { ...renamed, description: '' });
  });

  it('are made once when several try at the same time', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => createProject(owner, plain('Same'))),
    );
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.equal((await actions(owner)).filter((action) => action === 'project:create').length, 1);
  });

  it('are listed newest first, page by page', async () => {
    for (const name of ['a', 'b', 'c', 'd']) {
      security.advance(1);
      await createProject(owner, plain(name));
    }
    const first = await listProjects(owner, { limit: 3 });
    const rest = await listProjects(owner, { limit: 3, cursor: first.nextCursor! });
    const names = [...first.items, ...rest.items].map(({ name }) => name);
    assert.deepEqual(names, ['d', 'c', 'b', 'a', 'First project']);
    assert.equal(rest.nextCursor, null);
  });

  it('are all that a key bound to one of them sees', async () => {
    const [mine, other] = [
      await createProject(owner, plain('Mine')),
      await createProject(owner, plain('Other')),
    ];
    const { secret } = await createKey(owner, {
      name: 'bound',
      role: 'editor',
      projectId: mine.id,
      expiresInDays: null,
    });
    const bound = await security.contextOf({ authorization: `Bearer ${secret}` });
    assert.deepEqual(
      (await listProjects(bound, { limit: 10 })).items.map(({ id }) => id),
      [mine.id],
    );
    await bound.transaction((transaction) => requireProject(transaction, mine.id));
    await assertProblem(
      bound.transaction((transaction) => requireProject(transaction, other.id)),
      'not-found',
    );
    assert.deepEqual((await listMembers(bound)).items, [], 'members are out of its sight');
    assert.equal((await getWorkspace(bound)).id, owner.workspaceId);
  });

  it('are required by id', async () => {
    for (const id of ['', 'prj_x', security.services.newId('project'), "' or 1=1 --"]) {
      await assertProblem(
        owner.transaction((transaction) => requireProject(transaction, id)),
        'not-found',
      );
    }
  });
});

describe('routes', () => {
  const routes = (): Route[] => {
    const { authenticator, services } = security;
    const throttle = createThrottle({ clock: services.clock, maxPerClient: 3 });
    return [
      ...identityRoutes({ authenticator, throttle, tls: false }),
      ...keyRoutes(authenticator),
      ...auditRoutes,
      ...tenancyRoutes({ authenticator, tls: false }),
    ];
  };
  const exchangeWith = (headers: Record<string, string>, sent: Map<string, string>): Exchange => ({
    clientAddress: '203.0.113.9',
    requestHeader: (name) => headers[name],
    setHeader: (name, value) => void sent.set(name, value),
  });
  const call = async (operationId: string, context: Context, input: object, headers = {}) => {
    const found = routes().find(({ operation }) => operation.operationId === operationId);
    assert.ok(found, operationId);
    const sent = new Map<string, string>();
    const exchange = exchangeWith({ host: 'localhost:4700', ...headers }, sent);
    const output = await found.handle(context, input as never, exchange);
    const { response } = found.operation;
    if ('json' in response) response.json.parse(output);
    return { output: output as Record<string, unknown>, sent };
  };

  it('answer every operation of sessions, workspaces and projects', () => {
    const answered = new Set(routes().map(({ operation }) => operation.operationId));
    const expected = operations.filter(({ tag }) => ['Session', 'Workspace', 'Project'].includes(tag));
    assert.deepEqual(
      expected.map(({ operationId }) => operationId).filter((id) => !answered.has(id)),
      [],
    );
  });

  it('sign in and out with a cookie that fits the connection', async () => {
    const { output } = await call('createSignInLink', owner, {});
    const code = String(output['url']).split('#code=')[1];
    const headers = { 'x-forwarded-proto': 'https', host: 'pilvi.example' };
    const signedIn = await call('createSession', owner, { body: { code } }, headers);
    const cookie = signedIn.sent.get('Set-Cookie')!;
    assert.match(cookie, /^__Host-pilvi_session=[0-9A-Za-z]{43}; .*; Secure$/);
    const context = await security.contextOf({ cookie: cookie.split(';')[0]!, secure: true });
    const invited = await call(
      'inviteMember',
      context,
      { body: { displayName: 'Ed', role: 'editor' } },
      headers,
    );
    const link = invited.output['link'] as { url: string };
    assert.match(link.url, /^https:\/\/pilvi\.example\/sign-in#code=/);
    const signedOut = await call('deleteSession', context, {}, headers);
    assert.match(signedOut.sent.get('Set-Cookie')!, /^__Host-pilvi_session=; .*Max-Age=0/);
  });

  it('say no to too many attempts to sign in', async () => {
    const all = routes();
    const { handle } = all.find(({ operation }) => operation.operationId === 'createSession')!;
    const attempt = (): Promise<unknown> =>
      handle(owner, { body: { code: 'x'.repeat(43) } } as never, exchangeWith({}, new Map()));
    for (let count = 0; count < 3; count++) await assertProblem(attempt(), 'sign-in-link-spent');
    await assertProblem(attempt(), 'too-many-requests');
  });

  it('answer as the contract says', async () => {
    const { member } = await inviteMember(owner, { displayName: 'Ed', role: 'editor', origin });
    const { key } = await createKey(owner, { name: 'k', role: 'viewer', projectId: null, expiresInDays: 3 });
    const { id: projectId } = await createProject(owner, plain('P'));
    await call('getSession', owner, {});
    await call('getWorkspace', owner, {});
    await call('updateWorkspace', owner, { body: { name: 'New' } });
    await call('createWorkspace', owner, { body: { name: 'Other' } });
    await call('listMembers', owner, {});
    await call('updateMember', owner, { userId: member.userId, body: { role: 'viewer' } });
    await call('removeMember', owner, { userId: member.userId });
    await call('listKeys', owner, { limit: 10 });
    await call('createKey', owner, { body: { name: 'k2', role: 'editor', projectId, expiresInDays: null } });
    await call('revokeKey', owner, { keyId: key.id });
    await call('listProjects', owner, { limit: 10 });
    await call('createProject', owner, { body: plain('Q') });
    await call('getProject', owner, { projectId });
    await call('updateProject', owner, { projectId, body: { description: 'd' } });
    await call('listAuditLines', owner, { limit: 10 });
    const { output } = await call('verifyAudit', owner, {});
    assert.equal(output['intact'], true);
  });
});

async function cookieOfOwner(): Promise<string> {
  return security.openLink((await createSignInLink(owner, { origin })).url);
}

// Signing in and working over HTTP, as browsers and programs do: requests in, answers out, nothing else.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { sql } from 'drizzle-orm';
import { createContext } from '../context-factory.ts';
import { createApp } from '../http/app.ts';
import { ensureOwner } from '../tenancy/first-start.ts';
import { tenancyRoutes } from '../tenancy/routes.ts';
import type { TestServices } from '../testing.ts';
import { auditRoutes } from './audit/routes.ts';
import { createGate } from './gate.ts';
import { identityRoutes } from './identity/routes.ts';
import { keyRoutes } from './keys/routes.ts';
import { allowedHosts } from './request-guard.ts';
import {
  bootstrapToken,
  codeOf,
  openTestSecurity,
  openTestServer,
  origin,
  type TestSecurity,
} from './security.fixture.ts';
import { createThrottle } from './throttle.ts';

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

let server: TestServices;
let security: TestSecurity;
/** Sends a request; a body makes it a POST unless `method` says otherwise. */
let send: (
  path: string,
  request?: { method?: string; headers?: Record<string, string>; body?: unknown },
) => Promise<Answer>;

before(async () => {
  server = await openTestServer();
});
beforeEach(async () => {
  security = await openTestSecurity(server);
  const { services, authenticator } = security;
  const hosts = allowedHosts(4700);
  const throttle = createThrottle({ clock: services.clock });
  const app = createApp({
    routes: [
      ...identityRoutes({ authenticator, throttle, tls: false }),
      ...tenancyRoutes({ authenticator, tls: false }),
      ...keyRoutes(authenticator),
      ...auditRoutes,
    ],
    services,
    gate: createGate({ ...security, hosts: () => hosts, tls: false }),
    version: '0.0.0',
    createContext: (who) => createContext(services, who),
    clientAddress: () => '127.0.0.1',
    stopping: new AbortController().signal,
  });
  send = async (path, { method, headers = {}, body } = {}) => {
    const response = await app.request(`${origin}/api/v1${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        host: 'localhost:4700',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: response.status, headers: response.headers, body: parsed };
  };
});
afterEach(() => security.close());
after(() => server.close());

const ownPage = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };

/** Opens the link of the first start in a browser and returns what it sends from then on. */
async function signInBrowser(): Promise<Record<string, string>> {
  const { signInUrl } = await ensureOwner(security.services, { origin });
  const headers = { ...ownPage, origin };
  const answer = await send('/session', { headers, body: { code: codeOf(signInUrl!), displayName: 'Olga' } });
  assert.equal(answer.status, 201);
  const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
  return { ...ownPage, origin, cookie };
}

async function makeKey(
  browser: Record<string, string>,
  role: string,
): Promise<{ id: string; authorization: string }> {
  const { status, body } = await send('/keys', { headers: browser, body: { name: role, role } });
  assert.equal(status, 201);
  return { id: (body['key'] as { id: string }).id, authorization: `Bearer ${String(body['secret'])}` };
}

describe('the front door', () => {
  it('lets a browser in by its link, and out again', async () => {
    const browser = await signInBrowser();
    const session = await send('/session', { headers: browser });
    assert.deepEqual(
      [session.status, (session.body['actor'] as { displayName: string }).displayName, session.body['role']],
      [200, 'Olga', 'owner'],
    );
    assert.equal(session.headers.get('cache-control'), 'no-store');
    assert.equal((await send('/session', { method: 'DELETE', headers: browser })).status, 204);
    const after = await send('/session', { headers: browser });
    assert.deepEqual([after.status, after.body['code']], [401, 'not-signed-in']);
  });

  it('is closed to other sites, whatever the browser carries', async () => {
    const browser = await signInBrowser();
    const { authorization } = await makeKey(browser, 'owner');
    for (const headers of [
      { ...browser, 'sec-fetch-site': 'cross-site' },
      { ...browser, origin: 'https://evil.example' },
      { ...browser, host: 'evil.example' },
      { authorization, 'sec-fetch-site': 'cross-site' },
      { cookie: browser['cookie']! },
    ]) {
      for (const method of ['GET', 'PATCH', 'DELETE', 'OPTIONS']) {
        const { status, body } = await send('/workspace', { method, headers });
        assert.ok([403, 421].includes(status), `${method} ${JSON.stringify(headers)} -> ${status}`);
        assert.ok(['cross-site-request', 'host-not-allowed'].includes(String(body['code'])));
      }
    }
    assert.equal((await send('/workspace', { headers: browser })).body['name'], 'My workspace');
  });

  it('answers each role as far as it goes', async () => {
    const browser = await signInBrowser();
    const statusOf = async (role: string, path: string, body?: object): Promise<number> => {
      const { authorization } = await makeKey(browser, role);
      return (await send(path, { headers: { authorization }, ...(body && { body }) })).status;
    };
    assert.equal(await statusOf('viewer', '/projects'), 200);
    assert.equal(await statusOf('viewer', '/projects', { name: 'P' }), 403);
    assert.equal(await statusOf('editor', '/projects', { name: 'P' }), 201);
    assert.equal(await statusOf('editor', '/keys', { name: 'k' }), 403);
    assert.equal(await statusOf('predictor', '/projects'), 403);
    assert.equal(await statusOf('predictor', '/session'), 200);
    assert.equal(await statusOf('owner', '/session/links', {}), 403);
  });

  it('closes at once for a key that was revoked', async () => {
    const browser = await signInBrowser();
    const { id, authorization } = await makeKey(browser, 'editor');
    assert.equal((await send('/projects', { headers: { authorization } })).status, 200);
    assert.equal((await send(`/keys/${id}`, { method: 'DELETE', headers: browser })).status, 204);
    assert.equal((await send('/projects', { headers: { authorization } })).status, 401);
  });

  it('keeps no secret that an answer held, also when it is asked to repeat it', async () => {
    const browser = await signInBrowser();
    const headers = { ...browser, 'idempotency-key': 'once' };
    const answer = await send('/keys', { headers, body: { name: 'k' } });
    const secret = String(answer.body['secret']);
    const { rows } = await security.services.database.asSystem('test', (transaction) =>
      transaction.execute(sql`select * from idempotency_keys`),
    );
    assert.ok(secret.length > 50 && !JSON.stringify(rows).includes(secret));
  });

  it('lets automation in with the bootstrap token, which can ask for a link', async () => {
    await ensureOwner(security.services, { origin });
    const authorization = `Bearer ${bootstrapToken}`;
    const link = await send('/session/links', { method: 'POST', headers: { authorization } });
    assert.equal(link.status, 201);
    const code = codeOf(String(link.body['url']));
    assert.equal((await send('/session', { body: { code } })).status, 201);
    assert.equal((await send('/session', { body: { code } })).status, 401);
    const { body } = await send('/audit/verification', { headers: { authorization } });
    assert.deepEqual([body['intact'], body['lineCount']], [true, 3]);
  });
});

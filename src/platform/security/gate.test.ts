// The gate as the HTTP application calls it: headers in, an identity or a problem out.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Gate, RequestFacts } from '../http/carry-out.ts';
import type { TestServices } from '../testing.ts';
import { createGate } from './gate.ts';
import { createKey } from './keys/keys.ts';
import { allowedHosts } from './request-guard.ts';
import {
  assertProblem,
  bootstrapToken,
  openTestSecurity,
  openTestServer,
  type TestSecurity,
} from './security.fixture.ts';

let server: TestServices;
let security: TestSecurity;
let gate: Gate;
before(async () => {
  server = await openTestServer();
});
beforeEach(async () => {
  security = await openTestSecurity(server);
  const hosts = allowedHosts(4700, ['pilvi.example']);
  gate = createGate({ ...security, hosts: () => hosts, tls: false });
});
afterEach(() => security.close());
after(() => server.close());

function request(headers: Record<string, string>, path = '/api/v1/projects', method = 'GET'): RequestFacts {
  const all: Record<string, string> = { host: 'localhost:4700', ...headers };
  return { method, path, header: (name) => all[name.toLowerCase()], clientAddress: '127.0.0.1' };
}

const ownPage = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
const otherSite = {
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};

describe('gate', () => {
  it('guards by path: pages may be linked to, data may not', () => {
    gate.guard(request(otherSite, '/'));
    gate.guard(request(otherSite, '/projects/prj_1'));
    gate.guard(request(otherSite, '/apiary'));
    for (const path of [
      '/api',
      '/api/v1/projects',
      '/v1/models',
      '/v2/health',
      '/endpoints/churn/invocations',
      '/mcp',
      '/metrics',
      '/api/2.0/mlflow',
    ]) {
      assert.throws(() => gate.guard(request(otherSite, path)), { code: 'cross-site-request' }, path);
    }
    gate.guard(request({ host: '10.0.0.1:4700' }, '/healthz'));
    gate.guard(request({ host: '10.0.0.1:4700' }, '/readyz', 'HEAD'));
    assert.throws(() => gate.guard(request({ host: '10.0.0.1:4700' })), { code: 'host-not-allowed' });
  });

  it('believes a proxy that it speaks https', () => {
    const origin = { origin: 'https://pilvi.example', host: 'pilvi.example', ...ownPage };
    gate.guard(request({ ...origin, 'x-forwarded-proto': 'https' }, '/api/v1/projects', 'POST'));
    assert.throws(() => gate.guard(request(origin, '/api/v1/projects', 'POST')), {
      code: 'cross-site-request',
    });
  });

  it('wants to know where a session comes from', async () => {
    const { cookie } = await security.signInOwner();
    assert.throws(() => gate.guard(request({ cookie })), { code: 'cross-site-request' });
    gate.guard(request({ cookie, ...ownPage }));
    gate.guard(request({ cookie: 'other=1' }));
    gate.guard(request({ cookie, authorization: 'Bearer x' }));
    assert.throws(() => gate.guard(request({ cookie, authorization: 'Basic x' })), {
      code: 'cross-site-request',
    });
  });

  it('admits by session, key and bootstrap token, each as far as its role goes', async () => {
    const { cookie, context, principal } = await security.signInOwner();
    const { actor, workspaceId } = principal;
    assert.deepEqual(await gate.admit(request({ cookie }), 'member:manage'), {
      actor,
      workspaceId,
      projectId: null,
    });
    const { key, secret } = await createKey(context, {
      name: 'k',
      role: 'predictor',
      projectId: null,
      expiresInDays: null,
    });
    const asKey = request({ authorization: `Bearer ${secret}`, 'pilvi-workspace': workspaceId });
    assert.equal((await gate.admit(asKey, 'endpoint:predict')).actor.id, key.id);
    await assertProblem(gate.admit(asKey, 'dataset:read'), 'not-allowed');
    await assertProblem(gate.admit(asKey, 'self:write'), 'not-allowed');
    const asOperator = request({ authorization: `Bearer ${bootstrapToken}` });
    assert.equal((await gate.admit(asOperator, 'self:write')).workspaceId, workspaceId);
  });

  it('asks who it is for everything that is not public', async () => {
    await assertProblem(gate.admit(request({}), 'self:read'), 'not-signed-in');
    const nobody = await gate.admit(request({}), 'public');
    assert.deepEqual(nobody, { actor: { kind: 'system', id: 'system' }, workspaceId: '', projectId: null });
    const { database } = security.services;
    await assert.rejects(() => database.inWorkspace(nobody, async () => {}), /scope names a workspace/);
  });

  it('sends the headers of data or of pages', () => {
    assert.equal(gate.headers(request({}, '/api/v1/session'))['Cache-Control'], 'no-store');
    assert.match(gate.headers(request({}, '/'))['Content-Security-Policy']!, /script-src 'self'/);
    assert.equal(gate.headers(request({}))['Strict-Transport-Security'], undefined);
    const proxied = request({ host: 'pilvi.example', 'x-forwarded-proto': 'https' });
    assert.ok(gate.headers(proxied)['Strict-Transport-Security']);
  });
});

// The front door, from outside, for every address that the running router knows: no address without a policy, no
// operation without credentials, each role exactly what the table below says, and nothing for other sites.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { operations } from '../src/contract/contract.ts';
import type { Method, Operation } from '../src/contract/operation.ts';
import { policyActions } from '../src/contract/policy.ts';
import type { OperationId } from '../src/sdk/types.ts';
import { routerPath as routerPathOf } from '../src/platform/http/protocol.ts';
import { protocols } from '../src/protocols/protocols.ts';
import { openServer, type Answer, type TestServer } from './server.ts';

/** Who may: v(iewer), p(redictor), e(ditor), b(ound): an editor's key that is bound to a project. Owners may all. */
const mayBeDoneBy: Record<OperationId, string> = {
  getApiDocument: 'public',
  createSession: 'public',
  listSigningKeys: 'public',
  withdrawSigningKey: '',
  // Signing out and making links or workspaces is for people; keys are none.
  createSignInLink: '',
  deleteSession: '',
  createWorkspace: '',
  getServer: 'vpeb',
  getSession: 'vpeb',
  listLearners: 'vpeb',
  getWorkspace: 'veb',
  updateWorkspace: '',
  listMembers: 've',
  inviteMember: '',
  updateMember: '',
  removeMember: '',
  listKeys: 'e',
  createKey: '',
  revokeKey: '',
  listAuditLines: '',
  verifyAudit: '',
  listPrices: 'veb',
  listBudgets: 'veb',
  listCharges: 'veb',
  getSpending: 'veb',
  setBudget: '',
  removeBudget: '',
  listProjects: 'veb',
  getProject: 'veb',
  createProject: 'e',
  updateProject: 'e',
  createUpload: 'eb',
  appendUpload: 'eb',
  getUpload: 'veb',
  previewImport: 'eb',
  createDataset: 'eb',
  createDatasetVersion: 'eb',
  listDatasets: 'veb',
  getDataset: 'veb',
  deleteDataset: 'eb',
  listDatasetVersions: 'veb',
  getDatasetVersion: 'veb',
  getDatasetProfile: 'veb',
  getDatasetRows: 'veb',
  downloadDatasetVersion: 'veb',
  runQuery: 'eb',
  planTraining: 'veb',
  createTraining: 'eb',
  listTrainings: 'veb',
  getTraining: 'veb',
  watchTraining: 'veb',
  cancelTraining: 'eb',
  listModels: 'veb',
  getModel: 'veb',
  listModelVersions: 'veb',
  getModelVersion: 'veb',
  downloadModelFile: 'veb',
  importModelFile: 'eb',
  importOnnxModel: 'eb',
  explainRows: 'veb',
  findCounterfactuals: 'veb',
  signModelVersion: '',
  setModelAlias: 'eb',
  removeModelAlias: 'eb',
  createEndpoint: 'eb',
  listEndpoints: 'vpeb',
  getEndpoint: 'vpeb',
  deployModel: 'eb',
  setLogSettings: 'eb',
  setServingSettings: 'eb',
  getServingStatus: 'vpeb',
  deleteEndpoint: 'eb',
  getMonitor: 'veb',
  setMonitor: 'eb',
  makeMonitorReport: 'eb',
  listMonitorReports: 'veb',
  getMonitorReport: 'veb',
  createComparison: 'eb',
  listComparisons: 'veb',
  getComparison: 'veb',
  listComparisonFlips: 'veb',
  getGateRule: 'veb',
  setGateRule: 'eb',
  getUpdatePolicy: 'veb',
  setUpdatePolicy: 'eb',
  startUpdate: 'eb',
  listUpdates: 'veb',
  getUpdate: 'veb',
  cancelUpdate: 'eb',
  takeBackUpdate: 'eb',
  listAlerts: 'veb',
  startRelease: 'eb',
  listReleases: 'veb',
  getRelease: 'veb',
  approveRelease: 'eb',
  pauseRelease: 'eb',
  resumeRelease: 'eb',
  promoteRelease: 'eb',
  rollBackRelease: 'eb',
  predict: 'peb',
  predictCsv: 'peb',
  getPredictionLog: 'veb',
  listLoggedPredictions: 'veb',
  getLoggedPrediction: 'veb',
  rerunPrediction: 'veb',
  explainPrediction: 'veb',
  getPredictionEvidence: 'veb',
  queryPredictionLog: 'eb',
  exportPredictionLog: 'veb',
  sendOutcomes: 'peb',
  sendOutcomesCsv: 'peb',
  quoteBatch: 'veb',
  createBatch: 'eb',
  listBatches: 'veb',
  getBatch: 'veb',
  cancelBatch: 'eb',
  downloadBatch: 'veb',
  deleteBatch: 'eb',
  listJobs: 'veb',
  getJob: 'veb',
  watchJob: 'veb',
  cancelJob: 'eb',
};

/** Addresses of the router that are no operation: the gate, probes, pages, and refusals. */
const besidesOperations = new Set([
  'ALL /*',
  'ALL /api/*',
  'GET /healthz',
  'GET /readyz',
  'GET /metrics',
  'GET *',
  'GET /*',
]);

const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'];

let server: TestServer;
const secrets: Record<string, string> = {};

before(async () => {
  server = await openServer();
  const projectId = (await server.client.listProjects({})).items[0]!.id;
  for (const [letter, role] of Object.entries({ v: 'viewer', p: 'predictor', e: 'editor' } as const))
    secrets[letter] = (await server.client.createKey({ body: { name: role, role } })).secret;
  const bound = { name: 'bound', role: 'editor', projectId } as const;
  secrets['b'] = (await server.client.createKey({ body: bound })).secret;
});
after(() => server?.close());

/** The address with an id that nothing has in every place. */
function addressOf({ path }: Operation): string {
  return `/api/v1${path.replaceAll(/\{[^}]+\}/g, 'nothing-has-this-id')}`;
}

/** What the operation needs to get past the reading of its body, without being a valid request. */
function bodyOf({ request, method }: Operation): { headers?: Record<string, string>; body?: string } {
  if (method === 'get' || method === 'delete') return {};
  return request.stream
    ? { headers: { 'content-type': request.stream[0]! }, body: '' }
    : { headers: { 'content-type': 'application/json' }, body: '{}' };
}

async function send(operation: Operation, key: string | null): Promise<Answer> {
  const method = operation.method.toUpperCase();
  return await server.ask({ method, path: addressOf(operation), key, ...bodyOf(operation) });
}

/** Every address of the router once, with something in the place of each parameter. */
function everyAddress(): string[] {
  const paths = server.running.addresses.map(({ path }) =>
    path.replaceAll(/:[A-Za-z]+(\{[^}]*\})?/g, 'nothing-has-this-id').replace('*', 'some/where'),
  );
  return [...new Set(paths.map((path) => (path.startsWith('/') ? path : `/${path}`)))];
}

describe('the router and the contract', () => {
  test('every address of the router has an operation with a policy, or is listed here', () => {
    const known = new Map(operations.map((operation) => [routeOf(operation), operation]));
    const refused = new Set(operations.map(({ path }) => `ALL ${routerPath(path)}`));
    // What protocols may be asked by whom is told in protocols.test.ts, address by address.
    for (const { base, routes } of protocols('0')) {
      refused.add(`ALL ${base}/*`);
      for (const { method, path, policy } of routes) {
        assert.ok(policyActions.includes(policy), `${path} has no policy`);
        refused.add(`${method.toUpperCase()} ${routerPathOf(path)}`).add(`ALL ${routerPathOf(path)}`);
      }
    }
    const unknown: string[] = [];
    for (const { method, path } of server.running.addresses) {
      const address = `${method} ${path}`;
      const operation = known.get(address);
      if (operation) assert.ok(policyActions.includes(operation.policy), `${address} has no policy`);
      else if (!besidesOperations.has(address) && !refused.has(address)) unknown.push(address);
    }
    assert.deepEqual(unknown, []);
  });

  test('every operation has one route', () => {
    const addresses = server.running.addresses.map(({ method, path }) => `${method} ${path}`);
    for (const operation of operations) {
      const found = addresses.filter((address) => address === routeOf(operation));
      assert.equal(found.length, 1, operation.operationId);
    }
  });

  test('the table of this test names every operation', () => {
    const ids = operations.map(({ operationId }) => operationId);
    assert.deepEqual(Object.keys(mayBeDoneBy).toSorted(), ids.toSorted());
  });
});

describe('who may do what', () => {
  test('nothing without credentials, or with wrong ones', async () => {
    for (const operation of operations) {
      if (mayBeDoneBy[operation.operationId as OperationId] === 'public') continue;
      for (const key of [null, 'pk_wrong', secrets['v']!.slice(0, -1), `${secrets['v']!}x`]) {
        const { status, json, headers } = await send(operation, key);
        assert.deepEqual([status, json?.['code']], [401, 'not-signed-in'], operation.operationId);
        assert.match(String(headers['www-authenticate']), /^Bearer/);
      }
    }
  });

  for (const [letter, role] of Object.entries({
    v: 'viewer',
    p: 'predictor',
    e: 'editor',
    b: 'bound editor',
  })) {
    test(`a ${role}'s key may do what the table says and nothing else`, async () => {
      for (const operation of operations) {
        const allowed = mayBeDoneBy[operation.operationId as OperationId];
        const { status, json, text } = await send(operation, secrets[letter]!);
        const refused = status === 403 && json?.['code'] === 'not-allowed';
        const expected = allowed !== 'public' && !allowed.includes(letter);
        assert.equal(refused, expected, `${operation.operationId} answered ${status} ${text.slice(0, 200)}`);
        assert.ok(status !== 401 || operation.operationId === 'createSession', operation.operationId);
        assert.ok(status < 500, `${operation.operationId} answered ${status} ${text}`);
      }
    });
  }
});

describe('requests that no page and no program of ours makes', () => {
  test('a name that is not ours is refused, for every verb of every address', async () => {
    for (const host of ['evil.example', `evil.example:${server.port}`, '127.0.0.1', 'localhost:1']) {
      await refuseEverywhere({ host }, [421, 'host-not-allowed'], host === 'evil.example');
    }
    assert.ok([400, 421].includes(await shakeHands('/api/v1/session', { host: '' })));
  });

  test('another site is refused, for every verb of every address', async () => {
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://localhost:${server.port + 1}` },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    ];
    for (const [index, headers] of foreign.entries()) {
      await refuseEverywhere(headers, [403, 'cross-site-request'], index === 0 || index === 3);
    }
  });

  test('a link from another site leads to pages only', async () => {
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    const page = await server.ask({ path: '/some/page', key: null, headers: link });
    assert.equal(page.status, server.running.hasPages ? 200 : 404);
    assert.equal((await server.ask({ path: '/api/v1/session', headers: link })).status, 403);
  });

  test('a WebSocket is never opened, and not to other sites at all', async () => {
    for (const path of everyAddress()) {
      const own = await shakeHands(path, { authorization: `Bearer ${server.token}` });
      assert.notEqual(own, 101, path);
      const foreign = await shakeHands(path, {
        authorization: `Bearer ${server.token}`,
        origin: 'https://evil.example',
      });
      assert.equal(foreign, 403, path);
      const rebound = await shakeHands(path, { host: 'evil.example' });
      assert.equal(rebound, 421, path);
    }
  });
});

/** Asks every address with the owner's key; with `everyVerb` in all verbs, else in one that reads and one that writes. */
async function refuseEverywhere(
  headers: Record<string, string>,
  expected: [number, string],
  everyVerb: boolean,
): Promise<void> {
  for (const path of everyAddress()) {
    const isProbe = path === '/healthz' || path === '/readyz';
    for (const method of everyVerb ? verbs : ['GET', 'POST']) {
      // Load balancers name the server by any address, and the answer is worth nothing.
      if (isProbe && (method === 'GET' || method === 'HEAD')) continue;
      const { status, json } = await server.ask({ method, path, headers });
      assert.equal(status, expected[0], `${method} ${path} with ${JSON.stringify(headers)}`);
      if (method !== 'HEAD') assert.equal(json?.['code'], expected[1], `${method} ${path}`);
    }
  }
}

/** Asks to become a WebSocket (RFC 6455); returns the status of the answer. */
async function shakeHands(path: string, headers: Record<string, string>): Promise<number> {
  const socket = connect(server.port, '127.0.0.1');
  const all = {
    host: `127.0.0.1:${server.port}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(first.toString('latin1'))?.[1]);
}

function routeOf({ method, path }: { method: Method; path: string }): string {
  return `${method.toUpperCase()} ${routerPath(path)}`;
}

function routerPath(path: string): string {
  return `/api/v1${path.replaceAll(/\{([^}]+)\}/g, ':$1')}`;
}

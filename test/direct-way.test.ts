// The short way in (platform/http/direct.ts) answers as the ordinary way does, to the letter: the same requests are sent
// by both, and what comes back is compared. A query, even an empty one, makes a request go the ordinary way.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { until } from './product.ts';
import { openServer, problemOf, type Answer, type Request, type TestServer } from './server.ts';
import { importTable, tableOf } from './world.ts';

let server: TestServer;
let endpointId: string;
const keys: Record<string, string> = {};

before(async () => {
  server = await openServer();
  const { client } = server;
  const projectId = (await client.listProjects({})).items[0]!.id;
  const content = tableOf('a');
  const { versionId } = await importTable(client, { projectId, name: 'a', content });
  const recipe = { datasetVersionId: versionId, target: 'label', modelName: 'a', compact: true };
  const training = await client.createTraining({
    projectId,
    body: { ...recipe, budget: { seconds: 30, trials: 1 } },
  });
  await waitForJob(client, training.jobId);
  const versionOf = async (): Promise<string | null> =>
    (await client.getTraining({ trainingId: training.id })).modelVersionId;
  await until('the model version is there', async () => (await versionOf()) !== null);
  const modelVersionId = (await versionOf())!;
  endpointId = (await client.createEndpoint({ projectId, body: { name: 'a', modelVersionId } })).id;
  for (const role of ['viewer', 'predictor'] as const)
    keys[role] = (await client.createKey({ body: { name: role, role } })).secret;
});
after(() => server?.close());

type Asked = Partial<Omit<Request, 'path'>> & { path?: string };

/** The answers by both ways. */
async function both({ path = `/api/v1/endpoints/${endpointId}/predictions`, ...asked }: Asked) {
  const request = {
    method: 'POST',
    ...asked,
    headers: { 'content-type': 'application/json', ...asked.headers },
  };
  const short = await server.ask({ ...request, path });
  const ordinary = await server.ask({ ...request, path: `${path}?` });
  return { short, ordinary };
}

/** What must not differ: all but the id of the request, the time, and what comes of the connection. */
function essence({ status, headers, json }: Answer) {
  const varying = ['x-request-id', 'date', 'keep-alive', 'connection', 'content-length', 'server-timing'];
  const kept = Object.entries(headers).filter(([name]) => !varying.includes(name));
  return { status, headers: Object.fromEntries(kept), json: { ...json, requestId: undefined } };
}

async function sameAnswer(asked: Asked): Promise<Answer> {
  const { short, ordinary } = await both(asked);
  assert.deepEqual(essence(short), essence(ordinary), asked.body?.toString().slice(0, 200));
  assert.equal(Number(short.headers['content-length']), Buffer.byteLength(short.text));
  assert.equal(short.json!['requestId'], short.headers['x-request-id']);
  if (short.status >= 400) problemOf(server, short);
  return short;
}

const rows = (row: string): string => `{"rows":[${row}]}`;
const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;

const bodies: [what: string, body: string | Uint8Array, status: number][] = [
  ['a row', rows('{"a_size": 60, "a_place": "a-place-1"}'), 200],
  ['white space around it', ` \n${rows('{"a_size": 60}')}\n `, 200],
  ['text beyond ASCII', rows('{"a_place": "Jyväskylä 🌲"}'), 200],
  ['a field too many', rows('{"a_size": 60, "shoe": 44}'), 200],
  ['no field at all', rows('{}'), 200],
  ['null', rows('{"a_size": null}'), 200],
  ['a name twice: the last counts', rows('{"a_size": 1, "a_size": 99}'), 200],
  ['names that all objects have', rows('{"constructor": 1, "toString": 2, "hasOwnProperty": 3}'), 200],
  ['__proto__ as a name', rows('{"__proto__": {"a_size": 1}, "a_place": "x"}'), 200],
  ['__proto__ as the body', '{"__proto__": {"rows": [{}]}}', 400],
  ['lists in each other in a field that is ignored', rows(`{"extra": ${deep}}`), 200],
  ['lists in each other in a field that is read', rows(`{"a_size": ${deep}}`), 422],
  ['lists in each other as the body', deep, 400],
  ['NaN', rows('{"a_size": NaN}'), 400],
  ['Infinity', rows('{"a_size": -Infinity}'), 400],
  ['a number beyond all bounds', rows('{"a_size": 1e999}'), 422],
  ['a number of 400 digits', rows(`{"a_size": ${'9'.repeat(400)}}`), 422],
  ['the largest number', rows('{"a_size": 1.7976931348623157e308}'), 200],
  ['text for a number', rows('{"a_size": "sixty"}'), 422],
  ['an object for a category', rows('{"a_place": {"name": "Oulu"}}'), 422],
  ['a wrong row among many', '{"rows":[{"a_size":1},{"a_size":"x"},{"a_size":2}]}', 422],
  ['no rows', '{"rows":[]}', 400],
  ['a row that is no object', rows('1'), 400],
  ['a row that is a list', rows('[1]'), 400],
  ['rows that are no list', '{"rows":{"a_size":1}}', 400],
  ['a list', '[]', 400],
  ['nothing', '', 400],
  ['half of it', '{"rows":[{"a_size": 1}', 400],
  ['more than one rows', '{"rows":[{"a_size":1}]} {}', 400],
  ['a byte order mark', Buffer.from(`\uFEFF${rows('{"a_size": 60}')}`), 200],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 400],
  ['an escaped U+0000', rows(String.raw`{"a_place": "\u0000"}`), 400],
  ['half a surrogate pair', rows(String.raw`{"a_place": "\ud800"}`), 400],
  ['more rows than are taken', `{"rows":[${'{},'.repeat(10_000)}{}]}`, 422],
];

for (const [what, body, status] of bodies) {
  test(`${what}: ${status}, by both ways`, async () => {
    assert.equal((await sameAnswer({ body })).status, status);
  });
}

test('any rows are answered alike', async () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const row = fc.record({ a_size: value, a_place: value, other: value }, { requiredKeys: [] });
  const plain = fc.record({ a_size: fc.integer(), a_place: fc.constantFrom('a-place-1', 'b') });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(row, plain), { maxLength: 3 }), async (asked) => {
      await sameAnswer({ json: { rows: asked } });
    }),
    { numRuns: 40 },
  );
});

test('who may not ask is told the same', async () => {
  const body = rows('{}');
  const viewer = keys['viewer']!;
  const cases: [Asked, string][] = [
    [{ key: null }, 'not-signed-in'],
    [{ key: 'nobody-s-key' }, 'not-signed-in'],
    [{ key: null, headers: { authorization: 'Basic dTpw' } }, 'not-signed-in'],
    [{ key: viewer }, 'not-allowed'],
    [{ headers: { host: 'evil.example' } }, 'host-not-allowed'],
    [{ headers: { origin: 'https://evil.example' } }, 'cross-site-request'],
    [{ headers: { 'sec-fetch-site': 'cross-site' } }, 'cross-site-request'],
    [{ key: null, headers: { cookie: 'pilvi_session=x' } }, 'cross-site-request'],
    [{ headers: { 'pilvi-workspace': 'ws_other' } }, 'not-found'],
    [{ path: '/api/v1/endpoints/ep_nothing/predictions' }, 'not-found'],
    [{ headers: { 'content-type': 'text/plain' } }, 'unsupported-media-type'],
    [{ headers: { 'content-type': '' } }, 'unsupported-media-type'],
    [{ headers: { 'content-encoding': 'zip' } }, ''],
  ];
  for (const [asked, code] of cases) {
    const answer = await sameAnswer({ body, ...asked });
    if (code !== '') assert.equal(answer.json!['code'], code);
  }
  const mayAsk = await sameAnswer({ body, key: keys['predictor']! });
  assert.equal(mayAsk.status, 200);
});

test('unusual requests for the same address are answered, too', async () => {
  const body = rows('{"a_size": 60}');
  const path = `/api/v1/endpoints/${endpointId}/predictions`;
  const ask = (headers: Record<string, string>, sent: string | Uint8Array = body, method = 'POST') =>
    server.ask({ method, path, headers: { 'content-type': 'application/json', ...headers }, body: sent });
  const once = await ask({ 'idempotency-key': 'one' });
  const again = await ask({ 'idempotency-key': 'one' });
  assert.deepEqual(
    [once.status, again.headers['idempotency-replayed'], again.text],
    [200, 'true', once.text],
  );
  assert.equal((await ask({ 'content-type': 'Application/JSON; charset=utf-8' })).status, 200);
  assert.equal((await ask({ 'content-encoding': 'identity' })).status, 200);
  assert.ok([200, 400].includes((await ask({ 'content-encoding': 'gzip' }, gzipSync(body))).status));
  assert.equal((await ask({}, body, 'PUT')).status, 405);
});

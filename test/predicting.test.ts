// Predictions over HTTP. The short way in (platform/http/direct.ts) answers as the ordinary way does, to the letter: the
// same requests are sent by both, and what comes back is compared; a query, even an empty one, makes a request go the
// ordinary way. Then what is told of them: Server-Timing, metrics, traces, and counts that are exact to the request.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { until } from './product.ts';
import { openServer, problemOf, type Answer, type Request, type TestServer } from './server.ts';
import { importTable, tableOf } from './world.ts';

let server: TestServer;
let endpointId: string;
let projectId: string;
/** Receives traces, as an OpenTelemetry collector does. */
let collector: Server;
const received: { url: string; headers: Record<string, unknown>; body: Export }[] = [];
const keys: Record<string, string> = {};

before(async () => {
  collector = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      received.push({ url: request.url!, headers: request.headers, body: JSON.parse(text) as Export });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  server = await openServer({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=a%20key',
      OTEL_SERVICE_NAME: 'the lab',
      OTEL_TRACES_SAMPLER_ARG: '0',
    },
  });
  const { client } = server;
  projectId = (await client.listProjects({})).items[0]!.id;
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
after(async () => {
  await server?.close();
  collector.close();
  collector.closeAllConnections();
});

interface Export {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { scope: { name: string }; spans: Span[] }[];
  }[];
}
interface Attribute {
  key: string;
  value: Record<string, string>;
}
interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
  status: { code: number };
}

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
  const first = await ask({ 'idempotency-key': 'one' });
  const again = await ask({ 'idempotency-key': 'one' });
  assert.deepEqual([first.status, again.headers['idempotency-replayed']], [200, 'true']);
  assert.deepEqual(again.json, first.json);
  assert.equal((await ask({ 'content-type': 'Application/JSON; charset=utf-8' })).status, 200);
  assert.equal((await ask({ 'content-encoding': 'identity' })).status, 200);
  assert.ok([200, 400].includes((await ask({ 'content-encoding': 'gzip' }, gzipSync(body))).status));
  assert.equal((await ask({}, body, 'PUT')).status, 405);
});

const parts = ['gate', 'body', 'find', 'load', 'model', 'meter', 'log', 'rest', 'total'];

test('the answer says where its time went', async () => {
  const { short, ordinary } = await both({ body: rows('{"a_size": 60}') });
  for (const { headers } of [short, ordinary]) {
    const timing = String(headers['server-timing']).split(', ');
    assert.deepEqual(
      timing.map((part) => part.split(';')[0]),
      parts,
    );
    const durations = timing.map((part) => Number(/;dur=(\d+(\.\d+)?)$/.exec(part)![1]));
    const sum = durations.slice(0, -1).reduce((total, one) => total + one, 0);
    assert.ok(Math.abs(sum - durations.at(-1)!) < 0.01);
  }
  const refused = await server.ask({ method: 'POST', path: '/api/v1/endpoints/x/predictions', key: null });
  assert.equal(refused.headers['server-timing'], undefined, 'who may not ask learns nothing of our times');
});

test('a traced caller finds its request, and the parts of it, at the collector', async () => {
  const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
  const path = `/api/v1/endpoints/${endpointId}/predictions`;
  const send = (traceparent: string, suffix = '') =>
    server.ask({ method: 'POST', path: path + suffix, headers: { traceparent }, json: { rows: [{}] } });
  const answers = [await send(`00-${traceId}-${spanId}-01`), await send(`00-${traceId}-${spanId}-01`, '?')];
  await send(`00-${'1'.repeat(32)}-${spanId}-00`);
  const spansOf = (): Span[] => received.flatMap(({ body }) => body.resourceSpans[0]!.scopeSpans[0]!.spans);
  await until('the spans arrive', async () => spansOf().filter(({ kind }) => kind === 2).length >= 2);
  const spans = spansOf();
  const own = spans.filter(({ kind }) => kind === 2);
  assert.equal(own.length, 2, 'what the caller does not sample is not sent');
  for (const [index, span] of own.entries()) {
    assert.deepEqual(
      [span.traceId, span.parentSpanId, span.name, span.status],
      [traceId, spanId, 'POST /api/v1/endpoints/{endpointId}/predictions', { code: 0 }],
    );
    assert.deepEqual(span.attributes, [
      { key: 'http.request.method', value: { stringValue: 'POST' } },
      { key: 'http.route', value: { stringValue: '/api/v1/endpoints/{endpointId}/predictions' } },
      { key: 'http.response.status_code', value: { intValue: '200' } },
      { key: 'pilvi.request_id', value: { stringValue: answers[index]!.headers['x-request-id'] } },
    ]);
    const below = spans.filter(({ parentSpanId }) => parentSpanId === span.spanId);
    assert.deepEqual(
      below.map(({ name, kind }) => [name, kind]),
      parts.slice(0, -1).map((name) => [name, 1]),
    );
    let reachedAt = BigInt(span.startTimeUnixNano);
    for (const part of below) {
      assert.match(part.spanId, /^[0-9a-f]{16}$/);
      assert.equal(BigInt(part.startTimeUnixNano), reachedAt);
      assert.ok(BigInt(part.endTimeUnixNano) >= reachedAt);
      reachedAt = BigInt(part.endTimeUnixNano);
    }
    assert.equal(reachedAt, BigInt(span.endTimeUnixNano));
  }
  const [{ url, headers, body }] = received as [(typeof received)[number]];
  assert.deepEqual(
    [url, headers['content-type'], headers['x-collector-key']],
    ['/v1/traces', 'application/json', 'a key'],
  );
  const [service] = body.resourceSpans[0]!.resource.attributes;
  assert.deepEqual(service, { key: 'service.name', value: { stringValue: 'the lab' } });
});

async function metricsFor(key: string | null): Promise<Map<string, number>> {
  const answer = await server.ask({ path: '/metrics', key });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const lines = answer.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^([a-z_]+(?:\{[^}]*\})?) ([0-9.e+-]+)$/.exec(line) ?? [line];
      assert.ok(name !== undefined && Number.isFinite(Number(value)), line);
      return [name, Number(value)];
    }),
  );
}

test('what is answered is counted to the request: metrics, log, and the endpoint itself', async () => {
  const { client } = server;
  const { modelVersionId } = (await client.getEndpoint({ endpointId })).deployments[0]!;
  const { id } = await client.createEndpoint({ projectId, body: { name: 'counted', modelVersionId } });
  const path = `/api/v1/endpoints/${id}/predictions`;
  const statuses = await Promise.all(
    Array.from({ length: 300 }, async (_, index) => {
      const good = rows(`{"a_size": ${index}}`);
      const body =
        index % 5 === 0 ? rows('{"a_size": "x"}') : index % 7 === 0 ? `${good.slice(0, -2)},{}]}` : good;
      const headers = { 'content-type': 'application/json' };
      const suffix = index % 3 === 0 ? '?' : '';
      return (await server.ask({ method: 'POST', path: path + suffix, headers, body })).status;
    }),
  );
  const isTwoRows = (index: number): boolean => index % 7 === 0;
  const answered = statuses.flatMap((status, index) => (status === 200 ? [index] : []));
  assert.equal(answered.length, 240);
  const rowCount = answered.reduce((sum, index) => sum + (isTwoRows(index) ? 2 : 1), 0);

  const metrics = await metricsFor(server.token);
  assert.equal(metrics.get(`pilvi_prediction_requests_total{endpoint="${id}"}`), 240);
  assert.equal(metrics.get(`pilvi_predictions_total{endpoint="${id}"}`), rowCount);
  assert.equal(metrics.get(`pilvi_prediction_duration_seconds_count{endpoint="${id}"}`), 240);
  const failures = `pilvi_prediction_failures_total{endpoint="${id}",code="prediction-input"}`;
  assert.equal(metrics.get(failures), 60);
  const pending = metrics.get(`pilvi_prediction_log_pending_rows{endpoint="${id}"}`);
  assert.equal(pending, rowCount);

  const countOf = async (): Promise<number> => (await client.getEndpoint({ endpointId: id })).predictionCount;
  await until('the counts are written', async () => (await countOf()) >= rowCount);
  assert.equal(await countOf(), rowCount);
  const { result } = await loggedRows(id);
  assert.equal(result, rowCount);
});

async function loggedRows(id: string): Promise<{ result: number }> {
  const sql = 'select count(*) as result from predictions';
  const answer = await server.client.queryPredictionLog({ endpointId: id, body: { sql } });
  return { result: Number(answer.table.rows[0]![0]) };
}

test('metrics are for whoever may see what they tell', async () => {
  const own = `pilvi_predictions_total{endpoint="${endpointId}"}`;
  const operator = await metricsFor(server.token);
  assert.ok(operator.has(own));
  assert.ok(operator.get('process_resident_memory_bytes')! > 1_000_000);
  assert.equal(operator.get('pilvi_models_open'), 1);
  assert.ok(operator.get('pilvi_http_requests_total{operation="predict",status="200"}')! > 0);
  assert.ok(operator.has('pilvi_prediction_log_lag_seconds'));
  const viewer = await metricsFor(keys['viewer']!);
  assert.ok(viewer.has(own));
  assert.deepEqual(
    [...viewer.keys()].filter((name) => !name.includes(`endpoint="`)),
    [],
    'what is of the whole server is for its operator',
  );
  const elsewhere = await server.client.createProject({ body: { name: 'elsewhere' } });
  const bound = { name: 'bound', role: 'editor', projectId: elsewhere.id } as const;
  const { secret } = await server.client.createKey({ body: bound });
  assert.equal((await metricsFor(secret)).size, 0);
  for (const [asked, status] of [
    [{ key: null }, 401],
    [{ headers: { 'sec-fetch-site': 'cross-site' } }, 403],
    [{ headers: { host: 'evil.example' } }, 421],
    [{ method: 'POST' }, 405],
  ] as const) {
    const answer = await server.ask({ path: '/metrics', ...asked });
    assert.equal(answer.status, status);
    problemOf(server, answer);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from './client.ts';
import { listAll } from './list-all.ts';
import { PilviError } from './pilvi-error.ts';
import { answerJson, answerProblem, serve } from './testing.ts';

test('puts input into path, query and body, and sends key and workspace', async () => {
  await using server = await serve((_, response) => answerJson(response, { id: 'prj_1' }), {
    token: 'secret',
    workspaceId: 'ws_1',
  });
  await server.client.listDatasets({ projectId: 'a/b ü', limit: 7, cursor: undefined });
  await server.client.createProject({ body: { name: 'Löwe' } });
  const [list, create] = server.requests;
  assert.equal(list!.url, '/api/v1/projects/a%2Fb%20%C3%BC/datasets?limit=7');
  assert.equal(list!.headers.authorization, 'Bearer secret');
  assert.equal(list!.headers['pilvi-workspace'], 'ws_1');
  assert.equal(list!.headers['idempotency-key'], undefined);
  assert.deepEqual([create!.method, create!.url], ['POST', '/api/v1/projects']);
  assert.deepEqual(JSON.parse(create!.body), { name: 'Löwe' });
  assert.match(String(create!.headers['idempotency-key']), /^[0-9a-f]{32}$/);
});

test('a missing path parameter is refused before anything is sent', async () => {
  await using server = await serve((_, response) => answerJson(response, {}));
  await assert.rejects(server.client.getModel({ modelId: '' }), TypeError);
  assert.equal(server.requests.length, 0);
});

test('a problem is thrown with its whole document', async () => {
  await using server = await serve((_, response) => answerProblem(response, 'not-allowed'));
  await assert.rejects(server.client.listKeys(), (error) => {
    assert.ok(error instanceof PilviError);
    assert.equal(error.code, 'not-allowed');
    assert.equal(error.status, 403);
    assert.equal(error.message, 'It is not-allowed.');
    assert.match(error.remedy, /owner/);
    assert.equal(error.retryable, false);
    return true;
  });
  assert.equal(server.requests.length, 1);
});

test('retries what may pass, with the same Idempotency-Key and body', async () => {
  await using server = await serve((_, response, count) =>
    count < 3 ? answerProblem(response, 'unavailable') : answerJson(response, { id: 'prj_1' }, 201),
  );
  await server.client.createProject({ body: { name: 'once' } });
  assert.equal(server.requests.length, 3);
  assert.equal(new Set(server.requests.map(({ headers }) => headers['idempotency-key'])).size, 1);
  assert.equal(new Set(server.requests.map(({ body }) => body)).size, 1);
});

test('retries a connection that is cut, in the middle of an answer too', async () => {
  await using server = await serve((_, response, count) => {
    if (count === 1) return response.destroy();
    if (count === 2) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"id":');
      return void setImmediate(() => response.destroy());
    }
    answerJson(response, { id: 'job_1' });
  });
  assert.equal((await server.client.getJob({ jobId: 'job_1' })).id, 'job_1');
  assert.equal(server.requests.length, 3);
});

test('gives up after the attempts it was allowed', async () => {
  await using server = await serve((_, response) => answerProblem(response, 'unavailable'), { attempts: 2 });
  await assert.rejects(server.client.getServer(), { code: 'unavailable' });
  assert.equal(server.requests.length, 2);
  await assert.rejects(server.client.getServer({}, { attempts: 1 }), { code: 'unavailable' });
  assert.equal(server.requests.length, 3);
});

test('Retry-After decides when; one that is too far away is left to the caller', async () => {
  await using soon = await serve((_, response, count) =>
    count === 1
      ? answerProblem(response, 'too-many-requests', { 'retry-after': '0' })
      : answerJson(response, { items: [] }),
  );
  await soon.client.listPrices();
  assert.equal(soon.requests.length, 2);
  await using late = await serve((_, response) =>
    answerProblem(response, 'too-many-requests', { 'retry-after': '3600' }),
  );
  await assert.rejects(late.client.listPrices(), { code: 'too-many-requests', retryAfterSeconds: 3600 });
  assert.equal(late.requests.length, 1);
});

test('removing again what an attempt with a lost answer removed is no failure', async () => {
  await using server = await serve((_, response, count) =>
    count === 1 ? response.destroy() : answerProblem(response, 'not-found'),
  );
  await server.client.deleteEndpoint({ endpointId: 'ep_1' });
  await assert.rejects(server.client.deleteEndpoint({ endpointId: 'ep_1' }), { code: 'not-found' });
});

test('an answer that is no problem document becomes one', async () => {
  await using server = await serve(
    (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>'),
    { attempts: 1 },
  );
  await assert.rejects(server.client.getServer(), { code: 'unavailable', status: 502, retryable: true });
});

test('says when nobody answers, and when the answer is too late', async () => {
  const server = await serve(() => undefined, { timeoutMs: 30, attempts: 1 });
  await assert.rejects(server.client.getServer(), { code: 'unavailable', message: /within 0.03 s/ });
  await server[Symbol.asyncDispose]();
  await assert.rejects(server.client.getServer(), { status: 0, message: /ECONNREFUSED/ });
});

test('an abort throws the reason of the signal, at once and between attempts', async () => {
  await using server = await serve((_, response) => answerProblem(response, 'unavailable'), {
    retryDelayMs: 1e9,
  });
  const stop = new AbortController();
  const waiting = server.client.getServer({}, { signal: stop.signal });
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(server.client.getServer({}, { signal: stop.signal }), /enough/);
  assert.equal(server.requests.length, 1);
});

test('sends bodies of each kind, and never repeats one that can be read only once', async () => {
  await using server = await serve((request, response) =>
    request.body.startsWith('cut') ? response.destroy() : answerJson(response, {}),
  );
  const upload = (stream: Parameters<typeof server.client.appendUpload>[0]['stream']) =>
    server.client.appendUpload({ uploadId: 'upl_1', offset: 3, stream });
  async function* pieces(...texts: string[]) {
    for (const text of texts) yield new TextEncoder().encode(text);
  }
  await upload(new Blob(['blob']));
  await upload(new TextEncoder().encode('bytes'));
  await upload(new Blob(['stream']).stream());
  await upload(pieces('iter', 'able'));
  assert.deepEqual(
    server.requests.map(({ body }) => body),
    ['blob', 'bytes', 'stream', 'iterable'],
  );
  assert.equal(server.requests[0]!.url, '/api/v1/uploads/upl_1/content?offset=3');
  assert.equal(server.requests[0]!.headers['content-type'], 'application/octet-stream');
  await assert.rejects(upload(pieces('cut')), { code: 'unavailable' });
  assert.equal(server.requests.length, 5);
});

test('a download tells its type, size and name, and is read once', async () => {
  await using server = await serve((_, response) =>
    response
      .writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': '3',
        'content-disposition': `attachment; filename="a.pilvi"; filename*=UTF-8''%C3%A4.pilvi`,
      })
      .end('abc'),
  );
  const file = await server.client.downloadModelFile({ versionId: 'mdv_1' });
  assert.deepEqual(
    [file.contentType, file.sizeBytes, file.fileName],
    ['application/octet-stream', 3, 'ä.pilvi'],
  );
  assert.equal(await file.text(), 'abc');
});

test('listAll walks every page', async () => {
  await using server = await serve((request, response) => {
    const cursor = Number(new URL(request.url, 'http://x').searchParams.get('cursor') ?? 0);
    answerJson(response, { items: [cursor, cursor + 1], nextCursor: cursor < 4 ? String(cursor + 2) : null });
  });
  const items: unknown[] = [];
  for await (const item of listAll(server.client.listModels, { projectId: 'prj_1', limit: 2 }))
    items.push(item);
  assert.deepEqual(items, [0, 1, 2, 3, 4, 5]);
  assert.equal(server.requests[2]!.url, '/api/v1/projects/prj_1/models?limit=2&cursor=4');
});

test('takes another fetch, and a base address with a slash at its end', async () => {
  const seen: string[] = [];
  const client = createClient({
    baseUrl: 'https://pilvi.example/',
    fetch: async (input) => {
      seen.push(String(input));
      return Response.json({ items: [] });
    },
  });
  await client.listPrices();
  assert.deepEqual(seen, ['https://pilvi.example/api/v1/prices']);
});

// The addresses of predictions over HTTP: headers, media types, and problems instead of half an answer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Context } from '../../platform/context.ts';
import { createContext } from '../../platform/context-factory.ts';
import { createApp } from '../../platform/http/app.ts';
import { createEndpoint } from '../deploy/deploy.ts';
import { openDeployTest, type DeployTest } from '../deploy/testing.ts';
import { closePredictions } from './predict.ts';
import { predictRoutes } from './routes.ts';

let opened: DeployTest;
let context: Context;
let modelVersionId: string;
let app: ReturnType<typeof createApp>;
let address: string;

before(async () => {
  opened = await openDeployTest();
  context = await opened.freshWorkspace();
  const projectId = await opened.freshProject(context);
  ({ id: modelVersionId } = await opened.freshVersion(context, projectId));
  const { id } = await createEndpoint(context, { projectId, name: 'churn', modelVersionId });
  address = `/api/v1/endpoints/${id}/predictions`;
  const { actor, workspaceId } = context;
  app = createApp({
    routes: predictRoutes,
    services: opened.services,
    gate: {
      guard: () => undefined,
      admit: async () => ({ actor, workspaceId, projectId: null }),
      headers: () => ({}),
    },
    version: '0',
    createContext: (who) => createContext(opened.services, who),
    clientAddress: () => '127.0.0.1',
    stopping: new AbortController().signal,
  });
});
after(async () => {
  await closePredictions(opened.services);
  await opened.close();
});

async function post(
  path: string,
  contentType: string,
  body: string | Uint8Array<ArrayBuffer>,
): Promise<Response> {
  return await app.request(path, { method: 'POST', headers: { 'content-type': contentType }, body });
}

test('rows as JSON', async () => {
  const response = await post(
    address,
    'application/json',
    JSON.stringify({ rows: [{ age: 60, height: 180 }] }),
  );
  assert.equal(response.status, 200);
  const answer = (await response.json()) as Record<string, unknown>;
  assert.equal(answer['requestId'], response.headers.get('x-request-id'));
  assert.equal(answer['modelVersionId'], modelVersionId);
  assert.match(String(answer['warnings']), /"height"/);
});

test('what is not rows is refused by the contract', async () => {
  for (const [body, status] of [
    ['{"rows": []}', 400],
    ['{"rows": [1]}', 400],
    ['{"rows": {"age": 1}}', 400],
    ['{"rows": [{"age": "x"}]}', 422],
    ['{"rows": [{"age": 1}', 400],
    ['', 400],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop
    const response = await post(address, 'application/json', body);
    assert.equal(response.status, status, body);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
  }
  assert.equal((await post(address, 'text/plain', '{"rows": [{}]}')).status, 415);
});

test('a CSV file', async () => {
  const response = await post(`${address}.csv`, 'text/csv; charset=utf-8', 'age,Größe\r\n60,1\r\n21,2\r\n');
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8');
  assert.equal(response.headers.get('x-pilvi-model-version'), modelVersionId);
  assert.match(decodeURIComponent(response.headers.get('x-pilvi-warnings')!), /"Größe"/);
  const text = await response.text();
  assert.equal(Number(response.headers.get('content-length')), Buffer.byteLength(text));
  assert.match(text, /^prediction,probability_no,probability_yes\nyes,[\d.]+,[\d.]+\nno,[\d.]+,[\d.]+\n$/);
});

test('a CSV file with a fault on its last line is a problem, not half an answer', async () => {
  const content = `age\n${'30\n'.repeat(50_000)}old\n`;
  const response = await post(`${address}.csv`, 'text/csv', content);
  assert.equal(response.status, 422);
  const problem = (await response.json()) as { code: string; errors: { field: string; message: string }[] };
  assert.equal(problem.code, 'prediction-input');
  assert.deepEqual(problem.errors, [{ field: 'age', message: 'must be a number, got "old" (line 50002)' }]);
});

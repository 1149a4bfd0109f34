// Which requests the short way takes, and that it lets go of those who leave. That it answers as the ordinary way does
// is test/direct-way.test.ts; slow and large bodies are test/requests.test.ts.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { predict } from '../../contract/endpoint.ts';
import type { Context } from '../context.ts';
import { createContext } from '../context-factory.ts';
import { openTestServices, type TestServices } from '../testing.ts';
import { openDirectWay, type DirectWay } from './direct.ts';
import { directRoute } from './route.ts';

const path = '/api/v1/endpoints/ep_1/predictions';
let services: TestServices;
let direct: DirectWay;
let server: Server;
let handled: (context: Context) => Promise<void> = async () => undefined;

before(async () => {
  services = await openTestServices();
  direct = openDirectWay({
    routes: [
      directRoute(predict, async (context, { endpointId }) => {
        await handled(context);
        return { requestId: context.requestId, modelVersionId: endpointId, predictions: [], warnings: [] };
      }),
    ],
    services: services.services,
    gate: {
      guard: () => undefined,
      admit: async () => ({ actor: { kind: 'system', id: 'system' }, workspaceId: 'ws_1', projectId: null }),
      headers: () => ({ 'X-Of-The-Gate': 'yes' }),
    },
    createContext: (who) => createContext(services.services, who),
    clientAddress: (_, peerAddress) => peerAddress,
    stopping: new AbortController().signal,
  });
  server = createServer((request, response) => {
    if (!direct.take(request, response)) response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(async () => {
  direct.close();
  server.close();
  server.closeAllConnections();
  await services.close();
});

async function isTaken(asked: {
  path?: string;
  method?: string;
  headers?: Record<string, string | string[]>;
}): Promise<boolean> {
  const { port } = server.address() as AddressInfo;
  const headers = { 'content-type': 'application/json', ...asked.headers };
  const sent = httpRequest({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path,
    ...asked,
    headers,
    agent: false,
  });
  sent.end('{"rows":[{}]}');
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  if (response.statusCode === 200) assert.equal(response.headers['x-of-the-gate'], 'yes');
  return response.statusCode !== 204;
}

test('plain requests for the very address are taken, all others are left alone', async () => {
  assert.equal(await isTaken({}), true);
  for (const other of [
    { method: 'PUT' },
    { path: `${path}?` },
    { path: `${path}/` },
    { path: `${path}.csv` },
    { path: path.replace('ep_1', 'ep%5f1') },
    { path: path.replace('ep_1', '..') },
    { path: `http://127.0.0.1${path}` },
    { path: path.toUpperCase() },
    { headers: { 'idempotency-key': 'a' } },
    { headers: { 'content-encoding': 'gzip' } },
    { headers: { 'x-twice': ['a', 'b'] } },
  ]) {
    // oxlint-disable-next-line no-await-in-loop
    assert.equal(await isTaken(other), false, JSON.stringify(other));
  }
});

test('who leaves before the answer is noticed', async () => {
  const left = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  handled = async ({ signal }) => {
    begun.resolve();
    if (!signal.aborted) await once(signal, 'abort');
    left.resolve();
  };
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const head = [`POST ${path} HTTP/1.1`, 'host: x', 'content-type: application/json', 'content-length: 13'];
  socket.write(`${head.join('\r\n')}\r\n\r\n{"rows":[{}]}`);
  await begun.promise;
  socket.destroy();
  await left.promise;
  handled = async () => undefined;
  assert.equal(await isTaken({}), true);
});

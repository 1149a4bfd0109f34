// The server of this process, with a home of its own: what tests ask over raw HTTP, so that they can send what no
// well-behaved client would. Not the product as its users start it: that is product.ts.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { problemKinds, type ProblemCode } from '../src/base/problems.ts';
import { problemSchema } from '../src/contract/problem.ts';
import { createClient } from '../src/sdk/client.ts';
import type { Client } from '../src/sdk/types.ts';
import type { Patience } from '../src/platform/http/read-request.ts';
import { readConfiguration } from '../src/programs/configuration.ts';
import { startServer, type RunningServer } from '../src/programs/server/server.ts';

const bootstrapToken = 'a-token-of-the-test-that-nobody-else-knows';

/** One request, sent exactly so: no path is normalised and no header is added but Host and Content-Length. */
export interface Request {
  method?: string;
  /** With /api/v1 where it is meant. */
  path: string;
  /** The secret of a key; the owner's unless said otherwise; null: none. */
  key?: string | null;
  headers?: Record<string, string>;
  json?: unknown;
  body?: string | Uint8Array;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The body as JSON; undefined where it is none. */
  json: Record<string, unknown> | undefined;
}

export interface TestServer {
  running: RunningServer;
  home: string;
  port: number;
  url: string;
  /** The owner's key. */
  token: string;
  /** The owner's client, which does not try again. */
  client: Client;
  /** A client with another key. */
  clientOf(secret: string): Client;
  ask(request: Request): Promise<Answer>;
  /** What lies in the folder of work in progress. */
  workFiles(): Promise<string[]>;
  close(): Promise<void>;
}

/** Starts a server in a fresh home, or in `home`, which then stays. */
export async function openServer(
  options: { environment?: Record<string, string>; patience?: Patience; home?: string } = {},
): Promise<TestServer> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'pilvi-test-')));
  const { configuration } = readConfiguration({
    PILVI_HOME: home,
    PILVI_PORT: '0',
    PILVI_BOOTSTRAP_TOKEN: bootstrapToken,
    PILVI_LOG_LEVEL: 'silent',
    ...options.environment,
  });
  const running = await startServer(configuration, options.patience ? { patience: options.patience } : {});
  const port = Number(new URL(running.url).port);
  const url = `http://127.0.0.1:${port}`;
  const clientOf = (token: string): Client => createClient({ baseUrl: url, token, attempts: 1 });
  return {
    running,
    home,
    port,
    url,
    token: bootstrapToken,
    client: clientOf(bootstrapToken),
    clientOf,
    ask: (request) => ask(port, request),
    workFiles: async () =>
      (await readdir(join(home, 'work'), { recursive: true, withFileTypes: true }).catch(() => []))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    async close() {
      await running.stop();
      if (options.home === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}

/** A refusal is a problem of the catalogue, whole, and tells nothing that is the server's own. Returns its code. */
export function problemOf(server: TestServer, { status, headers, text, json }: Answer): ProblemCode {
  assert.equal(headers['content-type'], 'application/problem+json', `${status} ${text}`);
  const problem = problemSchema.parse(json);
  assert.equal(problem.status, status);
  assert.equal(problem.title, problemKinds[problem.code].title);
  assert.equal(problem.requestId, headers['x-request-id']);
  assertLeaksNothing(server, text);
  return problem.code;
}

/** No path of the server, no stack, no secret. */
export function assertLeaksNothing(server: TestServer, text: string): void {
  const secrets = [server.home, server.token, process.cwd(), 'node_modules', '.ts:', 'select "'];
  const found = secrets.filter((secret) => text.includes(secret));
  assert.deepEqual(found, [], text.slice(0, 2000));
}

async function ask(port: number, request: Request): Promise<Answer> {
  const { method = 'GET', path, key = bootstrapToken } = request;
  const body = request.json === undefined ? request.body : JSON.stringify(request.json);
  const headers = {
    host: `127.0.0.1:${port}`,
    ...(key !== null && { authorization: `Bearer ${key}` }),
    ...(request.json !== undefined && { 'content-type': 'application/json' }),
    ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    ...request.headers,
  };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      resolve({ status: response.statusCode!, headers: response.headers, text, json: asJson(text) });
    });
  });
  sent.on('error', reject);
  sent.end(body);
  return await promise;
}

function asJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

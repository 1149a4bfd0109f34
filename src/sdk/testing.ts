// A real HTTP server for the SDK's tests, answering as each test says. Not part of the SDK.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { problemKinds, type ProblemCode } from '../base/problems.ts';
import { createClient, type ClientOptions } from './client.ts';
import type { Client } from './types.ts';

/** A request as it arrived. */
export interface SeenRequest {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface TestServer extends AsyncDisposable {
  baseUrl: string;
  client: Client;
  requests: SeenRequest[];
}

/** Answers every request; `count` is 1 for the first. */
export type Answer = (request: SeenRequest, response: ServerResponse, count: number) => void;

/** Listens on a free port of this machine until disposed. */
export async function serve(answer: Answer, options: ClientOptions = {}): Promise<TestServer> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const seen = { method: request.method!, url: request.url!, headers: request.headers, body };
      answer(seen, response, requests.push(seen));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    baseUrl,
    client: createClient({ baseUrl, retryDelayMs: 1, ...options }),
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export function answerProblem(
  response: ServerResponse,
  code: ProblemCode,
  headers: Record<string, string> = {},
): void {
  const { status, title, remedy, retryable } = problemKinds[code];
  const document = {
    type: `https://pilvi.dev/problems/${code}`,
    code,
    title,
    status,
    detail: `It is ${code}.`,
    remedy,
    retryable,
  };
  response
    .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
    .end(JSON.stringify(document));
}

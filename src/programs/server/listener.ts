// The HTTP listener: Node's own, with the bounds that keep slow and silent clients from holding it.
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs } from '../../base/time.ts';
import type { RequestFacts } from '../../platform/http/carry-out.ts';
import type { DirectWay } from '../../platform/http/direct.ts';
import type { Configuration } from '../configuration.ts';

const headersArriveMs = 15 * secondMs;
/** A connection on which nothing moves is closed after this; event streams send keep-alives more often. */
const silentConnectionMs = 2 * minuteMs;
const idleKeepAliveMs = 30 * secondMs;
const maxHeaderBytes = 32_768;

type Fetch = (request: Request, environment: unknown) => Response | Promise<Response>;

/** A listener that answers by the short way what that takes, the rest with `fetch`; over TLS when the configuration names a certificate. */
export async function createListener(
  configuration: Configuration,
  { direct, fetch }: { direct: DirectWay; fetch: Fetch },
): Promise<Server> {
  const { PILVI_TLS_CERT, PILVI_TLS_KEY } = configuration;
  const secrets =
    PILVI_TLS_CERT === undefined || PILVI_TLS_KEY === undefined
      ? undefined
      : {
          cert: await readFile(PILVI_TLS_CERT),
          key: await readFile(PILVI_TLS_KEY),
          minVersion: 'TLSv1.2' as const,
        };
  // requestTimeout is off because uploads may take hours; bodies are bounded where they are read (read-request.ts).
  const bounds = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersArriveMs,
    requestTimeout: 0,
    keepAliveTimeout: idleKeepAliveMs,
  };
  const answer = getRequestListener(fetch, { errorHandler: refuseUnreadable });
  const onRequest: RequestListener = (request, response) => {
    if (!direct.take(request, response)) void answer(request, response);
  };
  const listener = secrets
    ? createTlsServer({ ...bounds, ...secrets }, onRequest)
    : createServer(bounds, onRequest);
  listener.setTimeout(silentConnectionMs);
  return listener;
}

/** Who asks: the peer, or what the one trusted proxy says, which it appends at the end of X-Forwarded-For. */
export function clientAddressOf(
  header: RequestFacts['header'],
  peerAddress: string,
  trustProxy: boolean,
): string {
  const forwarded = trustProxy ? header('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined;
  return forwarded || peerAddress;
}

/** What is refused before the application sees it: an address or a Host that makes no URL. */
function refuseUnreadable(error: unknown): Response {
  const problem = new Problem('invalid-request', 'The address or the Host header cannot be read.', {
    cause: error,
  });
  return new Response(JSON.stringify(problem.toDocument()), {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}

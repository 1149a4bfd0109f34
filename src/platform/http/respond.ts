// Writes what a handler returned as the answer that the contract declares, and problems as RFC 9457.
import type { Context as HonoContext } from 'hono';
import { streamSSE } from 'hono/streaming';
import { Problem, asProblem } from '../../base/problems.ts';
import type { Operation } from '../../contract/operation.ts';
import type { Log } from '../ports/log.ts';
import type { EventOutput, StreamOutput } from './route.ts';

/** Between events a comment is sent, so that proxies keep the connection and a lost client is noticed. */
const keepAliveMs = 15_000;

/** The answer for `output`. */
export function respond(
  http: HonoContext,
  operation: Operation,
  output: unknown,
  signal: AbortSignal,
): Response {
  const { response } = operation;
  if ('events' in response) return respondEvents(http, output as AsyncIterable<EventOutput>, signal);
  if ('stream' in response) return respondStream(http, output as StreamOutput);
  if ('json' in response) return http.json(output as object, response.status);
  return http.body(null, 204);
}

/** The answer for a problem. Server errors are logged with their cause; the client sees only the catalogue's words. */
export function problemAnswer(
  error: unknown,
  requestId: string,
  log: Log,
): { status: number; headers: Record<string, string>; body: string } {
  const { problem, headers } = tellProblem(error, requestId, log);
  return {
    status: problem.status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
    body: JSON.stringify(problem.toDocument(requestId)),
  };
}

/** The problem that `error` is, written to the log where it is ours, and the headers that go with it. */
export function tellProblem(
  error: unknown,
  requestId: string,
  log: Log,
): { problem: Problem; headers: Record<string, string> } {
  const problem = asProblem(error);
  if (problem.status >= 500) log.error({ requestId, error: problem.cause ?? problem }, problem.message);
  const headers: Record<string, string> = {};
  if (problem.retryAfterSeconds !== undefined)
    headers['Retry-After'] = String(Math.ceil(problem.retryAfterSeconds));
  if (problem.code === 'not-signed-in') headers['WWW-Authenticate'] = 'Bearer realm="pilvi"';
  return { problem, headers };
}

/** {@link problemAnswer} through Hono. */
export function respondProblem(http: HonoContext, error: unknown, requestId: string, log: Log): Response {
  const { status, headers, body } = problemAnswer(error, requestId, log);
  const answer = new Headers(http.res.headers);
  for (const [name, value] of Object.entries(headers)) answer.set(name, value);
  return new Response(body, { status, headers: answer });
}

function respondStream(http: HonoContext, output: StreamOutput): Response {
  http.header('Content-Type', output.contentType);
  if (output.sizeBytes !== undefined) http.header('Content-Length', String(output.sizeBytes));
  if (output.fileName !== undefined) http.header('Content-Disposition', attachment(output.fileName));
  // An error on the way cuts the connection, so that nobody takes a part for the whole.
  return http.body(ReadableStream.from(output.body) as ReadableStream<Uint8Array>);
}

function respondEvents(http: HonoContext, events: AsyncIterable<EventOutput>, signal: AbortSignal): Response {
  http.header('Cache-Control', 'no-store');
  http.header('X-Accel-Buffering', 'no');
  return streamSSE(http, async (out) => {
    const iterator = events[Symbol.asyncIterator]();
    const stop = (): void => void iterator.return?.();
    out.onAbort(stop);
    signal.addEventListener('abort', stop, { once: true });
    const keepAlive = setInterval(
      () => void out.write(': keep-alive\n\n').catch(() => undefined),
      keepAliveMs,
    );
    try {
      for (let step = await iterator.next(); !step.done && !out.aborted; step = await iterator.next()) {
        const { id, event, data } = step.value;
        // oxlint-disable-next-line no-await-in-loop -- events keep their order
        await out.writeSSE({ id: String(id), event, data: JSON.stringify(data) });
      }
    } finally {
      clearInterval(keepAlive);
      signal.removeEventListener('abort', stop);
    }
  });
}

/** RFC 6266, with the name in UTF-8 and an ASCII stand-in. */
function attachment(fileName: string): string {
  const ascii = fileName.replaceAll(/[^\w.-]+/g, '_');
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(fileName)}`;
}

/** A problem for an address or method that no operation has. */
export function unknownAddress(path: string): Problem {
  return new Problem('not-found', `No operation has the address ${path.slice(0, 200)}.`);
}

/** A problem for a method that an address does not take. */
export function methodNotAllowed(method: string, allowed: readonly string[]): Problem {
  return new Problem(
    'method-not-allowed',
    `This address answers ${allowed.join(', ')}, not ${method.slice(0, 20)}.`,
  );
}

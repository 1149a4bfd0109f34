// One call over HTTP: builds the request, waits for the answer within the limits, and tries again where that is safe.
// Safe means: repeating it changes nothing (a POST carries an Idempotency-Key; every other method of the contract sets
// a state), the body can be sent twice, and the failure is of a kind that may pass. Delays double and are spread at
// random ("full jitter"); Retry-After wins.
import type { OperationEntry } from './operations.ts';
import { errorOf, late, PilviError, unreachable } from './pilvi-error.ts';
import type { CallOptions, StreamBody } from './types.ts';

/** What all calls of one client share. */
export interface Connection {
  /** Without a slash at its end; empty in a browser: the page's own origin. */
  baseUrl: string;
  fetch: typeof globalThis.fetch;
  headers: Readonly<Record<string, string>>;
  /** Upper bound of the first delay between attempts. */
  retryDelayMs: number;
  timeoutMs: number;
  attempts: number;
}

/** Input of any operation, as the mapped types allow it. */
export type AnyInput = Readonly<Record<string, unknown>>;

const longestDelayMs = 8_000;
const longestRetryAfterSeconds = 60;

/** Sends one call and returns its successful answer, unread. @throws PilviError, or the reason of the signal */
export async function send(
  connection: Connection,
  entry: OperationEntry,
  input: AnyInput,
  options: CallOptions & { headers?: Record<string, string> } = {},
): Promise<Response> {
  const url = connection.baseUrl + addressOf(entry, input);
  const { body, headers } = bodyOf(entry, input);
  const request: RequestInit & { duplex?: 'half' } = {
    method: entry.method,
    headers: { ...connection.headers, ...headers, ...options.headers },
    ...(body !== undefined && { body }),
    ...(body instanceof ReadableStream && { duplex: 'half' }),
  };
  if (entry.method === 'POST') {
    request.headers = { ...request.headers, 'idempotency-key': options.idempotencyKey ?? randomKey() };
  }
  const attempts = body instanceof ReadableStream ? 1 : (options.attempts ?? connection.attempts);
  const timeoutMs = options.timeoutMs ?? connection.timeoutMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(connection, url, request, { signal: options.signal, timeoutMs });
    } catch (error) {
      // The attempt whose answer was lost has removed it.
      const isGone = error instanceof PilviError && error.status === 404 && entry.method === 'DELETE';
      if (isGone && attempt > 1) return new Response(null, { status: 204 });
      const delayMs = error instanceof PilviError ? delayBefore(error, attempt, connection) : undefined;
      if (delayMs === undefined || attempt >= attempts) throw error;
      await pause(delayMs, options.signal);
    }
  }
}

/** Waits; @throws the reason of `signal` as soon as it is aborted */
export function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** A random delay below a bound that doubles with each attempt. */
export function backOffMs(attempt: number, firstMs: number): number {
  return Math.random() * Math.min(longestDelayMs, firstMs * 2 ** (attempt - 1));
}

async function once(
  connection: Connection,
  url: string,
  request: RequestInit,
  limits: { signal: AbortSignal | undefined; timeoutMs: number },
): Promise<Response> {
  const { signal, timeoutMs } = limits;
  signal?.throwIfAborted();
  const origin = connection.baseUrl || 'the server';
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), timeoutMs);
  const both = signal ? AbortSignal.any([signal, timer.signal]) : timer.signal;
  try {
    const response = await connection.fetch(url, { ...request, signal: both });
    if (!response.ok) throw await errorOf(response);
    if (!isJson(response)) return response;
    // Reads JSON within the time limit, and so that a cut in the middle counts as a failed attempt.
    return new Response(await response.text(), response);
  } catch (error) {
    if (error instanceof PilviError) throw error;
    signal?.throwIfAborted();
    throw timer.signal.aborted ? late(origin, timeoutMs) : unreachable(origin, error);
  } finally {
    clearTimeout(timeout);
  }
}

function isJson(response: Response): boolean {
  return response.headers.get('content-type')?.includes('json') ?? false;
}

function delayBefore(error: PilviError, attempt: number, connection: Connection): number | undefined {
  if (!error.retryable) return undefined;
  const { retryAfterSeconds } = error;
  if (retryAfterSeconds === undefined) return backOffMs(attempt, connection.retryDelayMs);
  return retryAfterSeconds > longestRetryAfterSeconds ? undefined : retryAfterSeconds * 1000;
}

/** Path with its parameters filled in; what is left of the input, except the body, becomes the query. */
function addressOf(entry: OperationEntry, input: AnyInput): string {
  const rest = { ...input };
  for (const member of ['body', 'stream', 'contentType']) if (entry.body !== undefined) delete rest[member];
  const path = entry.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name];
    if (typeof value !== 'string' || value === '')
      throw new TypeError(`${name} must be a text that is not empty`);
    delete rest[name];
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return `/api/v1${path}${query.size > 0 ? `?${query}` : ''}`;
}

function bodyOf(
  entry: OperationEntry,
  input: AnyInput,
): {
  body?: string | Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  headers: Record<string, string>;
} {
  if (entry.body === undefined) return { headers: {} };
  if (entry.body === 'json') {
    return { body: JSON.stringify(input['body']), headers: { 'content-type': 'application/json' } };
  }
  const headers = {
    'content-type': typeof input['contentType'] === 'string' ? input['contentType'] : entry.body,
  };
  const stream = input['stream'] as StreamBody;
  if (stream instanceof Blob || stream instanceof Uint8Array || stream instanceof ReadableStream) {
    return { body: stream, headers };
  }
  return { body: streamOf(stream), headers };
}

/** `ReadableStream.from`, which not every browser has. */
function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

/** `crypto.randomUUID` is missing on pages served without TLS from another machine; this is not. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

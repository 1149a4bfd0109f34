// Egress by undici: the only way out (ports/egress.ts). Server-side request forgery is stopped where it happens, at
// the address: a name is resolved once, every address it has must be public, and the connection can only go to those
// very addresses, so that a name cannot change its mind between the check and the connection (DNS rebinding).
// Redirects begin anew with all checks. Nothing is unpacked: what arrives is what was sent.
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type * as undiciModule from 'undici';
import type { buildConnector, Dispatcher } from 'undici';
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type { Egress, EgressResponse } from '../ports/egress.ts';
import { isPublicAddress, isSameAddress } from './addresses.ts';

type FetchOptions = Parameters<Egress['fetch']>[1];

export interface EgressOptions {
  /** The addresses of a host name; by default the system's resolver. */
  resolve?: (hostname: string) => Promise<readonly string[]>;
  /** Addresses that are let through although they are not public: for tests, and services beside the server. */
  allowedAddresses?: readonly string[];
  allowedPorts?: readonly number[];
}

const maxRedirects = 5;
const connectTimeoutMs = 10 * secondMs;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);
/** What the transport decides itself. */
const reservedHeaders =
  /^(host|connection|content-length|transfer-encoding|accept-encoding|upgrade|te|trailer)$/i;

export function openEgress(options: EgressOptions = {}): Egress {
  const { resolve = resolveBySystem, allowedAddresses = [], allowedPorts = [80, 443] } = options;
  const isAllowed = (address: string): boolean =>
    allowedAddresses.includes(address) || isPublicAddress(address);

  /** The checked addresses of a URL's host. */
  const addressesOf = async (url: URL, signal: AbortSignal): Promise<readonly string[]> => {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const addresses = isIP(host) ? [host] : await resolveHost(resolve, host, signal);
    if (addresses.every(isAllowed)) return addresses;
    // Which address it was is not told: the answer must not be a map of the inner network.
    throw new Problem('address-forbidden', `The host "${url.hostname}" is not on the public internet.`);
  };

  const fetchOnce = async (url: URL, request: FetchOptions, signal: AbortSignal): Promise<Hop> => {
    const addresses = await addressesOf(url, signal);
    const undici = await import('undici'); // Half of all code, and seldom used: the server starts without it.
    const connect = pinnedConnector(addresses, undici);
    const agent = new undici.Agent({ connect, pipelining: 0 });
    try {
      const response = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method ?? 'GET',
        headers: { 'user-agent': 'pilvi', ...request.headers, 'accept-encoding': 'identity' },
        body: request.body ?? null,
        signal,
      });
      // A connection that is let go of ends a body that nobody reads: that is meant, not an error.
      response.body.on('error', () => {});
      return { response, release: () => void agent.destroy().catch(() => {}) };
    } catch (error) {
      await agent.destroy();
      throw error;
    }
  };

  const followed = async (start: URL, request: FetchOptions, signal: AbortSignal): Promise<Hop> => {
    let url = start;
    let current = request;
    for (let hopCount = 0; hopCount <= maxRedirects; hopCount++) {
      const hop = await fetchOnce(url, current, signal);
      const target = redirectTarget(hop.response, url);
      if (target === undefined) return hop;
      hop.release();
      assertSameHost(url, target);
      assertAcceptable(target, allowedPorts);
      current = redirected(current, hop.response.statusCode);
      url = target;
    }
    throw new Problem('source-failed', `"${start.hostname}" redirects more than ${maxRedirects} times.`);
  };

  return {
    async fetch(address, request) {
      const reserved = Object.keys(request.headers ?? {}).find((name) => reservedHeaders.test(name));
      assert(reserved === undefined, `the header ${reserved} is set by the egress client`);
      const url = parseAddress(address);
      assertAcceptable(url, allowedPorts);
      const deadline = AbortSignal.timeout(request.timeoutMs);
      const signal = AbortSignal.any([request.signal, deadline]);
      const explain = (error: unknown): Problem => explained(error, url, { request, deadline });
      try {
        return bounded(await followed(url, request, signal), { request, signal, explain });
      } catch (error) {
        throw explain(error);
      }
    },
  };
}

/** One answer, and how to let go of its connection. */
interface Hop {
  response: Dispatcher.ResponseData;
  release(): void;
}

async function resolveBySystem(hostname: string): Promise<string[]> {
  const found = await systemLookup(hostname, { all: true });
  return found.map(({ address }) => address);
}

async function resolveHost(
  resolve: NonNullable<EgressOptions['resolve']>,
  host: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const addresses = await Promise.race([resolve(host), aborted.promise]);
    if (addresses.length > 0) return addresses;
  } finally {
    signal.removeEventListener('abort', abort);
  }
  throw new Problem('source-failed', `The host "${host}" has no address.`);
}

/** Connects to `addresses` and to nothing else, whatever name it is asked for. */
function pinnedConnector(
  addresses: readonly string[],
  undici: typeof undiciModule,
): buildConnector.connector {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
  const lookup: LookupFunction = (_hostname, { all }, callback) => {
    const [first] = pinned;
    if (all) callback(null, pinned);
    else callback(null, first!.address, first!.family);
  };
  const connect = undici.buildConnector({ lookup, timeout: connectTimeoutMs, maxCachedSessions: 0 });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) callback(error, null);
      else if (isConnectedToOne(socket, addresses)) callback(null, socket);
      else {
        socket.destroy();
        callback(new Problem('address-forbidden', 'The connection went to another address.'), null);
      }
    });
}

/** The last check, on the connection itself: whatever happened before, it must be to a checked address. */
function isConnectedToOne({ remoteAddress = '' }: Socket, addresses: readonly string[]): boolean {
  return addresses.some((address) => isSameAddress(address, remoteAddress));
}

function parseAddress(address: string): URL {
  const url = URL.parse(address);
  if (url === null || url.hostname === '')
    throw new Problem('address-forbidden', 'This is not a web address.');
  return url;
}

function assertAcceptable(url: URL, allowedPorts: readonly number[]): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Problem(
      'address-forbidden',
      'Only addresses that begin with https:// or http:// can be called.',
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new Problem('address-forbidden', 'An address with a user name or a password in it is not called.');
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if (!allowedPorts.includes(port)) {
    throw new Problem('address-forbidden', `Port ${port} is not one of those that may be called.`);
  }
}

function assertSameHost(from: URL, to: URL): void {
  if (to.hostname !== from.hostname) {
    throw new Problem(
      'address-forbidden',
      `"${from.hostname}" redirects to another host; use that address itself.`,
    );
  }
  if (from.protocol === 'https:' && to.protocol !== 'https:') {
    throw new Problem('address-forbidden', `"${from.hostname}" redirects from https to http.`);
  }
}

function redirectTarget({ statusCode, headers }: Dispatcher.ResponseData, from: URL): URL | undefined {
  const { location } = headers;
  if (!redirectStatuses.has(statusCode) || typeof location !== 'string') return undefined;
  const target = URL.parse(location, from.href);
  if (target === null)
    throw new Problem('source-failed', `"${from.hostname}" redirects to something that is no address.`);
  return target;
}

/** A POST becomes a GET as in browsers, but for 307 and 308 (RFC 9110, 15.4). */
function redirected(request: FetchOptions, status: number): FetchOptions {
  if (request.method !== 'POST' || status === 307 || status === 308) return request;
  const { body: _body, ...rest } = request;
  return { ...rest, method: 'GET' };
}

/** The answer with a body that ends, in bytes and in time, and gives its connection back when it is closed. */
function bounded(
  { response, release }: Hop,
  {
    request,
    signal,
    explain,
  }: { request: FetchOptions; signal: AbortSignal; explain(error: unknown): Problem },
): EgressResponse {
  const { maxBytes } = request;
  const tooLarge = (): Problem =>
    new Problem('body-too-large', `The answer has more than ${maxBytes} bytes.`);
  if (request.method !== 'HEAD' && Number(response.headers['content-length'] ?? 0) > maxBytes) {
    release();
    throw tooLarge();
  }
  const body = Readable.from(limited(response.body, { maxBytes, tooLarge, explain }), { objectMode: false });
  const abort = (): void => void body.destroy(explain(signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  // Whoever reads gets the error from the stream; nobody reading at that moment must not end the process.
  body.on('error', () => {});
  body.once('close', () => {
    signal.removeEventListener('abort', abort);
    release();
  });
  return { status: response.statusCode, headers: flat(response.headers), body };
}

async function* limited(
  body: Readable,
  {
    maxBytes,
    tooLarge,
    explain,
  }: { maxBytes: number; tooLarge(): Problem; explain(error: unknown): Problem },
): AsyncGenerator<Uint8Array> {
  let receivedBytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      receivedBytes += chunk.byteLength;
      if (receivedBytes > maxBytes) throw tooLarge();
      yield chunk;
    }
  } catch (error) {
    throw explain(error);
  }
}

function flat(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

function explained(
  error: unknown,
  url: URL,
  { request, deadline }: { request: FetchOptions; deadline: AbortSignal },
): Problem {
  if (error instanceof Problem) return error;
  if (request.signal.aborted) return new Problem('cancelled', 'The call was cancelled.', { cause: error });
  const detail = deadline.aborted
    ? `"${url.hostname}" did not answer within ${request.timeoutMs / secondMs} s.`
    : `"${url.hostname}" could not be reached, or broke off.`;
  return new Problem('source-failed', detail, { cause: error });
}

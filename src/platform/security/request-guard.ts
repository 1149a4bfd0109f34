// The request guard: may a request be looked at, before anyone asks who sent it? It keeps other web sites from using
// the browser of someone who is signed in. It knows nothing of identity; it is a pure function over headers.
//
// Host defeats DNS rebinding: a name that an attacker points at 127.0.0.1 is not one of ours. Origin and Sec-Fetch
// (https://www.w3.org/TR/fetch-metadata/) tell where a browser's request comes from. Browsers send Sec-Fetch over
// https and to localhost only, so a session cookie works there only; programs send none of it and bring a key.
import { Problem } from '../../base/problems.ts';
import { originOf, type AskedAt } from './asked-at.ts';

/** What is judged. Header values as they were received; undefined where the header is absent. */
export interface GuardedRequest extends AskedAt {
  method: string;
  /** `api`: answers with data. `page`: a page of the web application and its files. `probe`: says up or down. */
  area: 'api' | 'page' | 'probe';
  origin: string | undefined;
  secFetchSite: string | undefined;
  secFetchMode: string | undefined;
  secFetchDest: string | undefined;
  contentType: string | undefined;
  /** What would authenticate it: an `Authorization: Bearer` header wins over a cookie. */
  credential: 'key' | 'cookie' | 'none';
  /** Whether it asks to become a WebSocket. */
  upgrade: boolean;
}

/** The `Host` values that name this server, lower case; see {@link allowedHosts}. */
export type AllowedHosts = ReadonlySet<string>;

/**
 * The Host values that a server listening on `port` answers to: the loopback names, and `names` that the operator
 * added. A name without a port also stands for itself alone, as it arrives through a proxy on the default port.
 */
export function allowedHosts(port: number, names: readonly string[] = []): AllowedHosts {
  const hosts = new Set<string>();
  for (const name of ['localhost', '127.0.0.1', '[::1]']) {
    hosts.add(`${name}:${port}`);
    if (port === 80 || port === 443) hosts.add(name);
  }
  for (const name of names) {
    const match = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.exec(name);
    if (!match) {
      throw new Problem(
        'configuration-invalid',
        `PILVI_ALLOWED_HOSTS: "${name}" is not a host name, such as pilvi.example or 10.0.0.5:4700.`,
      );
    }
    hosts.add(name.toLowerCase());
    if (match[2] === undefined) hosts.add(`${name.toLowerCase()}:${port}`);
  }
  return hosts;
}

/** Returns why the request is refused, `host-not-allowed` or `cross-site-request`, or undefined when it may go on. */
export function guardRequest(request: GuardedRequest, hosts: AllowedHosts): Problem | undefined {
  // Probes of load balancers name the server by any address, and the answer is worth nothing to anyone.
  if (request.area === 'probe' && isRead(request) && !request.upgrade) return undefined;
  if (request.host === undefined || !hosts.has(request.host.toLowerCase())) {
    return new Problem('host-not-allowed', 'The Host header names no address of this server.');
  }
  const reason =
    foreignOrigin(request) ?? foreignSite(request) ?? unprovenCookie(request) ?? foreignForm(request);
  return reason === undefined ? undefined : new Problem('cross-site-request', reason);
}

function isRead({ method }: GuardedRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

function foreignOrigin(request: GuardedRequest): string | undefined {
  const { origin } = request;
  if (origin === undefined || origin.toLowerCase() === originOf(request).toLowerCase()) return undefined;
  return 'The Origin header names another site than the one that was asked.';
}

function foreignSite(request: GuardedRequest): string | undefined {
  const { secFetchSite: site, upgrade } = request;
  if (site === undefined || site === 'same-origin') return undefined;
  const isNavigation =
    isRead(request) && !upgrade && request.secFetchMode === 'navigate' && request.secFetchDest === 'document';
  // `none`: typed, bookmarked, or opened from another application; no page can make a browser say so.
  if (site === 'none' && isNavigation) return undefined;
  // Links to our pages may stand anywhere; following one brings no cookie along (SameSite=Strict).
  // `same-site` is another port of localhost or another subdomain: as foreign as any.
  if ((site === 'cross-site' || site === 'same-site') && isNavigation && request.area === 'page') {
    return undefined;
  }
  return 'The browser says that another site made this request.';
}

function unprovenCookie({ credential, secFetchSite, upgrade, origin }: GuardedRequest): string | undefined {
  if (credential !== 'cookie' || secFetchSite !== undefined) return undefined;
  // Not every browser sends Sec-Fetch with a WebSocket handshake, but all send Origin, which was compared above.
  if (upgrade && origin !== undefined) return undefined;
  return 'The request carries a session but not where it came from. Open Pilvi over https or on localhost, or use a key.';
}

// The media types that an HTML form can send without asking first (CORS "simple" requests). The API takes none of
// them, so this costs nothing and still holds should a browser leave out Origin and Sec-Fetch.
const formTypes = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']);

function foreignForm(request: GuardedRequest): string | undefined {
  if (isRead(request) || request.credential === 'key') return undefined;
  const type = request.contentType?.split(';', 1)[0]!.trim().toLowerCase();
  return type !== undefined && formTypes.has(type) ? `A form cannot be sent here (${type}).` : undefined;
}

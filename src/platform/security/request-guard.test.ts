// The cases that matter, each by its name; then what has to hold whatever a request looks like.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allowedHosts, guardRequest, type GuardedRequest } from './request-guard.ts';

const hosts = allowedHosts(4700, ['pilvi.example', 'ml.example:8443']);

/** What the page of Pilvi itself sends. */
const ownPage: GuardedRequest = {
  method: 'GET',
  area: 'api',
  secure: false,
  host: 'localhost:4700',
  origin: undefined,
  secFetchSite: 'same-origin',
  secFetchMode: 'cors',
  secFetchDest: 'empty',
  contentType: undefined,
  credential: 'cookie',
  upgrade: false,
};

/** What curl, an SDK or another server sends. */
const program: GuardedRequest = {
  ...ownPage,
  secFetchSite: undefined,
  secFetchMode: undefined,
  secFetchDest: undefined,
  credential: 'key',
};

/** A link on another site to a page of ours. */
const followedLink: GuardedRequest = {
  ...ownPage,
  area: 'page',
  secFetchSite: 'cross-site',
  secFetchMode: 'navigate',
  secFetchDest: 'document',
  credential: 'none',
};

function verdict(request: GuardedRequest): string {
  return guardRequest(request, hosts)?.code ?? 'allowed';
}

const allowed: [string, GuardedRequest][] = [
  ['our page reads', ownPage],
  [
    'our page writes',
    { ...ownPage, method: 'POST', origin: 'http://localhost:4700', contentType: 'application/json' },
  ],
  ['our page deletes', { ...ownPage, method: 'DELETE', origin: 'http://localhost:4700' }],
  [
    'our page by number',
    { ...ownPage, method: 'PATCH', host: '127.0.0.1:4700', origin: 'http://127.0.0.1:4700' },
  ],
  ['our page by IPv6', { ...ownPage, method: 'PUT', host: '[::1]:4700', origin: 'http://[::1]:4700' }],
  [
    'our page by a name that was added',
    { ...ownPage, secure: true, host: 'pilvi.example', method: 'POST', origin: 'https://pilvi.example' },
  ],
  ['our page by that name and the port', { ...ownPage, host: 'PILVI.example:4700' }],
  ['our page by a name with its own port', { ...ownPage, host: 'ml.example:8443' }],
  [
    'our page opens a WebSocket',
    { ...ownPage, upgrade: true, origin: 'http://localhost:4700', secFetchMode: 'websocket' },
  ],
  [
    'a WebSocket of a browser without Sec-Fetch there',
    {
      ...ownPage,
      upgrade: true,
      origin: 'http://localhost:4700',
      secFetchSite: undefined,
      secFetchMode: undefined,
      secFetchDest: undefined,
    },
  ],
  ['a program with a key reads', program],
  ['a program with a key writes', { ...program, method: 'POST', contentType: 'application/json' }],
  ['a program with a key sends CSV as text', { ...program, method: 'POST', contentType: 'text/plain' }],
  ['a program with a key opens a WebSocket', { ...program, upgrade: true }],
  ['a program without anything reads', { ...program, credential: 'none' }],
  ['a program signs in', { ...program, credential: 'none', method: 'POST', contentType: 'application/json' }],
  ['a typed address of a page', { ...followedLink, secFetchSite: 'none' }],
  [
    'a typed address of the API',
    { ...followedLink, secFetchSite: 'none', area: 'api', credential: 'cookie' },
  ],
  ['a link from another site to a page', followedLink],
  ['a link from another port to a page', { ...followedLink, secFetchSite: 'same-site' }],
  ['a probe by address', { ...program, credential: 'none', area: 'probe', host: '10.1.2.3:4700' }],
];

const refused: [string, GuardedRequest, string][] = [
  ['no Host', { ...program, host: undefined }, 'host-not-allowed'],
  ['an empty Host', { ...program, host: '' }, 'host-not-allowed'],
  ['a rebound name', { ...ownPage, host: 'evil.example:4700' }, 'host-not-allowed'],
  ['a rebound name with a key', { ...program, host: 'evil.example:4700' }, 'host-not-allowed'],
  ['another port', { ...ownPage, host: 'localhost:4701' }, 'host-not-allowed'],
  ['localhost without the port', { ...ownPage, host: 'localhost' }, 'host-not-allowed'],
  ['a name below localhost', { ...ownPage, host: 'evil.localhost:4700' }, 'host-not-allowed'],
  ['a dot at the end', { ...ownPage, host: 'localhost.:4700' }, 'host-not-allowed'],
  ['another loopback address', { ...ownPage, host: '127.0.0.2:4700' }, 'host-not-allowed'],
  ['all addresses', { ...ownPage, host: '0.0.0.0:4700' }, 'host-not-allowed'],
  ['two Hosts', { ...ownPage, host: 'localhost:4700, evil.example' }, 'host-not-allowed'],
  ['a Host with a user', { ...ownPage, host: 'evil@localhost:4700' }, 'host-not-allowed'],
  ['a name with another port than was added', { ...ownPage, host: 'ml.example:4700' }, 'host-not-allowed'],
  [
    'a probe that writes elsewhere',
    { ...program, area: 'probe', method: 'POST', host: 'x' },
    'host-not-allowed',
  ],
  ['another site reads the API', { ...ownPage, secFetchSite: 'cross-site' }, 'cross-site-request'],
  ['another port reads the API', { ...ownPage, secFetchSite: 'same-site' }, 'cross-site-request'],
  [
    'another site reads without a session',
    { ...ownPage, secFetchSite: 'cross-site', credential: 'none' },
    'cross-site-request',
  ],
  [
    'another site has a key, even',
    { ...ownPage, secFetchSite: 'cross-site', credential: 'key' },
    'cross-site-request',
  ],
  ['another site embeds a page', { ...followedLink, secFetchDest: 'iframe' }, 'cross-site-request'],
  ['another site embeds an object', { ...followedLink, secFetchDest: 'object' }, 'cross-site-request'],
  [
    'another site shows an image',
    { ...followedLink, secFetchMode: 'no-cors', secFetchDest: 'image' },
    'cross-site-request',
  ],
  [
    'another site loads a script',
    { ...followedLink, secFetchMode: 'no-cors', secFetchDest: 'script' },
    'cross-site-request',
  ],
  ['another site links to the API', { ...followedLink, area: 'api' }, 'cross-site-request'],
  ['another site sends a form to a page', { ...followedLink, method: 'POST' }, 'cross-site-request'],
  [
    'another site asks with OPTIONS',
    {
      ...ownPage,
      method: 'OPTIONS',
      origin: 'https://evil.example',
      secFetchSite: 'cross-site',
      credential: 'none',
    },
    'cross-site-request',
  ],
  ['another Origin', { ...ownPage, method: 'POST', origin: 'https://evil.example' }, 'cross-site-request'],
  ['the Origin of a sandbox', { ...ownPage, method: 'POST', origin: 'null' }, 'cross-site-request'],
  ['an empty Origin', { ...ownPage, method: 'POST', origin: '' }, 'cross-site-request'],
  ['the Origin of another port', { ...ownPage, origin: 'http://localhost:3000' }, 'cross-site-request'],
  [
    'the Origin of another of our names',
    { ...ownPage, origin: 'http://127.0.0.1:4700' },
    'cross-site-request',
  ],
  ['the Origin of another scheme', { ...ownPage, origin: 'https://localhost:4700' }, 'cross-site-request'],
  [
    'two Origins',
    { ...ownPage, origin: 'http://localhost:4700, https://evil.example' },
    'cross-site-request',
  ],
  ['another Origin with a key', { ...program, origin: 'https://evil.example' }, 'cross-site-request'],
  ['an unknown Sec-Fetch-Site', { ...ownPage, secFetchSite: 'same-planet' }, 'cross-site-request'],
  [
    'two values of Sec-Fetch-Site',
    { ...ownPage, secFetchSite: 'same-origin, cross-site' },
    'cross-site-request',
  ],
  ['a session without Sec-Fetch', { ...ownPage, secFetchSite: undefined }, 'cross-site-request'],
  [
    'a session without Sec-Fetch that writes',
    { ...ownPage, method: 'POST', secFetchSite: undefined, origin: 'http://localhost:4700' },
    'cross-site-request',
  ],
  [
    'another site opens a WebSocket',
    { ...ownPage, upgrade: true, origin: 'https://evil.example', secFetchSite: undefined },
    'cross-site-request',
  ],
  [
    'another site opens a WebSocket, as it says',
    { ...ownPage, upgrade: true, secFetchSite: 'cross-site' },
    'cross-site-request',
  ],
  [
    'a WebSocket with a session from nowhere',
    { ...ownPage, upgrade: true, secFetchSite: undefined },
    'cross-site-request',
  ],
  [
    'a WebSocket to a probe',
    { ...ownPage, area: 'probe', upgrade: true, origin: 'https://evil.example' },
    'cross-site-request',
  ],
  ['a WebSocket as navigation', { ...followedLink, upgrade: true }, 'cross-site-request'],
  [
    'a typed address cannot write',
    { ...followedLink, secFetchSite: 'none', method: 'POST' },
    'cross-site-request',
  ],
  [
    'a form',
    { ...ownPage, method: 'POST', contentType: 'application/x-www-form-urlencoded' },
    'cross-site-request',
  ],
  [
    'a form with files',
    { ...ownPage, method: 'POST', contentType: 'Multipart/Form-Data; boundary=x' },
    'cross-site-request',
  ],
  [
    'a form as text',
    { ...ownPage, method: 'POST', contentType: 'text/plain ;charset=utf-8' },
    'cross-site-request',
  ],
  [
    'a form that signs in',
    { ...program, credential: 'none', method: 'POST', contentType: 'text/plain' },
    'cross-site-request',
  ],
];

describe('request guard', () => {
  for (const [name, request] of allowed) {
    it(`lets in: ${name}`, () => assert.equal(verdict(request), 'allowed'));
  }
  for (const [name, request, code] of refused) {
    it(`refuses: ${name}`, () => assert.equal(verdict(request), code));
  }
  // HEAD is GET without a body; whatever holds for one holds for the other.
  for (const [name, request] of [...allowed, ...refused].filter(([, { method }]) => method === 'GET')) {
    it(`treats HEAD as GET: ${name}`, () =>
      assert.equal(verdict({ ...request, method: 'HEAD' }), verdict(request)));
  }
});

const anyRequest = fc.record<GuardedRequest>({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'),
  area: fc.constantFrom('api', 'page', 'probe'),
  secure: fc.boolean(),
  host: fc.oneof(
    fc.constantFrom(
      'localhost:4700',
      '127.0.0.1:4700',
      '[::1]:4700',
      'pilvi.example',
      'evil.example',
      undefined,
    ),
    fc.string(),
  ),
  origin: fc.oneof(
    fc.constantFrom(
      'http://localhost:4700',
      'https://pilvi.example',
      'https://evil.example',
      'null',
      undefined,
    ),
    fc.webUrl(),
  ),
  secFetchSite: fc.constantFrom('same-origin', 'same-site', 'cross-site', 'none', 'other', undefined),
  secFetchMode: fc.constantFrom('navigate', 'cors', 'no-cors', 'websocket', undefined),
  secFetchDest: fc.constantFrom('document', 'iframe', 'image', 'empty', undefined),
  contentType: fc.constantFrom('application/json', 'text/plain', 'multipart/form-data', undefined),
  credential: fc.constantFrom('key', 'cookie', 'none'),
  upgrade: fc.boolean(),
});

function property(check: (request: GuardedRequest, verdict: string) => void): void {
  fc.assert(
    fc.property(anyRequest, (request) => check(request, verdict(request))),
    { numRuns: 1000 },
  );
}

describe('whatever a request looks like', () => {
  const isProbe = ({ area, method, upgrade }: GuardedRequest): boolean =>
    area === 'probe' && (method === 'GET' || method === 'HEAD') && !upgrade;

  it('a Host that is not ours gets in nowhere but at a probe', () =>
    property((request, result) => {
      if (isProbe(request) || hosts.has(request.host?.toLowerCase() ?? '')) return;
      assert.equal(result, 'host-not-allowed');
    }));

  it('an Origin that is not ours never gets in', () =>
    property((request, result) => {
      const own = `${request.secure ? 'https' : 'http'}://${request.host}`.toLowerCase();
      if (isProbe(request) || request.origin === undefined || request.origin.toLowerCase() === own) return;
      assert.notEqual(result, 'allowed');
    }));

  it('a foreign site gets in only by following a link to a page', () =>
    property((request, result) => {
      if (isProbe(request) || !['same-site', 'cross-site', 'other'].includes(request.secFetchSite ?? ''))
        return;
      const isLink =
        request.secFetchSite !== 'other' &&
        request.area === 'page' &&
        (request.method === 'GET' || request.method === 'HEAD') &&
        request.secFetchMode === 'navigate' &&
        request.secFetchDest === 'document';
      if (!isLink || request.upgrade) assert.notEqual(result, 'allowed');
    }));

  it('a session gets in only where the browser says, or proves, that the page is ours', () =>
    property((request, result) => {
      if (isProbe(request) || request.credential !== 'cookie' || result !== 'allowed') return;
      const says = request.secFetchSite === 'same-origin';
      const proves = request.upgrade && request.origin !== undefined && request.secFetchSite === undefined;
      const opened = request.secFetchMode === 'navigate' && request.secFetchDest === 'document';
      assert.ok(says || proves || opened);
    }));

  it('what gets in with a cookie gets in with a key', () =>
    property((request, result) => {
      if (result === 'allowed' && request.credential === 'cookie')
        assert.equal(verdict({ ...request, credential: 'key' }), 'allowed');
    }));

  it('nothing that a page sends itself is refused', () =>
    property((request, result) => {
      const isOwn =
        hosts.has(request.host?.toLowerCase() ?? '') &&
        request.secFetchSite === 'same-origin' &&
        request.origin === undefined &&
        request.contentType !== 'text/plain' &&
        request.contentType !== 'multipart/form-data';
      if (isOwn) assert.equal(result, 'allowed');
    }));
});

describe('allowed hosts', () => {
  it('are the loopback names with the port', () => {
    assert.deepEqual([...allowedHosts(4700)], ['localhost:4700', '127.0.0.1:4700', '[::1]:4700']);
    assert.ok(allowedHosts(443).has('localhost'));
  });

  it('refuse names that are none', () => {
    for (const name of ['', '*', 'http://a', 'a b', 'a:port', 'a/b', 'a:123456', '*.example', 'a,b']) {
      assert.throws(() => allowedHosts(4700, [name]), { code: 'configuration-invalid' }, name);
    }
    allowedHosts(4700, ['[2001:db8::1]', '10.0.0.5:80']);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiHeaders, newNonce, pageHeaders } from './security-headers.ts';

const askedAt = { secure: false, host: 'localhost:4700' };

describe('security headers', () => {
  it('let no inline or foreign script run in a page', () => {
    const policy = pageHeaders(askedAt, 'bm9uY2U=')['Content-Security-Policy']!;
    const directives = new Map(policy.split('; ').map((part) => [part.split(' ')[0], part]));
    assert.equal(directives.get('script-src'), "script-src 'self'");
    assert.equal(directives.get('style-src'), "style-src 'self' 'nonce-bm9uY2U='");
    assert.equal(directives.get('default-src'), "default-src 'none'");
    assert.equal(directives.get('frame-ancestors'), "frame-ancestors 'none'");
    assert.equal(directives.get('base-uri'), "base-uri 'none'");
    assert.doesNotMatch(policy, /https?:|\*|unsafe-eval/);
    assert.equal(policy.match(/unsafe-inline/g)?.length, 1, 'style attributes alone');
  });

  it('keep answers with data out of every store', () => {
    assert.equal(apiHeaders(askedAt)['Cache-Control'], 'no-store');
    assert.match(apiHeaders(askedAt)['Content-Security-Policy']!, /^default-src 'none'/);
    assert.equal(pageHeaders(askedAt)['Cache-Control'], undefined, 'pages say themselves how long they keep');
  });

  for (const headers of [apiHeaders, pageHeaders]) {
    it(`are the same for ${headers.name} where they do not differ`, () => {
      const sent = headers(askedAt);
      assert.equal(sent['X-Content-Type-Options'], 'nosniff');
      assert.equal(sent['Referrer-Policy'], 'no-referrer');
      assert.equal(sent['Cross-Origin-Opener-Policy'], 'same-origin');
      assert.equal(sent['Cross-Origin-Resource-Policy'], 'same-origin');
      assert.match(sent['Permissions-Policy']!, /camera=\(\)/);
    });

    it(`${headers.name} ask for https from then on, but never for localhost`, () => {
      const name = 'Strict-Transport-Security';
      assert.equal(headers({ secure: true, host: 'pilvi.example' })[name], 'max-age=31536000');
      assert.equal(headers({ secure: false, host: 'pilvi.example' })[name], undefined);
      for (const host of ['localhost', 'LOCALHOST:4700', '127.0.0.1:4700', '[::1]:4700', undefined]) {
        assert.equal(headers({ secure: true, host })[name], undefined);
      }
    });
  }

  it('have a new nonce each time', () => {
    const nonces = new Set(Array.from({ length: 100 }, newNonce));
    assert.equal(nonces.size, 100);
    for (const nonce of nonces) assert.match(nonce, /^[A-Za-z0-9+/]{22}==$/);
  });
});

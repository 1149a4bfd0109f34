import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endedSessionCookie, readCredential, sessionCookie } from './credentials.ts';

const nothing = { authorization: undefined, cookie: undefined, secure: false };

describe('credentials of a request', () => {
  it('are a bearer token before a cookie', () => {
    const cookie = 'pilvi_session=token';
    assert.deepEqual(readCredential({ ...nothing, cookie }), { kind: 'cookie', secret: 'token' });
    for (const authorization of ['Bearer secret', 'bearer  secret', 'BEARER secret ']) {
      assert.deepEqual(readCredential({ ...nothing, authorization, cookie }), {
        kind: 'key',
        secret: 'secret',
      });
    }
  });

  it('are nothing that a browser or a proxy adds by itself', () => {
    for (const authorization of ['Basic dXNlcjpwYXNz', 'Digest x', 'Bearer', 'Bearer a b', 'secret', '']) {
      assert.deepEqual(readCredential({ ...nothing, authorization }), { kind: 'none' }, authorization);
      const cookie = 'a=b; pilvi_session=token';
      assert.equal(readCredential({ ...nothing, authorization, cookie }).kind, 'cookie');
    }
  });

  it('are read from the cookie of that very name', () => {
    for (const cookie of [
      '',
      ';',
      'pilvi_session',
      '=token',
      'Pilvi_session=token',
      '__Host-pilvi_session=token',
    ]) {
      assert.deepEqual(readCredential({ ...nothing, cookie }), { kind: 'none' }, cookie);
    }
    const cookie = 'pilvi_session=plain; __Host-pilvi_session=protected';
    assert.deepEqual(readCredential({ ...nothing, cookie, secure: true }), {
      kind: 'cookie',
      secret: 'protected',
    });
  });
});

describe('the session cookie', () => {
  it('is out of reach for scripts and other sites', () => {
    assert.equal(
      sessionCookie('token', false),
      'pilvi_session=token; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000',
    );
    assert.equal(
      sessionCookie('token', true),
      '__Host-pilvi_session=token; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000; Secure',
    );
    assert.match(endedSessionCookie(true), /^__Host-pilvi_session=; .*Max-Age=0; Secure$/);
  });
});

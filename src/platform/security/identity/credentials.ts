// What a request brings to say who sends it: a key as a bearer token (RFC 6750), or the cookie of a session.
import { dayMs, secondMs } from '../../../base/time.ts';

/** A session ends when it was not used for this long, ... */
export const sessionIdleMs = 7 * dayMs;
/** ... and in any case this long after it began. */
export const sessionLifeMs = 30 * dayMs;

/** The headers that hold credentials. */
export interface CredentialHeaders {
  authorization: string | undefined;
  cookie: string | undefined;
  /** Whether the server is reached over https: the cookie has another name then. */
  secure: boolean;
}

export type Credential = { kind: 'key' | 'cookie'; secret: string } | { kind: 'none' };

/**
 * The credential that counts: a bearer token before a cookie. Other authorization schemes are a proxy's business;
 * a browser may send Basic by itself, so it must never count as a key.
 */
export function readCredential({ authorization, cookie, secure }: CredentialHeaders): Credential {
  const bearer = /^bearer +(\S+) *$/i.exec(authorization ?? '');
  if (bearer) return { kind: 'key', secret: bearer[1]! };
  const token = readCookie(cookie ?? '', cookieName(secure));
  return token === undefined ? { kind: 'none' } : { kind: 'cookie', secret: token };
}

/** The Set-Cookie value that signs a browser in. Scripts cannot read it, and other sites cannot make it be sent. */
export function sessionCookie(token: string, secure: boolean): string {
  return setCookie(token, secure, sessionLifeMs / secondMs);
}

/** The Set-Cookie value that signs a browser out. */
export function endedSessionCookie(secure: boolean): string {
  return setCookie('', secure, 0);
}

function setCookie(value: string, secure: boolean, maxAgeSeconds: number): string {
  const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}`;
  return `${cookieName(secure)}=${value}; ${attributes}${secure ? '; Secure' : ''}`;
}

/** With the prefix, browsers take the cookie from this very host over https only (RFC 6265bis). */
function cookieName(secure: boolean): string {
  return secure ? '__Host-pilvi_session' : 'pilvi_session';
}

function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

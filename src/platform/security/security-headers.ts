// Headers that every answer carries, so that a browser helps to keep it safe: what may run in a page, who may frame
// or embed it, and what may be remembered.
import { randomBytes } from 'node:crypto';
import type { AskedAt } from './asked-at.ts';

/** Where the built index.html has this text, the server puts the nonce of the answer. */
export const noncePlaceholder = '__PILVI_NONCE__';

/** A fresh nonce of 128 bits for the style elements of one page. */
export function newNonce(): string {
  return randomBytes(16).toString('base64');
}

/** Headers of answers with data: nothing may be stored, framed, embedded by others, or run. */
export function apiHeaders(askedAt: AskedAt): Readonly<Record<string, string>> {
  return isStrict(askedAt) ? strictApiHeaders : plainApiHeaders;
}

/**
 * Headers of the web application's pages and files. Scripts come from files of this server only: none inline, no
 * eval, no other host.
 *
 * Styles: Mantine writes its theme into <style> elements, which carry `nonce` (MantineProvider's `getStyleNonce`).
 * `style-src-attr 'unsafe-inline'` allows style attributes alone: ECharts builds its tooltips from HTML with
 * style="" and has no other way to draw them. An attribute has no selectors and cannot load anything from another
 * host under this policy, so it cannot be used to read a page.
 *
 * @param nonce of this answer, for the page itself; its files need none.
 */
export function pageHeaders(askedAt: AskedAt, nonce?: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    nonce === undefined ? "style-src 'self'" : `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return { ...everywhere(askedAt), 'Content-Security-Policy': policy.join('; ') };
}

function everywhere(askedAt: AskedAt): Record<string, string> {
  return {
    ...onAllAnswers,
    ...(isStrict(askedAt) && { 'Strict-Transport-Security': 'max-age=31536000' }),
  };
}

/** Whether browsers are to come over https from now on. */
function isStrict({ secure, host = 'localhost' }: AskedAt): boolean {
  // For localhost it would force https on whatever else a developer runs on other ports of this machine.
  return secure && !/^(localhost|127\.0\.0\.1|\[::1\])(:|$)/i.test(host);
}

const onAllAnswers = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy':
    'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()',
};

// Made once: every answer with data carries one of the two.
const plainApiHeaders = Object.freeze({
  ...onAllAnswers,
  'Content-Security-Policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Cache-Control': 'no-store',
});
const strictApiHeaders = Object.freeze({
  ...plainApiHeaders,
  'Strict-Transport-Security': 'max-age=31536000',
});

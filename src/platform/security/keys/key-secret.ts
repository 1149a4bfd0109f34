// What the secret of a key looks like: `pilvi_`, 256 random bits, and a checksum of both. The prefix lets scanners
// find keys that were published by mistake; the checksum tells a mistyped key from a revoked one, and keeps most
// nonsense away from the database. The format follows GitHub's tokens.
import { crc32 } from 'node:zlib';
import { base62, isSecretShaped, newSecret } from '../identity/secrets.ts';

const prefix = 'pilvi_';
/** Digits of 32 bits in base 62. */
const checksumLength = 6;
/** Shown to tell keys apart: four of the 43 random characters. */
const hintLength = prefix.length + 4;

export function newKeySecret(): string {
  const body = prefix + newSecret();
  return body + checksum(body);
}

/** Whether `text` can be the secret of a key at all. */
export function isKeySecret(text: string): boolean {
  const body = text.slice(0, -checksumLength);
  const isShaped = body.startsWith(prefix) && isSecretShaped(body.slice(prefix.length));
  return isShaped && text.slice(-checksumLength) === checksum(body);
}

/** The part of a secret that may be shown. */
export function hintOf(secret: string): string {
  return secret.slice(0, hintLength);
}

function checksum(body: string): string {
  return base62(BigInt(crc32(body)), checksumLength);
}

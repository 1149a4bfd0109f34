// Secrets that Pilvi makes: sign-in codes, session tokens, keys. Each has 256 random bits and is kept as its SHA-256.
//
// A slow hash (argon2, scrypt) protects passwords, because people choose them from a few billion likely ones. Nobody
// can try 2^256 secrets, whatever a try costs, so a fast hash is as safe here and keeps requests fast. There is no
// salt for the same reason: no table of such secrets can exist, and an unsalted hash can be looked up by index.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Sha256 } from '../../../base/hash.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Length of 256 bits in base 62. */
const secretLength = 43;

/** A new secret: 256 random bits as 43 letters and digits. */
export function newSecret(): string {
  return base62(BigInt(`0x${randomBytes(32).toString('hex')}`), secretLength);
}

/** Whether `text` has the form of a {@link newSecret}. */
export function isSecretShaped(text: string): boolean {
  return /^[0-9A-Za-z]{43}$/.test(text);
}

/** What is stored of a secret, and looked up. */
export function hashSecret(secret: string): Sha256 {
  return hash('sha256', secret);
}

/** Compares two hashes in a time that tells nothing about where they differ. */
export function hashesEqual(one: Sha256, other: Sha256): boolean {
  return timingSafeEqual(Buffer.from(one, 'hex'), Buffer.from(other, 'hex'));
}

/** A number in base 62 with `length` digits. */
export function base62(number: bigint, length: number): string {
  let text = '';
  for (let rest = number; text.length < length; rest /= 62n) text = alphabet[Number(rest % 62n)]! + text;
  return text;
}

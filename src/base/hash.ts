// Content addresses (SHA-256) and cheap stable hashes. Works in every JavaScript runtime with WebCrypto.

/** A SHA-256 digest in lower-case hexadecimal, 64 characters. */
export type Sha256 = string;

const hexDigits = /^[0-9a-f]{64}$/;

/** Whether `text` is a well-formed SHA-256 in hexadecimal. */
export function isSha256(text: string): text is Sha256 {
  return hexDigits.test(text);
}

/** The SHA-256 of `data`; text is hashed as UTF-8. */
export async function sha256(data: Uint8Array | string): Promise<Sha256> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return toHex(new Uint8Array(digest));
}

/** Bytes as lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** The bytes of well-formed hexadecimal. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(index * 2, index * 2 + 2), 16),
  );
}

/** FNV-1a over UTF-16 code units, 32 bits: stable across runtimes, for seeds and buckets, never for security. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

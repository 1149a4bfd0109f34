// What an attacker would do who knows the format: after a change, the checksum made to fit again; with a key, the
// signature too.
import type { webcrypto } from 'node:crypto';
import { toHex } from '../../../base/hash.ts';
import { headBytes, signedHead, writeHead, type Signer } from '../header.ts';

/** The file with the digest of its content as it is now, unsigned. */
export async function mended(file: Uint8Array): Promise<Uint8Array> {
  const copy = new Uint8Array(file);
  const documentBytes = new DataView(copy.buffer).getUint32(8, true);
  await writeHead(copy.fill(0, 0, headBytes), documentBytes);
  return copy;
}

/** The file, signed. */
export async function signed(file: Uint8Array, signer: Signer): Promise<Uint8Array> {
  const copy = new Uint8Array(file);
  copy.set(await signedHead(copy, signer));
  return copy;
}

/** A key of its own, made with WebCrypto. */
export async function freshSigner(): Promise<Signer> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const { publicKey, privateKey } = pair as webcrypto.CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
  return {
    publicKey: toHex(raw),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, message)),
  };
}

// The private key that model files are signed with: a file below PILVI_HOME that only its owner can read (PEM, PKCS #8),
// made when it is first needed. Servers and the command line of one home share it.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type KeyObject,
} from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../../base/hash.ts';
import { Problem } from '../../../base/problems.ts';
import type { PublicKey, Signer } from '../../../ml/model/header.ts';

const fileName = 'signing-key.pem';

/**
 * Signs with the key of `home`, made if there is none. @throws Problem `configuration-invalid` when the file is there and
 * holds no Ed25519 key; whatever the file system says when it cannot be read or made
 */
export async function openSigner(home: string): Promise<Signer> {
  const path = join(home, fileName);
  const pem = (await readIfThere(path)) ?? (await makeKey(home, path));
  return signerWith(readKey(pem));
}

/** The public half of the key of `home`, if it has one. @throws as {@link openSigner} does */
export async function findPublicKey(home: string): Promise<PublicKey | undefined> {
  const pem = await readIfThere(join(home, fileName));
  return pem === undefined ? undefined : signerWith(readKey(pem)).publicKey;
}

/** Signs with a key that nobody else has and that is forgotten: for tests, and for homes that cannot be written. */
export function fleetingSigner(): Signer {
  return signerWith(generateKeyPairSync('ed25519').privateKey);
}

function signerWith(privateKey: KeyObject): Signer {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    publicKey: toHex(Buffer.from(x!, 'base64url')),
    sign: async (message) => sign(null, message, privateKey),
  };
}

/** Written whole under another name first: of two processes that start at once, both end up with the key of one. */
async function makeKey(home: string, path: string): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const candidate = `${path}.${randomUUID()}`;
  try {
    await writeFile(candidate, pem, { mode: 0o600, flag: 'wx' });
    await link(candidate, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(candidate, { force: true });
  }
  return await readFile(path, 'utf8');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function readKey(pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Told below; what the file holds must not get into a message.
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new Problem(
    'configuration-invalid',
    `${fileName} in PILVI_HOME holds no Ed25519 private key (PEM). Put the right file back, or remove it and a new key is made.`,
  );
}

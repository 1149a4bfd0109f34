// The private key that model files are signed with: a file below PILVI_HOME that only its owner can read (PEM, PKCS #8),
// made when it is first needed, and a fresh one when it was withdrawn. Servers and the command line of one home share it.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type KeyObject,
} from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../../base/hash.ts';
import { Problem } from '../../../base/problems.ts';
import type { PublicKey, Signer } from '../../../ml/model/header.ts';

const fileName = 'signing-key.pem';

/** A signer whose key can be replaced, for a server that goes on when its key was withdrawn. */
export interface RenewableSigner extends Signer {
  /** Signs with another key from now on, unless it does already; the private half of the old one is forgotten. */
  renew: (withdrawn: PublicKey) => Promise<void>;
}

/**
 * Signs with the key of `home`, made if there is none. @throws Problem `configuration-invalid` when the file is there and
 * holds no Ed25519 key; whatever the file system says when it cannot be read or made
 */
export async function openSigner(home: string): Promise<RenewableSigner> {
  const path = join(home, fileName);
  const open = async (): Promise<KeyObject> =>
    readKey((await readIfThere(path)) ?? (await makeKey(home, path)));
  return signerWith(await open(), async (old) => {
    const onDisk = await open();
    // Another process of this home may have been first.
    if (publicKeyOf(onDisk) !== publicKeyOf(old)) return onDisk;
    await replaceKey(path);
    return await open();
  });
}

/** The public half of the key of `home`, if it has one. @throws as {@link openSigner} does */
export async function findPublicKey(home: string): Promise<PublicKey | undefined> {
  const pem = await readIfThere(join(home, fileName));
  return pem === undefined ? undefined : publicKeyOf(readKey(pem));
}

/** Signs with a key that nobody else has and that is forgotten: for tests, and for homes that cannot be written. */
export function fleetingSigner(): RenewableSigner {
  const fresh = (): KeyObject => generateKeyPairSync('ed25519').privateKey;
  return signerWith(fresh(), async () => fresh());
}

function signerWith(first: KeyObject, another: (old: KeyObject) => Promise<KeyObject>): RenewableSigner {
  let privateKey = first;
  let publicKey = publicKeyOf(first);
  let renewing = Promise.resolve();
  return {
    get publicKey() {
      return publicKey;
    },
    sign: async (message) => sign(null, message, privateKey),
    renew: async (withdrawn) => {
      // Many may notice at once.
      const done = renewing.then(async () => {
        if (publicKey !== withdrawn) return;
        privateKey = await another(privateKey);
        publicKey = publicKeyOf(privateKey);
      });
      // One that failed does not keep the next from trying.
      renewing = done.catch(() => undefined);
      await done;
    },
  };
}

function publicKeyOf(privateKey: KeyObject): PublicKey {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return toHex(Buffer.from(x!, 'base64url'));
}

async function replaceKey(path: string): Promise<void> {
  const candidate = `${path}.${randomUUID()}`;
  try {
    await writeFile(candidate, freshPem(), { mode: 0o600, flag: 'wx' });
    await rename(candidate, path);
  } finally {
    await rm(candidate, { force: true });
  }
}

function freshPem(): string | Buffer {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** Written whole under another name first: of two processes that start at once, both end up with the key of one. */
async function makeKey(home: string, path: string): Promise<string> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const candidate = `${path}.${randomUUID()}`;
  try {
    await writeFile(candidate, freshPem(), { mode: 0o600, flag: 'wx' });
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

// Who vouches for model files: each server signs those it makes with the key of its home, and tells the others its public
// half through the database, so that an installation trusts what any of its servers signed.
import { open } from 'node:fs/promises';
import type { z } from 'zod';
import { toIso } from '../../../base/time.ts';
import type { listSigningKeys as listOperation } from '../../../contract/signing-key.ts';
import { headBytes, signedHead, type PublicKey, type Signer } from '../../../ml/model/header.ts';
import type { Services } from '../../context.ts';
import { addSigningKey, findSigningKeys } from './rows.ts';

type Signing = Pick<Services, 'database' | 'signer'>;

/** Makes the key of this server known to all; repeatable. */
export async function publishSigningKey({
  database,
  signer,
  clock,
}: Signing & Pick<Services, 'clock'>): Promise<void> {
  const row = { publicKey: signer.publicKey, createdAt: new Date(clock.nowMs()) };
  await database.asSystem('signing key', (transaction) => addSigningKey(transaction, row));
}

/** The public keys of this installation, newest first. */
export async function listSigningKeys({
  database,
}: Pick<Services, 'database'>): Promise<z.output<(typeof listOperation)['response']['json']>> {
  const rows = await database.asSystem('signing keys', findSigningKeys);
  return {
    items: rows.map(({ publicKey, createdAt }) => ({ publicKey, createdAt: toIso(createdAt.getTime()) })),
  };
}

/** Whose files count as made by this installation. */
export async function ownPublicKeys({ database, signer }: Signing): Promise<PublicKey[]> {
  const rows = await database.asSystem('signing keys', findSigningKeys);
  return [...new Set([signer.publicKey, ...rows.map(({ publicKey }) => publicKey)])];
}

/** Signs the model file at `path`, in place: only its head changes. Signed twice, it has the same bytes. */
export async function signFile(path: string, signer: Signer): Promise<void> {
  await using file = await open(path, 'r+');
  const head = new Uint8Array(headBytes);
  const { bytesRead } = await file.read(head, 0, headBytes, 0);
  const signed = await signedHead(head.subarray(0, bytesRead), signer);
  await file.write(signed, 0, headBytes, 0);
  await file.sync();
}

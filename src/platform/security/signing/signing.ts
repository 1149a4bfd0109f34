// Who vouches for model files: each server signs those it makes with the key of its home, and tells the others its public
// half through the database, so that an installation trusts what any of its servers signed. A key that may be in wrong
// hands is withdrawn: nothing that it signed is trusted from then on, and its server goes on with a fresh one.
import { open } from 'node:fs/promises';
import type { z } from 'zod';
import { Problem } from '../../../base/problems.ts';
import { toIso } from '../../../base/time.ts';
import type { listSigningKeys as listOperation } from '../../../contract/signing-key.ts';
import { headBytes, signedHead, type PublicKey, type Signer } from '../../../ml/model/header.ts';
import type { Context, Services } from '../../context.ts';
import type { Transaction } from '../../ports/database.ts';
import { firstPerson, personOf } from '../identity/people.ts';
import { addSigningKey, findSigningKeys, markWithdrawn, type SigningKeyRow } from './rows.ts';

export type { SigningKeyRow };

type Signing = Pick<Services, 'database' | 'signer' | 'clock'>;
type SigningKeys = z.output<(typeof listOperation)['response']['json']>;

/** The signer of this server, with a key that all know of and nobody has withdrawn: a fresh one where that is needed. */
export async function readySigner({ database, signer, clock }: Signing): Promise<Signer> {
  const rows = await database.asSystem('signing keys', findSigningKeys);
  const own = rows.find(({ publicKey }) => publicKey === signer.publicKey);
  if (own?.withdrawnAt) await signer.renew(own.publicKey);
  if (!rows.some(({ publicKey }) => publicKey === signer.publicKey)) {
    const row = { publicKey: signer.publicKey, createdAt: new Date(clock.nowMs()) };
    await database.asSystem('signing key', (transaction) => addSigningKey(transaction, row));
  }
  return signer;
}

/** The public keys of this installation, newest first; withdrawn ones too. */
export async function listSigningKeys({
  database,
  signer,
}: Pick<Services, 'database' | 'signer'>): Promise<SigningKeys> {
  const rows = await database.asSystem('signing keys', findSigningKeys);
  return {
    items: rows.map(({ publicKey, createdAt, withdrawnAt }) => ({
      publicKey,
      createdAt: toIso(createdAt.getTime()),
      withdrawnAt: withdrawnAt && toIso(withdrawnAt.getTime()),
      isCurrent: publicKey === signer.publicKey,
    })),
  };
}

/** The same, for work that is at it in a transaction of a workspace. */
export async function knownSigningKeys(transaction: Transaction): Promise<SigningKeyRow[]> {
  return await findSigningKeys(transaction);
}

/**
 * Withdraws a key of this installation, for good: what it signed is no longer trusted, and its server signs with a fresh
 * one. It concerns every workspace, so only the server's owner may: its first person, or the bootstrap token.
 * Throws `not-allowed`, `not-found` or `wrong-state`.
 */
export async function withdrawSigningKey(context: Context, publicKey: PublicKey): Promise<SigningKeys> {
  await context.database.asSystem('withdraw a signing key', async (transaction) => {
    const owner = await firstPerson(transaction);
    if (!owner || (await personOf(transaction, context.actor)) !== owner.userId) {
      const detail =
        'Signing keys belong to the server. Its owner, the first person who signed in, can withdraw one.';
      throw new Problem('not-allowed', detail);
    }
    const rows = await findSigningKeys(transaction);
    if (!rows.some((row) => row.publicKey === publicKey))
      throw new Problem('not-found', `There is no signing key ${publicKey.slice(0, 64)}.`);
    const withdrawnAt = new Date(context.clock.nowMs());
    if (!(await markWithdrawn(transaction, { publicKey, withdrawnAt })))
      throw new Problem('wrong-state', 'The key was withdrawn before.');
    await context.audit(transaction, {
      action: 'key:manage',
      subjectId: publicKey,
      details: { withdrawnSigningKey: publicKey },
    });
  });
  await readySigner(context);
  return await listSigningKeys(context);
}

/**
 * Whose files count as made by this installation: keys that are not withdrawn; with `evenWithdrawn`, those too, for what
 * is only to be looked into.
 */
export async function ownPublicKeys(
  { database, signer }: Pick<Services, 'database' | 'signer'>,
  { evenWithdrawn = false } = {},
): Promise<PublicKey[]> {
  const rows = await database.asSystem('signing keys', findSigningKeys);
  const trusted = rows.filter(({ withdrawnAt }) => evenWithdrawn || withdrawnAt === null);
  const isKnown = rows.some(({ publicKey }) => publicKey === signer.publicKey);
  return [...trusted.map(({ publicKey }) => publicKey), ...(isKnown ? [] : [signer.publicKey])];
}

/** How many keys were withdrawn, which is never fewer: what was opened before one more was is to be opened again. */
export async function countWithdrawnKeys({ database }: Pick<Services, 'database'>): Promise<number> {
  const rows = await database.asSystem('signing keys', findSigningKeys);
  return rows.filter(({ withdrawnAt }) => withdrawnAt !== null).length;
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

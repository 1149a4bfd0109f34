// Model files out of the blobs, opened by the rule of whom to trust: what was trained here was signed by this installation,
// what was brought keeps the signature that it was brought with, if any, and nothing counts that a withdrawn key signed.
import { Problem } from '../../base/problems.ts';
import { toIso } from '../../base/time.ts';
import { signerOf, type PublicKey } from '../../ml/model/header.ts';
import { openModel } from '../../ml/model/model.ts';
import type { Predictor } from '../../ml/model/predictor.ts';
import type { Context } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { knownSigningKeys, ownPublicKeys } from '../../platform/security/signing/signing.ts';
import type { VersionRow } from './rows.ts';

type File = Pick<VersionRow, 'fileSha256' | 'fileSizeBytes' | 'lineage'>;

/**
 * Opens a file that is to be registered. What a training left may be of a key that was withdrawn in the meantime: it is
 * registered, to be signed anew. @throws Problem `model-file-invalid`, `model-file-untrusted` or `signing-key-withdrawn`
 */
export async function openNewFile(
  context: Context,
  file: File,
): Promise<{ opened: Predictor; signer: PublicKey | null }> {
  const bytes = await readFileOf(context, file);
  const signer = signerOf(bytes) ?? null;
  if (!file.lineage)
    await context.transaction((transaction) =>
      refuseWithdrawn(transaction, signer, 'Ask its maker for one signed anew.'),
    );
  const trust = file.lineage ? { trusted: await ownPublicKeys(context, { evenWithdrawn: true }) } : {};
  return { opened: await openModel(bytes, trust), signer };
}

/** Opens the file of a version. @throws Problem `model-file-untrusted` when its signature is not the one registered */
export async function openRegisteredFile(
  context: Context,
  version: File & Pick<VersionRow, 'summary'>,
): Promise<Predictor> {
  const { signer } = version.summary;
  const bytes = await readFileOf(context, version);
  if (version.lineage) return await openModel(bytes, { trusted: await ownPublicKeys(context) });
  return await openModel(bytes, signer === null ? {} : { trusted: [signer] });
}

/** @throws Problem `signing-key-withdrawn` when the key that signed the version was */
export async function refuseWithdrawnVersion(
  transaction: Transaction,
  { id, summary }: Pick<VersionRow, 'id' | 'summary'>,
): Promise<void> {
  const remedy = `An owner can sign the version anew: on its page, or with "pilvi model sign ${id}".`;
  await refuseWithdrawn(transaction, summary.signer, remedy);
}

/** The bytes, in one piece from the start: models compute with them where they lie. */
export async function readFileOf(context: Context, { fileSha256, fileSizeBytes }: File): Promise<Uint8Array> {
  const bytes = new Uint8Array(fileSizeBytes);
  let end = 0;
  for await (const chunk of await context.blobs.open(fileSha256)) {
    bytes.set(chunk as Uint8Array, end);
    end += (chunk as Uint8Array).length;
  }
  return bytes;
}

async function refuseWithdrawn(
  transaction: Transaction,
  signer: PublicKey | null,
  remedy: string,
): Promise<void> {
  const keys = signer === null ? [] : await knownSigningKeys(transaction);
  const withdrawnAt = keys.find(({ publicKey }) => publicKey === signer)?.withdrawnAt;
  if (!withdrawnAt) return;
  const day = toIso(withdrawnAt.getTime()).slice(0, 10);
  throw new Problem(
    'signing-key-withdrawn',
    `The model file was signed with the key ${signer}, which was withdrawn on ${day}. ${remedy}`,
  );
}

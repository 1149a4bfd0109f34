// Signing a version anew when the key that had signed it was withdrawn: an owner vouches for the file that was registered.
// Only its head changes, so that it is the same model; its address in the blobs is another.
import { sha256 } from '../../base/hash.ts';
import { Problem } from '../../base/problems.ts';
import { headBytes, signedHead } from '../../ml/model/header.ts';
import { openModel } from '../../ml/model/model.ts';
import type { Context } from '../../platform/context.ts';
import { knownSigningKeys, readySigner } from '../../platform/security/signing/signing.ts';
import { getModelVersion, type ModelVersion } from './registry.ts';
import { findVersion, replaceFile, type VersionRow } from './rows.ts';
import { readFileOf } from './trusted-file.ts';

/**
 * Signs the file of a version with the key of this server. The file must be the one that was registered, unchanged.
 * Throws `not-found`, `wrong-state` where its key was not withdrawn, or `model-file-invalid`.
 */
export async function signModelVersion(context: Context, versionId: string): Promise<ModelVersion> {
  const version = await context.transaction(async (transaction) => {
    const row = await findVersion(transaction, versionId);
    if (!row) throw new Problem('not-found', `There is no model version ${versionId}.`);
    const { signer } = row.summary;
    const key = (await knownSigningKeys(transaction)).find(({ publicKey }) => publicKey === signer);
    if (key?.withdrawnAt) return row;
    const why = signer === null ? 'Nobody signed it' : 'The key that signed it was not withdrawn here';
    throw new Problem('wrong-state', `${why}: there is nothing to sign anew.`);
  });
  const file = await signedAnew(context, version);
  const stored = await context.blobs.put(streamOf(file.bytes), {
    maxBytes: file.bytes.length,
    signal: context.signal,
  });
  await context.database.asSystem('sign a model version', async (transaction) => {
    const change = { versionId, before: version.fileSha256, after: stored.sha256, signer: file.signer };
    // Another owner may have been first; the file is then signed already.
    if (!(await replaceFile(transaction, change))) return;
    await context.audit(transaction, {
      action: 'key:manage',
      subjectId: versionId,
      details: { ...change, signerBefore: version.summary.signer },
    });
  });
  return await getModelVersion(context, versionId);
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function signedAnew(
  context: Context,
  version: VersionRow,
): Promise<{ bytes: Uint8Array; signer: string }> {
  const bytes = await readFileOf(context, version);
  // The withdrawn key may be in wrong hands: its signature says nothing, the address of the registered file does.
  if ((await sha256(bytes)) !== version.fileSha256)
    throw new Problem('model-file-invalid', 'The stored file is not the one that was registered.');
  await openModel(bytes.slice());
  const signer = await readySigner(context);
  const head = await signedHead(bytes.subarray(0, headBytes), signer);
  bytes.set(head);
  return { bytes, signer: signer.publicKey };
}

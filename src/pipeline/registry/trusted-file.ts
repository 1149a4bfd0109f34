// Model files out of the blobs, opened by the rule of whom to trust: what was trained here was signed by this installation,
// what was brought keeps the signature that it was brought with, if any.
import { signerOf, type PublicKey } from '../../ml/model/header.ts';
import { openModel } from '../../ml/model/model.ts';
import type { Predictor } from '../../ml/model/predictor.ts';
import type { Context } from '../../platform/context.ts';
import { ownPublicKeys } from '../../platform/security/signing/signing.ts';
import type { VersionRow } from './rows.ts';

type File = Pick<VersionRow, 'fileSha256' | 'fileSizeBytes' | 'lineage'>;

/** Opens a file that is to be registered. @throws Problem `model-file-invalid`, or `model-file-untrusted` */
export async function openNewFile(
  context: Context,
  file: File,
): Promise<{ opened: Predictor; signer: PublicKey | null }> {
  const bytes = await read(context, file);
  const opened = await openModel(bytes, file.lineage ? { trusted: await ownPublicKeys(context) } : {});
  return { opened, signer: signerOf(bytes) ?? null };
}

/** Opens the file of a version. @throws Problem `model-file-untrusted` when its signature is not the one registered */
export async function openRegisteredFile(
  context: Context,
  version: File & Pick<VersionRow, 'summary'>,
): Promise<Predictor> {
  const { signer } = version.summary;
  const bytes = await read(context, version);
  if (version.lineage) return await openModel(bytes, { trusted: await ownPublicKeys(context) });
  return await openModel(bytes, signer === null ? {} : { trusted: [signer] });
}

/** The bytes, in one piece from the start: models compute with them where they lie. */
async function read(context: Context, { fileSha256, fileSizeBytes }: File): Promise<Uint8Array> {
  const bytes = new Uint8Array(fileSizeBytes);
  let end = 0;
  for await (const chunk of await context.blobs.open(fileSha256)) {
    bytes.set(chunk as Uint8Array, end);
    end += (chunk as Uint8Array).length;
  }
  return bytes;
}

// `pilvi model verify FILE`: whether a model file is whole and unchanged, and whose it is.
import type { PublicKey } from '../../../ml/model/header.ts';
import { findPublicKey } from '../../../platform/security/signing/key-file.ts';
import type { Session } from '../session.ts';
import { printProperties } from '../table.ts';
import { readModelFile } from './model-file.ts';

export interface VerifyOptions {
  trust?: string[];
  trustServer?: boolean;
}

/** What is known of a file that passed. */
export interface Verification {
  file: string;
  /** Null: nobody signed it, and whoever changed it could have made its checksum fit. */
  signer: PublicKey | null;
  /** Whether it was asked for one of some keys, and has it. */
  isTrusted: boolean;
  /** Whether the key is that of this machine. */
  isOwn: boolean;
  target: string;
}

/** Checks everything that opening checks. @throws Problem `model-file-invalid` or `model-file-untrusted` */
export async function verifyFile(
  session: Session,
  { trust, trustServer }: VerifyOptions,
  file: string,
): Promise<Verification> {
  const keysOfServer = trustServer ? await publishedKeys(session) : [];
  const isAsked = trust !== undefined || trustServer === true;
  const { content, signer } = await readModelFile(
    file,
    isAsked ? { trusted: [...(trust ?? []), ...keysOfServer] } : {},
  );
  const { PILVI_HOME: home } = await session.configuration();
  const isOwn = signer !== undefined && signer === (await findPublicKey(home));
  return { file, signer: signer ?? null, isTrusted: isAsked, isOwn, target: content.manifest.target };
}

/** Prints it. */
export function showVerification({ file, signer, isTrusted, isOwn, target }: Verification): void {
  const whose = isTrusted ? 'which you trust' : isOwn ? 'the key of this machine' : 'a key not known here';
  printProperties([
    ['file', `${file} is whole: checksum and golden answers fit`],
    ['predicts', target],
    [
      'signed with',
      signer === null ? 'nothing: who changed it would not be noticed' : `${signer} (${whose})`,
    ],
  ]);
}

async function publishedKeys(session: Session): Promise<PublicKey[]> {
  const { items } = await (await session.client()).listSigningKeys();
  return items.filter(({ withdrawnAt }) => withdrawnAt === null).map(({ publicKey }) => publicKey);
}

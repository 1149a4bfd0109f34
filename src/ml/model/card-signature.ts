// Who vouches for a model file, in words for its card. What a key is known as is told by whoever opened the file.

/** A signature that was checked. */
export interface CheckedSignature {
  publicKey: string;
  by: 'this-installation' | 'this-machine' | 'trusted' | 'elsewhere';
  /** ISO 8601. */
  withdrawnAt: string | null;
}

const byWords: Readonly<Record<CheckedSignature['by'], string>> = {
  'this-installation': 'of this installation',
  'this-machine': 'of this machine',
  trusted: 'that you trust',
  elsewhere: 'that is not known here',
};

/** One or two sentences; null: nobody signed it. */
export function signatureWords(signature: CheckedSignature | null): string {
  if (!signature) return 'Nobody: whoever changed the file could have made its checksum fit.';
  const { publicKey, by, withdrawnAt } = signature;
  const signed = `Signed with the key ${publicKey}, one ${byWords[by]}. The signature fits the file.`;
  return withdrawnAt === null
    ? signed
    : `${signed} But the key was withdrawn on ${withdrawnAt.slice(0, 10)}: nothing that it signed is used until an owner signs it anew.`;
}

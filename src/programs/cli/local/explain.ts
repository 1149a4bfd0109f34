// `pilvi explain MODEL`: what a model is, how good it is, and what it leans on.
import type { CheckedSignature } from '../../../ml/model/card-signature.ts';
import type { PublicKey } from '../../../ml/model/header.ts';
import { findPublicKey } from '../../../platform/security/signing/key-file.ts';
import type { Session } from '../session.ts';
import { findModelVersion } from '../find.ts';
import { printImportance } from '../importance.ts';
import { print } from '../terminal.ts';
import { refuseTrust, trustOf, type TrustOption } from '../trust-option.ts';
import { isModelFile, readModelFile } from './model-file.ts';

/** An explanation, the same for a file and for a version on a server. */
export interface Explanation {
  target: string;
  task: string;
  classes: readonly string[];
  importance: readonly { column: string; importance: number }[];
  /** The model card, Markdown, and the same as JSON. */
  card: string;
  cardDocument?: Record<string, unknown> | undefined;
}

/** Explains the model file, or model of a server, that `reference` names. */
export async function explain(session: Session, trust: TrustOption, reference: string): Promise<Explanation> {
  if (await isModelFile(reference)) {
    const { modelCard } = await import('../../../ml/model/card.ts');
    const { signatureWords } = await import('../../../ml/model/card-signature.ts');
    const { content, signer } = await readModelFile(reference, trustOf(trust));
    const { manifest } = content;
    const { target, task, classes, importance } = manifest;
    const { card, markdown } = modelCard(manifest);
    const signature = await checkedSignature(session, { signer, isTrusted: trust.trust !== undefined });
    const words = `${markdown}\n## Who signed the file\n\n${signatureWords(signature)}\n`;
    return { target, task, classes, importance, card: words, cardDocument: { ...card, signature } };
  }
  refuseTrust(trust);
  const version = await findModelVersion(await session.client(), await session.projectId(), reference);
  const { target, task, classes, importance, card, cardDocument } = version;
  return { target, task, classes: classes ?? [], importance, card, cardDocument };
}

/** What this machine knows of a signature that was checked. */
async function checkedSignature(
  session: Session,
  { signer, isTrusted }: { signer: PublicKey | undefined; isTrusted: boolean },
): Promise<CheckedSignature | null> {
  if (signer === undefined) return null;
  const { PILVI_HOME: home } = await session.configuration();
  const isOwn = signer === (await findPublicKey(home));
  const by = isOwn ? 'this-machine' : isTrusted ? 'trusted' : 'elsewhere';
  return { publicKey: signer, by, withdrawnAt: null };
}

/** Prints the card, then the columns by importance. */
export function showExplanation({ card, importance }: Explanation): void {
  print(card.trimEnd());
  print('');
  printImportance(importance);
}

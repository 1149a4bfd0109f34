// `pilvi explain MODEL`: what a model is, how good it is, and what it leans on.
import type { Session } from '../session.ts';
import { findModelVersion } from '../find.ts';
import { printImportance } from '../importance.ts';
import { print } from '../terminal.ts';
import { refuseTrust, trustOf, type TrustOption } from '../trust-option.ts';
import { isModelFile, openModelFile } from './model-file.ts';

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
    const { manifest } = await openModelFile(reference, trustOf(trust));
    const { target, task, classes, importance } = manifest;
    const { card, markdown } = modelCard(manifest);
    return { target, task, classes, importance, card: markdown, cardDocument: { ...card } };
  }
  refuseTrust(trust);
  const version = await findModelVersion(await session.client(), await session.projectId(), reference);
  const { target, task, classes, importance, card, cardDocument } = version;
  return { target, task, classes: classes ?? [], importance, card, cardDocument };
}

/** Prints the card, then the columns by importance. */
export function showExplanation({ card, importance }: Explanation): void {
  print(card.trimEnd());
  print('');
  printImportance(importance);
}

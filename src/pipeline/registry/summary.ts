// What the registry keeps of a model file: enough for pages and forms, so that they need not open it.
import { toIso } from '../../base/time.ts';
import { modelCard } from '../../ml/model/card.ts';
import { signatureWords } from '../../ml/model/card-signature.ts';
import { hasClasses, type ColumnSchema } from '../../ml/frame/schema.ts';
import type { ModelManifest } from '../../ml/model/manifest.ts';
import type { Predictor } from '../../ml/model/predictor.ts';
import type { SigningKeyRow } from '../../platform/security/signing/signing.ts';
import type { FieldSummary } from '../train/train.ts';
import type { ModelField, ModelVersion, VersionSummary } from './registry.ts';

/** What the training knows besides; nothing for a file that someone brought. */
export interface Report {
  evaluation: VersionSummary['evaluation'];
  fields: readonly FieldSummary[];
}

/** Categories that a form offers; the model may know more. */
const mostCategoriesShown = 100;

/** The summary of an opened model. */
export function summarise({ manifest }: Predictor, report: Report): Omit<VersionSummary, 'signer'> {
  const { task, target, classes, quality, importance } = manifest;
  const { card, markdown } = modelCard(manifest, report.evaluation?.trust);
  return {
    task,
    target,
    classes: hasClasses(task) ? classes : null,
    metric: quality.metric,
    score: quality.holdout[quality.metric] ?? null,
    evaluation: report.evaluation,
    importance: importance.map(({ column, importance: value }) => ({ column, importance: value })),
    fields: fieldsOf(manifest, report.fields),
    card: markdown,
    cardDocument: { ...card },
  };
}

/** Who signed a file, by what is known of keys now. */
export function showSignature(
  publicKey: string | null,
  keys: readonly SigningKeyRow[],
): ModelVersion['signature'] {
  if (publicKey === null) return null;
  const known = keys.find((key) => key.publicKey === publicKey);
  return {
    publicKey,
    keyId: publicKey.slice(0, 16),
    by: known ? 'this-installation' : 'elsewhere',
    withdrawnAt: known?.withdrawnAt ? toIso(known.withdrawnAt.getTime()) : null,
  };
}

/** The card with what is known of the signature now, which changes while the file does not. */
export function withSignature(
  { card, cardDocument }: Pick<VersionSummary, 'card' | 'cardDocument'>,
  signature: ModelVersion['signature'],
): Pick<VersionSummary, 'card' | 'cardDocument'> {
  return {
    card: `${card}\n## Who signed the file\n\n${signatureWords(signature)}\n`,
    ...(cardDocument && { cardDocument: { ...cardDocument, signature } }),
  };
}

function fieldsOf({ schema }: ModelManifest, fields: readonly FieldSummary[]): ModelField[] {
  const summaries = new Map(fields.map((field) => [field.name, field]));
  return schema.map((column) => fieldOf(column, summaries.get(column.name)));
}

function fieldOf({ name, kind, categories }: ColumnSchema, summary: FieldSummary | undefined): ModelField {
  return {
    name,
    kind,
    categories: categories ? categories.slice(0, mostCategoriesShown) : null,
    minimum: summary?.minimum ?? null,
    maximum: summary?.maximum ?? null,
    example: summary?.example ?? null,
    missingShare: summary?.missingShare ?? 0,
  };
}

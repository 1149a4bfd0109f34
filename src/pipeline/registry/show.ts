// What callers see of models and versions: rows, with names, aliases and what is known of signing keys put to them.
import { toIso } from '../../base/time.ts';
import type { ModelFormat } from '../../contract/model.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { knownSigningKeys, type SigningKeyRow } from '../../platform/security/signing/signing.ts';
import { summaryOfEvaluation } from '../train/train.ts';
import { showOnnx } from './onnx.ts';
import type { Model, ModelVersion, ModelVersionSummary } from './registry.ts';
import {
  aliasesOf,
  findModel,
  findVersion,
  latestVersions,
  type AliasRow,
  type ModelRow,
  type VersionRow,
} from './rows.ts';
import { showSignature, withSignature } from './summary.ts';

/** Versions as callers see them. */
export async function showVersions(transaction: Transaction, rows: VersionRow[]): Promise<ModelVersion[]> {
  const modelIds = [...new Set(rows.map((row) => row.modelId))];
  const aliases = await aliasesOf(transaction, modelIds);
  const keys = await knownSigningKeys(transaction);
  const names = new Map<string, string>();
  for (const modelId of modelIds) names.set(modelId, (await findModel(transaction, modelId))?.name ?? '');
  return rows.map((row) => showVersion(row, names.get(row.modelId)!, { aliases, keys }));
}

/** Models as callers see them, each with its newest version. */
export async function showModels(transaction: Transaction, rows: ModelRow[]): Promise<Model[]> {
  const ids = rows.map((row) => row.id);
  const aliases = await aliasesOf(transaction, ids);
  const latest = await latestVersions(transaction, ids);
  const keys = await knownSigningKeys(transaction);
  const numbers = new Map<string, number>();
  for (const { versionId } of aliases)
    numbers.set(versionId, (await findVersion(transaction, versionId))?.number ?? 0);
  return rows.map((row) => {
    const version = latest.find((candidate) => candidate.modelId === row.id);
    return {
      id: row.id,
      projectId: row.projectId,
      name: row.name,
      createdAt: toIso(row.createdAt.getTime()),
      latestVersion: version ? summaryOf(showVersion(version, row.name, { aliases, keys })) : null,
      aliases: aliases
        .filter((alias) => alias.modelId === row.id)
        .map(({ alias, versionId }) => ({ alias, versionNumber: numbers.get(versionId)! })),
    };
  });
}

/** What the file of a version is. */
export function formatOf({ summary }: VersionRow): ModelFormat {
  return summary.onnx ? 'onnx' : 'pilvi';
}

/** Without what no list shows. */
export function summaryOf(version: ModelVersion): ModelVersionSummary {
  const { importance: _i, fields: _f, card: _c, cardDocument: _d, onnx: _o, ...rest } = version;
  return { ...rest, evaluation: rest.evaluation && summaryOfEvaluation(rest.evaluation) };
}

function showVersion(
  row: VersionRow,
  modelName: string,
  { aliases, keys }: { aliases: AliasRow[]; keys: SigningKeyRow[] },
): ModelVersion {
  const { onnx, ...summary } = row.summary;
  const signature = showSignature(summary.signer, keys);
  return {
    id: row.id,
    modelId: row.modelId,
    modelName,
    projectId: row.projectId,
    number: row.number,
    ...summary,
    signature,
    ...(onnx ? {} : withSignature(summary, signature)),
    format: formatOf(row),
    origin: row.lineage ? 'trained' : 'imported',
    onnx: onnx ? showOnnx(onnx) : null,
    fileSha256: row.fileSha256,
    fileSizeBytes: row.fileSizeBytes,
    lineage: row.lineage,
    aliases: aliases.filter((alias) => alias.versionId === row.id).map(({ alias }) => alias),
    createdAt: toIso(row.createdAt.getTime()),
  };
}

// The registry: models and their immutable versions, each one model file; aliases that move. This file is what other
// folders see. A version is made from a finished training (reactions.ts) or from a file that someone brings.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import type { model, ModelFormat, modelVersion, modelVersionSummary } from '../../contract/model.ts';
import type { Predictor } from '../../ml/model/predictor.ts';
import type { ForeignPredictor } from '../../ml/onnx/foreign.ts';
import type { Context } from '../../platform/context.ts';
import { pageOf, readCursor } from '../../platform/http/cursor.ts';
import type { StreamOutput } from '../../platform/http/route.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { ServedModel } from '../../platform/ports/model-servers.ts';
import { requireProject } from '../../platform/tenancy/tenancy.ts';
import {
  addVersion,
  dropAlias,
  ensureModel,
  findModel,
  findVersion,
  findVersionByNumber,
  findVersionOfTraining,
  listModelRows,
  listVersionRows,
  moveAlias,
  referencedBlobs,
  storedBytesByWorkspace,
  type ModelRow,
  type VersionRow,
} from './rows.ts';
import { trainingReport } from '../train/train.ts';
import type { OnnxVersion } from './onnx.ts';
import { apartPredictor, describeApart, isApart, plainScale, type Place } from './serve-apart.ts';
import { formatOf, showModels, showVersions, summaryOf } from './show.ts';
import { summarise } from './summary.ts';
import { openNewFile, openRegisteredFile, refuseWithdrawnVersion } from './trusted-file.ts';

export type Model = z.output<typeof model>;
export type ModelVersion = z.output<typeof modelVersion>;
export type ModelVersionSummary = z.output<typeof modelVersionSummary>;

/** What a model file says of itself: read once, when it is registered. */
export type VersionSummary = Pick<
  ModelVersion,
  | 'task'
  | 'target'
  | 'classes'
  | 'metric'
  | 'score'
  | 'evaluation'
  | 'importance'
  | 'fields'
  | 'card'
  | 'cardDocument'
  | 'signer'
> & {
  /** Of a file in ONNX; a model file has none. */
  onnx?: OnnxVersion;
};
export type ModelField = ModelVersion['fields'][number];
export type Lineage = NonNullable<ModelVersion['lineage']>;

/** Model files are at most this large; they are opened in memory. */
const maxFileBytes = 1_073_741_824;

/** A file to register. */
export interface NewVersion {
  projectId: string;
  modelName: string;
  fileSha256: string;
  fileSizeBytes: number;
  lineage: Lineage | null;
}

/**
 * Makes a version of the model called `modelName` (and the model, if it is new) from a stored model file, after
 * opening it: a file whose golden vectors do not hold is refused with `model-file-invalid`, and one that is said to come
 * from a training, but was not signed here, with `model-file-untrusted`.
 */
export async function registerVersion(context: Context, version: NewVersion): Promise<ModelVersion> {
  const { lineage } = version;
  const { opened, signer } = await openNewFile(context, version);
  // Evaluation and hints hold values of real rows: they stay here and are not part of the file that travels.
  const report = lineage
    ? await trainingReport(context, lineage.trainingId)
    : { evaluation: null, fields: [] };
  const summary = { ...summarise(opened, report), signer };
  return await registerSummary(context, { ...version, summary });
}

/** The same for a file that was opened elsewhere, in the words that are kept of it. */
export async function registerSummary(
  context: Context,
  version: NewVersion & { summary: VersionSummary },
): Promise<ModelVersion> {
  return await context.transaction(async (transaction) => {
    const row = await addRegisteredVersion(context, transaction, version);
    return (await showVersions(transaction, [row]))[0]!;
  });
}

async function addRegisteredVersion(
  context: Context,
  transaction: Transaction,
  version: NewVersion & { summary: VersionSummary },
): Promise<VersionRow> {
  const { projectId, modelName, fileSha256, fileSizeBytes, lineage, summary } = version;
  await requireProject(transaction, projectId);
  const shared = { workspaceId: context.workspaceId, projectId, createdAt: new Date(context.clock.nowMs()) };
  const owner = await ensureModel(transaction, { ...shared, id: context.newId('model'), name: modelName });
  const row = await addVersion(transaction, {
    ...shared,
    id: context.newId('modelVersion'),
    modelId: owner.id,
    fileSha256,
    fileSizeBytes,
    lineage,
    summary,
  });
  await context.audit(transaction, {
    action: 'model:write',
    subjectId: row.id,
    details: { model: modelName, number: row.number, fileSha256 },
  });
  await context.publish(transaction, {
    name: 'model-version-created',
    projectId,
    data: {
      modelVersionId: row.id,
      modelId: owner.id,
      number: row.number,
      trainingId: lineage?.trainingId ?? null,
    },
  });
  return row;
}

/** What the event `training-finished` carries. */
export interface FinishedTraining {
  projectId: string;
  modelName: string;
  fileSha256: string;
  fileSizeBytes: number;
  lineage: Lineage;
}

/** Registers the model of a finished training; a training that has its version already is left alone. */
export async function registerFromTraining(context: Context, finished: FinishedTraining): Promise<void> {
  const known = await context.transaction((transaction) =>
    findVersionOfTraining(transaction, finished.lineage.trainingId),
  );
  if (!known) await registerVersion(context, finished);
}

/** Stores a model file that someone brings and registers it. */
export async function importModelFile(
  context: Context,
  input: { projectId: string; modelName: string; stream: AsyncIterable<Uint8Array> },
): Promise<ModelVersion> {
  await context.transaction((transaction) => requireProject(transaction, input.projectId));
  const stored = await context.blobs.put(input.stream, { maxBytes: maxFileBytes, signal: context.signal });
  return await registerVersion(context, {
    projectId: input.projectId,
    modelName: input.modelName,
    fileSha256: stored.sha256,
    fileSizeBytes: stored.sizeBytes,
    lineage: null,
  });
}

/** One version. Throws `not-found`. */
export async function getModelVersion(context: Context, versionId: string): Promise<ModelVersion> {
  return await context.transaction(async (transaction) => {
    const row = await requireVersion(transaction, versionId);
    return (await showVersions(transaction, [row]))[0]!;
  });
}

/** One that may answer. Throws `not-found` or `signing-key-withdrawn`. */
export async function getUsableModelVersion(context: Context, versionId: string): Promise<ModelVersion> {
  return await context.transaction(async (transaction) => {
    const row = await requireUsableVersion(transaction, versionId);
    return (await showVersions(transaction, [row]))[0]!;
  });
}

/** What a model that is served apart takes of this process's memory, roughly: what is known of it. */
const descriptionBytes = 65_536;

/** The model of a version, and which file it is. */
export interface OpenedVersion {
  model: Predictor | ForeignPredictor;
  /** What processes serve that {@link model} asks; null when it answers in this one. */
  apart: Omit<ServedModel, 'name' | 'scale'> | null;
  /** Memory of this process that it takes, by the size of its file. */
  heldBytes: number;
  fileSha256: string;
  fields: ModelField[];
}

/**
 * Opens the model of a version: what predictions are made with. Its signature must be that of the registered file, and
 * for what was trained here, one of this installation. A model that is served apart is opened by the process that answers
 * first. Throws `not-found`, `model-file-untrusted` or `signing-key-withdrawn`.
 */
export async function openModelVersion(
  context: Context,
  versionId: string,
  place: Place = 'automatic',
): Promise<OpenedVersion> {
  const row = await context.transaction((transaction) => requireUsableVersion(transaction, versionId));
  const { fileSha256, fileSizeBytes, summary } = row;
  const about = { fileSha256, fields: summary.fields };
  if (!isApart(row, place)) {
    const model = await openRegisteredFile(context, row);
    return { ...about, model, apart: null, heldBytes: fileSizeBytes };
  }
  const apart = await describeApart(context, row);
  const name = `file ${fileSha256}`;
  const model = apartPredictor(context.modelServers, { ...apart, name, scale: plainScale });
  return { ...about, model, apart, heldBytes: descriptionBytes };
}

/** The same model, asked in processes of its own: of one endpoint, with its scale. */
export function modelOfItsOwn(
  { modelServers }: Pick<Context, 'modelServers'>,
  apart: NonNullable<OpenedVersion['apart']>,
  own: Pick<ServedModel, 'name' | 'scale'>,
): { served: ServedModel; model: ForeignPredictor } {
  const served = { ...apart, ...own };
  return { served, model: apartPredictor(modelServers, served) };
}

/**
 * Where a worker on this machine finds the file of a version, and what it is. Throws `not-found` or
 * `signing-key-withdrawn`.
 */
export async function modelFilePath(
  context: Context,
  versionId: string,
): Promise<{ path: string; format: ModelFormat }> {
  const row = await context.transaction((transaction) => requireUsableVersion(transaction, versionId));
  return { path: await context.blobs.localPath(row.fileSha256), format: formatOf(row) };
}

/** The file of a version as a download. Throws `not-found`. */
export async function downloadModelFile(context: Context, versionId: string): Promise<StreamOutput> {
  const { version, owner } = await context.transaction(async (transaction) => {
    const row = await requireVersion(transaction, versionId);
    return { version: row, owner: await findModel(transaction, row.modelId) };
  });
  return {
    contentType: 'application/octet-stream',
    body: await context.blobs.open(version.fileSha256),
    sizeBytes: version.fileSizeBytes,
    fileName: `${owner?.name ?? 'model'}-${version.number}.${formatOf(version)}`,
  };
}

/** Bytes of the model files of each workspace: what storage is metered by; in a system transaction. */
export async function storedModelBytes(
  transaction: Transaction,
): Promise<{ workspaceId: string; sizeBytes: number }[]> {
  return await storedBytesByWorkspace(transaction);
}

/** Every blob that model versions refer to; in a system transaction. */
export async function modelBlobs(transaction: Transaction): Promise<string[]> {
  return await referencedBlobs(transaction);
}

/** The models of a project, newest first. */
export async function listModels(
  context: Context,
  input: { projectId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: Model[]; nextCursor: string | null }> {
  return await context.transaction(async (transaction) => {
    await requireProject(transaction, input.projectId);
    const rows = await listModelRows(transaction, input.projectId, {
      limit: input.limit,
      after: readCursor(input.cursor),
    });
    const shown = new Map((await showModels(transaction, rows)).map((item) => [item.id, item]));
    return pageOf(
      rows,
      input.limit,
      (row) => row.id,
      (row) => shown.get(row.id)!,
    );
  });
}

/** One model. Throws `not-found`. */
export async function getModel(context: Context, modelId: string): Promise<Model> {
  return await context.transaction(
    async (transaction) => (await showModels(transaction, [await requireModel(transaction, modelId)]))[0]!,
  );
}

/** The versions of a model, newest first. */
export async function listModelVersions(
  context: Context,
  input: { modelId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: ModelVersionSummary[]; nextCursor: string | null }> {
  return await context.transaction(async (transaction) => {
    await requireModel(transaction, input.modelId);
    const rows = await listVersionRows(transaction, input.modelId, {
      limit: input.limit,
      after: readCursor(input.cursor),
    });
    const shown = new Map((await showVersions(transaction, rows)).map((item) => [item.id, item]));
    return pageOf(
      rows,
      input.limit,
      (row) => row.id,
      (row) => summaryOf(shown.get(row.id)!),
    );
  });
}

/** Points `alias` at a version of the model. Throws `not-found`. */
export async function setModelAlias(
  context: Context,
  input: { modelId: string; alias: string; versionNumber: number },
): Promise<Model> {
  return await context.transaction(async (transaction) => {
    const row = await requireModel(transaction, input.modelId);
    const version = await findVersionByNumber(transaction, row.id, input.versionNumber);
    if (!version) throw new Problem('not-found', `The model has no version ${input.versionNumber}.`);
    await moveAlias(transaction, {
      workspaceId: context.workspaceId,
      projectId: row.projectId,
      modelId: row.id,
      alias: input.alias,
      versionId: version.id,
      movedAt: new Date(context.clock.nowMs()),
    });
    await context.audit(transaction, {
      action: 'model:write',
      subjectId: row.id,
      details: { alias: input.alias, number: input.versionNumber },
    });
    return (await showModels(transaction, [row]))[0]!;
  });
}

/** Removes `alias`. Throws `not-found`. */
export async function removeModelAlias(
  context: Context,
  input: { modelId: string; alias: string },
): Promise<void> {
  await context.transaction(async (transaction) => {
    const row = await requireModel(transaction, input.modelId);
    if (!(await dropAlias(transaction, row.id, input.alias)))
      throw new Problem('not-found', `The model has no alias "${input.alias}".`);
    await context.audit(transaction, {
      action: 'model:write',
      subjectId: row.id,
      details: { alias: input.alias, removed: true },
    });
  });
}

async function requireModel(transaction: Transaction, modelId: string): Promise<ModelRow> {
  const row = await findModel(transaction, modelId);
  if (!row) throw new Problem('not-found', `There is no model ${modelId}.`);
  return row;
}

async function requireVersion(transaction: Transaction, versionId: string): Promise<VersionRow> {
  const row = await findVersion(transaction, versionId);
  if (!row) throw new Problem('not-found', `There is no model version ${versionId}.`);
  return row;
}

/** One that may answer: its key was not withdrawn. */
async function requireUsableVersion(transaction: Transaction, versionId: string): Promise<VersionRow> {
  const row = await requireVersion(transaction, versionId);
  await refuseWithdrawnVersion(transaction, row);
  return row;
}

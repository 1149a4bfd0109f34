// Datasets and their versions. This file is what other folders see: make, list, get, delete, and the content of a
// version for the stages that follow. Uploads are in uploads.ts, looking into data in reads.ts, importing and describing in jobs.ts.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { dayMs, toIso } from '../../base/time.ts';
import type {
  dataset,
  datasetColumn,
  datasetVersion,
  ImportOptions,
  ImportSource,
} from '../../contract/dataset.ts';
import { payerOf, type Context } from '../../platform/context.ts';
import { pageOf, readCursor } from '../../platform/http/cursor.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { requireProject } from '../../platform/tenancy/tenancy.ts';
import { importedGib } from './import-price.ts';
import { importJob } from './jobs.ts';
import {
  addDataset,
  addVersion,
  dropDataset,
  dropExpiredUploads,
  findDataset,
  findVersion,
  latestVersions,
  listDatasetRows,
  listVersionRows,
  referencedBlobs,
  storedBytesByWorkspace,
  type DatasetRow,
  type SourcePart,
  type VersionRow,
} from './rows.ts';
import { examineSource, type KnownSource } from './sources.ts';
import { isReadable } from './states.ts';
import { completedParts } from './uploads.ts';

export type Dataset = z.output<typeof dataset>;
export type DatasetVersion = z.output<typeof datasetVersion>;
export type DatasetColumn = z.output<typeof datasetColumn>;

/** A version whose content can be read. */
export interface ReadyVersion {
  id: string;
  datasetId: string;
  datasetName: string;
  projectId: string;
  number: number;
  rowCount: number;
  columns: DatasetColumn[];
  contentSha256: string;
  /** The job that describes it. */
  profileJobId: string;
}

/** What an import answers with. */
export interface StartedImport {
  dataset: Dataset;
  version: DatasetVersion;
  jobId: string;
}

/** An import that waits or is tried again may take days; what it holds of the budget is freed when it ends. */
const reservationMs = 3 * dayMs;

/** Makes a dataset and starts the import of its first version. */
export async function createDataset(
  context: Context,
  input: { projectId: string; name: string; source: ImportSource; options: ImportOptions },
): Promise<StartedImport> {
  const { projectId, name } = input;
  const known = await examineSource(context, projectId, input.source);
  return await context.transaction(async (transaction) => {
    await requireProject(transaction, projectId);
    const row = await addDataset(transaction, {
      id: context.newId('dataset'),
      workspaceId: context.workspaceId,
      projectId,
      name,
      createdAt: new Date(context.clock.nowMs()),
    });
    if (!row) {
      throw new Problem(
        'already-exists',
        `The project has a dataset "${name}" already; add a version to it, or choose another name.`,
        {
          errors: [{ field: 'body.name', message: 'is taken' }],
        },
      );
    }
    return await startImport(context, transaction, { ...input, known, dataset: row });
  });
}

/** Starts the import of another version. Throws `not-found`. */
export async function createDatasetVersion(
  context: Context,
  input: { datasetId: string; source: ImportSource; options: ImportOptions },
): Promise<StartedImport> {
  const { projectId } = await context.transaction((transaction) =>
    requireDataset(transaction, input.datasetId),
  );
  const known = await examineSource(context, projectId, input.source);
  return await context.transaction(async (transaction) => {
    const row = await requireDataset(transaction, input.datasetId, { lock: true });
    return await startImport(context, transaction, { ...input, known, dataset: row });
  });
}

async function startImport(
  context: Context,
  transaction: Transaction,
  {
    dataset: owner,
    source,
    options,
    known,
  }: { dataset: DatasetRow; source: ImportSource; options: ImportOptions; known: KnownSource },
): Promise<StartedImport> {
  const versionId = context.newId('datasetVersion');
  const nowMs = context.clock.nowMs();
  const reservation = await context.meter.reserve(transaction, {
    payer: payerOf(context, owner.projectId),
    usage: [{ unit: 'imported-gib', quantity: importedGib(known.maxBytes) }],
    purpose: { kind: 'import', subjectId: versionId },
    expiresAtMs: nowMs + reservationMs,
  });
  const subject = {
    workspaceId: context.workspaceId,
    projectId: owner.projectId,
    subjectId: versionId,
    startedBy: context.actor.id,
  };
  const jobId = await context.jobs.start(transaction, importJob, { versionId }, subject);
  const version = await addVersion(transaction, {
    id: versionId,
    workspaceId: context.workspaceId,
    projectId: owner.projectId,
    datasetId: owner.id,
    state: 'importing',
    jobId,
    reservationId: reservation.reservationId,
    source,
    sourceLabel: known.label,
    sourceParts: known.parts,
    options,
    columns: [],
    warnings: [],
    createdAt: new Date(nowMs),
  });
  await context.audit(transaction, {
    action: 'dataset:write',
    subjectId: versionId,
    details: { dataset: owner.name, source: source.kind },
  });
  return { dataset: showDataset(owner, version), version: showVersion(version), jobId };
}

/** The datasets of a project, newest first. */
export async function listDatasets(
  context: Context,
  input: { projectId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: Dataset[]; nextCursor: string | null }> {
  return await context.transaction(async (transaction) => {
    await requireProject(transaction, input.projectId);
    const rows = await listDatasetRows(transaction, input.projectId, {
      limit: input.limit,
      after: readCursor(input.cursor),
    });
    const latest = new Map(
      (
        await latestVersions(
          transaction,
          rows.map(({ id }) => id),
        )
      ).map((version) => [version.datasetId, version]),
    );
    return pageOf(
      rows,
      input.limit,
      (row) => row.id,
      (row) => showDataset(row, latest.get(row.id)),
    );
  });
}

/** One dataset. Throws `not-found`. */
export async function getDataset(context: Context, datasetId: string): Promise<Dataset> {
  return await context.transaction(async (transaction) => {
    const row = await requireDataset(transaction, datasetId);
    const [latest] = await latestVersions(transaction, [datasetId]);
    return showDataset(row, latest);
  });
}

/** Deletes a dataset; models made from it stay. Throws `wrong-state` while a version is being imported. */
export async function deleteDataset(context: Context, datasetId: string): Promise<void> {
  await context.transaction(async (transaction) => {
    const row = await requireDataset(transaction, datasetId, { lock: true });
    const [importing] = await latestVersions(transaction, [datasetId], 'importing');
    if (importing)
      throw new Problem(
        'wrong-state',
        `Version ${importing.number} is being imported; wait for it, or cancel its job.`,
      );
    await dropDataset(transaction, datasetId);
    await context.audit(transaction, {
      action: 'dataset:write',
      subjectId: datasetId,
      details: { deleted: row.name },
    });
  });
}

/** The versions of a dataset, newest first. */
export async function listDatasetVersions(
  context: Context,
  input: { datasetId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: DatasetVersion[]; nextCursor: string | null }> {
  return await context.transaction(async (transaction) => {
    await requireDataset(transaction, input.datasetId);
    const rows = await listVersionRows(transaction, input.datasetId, {
      limit: input.limit,
      after: readCursor(input.cursor),
    });
    return pageOf(rows, input.limit, (row) => row.id, showVersion);
  });
}

/** One version. Throws `not-found`. */
export async function getDatasetVersion(context: Context, versionId: string): Promise<DatasetVersion> {
  return showVersion(await context.transaction((transaction) => requireVersion(transaction, versionId)));
}

/** A version that can be read. Throws `not-found`, or `wrong-state` while it is imported or when that failed. */
export async function requireReadyVersion(context: Context, versionId: string): Promise<ReadyVersion> {
  return await context.transaction(async (transaction) => {
    const row = await requireVersion(transaction, versionId);
    if (
      !isReadable(row.state) ||
      row.contentSha256 === null ||
      row.rowCount === null ||
      row.profileJobId === null
    ) {
      const reason = row.state === 'failed' ? 'its import failed' : 'it is still being imported';
      throw new Problem('wrong-state', `The dataset version cannot be read: ${reason}.`);
    }
    const owner = await requireDataset(transaction, row.datasetId);
    const { id, datasetId, projectId, number, rowCount, columns, contentSha256, profileJobId } = row;
    return {
      id,
      datasetId,
      datasetName: owner.name,
      projectId,
      number,
      rowCount,
      columns,
      contentSha256,
      profileJobId,
    };
  });
}

/** A local path of a version's Parquet content. Throws what {@link requireReadyVersion} throws. */
export async function datasetContentPath(context: Context, versionId: string): Promise<string> {
  const { contentSha256 } = await requireReadyVersion(context, versionId);
  return await context.blobs.localPath(contentSha256);
}

/** Bytes that the datasets of each workspace keep: what storage is metered by; in a system transaction. */
export async function storedDatasetBytes(
  transaction: Transaction,
): Promise<{ workspaceId: string; sizeBytes: number }[]> {
  return await storedBytesByWorkspace(transaction);
}

/** Every blob that uploads and versions refer to; in a system transaction. */
export async function datasetBlobs(transaction: Transaction): Promise<string[]> {
  return await referencedBlobs(transaction);
}

/** A file that was uploaded whole, for a stage that reads it itself. Throws `not-found` or `wrong-state`. */
export async function uploadedFile(
  context: Context,
  projectId: string,
  uploadId: string,
): Promise<{
  fileName: string;
  sizeBytes: number;
  /** The blobs that hold it, in order; they are kept as long as the upload. */
  parts: SourcePart[];
  stream: AsyncIterable<Uint8Array>;
}> {
  const { row, parts } = await context.transaction((transaction) =>
    completedParts(transaction, projectId, uploadId),
  );
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (const { sha256 } of parts) yield* await context.blobs.open(sha256);
  }
  return { fileName: row.fileName, sizeBytes: row.receivedBytes, parts, stream: stream() };
}

/** Forgets uploads that nobody finished in time, in all workspaces; their parts are collected later. */
export async function forgetExpiredUploads({
  database,
  clock,
}: Pick<Context, 'database' | 'clock'>): Promise<void> {
  await database.asSystem('forget expired uploads', (transaction) =>
    dropExpiredUploads(transaction, new Date(clock.nowMs())),
  );
}

async function requireDataset(
  transaction: Transaction,
  datasetId: string,
  options: { lock?: boolean } = {},
): Promise<DatasetRow> {
  const row = await findDataset(transaction, datasetId, options);
  if (!row) throw new Problem('not-found', `There is no dataset ${datasetId}.`);
  return row;
}

async function requireVersion(transaction: Transaction, versionId: string): Promise<VersionRow> {
  const row = await findVersion(transaction, versionId);
  if (!row) throw new Problem('not-found', `There is no dataset version ${versionId}.`);
  return row;
}

function showDataset(row: DatasetRow, latest: VersionRow | undefined): Dataset {
  const { id, projectId, name, createdAt } = row;
  return {
    id,
    projectId,
    name,
    createdAt: toIso(createdAt.getTime()),
    latestVersion: latest ? showVersion(latest) : null,
  };
}

function showVersion(row: VersionRow): DatasetVersion {
  const {
    id,
    datasetId,
    number,
    state,
    jobId,
    sourceLabel,
    options,
    columns,
    rowCount,
    sizeBytes,
    contentSha256,
    profileJobId,
    warnings,
    problem,
  } = row;
  const shown = {
    id,
    datasetId,
    number,
    state,
    jobId,
    sourceLabel,
    columns,
    rowCount,
    sizeBytes,
    contentSha256,
    profileJobId,
    warnings,
    problem,
  };
  return { ...shown, options: state === 'ready' ? options : {}, createdAt: toIso(row.createdAt.getTime()) };
}

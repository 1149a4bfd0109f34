// Versions that are made here instead of imported: a stage hands over finished Parquet content, such as a batch its answers.
import type { Context } from '../../platform/context.ts';
import type { BlobInfo } from '../../platform/ports/blobs.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { DatasetColumn } from './data.ts';
import { startProfile } from './jobs.ts';
import { addDataset, addVersion, findDataset, findDatasetNamed, updateVersion } from './rows.ts';

export interface MadeContent {
  projectId: string;
  /** Of the dataset that gets the version; made when the project has none of that name. */
  datasetName: string;
  /** What it was made from, for people. */
  label: string;
  /** The job that made it. */
  jobId: string;
  content: BlobInfo;
  columns: DatasetColumn[];
  rowCount: number;
}

/** Adds a ready version with `made` as its content, and starts describing it. */
export async function addMadeVersion(
  context: Context,
  transaction: Transaction,
  made: MadeContent,
): Promise<{ datasetId: string; versionId: string }> {
  const { projectId, datasetName: name, label, jobId, content, columns, rowCount } = made;
  const owned = { workspaceId: context.workspaceId, projectId, createdAt: new Date(context.clock.nowMs()) };
  const known =
    (await addDataset(transaction, { ...owned, id: context.newId('dataset'), name })) ??
    (await findDatasetNamed(transaction, projectId, name))!;
  // Its versions are numbered one after the other.
  await findDataset(transaction, known.id, { lock: true });
  const versionId = context.newId('datasetVersion');
  const row = await addVersion(transaction, {
    ...owned,
    id: versionId,
    datasetId: known.id,
    state: 'ready',
    jobId,
    // Whoever made it has paid.
    reservationId: '',
    source: { kind: 'version', versionId },
    sourceLabel: label,
    sourceParts: null,
    options: { format: 'parquet' },
    columns,
    rowCount,
    contentSha256: content.sha256,
    sizeBytes: content.sizeBytes,
    warnings: [],
  });
  await updateVersion(transaction, versionId, {
    profileJobId: await startProfile(context, transaction, row),
  });
  await context.publish(transaction, {
    name: 'dataset-version-ready',
    projectId,
    data: { versionId, datasetId: known.id, number: row.number },
  });
  return { datasetId: known.id, versionId };
}

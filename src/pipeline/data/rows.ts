// Queries of the tables of data: uploads and their parts, datasets, and their versions.
import { and, asc, desc, eq, getTableColumns, inArray, lt, max, sql } from 'drizzle-orm';
import { bigint, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { ProblemDocument } from '../../base/problems.ts';
import type { DatasetProfile, ImportOptions, ImportSource } from '../../contract/dataset.ts';
import { tenantColumns, tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { DatasetColumn } from './data.ts';
import type { VersionState } from './states.ts';

export const uploads = pgTable(
  'uploads',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    fileName: text('file_name').notNull(),
    /** As announced; null when the sender did not know. */
    sizeBytes: bigint('size_bytes', { mode: 'number' }),
    receivedBytes: bigint('received_bytes', { mode: 'number' }).notNull(),
    expiresAt: time('expires_at').notNull(),
  },
  () => tenantPolicies('project'),
);

/** What arrived, piece by piece: each part is a blob, so any server can take the next one. */
export const uploadParts = pgTable(
  'upload_parts',
  {
    workspaceId: text('workspace_id').notNull(),
    projectId: text('project_id').notNull(),
    uploadId: text('upload_id').notNull(),
    offset: bigint('offset', { mode: 'number' }).notNull(),
    sha256: text('sha256').notNull(),
    sizeBytes: bigint('size_bytes', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.uploadId, table.offset] }), ...tenantPolicies('project')],
);

export const datasets = pgTable(
  'datasets',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    name: text('name').notNull(),
  },
  (table) => [uniqueIndex('datasets_name').on(table.projectId, table.name), ...tenantPolicies('project')],
);

export const datasetVersions = pgTable(
  'dataset_versions',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    datasetId: text('dataset_id').notNull(),
    number: integer('number').notNull(),
    state: text('state').$type<VersionState>().notNull(),
    jobId: text('job_id').notNull(),
    reservationId: text('reservation_id').notNull(),
    source: jsonb('source').$type<ImportSource>().notNull(),
    sourceLabel: text('source_label').notNull(),
    /** The kept source, part by part; null until it has been fetched. */
    sourceParts: jsonb('source_parts').$type<SourcePart[]>(),
    /** As given until the version is ready, then what the file was read with. */
    options: jsonb('options').$type<ImportOptions>().notNull(),
    columns: jsonb('columns').$type<DatasetColumn[]>().notNull(),
    rowCount: bigint('row_count', { mode: 'number' }),
    contentSha256: text('content_sha256'),
    sizeBytes: bigint('size_bytes', { mode: 'number' }),
    /** The job that describes it; null until it is ready. */
    profileJobId: text('profile_job_id'),
    profile: jsonb('profile').$type<DatasetProfile>(),
    warnings: jsonb('warnings').$type<string[]>().notNull(),
    problem: jsonb('problem').$type<ProblemDocument>(),
  },
  (table) => [
    uniqueIndex('dataset_versions_number').on(table.datasetId, table.number),
    ...tenantPolicies('project'),
  ],
);

export interface SourcePart {
  sha256: string;
  sizeBytes: number;
}

export type UploadRow = typeof uploads.$inferSelect;
export type DatasetRow = typeof datasets.$inferSelect;
/** A version without its profile, which is large and read on its own. */
export type VersionRow = Omit<typeof datasetVersions.$inferSelect, 'profile'>;
type Page = { limit: number; after: string | undefined };

const { profile: _profile, ...versionColumns } = getTableColumns(datasetVersions);

export async function addUpload(
  transaction: Transaction,
  row: typeof uploads.$inferInsert,
): Promise<UploadRow> {
  const [added] = await transaction.insert(uploads).values(row).returning();
  return added!;
}

/** One upload; `lock` lets one append after the other. */
export async function findUpload(
  transaction: Transaction,
  uploadId: string,
  options: { lock?: boolean } = {},
): Promise<UploadRow | undefined> {
  const query = transaction.select().from(uploads).where(eq(uploads.id, uploadId));
  const [row] = options.lock ? await query.for('update') : await query;
  return row;
}

/** Adds a part and moves the upload's end. */
export async function addPart(
  transaction: Transaction,
  upload: UploadRow,
  part: SourcePart,
): Promise<UploadRow> {
  const { workspaceId, projectId, id, receivedBytes } = upload;
  await transaction
    .insert(uploadParts)
    .values({ workspaceId, projectId, uploadId: id, offset: receivedBytes, ...part });
  const [moved] = await transaction
    .update(uploads)
    .set({ receivedBytes: receivedBytes + part.sizeBytes })
    .where(eq(uploads.id, id))
    .returning();
  return moved!;
}

/** The parts of an upload, in order. */
export async function partsOf(transaction: Transaction, uploadId: string): Promise<SourcePart[]> {
  return await transaction
    .select({ sha256: uploadParts.sha256, sizeBytes: uploadParts.sizeBytes })
    .from(uploadParts)
    .where(eq(uploadParts.uploadId, uploadId))
    .orderBy(asc(uploadParts.offset));
}

/** Forgets uploads that nobody finished in time, in all workspaces. */
export async function dropExpiredUploads(transaction: Transaction, now: Date): Promise<void> {
  const expired = await transaction
    .delete(uploads)
    .where(lt(uploads.expiresAt, now))
    .returning({ id: uploads.id });
  const ids = expired.map(({ id }) => id);
  if (ids.length > 0) await transaction.delete(uploadParts).where(inArray(uploadParts.uploadId, ids));
}

/** Adds a dataset; undefined when the project has one of that name. */
export async function addDataset(
  transaction: Transaction,
  row: typeof datasets.$inferInsert,
): Promise<DatasetRow | undefined> {
  const [added] = await transaction.insert(datasets).values(row).onConflictDoNothing().returning();
  return added;
}

/** One dataset; `lock` lets its versions be numbered one after the other. */
export async function findDataset(
  transaction: Transaction,
  datasetId: string,
  options: { lock?: boolean } = {},
): Promise<DatasetRow | undefined> {
  const query = transaction.select().from(datasets).where(eq(datasets.id, datasetId));
  const [row] = options.lock ? await query.for('update') : await query;
  return row;
}

export async function findDatasetNamed(
  transaction: Transaction,
  projectId: string,
  name: string,
): Promise<DatasetRow | undefined> {
  const [row] = await transaction
    .select()
    .from(datasets)
    .where(and(eq(datasets.projectId, projectId), eq(datasets.name, name)));
  return row;
}

export async function listDatasetRows(
  transaction: Transaction,
  projectId: string,
  page: Page,
): Promise<DatasetRow[]> {
  return await transaction
    .select()
    .from(datasets)
    .where(
      and(
        eq(datasets.projectId, projectId),
        page.after === undefined ? undefined : lt(datasets.id, page.after),
      ),
    )
    .orderBy(desc(datasets.id))
    .limit(page.limit + 1);
}

/** Deletes a dataset with its versions. */
export async function dropDataset(transaction: Transaction, datasetId: string): Promise<void> {
  await transaction.delete(datasetVersions).where(eq(datasetVersions.datasetId, datasetId));
  await transaction.delete(datasets).where(eq(datasets.id, datasetId));
}

/** Adds a version with the next number of its dataset, whose row the transaction has locked. */
export async function addVersion(
  transaction: Transaction,
  row: Omit<typeof datasetVersions.$inferInsert, 'number'>,
): Promise<VersionRow> {
  const [last] = await transaction
    .select({ number: max(datasetVersions.number) })
    .from(datasetVersions)
    .where(eq(datasetVersions.datasetId, row.datasetId));
  const [added] = await transaction
    .insert(datasetVersions)
    .values({ ...row, number: (last?.number ?? 0) + 1 })
    .returning(versionColumns);
  return added!;
}

export async function findVersion(
  transaction: Transaction,
  versionId: string,
): Promise<VersionRow | undefined> {
  const [row] = await transaction
    .select(versionColumns)
    .from(datasetVersions)
    .where(eq(datasetVersions.id, versionId));
  return row;
}

export async function findProfile(
  transaction: Transaction,
  versionId: string,
): Promise<DatasetProfile | null | undefined> {
  const [row] = await transaction
    .select({ profile: datasetVersions.profile })
    .from(datasetVersions)
    .where(eq(datasetVersions.id, versionId));
  return row?.profile;
}

export async function updateVersion(
  transaction: Transaction,
  versionId: string,
  change: Partial<typeof datasetVersions.$inferInsert>,
): Promise<void> {
  await transaction.update(datasetVersions).set(change).where(eq(datasetVersions.id, versionId));
}

export async function listVersionRows(
  transaction: Transaction,
  datasetId: string,
  page: Page,
): Promise<VersionRow[]> {
  return await transaction
    .select(versionColumns)
    .from(datasetVersions)
    .where(
      and(
        eq(datasetVersions.datasetId, datasetId),
        page.after === undefined ? undefined : lt(datasetVersions.id, page.after),
      ),
    )
    .orderBy(desc(datasetVersions.id))
    .limit(page.limit + 1);
}

/** The newest version of each dataset; with a state, the newest in that state. */
export async function latestVersions(
  transaction: Transaction,
  datasetIds: string[],
  state?: VersionState,
): Promise<VersionRow[]> {
  if (datasetIds.length === 0) return [];
  return await transaction
    .selectDistinctOn([datasetVersions.datasetId], versionColumns)
    .from(datasetVersions)
    .where(
      and(
        inArray(datasetVersions.datasetId, datasetIds),
        state === undefined ? undefined : eq(datasetVersions.state, state),
      ),
    )
    .orderBy(datasetVersions.datasetId, desc(datasetVersions.number));
}

/** The newest ready version of every dataset of a project, with the dataset's name: the tables of a query. */
export async function queryableVersions(
  transaction: Transaction,
  projectId: string,
): Promise<{ name: string; contentSha256: string }[]> {
  const rows = await transaction
    .selectDistinctOn([datasetVersions.datasetId], {
      name: datasets.name,
      contentSha256: datasetVersions.contentSha256,
    })
    .from(datasetVersions)
    .innerJoin(datasets, eq(datasets.id, datasetVersions.datasetId))
    .where(and(eq(datasets.projectId, projectId), eq(datasetVersions.state, 'ready')))
    .orderBy(datasetVersions.datasetId, desc(datasetVersions.number));
  return rows.flatMap(({ name, contentSha256 }) => (contentSha256 === null ? [] : [{ name, contentSha256 }]));
}

/** Bytes that datasets keep for each workspace: content and sources, each version counted. */
export async function storedBytesByWorkspace(
  transaction: Transaction,
): Promise<{ workspaceId: string; sizeBytes: number }[]> {
  const source = sql`(select coalesce(sum((part ->> 'sizeBytes')::bigint), 0) from jsonb_array_elements(coalesce(${datasetVersions.sourceParts}, '[]'::jsonb)) part)`;
  const rows = await transaction
    .select({
      workspaceId: datasetVersions.workspaceId,
      sizeBytes: sql<string>`sum(coalesce(${datasetVersions.sizeBytes}, 0) + ${source})`,
    })
    .from(datasetVersions)
    .groupBy(datasetVersions.workspaceId);
  return rows.map(({ workspaceId, sizeBytes }) => ({ workspaceId, sizeBytes: Number(sizeBytes) }));
}

/** Every blob that uploads and versions refer to, in all workspaces. */
export async function referencedBlobs(transaction: Transaction): Promise<string[]> {
  const parts = await transaction.selectDistinct({ sha256: uploadParts.sha256 }).from(uploadParts);
  const versions = await transaction
    .select({ contentSha256: datasetVersions.contentSha256, sourceParts: datasetVersions.sourceParts })
    .from(datasetVersions);
  return [
    ...parts.map(({ sha256 }) => sha256),
    ...versions.flatMap(({ contentSha256, sourceParts }) => [
      ...(contentSha256 === null ? [] : [contentSha256]),
      ...(sourceParts ?? []).map(({ sha256 }) => sha256),
    ]),
  ];
}

// Queries of the table `batches`.
import { and, desc, eq, inArray, isNotNull, lt, notInArray, sql } from 'drizzle-orm';
import { bigint, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import type { ProblemDocument } from '../../base/problems.ts';
import type { BatchOutput } from '../../contract/batch.ts';
import type { JobState } from '../../contract/job.ts';
import { tenantColumns, tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { StoredCallback } from './callback.ts';
import type { StoredInput } from './inputs.ts';
import type { RowProblem } from './part-writer.ts';

export const batches = pgTable(
  'batches',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    jobId: text('job_id').notNull(),
    state: text('state').$type<JobState>().notNull(),
    /** What is read; its blobs are kept until the batch has ended, whatever becomes of where they came from. */
    input: jsonb('input').$type<StoredInput>().notNull(),
    inputLabel: text('input_label').notNull(),
    endpointId: text('endpoint_id'),
    modelVersionId: text('model_version_id').notNull(),
    /** Kept beside the id, so that lists need not ask. */
    modelName: text('model_name').notNull(),
    versionNumber: integer('version_number').notNull(),
    output: jsonb('output').$type<BatchOutput>().notNull(),
    /** Of the input, as they stand before the answers. */
    keptColumns: jsonb('kept_columns').$type<string[]>().notNull(),
    rowCount: bigint('row_count', { mode: 'number' }).notNull(),
    answeredRowCount: bigint('answered_row_count', { mode: 'number' }),
    problems: jsonb('problems').$type<RowProblem[]>().notNull(),
    warnings: jsonb('warnings').$type<string[]>().notNull(),
    fileSha256: text('file_sha256'),
    fileSizeBytes: bigint('file_size_bytes', { mode: 'number' }),
    datasetId: text('dataset_id'),
    datasetVersionId: text('dataset_version_id'),
    reservationId: text('reservation_id').notNull(),
    /** The API key whose caps apply, if one asked. */
    payingKeyId: text('paying_key_id'),
    reservedMicroUsd: bigint('reserved_micro_usd', { mode: 'number' }).notNull(),
    chargedMicroUsd: bigint('charged_micro_usd', { mode: 'number' }),
    callback: jsonb('callback').$type<StoredCallback>(),
    problem: jsonb('problem').$type<ProblemDocument>(),
    startedAt: time('started_at'),
    finishedAt: time('finished_at'),
  },
  () => tenantPolicies('project'),
);

export type BatchRow = typeof batches.$inferSelect;

const ended: JobState[] = ['succeeded', 'failed', 'cancelled'];

export async function addBatch(
  transaction: Transaction,
  row: typeof batches.$inferInsert,
): Promise<BatchRow> {
  const [added] = await transaction.insert(batches).values(row).returning();
  return added!;
}

/** One batch; `lock` lets nobody else change it until the transaction ends. */
export async function findBatch(
  transaction: Transaction,
  batchId: string,
  options: { lock?: boolean } = {},
): Promise<BatchRow | undefined> {
  const query = transaction.select().from(batches).where(eq(batches.id, batchId));
  const [row] = options.lock ? await query.for('update') : await query;
  return row;
}

export async function updateBatch(
  transaction: Transaction,
  batchId: string,
  change: Partial<typeof batches.$inferInsert>,
): Promise<void> {
  await transaction.update(batches).set(change).where(eq(batches.id, batchId));
}

export async function dropBatch(transaction: Transaction, batchId: string): Promise<void> {
  await transaction.delete(batches).where(eq(batches.id, batchId));
}

/** Newest first. */
export async function listBatchRows(
  transaction: Transaction,
  projectId: string,
  wanted: {
    limit: number;
    after: string | undefined;
    endpointId: string | undefined;
    modelVersionId: string | undefined;
  },
): Promise<BatchRow[]> {
  const { limit, after, endpointId, modelVersionId } = wanted;
  return await transaction
    .select()
    .from(batches)
    .where(
      and(
        eq(batches.projectId, projectId),
        after === undefined ? undefined : lt(batches.id, after),
        endpointId === undefined ? undefined : eq(batches.endpointId, endpointId),
        modelVersionId === undefined ? undefined : eq(batches.modelVersionId, modelVersionId),
      ),
    )
    .orderBy(desc(batches.id))
    .limit(limit + 1);
}

/** Bytes of the files of each workspace. */
export async function storedBytesByWorkspace(
  transaction: Transaction,
): Promise<{ workspaceId: string; sizeBytes: number }[]> {
  const rows = await transaction
    .select({ workspaceId: batches.workspaceId, sizeBytes: sql<string>`sum(${batches.fileSizeBytes})` })
    .from(batches)
    .where(isNotNull(batches.fileSizeBytes))
    .groupBy(batches.workspaceId);
  return rows.map(({ workspaceId, sizeBytes }) => ({ workspaceId, sizeBytes: Number(sizeBytes) }));
}

/** Every blob that batches refer to, in all workspaces: files of those that ended, inputs of those that did not. */
export async function referencedBlobs(transaction: Transaction): Promise<string[]> {
  const files = await transaction
    .select({ sha256: batches.fileSha256 })
    .from(batches)
    .where(and(isNotNull(batches.fileSha256), inArray(batches.state, ended)));
  const inputs = await transaction
    .select({ input: batches.input })
    .from(batches)
    .where(notInArray(batches.state, ended));
  return [
    ...files.map(({ sha256 }) => sha256!),
    ...inputs.flatMap(({ input }) => input.parts.map(({ sha256 }) => sha256)),
  ];
}

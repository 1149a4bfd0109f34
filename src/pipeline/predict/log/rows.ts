// Queries of the log's tables: which Parquet parts there are, what each server has not made into parts yet, and which
// segments were made into parts but may still lie on a disk.
import { and, asc, count, eq, gte, inArray, lte, max, min, sql, sum } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { tenantColumns, tenantPolicies, time } from '../../../platform/database/table.ts';
import type { Transaction } from '../../../platform/ports/database.ts';
import type { FieldColumn } from './layout.ts';

export const logParts = pgTable(
  'prediction_log_parts',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    kind: text('kind').$type<'predictions' | 'outcomes'>().notNull(),
    contentSha256: text('content_sha256').notNull(),
    sizeBytes: bigint('size_bytes', { mode: 'number' }).notNull(),
    rowCount: integer('row_count').notNull(),
    /** Times of the predictions in it, or of those that its outcomes are about. */
    fromTime: time('from_time').notNull(),
    toTime: time('to_time').notNull(),
    /** Ids sort by time: who looks for one prediction leaves out most parts. */
    firstRequestId: text('first_request_id').notNull(),
    lastRequestId: text('last_request_id').notNull(),
    /** All rows of a part of predictions are of one deployment; outcomes have none. */
    deploymentId: text('deployment_id'),
    /** Answers of shadows lie in parts of their own, which only those read who ask for them. */
    role: text('role').$type<'live' | 'shadow'>().notNull().default('live'),
    revision: integer('revision'),
    modelVersionId: text('model_version_id'),
    columns: jsonb('columns').$type<FieldColumn[]>().notNull(),
  },
  (table) => [
    index('prediction_log_parts_time').on(table.endpointId, table.kind, table.toTime),
    ...tenantPolicies('project'),
  ],
);

/** What one server has of an endpoint besides parts. */
export const logServers = pgTable(
  'prediction_log_servers',
  {
    serverId: text('server_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    workspaceId: text('workspace_id').notNull(),
    projectId: text('project_id').notNull(),
    /** Rows in memory and in segments. */
    pendingRowCount: bigint('pending_row_count', { mode: 'number' }).notNull(),
    /** Rows that could not be kept, ever. */
    lostRowCount: bigint('lost_row_count', { mode: 'number' }).notNull(),
    lostAt: time('lost_at'),
    updatedAt: time('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.endpointId, table.serverId] }), ...tenantPolicies('project')],
);

/** Segments whose rows are in a part: whoever still finds their file removes it. */
export const convertedSegments = pgTable('prediction_log_segments', {
  id: text('id').primaryKey(),
  convertedAt: time('converted_at').notNull(),
});

/** Asks all servers to make parts of what they hold of the endpoint in the payload. */
export const flushChannel = 'pilvi_prediction_log';

export type PartRow = typeof logParts.$inferSelect;
export type ServerRow = typeof logServers.$inferSelect;

/** What limits a reading of parts. */
export interface PartRange {
  from?: Date | undefined;
  to?: Date | undefined;
  modelVersionId?: string | undefined;
  /** Of predictions: those that were given, unless told otherwise, or those of shadows. */
  role?: 'live' | 'shadow' | undefined;
  /** Only parts that may hold one of these request ids, or those in between. */
  requestIds?: { first: string; last: string } | undefined;
}

/** The parts of an endpoint that may hold something of `range`, oldest first. */
export async function findParts(
  transaction: Transaction,
  endpointId: string,
  kind: PartRow['kind'],
  range: PartRange = {},
): Promise<PartRow[]> {
  const { from, to, modelVersionId, role = 'live', requestIds } = range;
  return await transaction
    .select()
    .from(logParts)
    .where(
      and(
        eq(logParts.endpointId, endpointId),
        eq(logParts.kind, kind),
        eq(logParts.role, kind === 'outcomes' ? 'live' : role),
        from && gte(logParts.toTime, from),
        to && lte(logParts.fromTime, to),
        modelVersionId === undefined ? undefined : eq(logParts.modelVersionId, modelVersionId),
        requestIds && lte(logParts.firstRequestId, requestIds.last),
        requestIds && gte(logParts.lastRequestId, requestIds.first),
      ),
    )
    .orderBy(asc(logParts.fromTime), asc(logParts.id));
}

export async function addPart(transaction: Transaction, row: typeof logParts.$inferInsert): Promise<void> {
  await transaction.insert(logParts).values(row);
}

/** Removes parts that another takes the place of; returns how many were still there. */
export async function dropParts(transaction: Transaction, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  return (
    await transaction
      .delete(logParts)
      .where(inArray(logParts.id, [...ids]))
      .returning({ id: logParts.id })
  ).length;
}

/** What the parts of an endpoint hold in all. */
export async function partTotals(
  transaction: Transaction,
  endpointId: string,
): Promise<
  { kind: PartRow['kind']; rowCount: number; sizeBytes: number; from: Date | null; to: Date | null }[]
> {
  return await transaction
    .select({
      kind: logParts.kind,
      rowCount: sum(logParts.rowCount).mapWith(Number),
      sizeBytes: sum(logParts.sizeBytes).mapWith(Number),
      from: min(logParts.fromTime),
      to: max(logParts.toTime),
    })
    .from(logParts)
    .where(eq(logParts.endpointId, endpointId))
    .groupBy(logParts.kind);
}

/** Says what a server holds; its losses are added to those told before. */
export async function tellServer(
  transaction: Transaction,
  row: typeof logServers.$inferInsert,
): Promise<void> {
  await transaction
    .insert(logServers)
    .values(row)
    .onConflictDoUpdate({
      target: [logServers.endpointId, logServers.serverId],
      set: {
        pendingRowCount: row.pendingRowCount,
        lostRowCount: sql`${logServers.lostRowCount} + excluded.lost_row_count`,
        lostAt: sql`coalesce(excluded.lost_at, ${logServers.lostAt})`,
        updatedAt: row.updatedAt,
      },
    });
}

/** What servers that are gone held is another's now. */
export async function forgetPending(transaction: Transaction, serverIds: readonly string[]): Promise<void> {
  if (serverIds.length === 0) return;
  await transaction
    .update(logServers)
    .set({ pendingRowCount: 0 })
    .where(inArray(logServers.serverId, [...serverIds]));
}

export async function serversOf(transaction: Transaction, endpointId: string): Promise<ServerRow[]> {
  return await transaction.select().from(logServers).where(eq(logServers.endpointId, endpointId));
}

/** Asks every server to make parts of what it holds of the endpoint. */
export async function askForParts(transaction: Transaction, endpointId: string): Promise<void> {
  await transaction.execute(sql`select pg_notify(${flushChannel}, ${endpointId})`);
}

/** Remembers that the rows of a segment are in a part; false when they were already. */
export async function markConverted(
  transaction: Transaction,
  row: typeof convertedSegments.$inferInsert,
): Promise<boolean> {
  return (
    (await transaction.insert(convertedSegments).values(row).onConflictDoNothing().returning()).length > 0
  );
}

export async function isConverted(transaction: Transaction, segmentId: string): Promise<boolean> {
  const [row] = await transaction
    .select({ found: count() })
    .from(convertedSegments)
    .where(eq(convertedSegments.id, segmentId));
  return row!.found > 0;
}

/** Forgets segments whose files are gone. */
export async function forgetSegment(transaction: Transaction, segmentId: string): Promise<void> {
  await transaction.delete(convertedSegments).where(eq(convertedSegments.id, segmentId));
}

/** Removes everything of an endpoint. */
export async function dropLog(transaction: Transaction, endpointId: string): Promise<void> {
  await transaction.delete(logParts).where(eq(logParts.endpointId, endpointId));
  await transaction.delete(logServers).where(eq(logServers.endpointId, endpointId));
}

/** The endpoints that have parts, over all workspaces. */
export async function loggedEndpoints(transaction: Transaction): Promise<string[]> {
  const rows = await transaction.selectDistinct({ endpointId: logParts.endpointId }).from(logParts);
  return rows.map(({ endpointId }) => endpointId);
}

/** Removes the parts of an endpoint that hold nothing from `oldest` on. */
export async function dropPartsBefore(
  transaction: Transaction,
  endpointId: string,
  oldest: Date,
): Promise<void> {
  await transaction
    .delete(logParts)
    .where(and(eq(logParts.endpointId, endpointId), sql`${logParts.toTime} < ${oldest.toISOString()}`));
}

/** The address of every part, over all workspaces. */
export async function partBlobs(transaction: Transaction): Promise<string[]> {
  const rows = await transaction.selectDistinct({ sha256: logParts.contentSha256 }).from(logParts);
  return rows.map(({ sha256 }) => sha256);
}

/** Bytes of the parts of each workspace. */
export async function partBytesByWorkspace(
  transaction: Transaction,
): Promise<{ workspaceId: string; sizeBytes: number }[]> {
  return await transaction
    .select({ workspaceId: logParts.workspaceId, sizeBytes: sum(logParts.sizeBytes).mapWith(Number) })
    .from(logParts)
    .groupBy(logParts.workspaceId);
}

// Queries of the registry's tables: models, model_versions (immutable) and model_aliases (movable).
import { and, desc, eq, getTableColumns, inArray, lt, max, sql, sum } from 'drizzle-orm';
import { bigint, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { tenantColumns, tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { Lineage, VersionSummary } from './registry.ts';

export const models = pgTable(
  'models',
  { ...tenantColumns, projectId: text('project_id').notNull(), name: text('name').notNull() },
  (table) => [uniqueIndex('models_name').on(table.projectId, table.name), ...tenantPolicies('project')],
);

export const modelVersions = pgTable(
  'model_versions',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    modelId: text('model_id').notNull(),
    number: integer('number').notNull(),
    fileSha256: text('file_sha256').notNull(),
    fileSizeBytes: bigint('file_size_bytes', { mode: 'number' }).notNull(),
    /** What the file says of itself, read once when it was registered. */
    summary: jsonb('summary').$type<VersionSummary>().notNull(),
    lineage: jsonb('lineage').$type<Lineage>(),
  },
  (table) => [
    uniqueIndex('model_versions_number').on(table.modelId, table.number),
    uniqueIndex('model_versions_training').on(sql`(${table.lineage} ->> 'trainingId')`),
    ...tenantPolicies('project', 'append'),
  ],
);

export const modelAliases = pgTable(
  'model_aliases',
  {
    workspaceId: text('workspace_id').notNull(),
    projectId: text('project_id').notNull(),
    modelId: text('model_id').notNull(),
    alias: text('alias').notNull(),
    versionId: text('version_id').notNull(),
    movedAt: time('moved_at').notNull(),
  },
  (table) => [
    uniqueIndex('model_aliases_alias').on(table.modelId, table.alias),
    ...tenantPolicies('project'),
  ],
);

export type ModelRow = typeof models.$inferSelect;
export type VersionRow = typeof modelVersions.$inferSelect;
export type AliasRow = typeof modelAliases.$inferSelect;

export async function findModel(transaction: Transaction, modelId: string): Promise<ModelRow | undefined> {
  const [row] = await transaction.select().from(models).where(eq(models.id, modelId));
  return row;
}

/** The model of that name in the project, made when there is none. Safe when two versions arrive at once. */
export async function ensureModel(
  transaction: Transaction,
  row: typeof models.$inferInsert,
): Promise<ModelRow> {
  await transaction.insert(models).values(row).onConflictDoNothing();
  const [found] = await transaction
    .select()
    .from(models)
    .where(and(eq(models.projectId, row.projectId), eq(models.name, row.name)))
    .for('update');
  return found!;
}

export async function listModelRows(
  transaction: Transaction,
  projectId: string,
  page: { limit: number; after: string | undefined },
): Promise<ModelRow[]> {
  return await transaction
    .select()
    .from(models)
    .where(
      and(eq(models.projectId, projectId), page.after === undefined ? undefined : lt(models.id, page.after)),
    )
    .orderBy(desc(models.id))
    .limit(page.limit + 1);
}

/** Adds a version with the next number of its model, whose row the transaction has locked. */
export async function addVersion(
  transaction: Transaction,
  row: Omit<typeof modelVersions.$inferInsert, 'number'>,
): Promise<VersionRow> {
  const [last] = await transaction
    .select({ number: max(modelVersions.number) })
    .from(modelVersions)
    .where(eq(modelVersions.modelId, row.modelId));
  const [added] = await transaction
    .insert(modelVersions)
    .values({ ...row, number: (last?.number ?? 0) + 1 })
    .returning();
  return added!;
}

export async function findVersion(
  transaction: Transaction,
  versionId: string,
): Promise<VersionRow | undefined> {
  const [row] = await transaction.select().from(modelVersions).where(eq(modelVersions.id, versionId));
  return row;
}

export async function findVersionByNumber(
  transaction: Transaction,
  modelId: string,
  number: number,
): Promise<VersionRow | undefined> {
  const [row] = await transaction
    .select()
    .from(modelVersions)
    .where(and(eq(modelVersions.modelId, modelId), eq(modelVersions.number, number)));
  return row;
}

/** The version that a training made, if its event was delivered before. */
export async function findVersionOfTraining(
  transaction: Transaction,
  trainingId: string,
): Promise<VersionRow | undefined> {
  const [row] = await transaction
    .select()
    .from(modelVersions)
    .where(eq(sql`${modelVersions.lineage} ->> 'trainingId'`, trainingId));
  return row;
}

/** Without the curves and samples of the evaluation and the inputs of ONNX files, which no list shows. */
const { summary: _summary, ...otherColumns } = getTableColumns(modelVersions);
const listedColumns = {
  ...otherColumns,
  summary: sql<VersionSummary>`${modelVersions.summary} #- '{evaluation,rocCurve}'
    #- '{evaluation,precisionRecallCurve}' #- '{evaluation,samples}' #- '{evaluation,residuals}'
    #- '{onnx,signature,inputs}'`,
};

/**
 * Puts the file of a version in the place of the one with another signature, in a system transaction: the one change of a
 * row that is otherwise only added. False when it is not that file any more.
 */
export async function replaceFile(
  transaction: Transaction,
  { versionId, before, after, signer }: { versionId: string; before: string; after: string; signer: string },
): Promise<boolean> {
  const replaced = await transaction
    .update(modelVersions)
    .set({
      fileSha256: after,
      summary: sql`jsonb_set(${modelVersions.summary}, '{signer}', to_jsonb(${signer}::text))`,
    })
    .where(and(eq(modelVersions.id, versionId), eq(modelVersions.fileSha256, before)))
    .returning({ id: modelVersions.id });
  return replaced.length > 0;
}

/** Newest first; the evaluations come without their curves and samples. */
export async function listVersionRows(
  transaction: Transaction,
  modelId: string,
  page: { limit: number; after: string | undefined },
): Promise<VersionRow[]> {
  return await transaction
    .select(listedColumns)
    .from(modelVersions)
    .where(
      and(
        eq(modelVersions.modelId, modelId),
        page.after === undefined ? undefined : lt(modelVersions.id, page.after),
      ),
    )
    .orderBy(desc(modelVersions.id))
    .limit(page.limit + 1);
}

/** The newest version of each of these models, as lists show it. */
export async function latestVersions(transaction: Transaction, modelIds: string[]): Promise<VersionRow[]> {
  if (modelIds.length === 0) return [];
  return await transaction
    .selectDistinctOn([modelVersions.modelId], listedColumns)
    .from(modelVersions)
    .where(inArray(modelVersions.modelId, modelIds))
    .orderBy(modelVersions.modelId, desc(modelVersions.number));
}

export async function aliasesOf(transaction: Transaction, modelIds: string[]): Promise<AliasRow[]> {
  if (modelIds.length === 0) return [];
  return await transaction
    .select()
    .from(modelAliases)
    .where(inArray(modelAliases.modelId, modelIds))
    .orderBy(modelAliases.alias);
}

export async function moveAlias(
  transaction: Transaction,
  row: typeof modelAliases.$inferInsert,
): Promise<void> {
  await transaction
    .insert(modelAliases)
    .values(row)
    .onConflictDoUpdate({
      target: [modelAliases.modelId, modelAliases.alias],
      set: { versionId: row.versionId, movedAt: row.movedAt },
    });
}

/** Removes the alias; false when there was none. */
export async function dropAlias(transaction: Transaction, modelId: string, alias: string): Promise<boolean> {
  const dropped = await transaction
    .delete(modelAliases)
    .where(and(eq(modelAliases.modelId, modelId), eq(modelAliases.alias, alias)))
    .returning();
  return dropped.length > 0;
}

/** Bytes of the model files of each workspace, each file once; in a system transaction. */
export async function storedBytesByWorkspace(
  transaction: Transaction,
): Promise<{ workspaceId: string; sizeBytes: number }[]> {
  const files = transaction
    .selectDistinct({
      workspaceId: modelVersions.workspaceId,
      fileSha256: modelVersions.fileSha256,
      sizeBytes: modelVersions.fileSizeBytes,
    })
    .from(modelVersions)
    .as('files');
  return await transaction
    .select({ workspaceId: files.workspaceId, sizeBytes: sum(files.sizeBytes).mapWith(Number) })
    .from(files)
    .groupBy(files.workspaceId);
}

/** The address of every model file, over all workspaces. */
export async function referencedBlobs(transaction: Transaction): Promise<string[]> {
  const rows = await transaction.selectDistinct({ fileSha256: modelVersions.fileSha256 }).from(modelVersions);
  return rows.map(({ fileSha256 }) => fileSha256);
}

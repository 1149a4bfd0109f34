// Queries of the tables `endpoints` and `deployments`. Deployments are only ever added: an endpoint points at one
// revision, the set of deployments that share its traffic now; earlier revisions are its history.
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, real, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { ModelField } from '../registry/registry.ts';
import { tenantColumns, tenantPolicies } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';

export const endpoints = pgTable(
  'endpoints',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    name: text('name').notNull(),
    /** The revision that answers; raised by each deployment. */
    revision: integer('revision').notNull(),
    /** What the answering model takes, kept here so that forms need not open it. */
    fields: jsonb('fields').$type<ModelField[]>().notNull(),
    predictionCount: bigint('prediction_count', { mode: 'number' }).notNull(),
  },
  (table) => [uniqueIndex('endpoints_name').on(table.projectId, table.name), ...tenantPolicies('project')],
);

export const deployments = pgTable(
  'deployments',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    revision: integer('revision').notNull(),
    modelVersionId: text('model_version_id').notNull(),
    modelName: text('model_name').notNull(),
    versionNumber: integer('version_number').notNull(),
    trafficShare: real('traffic_share').notNull(),
  },
  (table) => [
    index('deployments_revision').on(table.endpointId, table.revision),
    ...tenantPolicies('project'),
  ],
);

export type EndpointRow = typeof endpoints.$inferSelect;
export type DeploymentRow = typeof deployments.$inferSelect;

/** Adds an endpoint; undefined when the project has one of that name. */
export async function addEndpoint(
  transaction: Transaction,
  row: typeof endpoints.$inferInsert,
): Promise<EndpointRow | undefined> {
  const [added] = await transaction.insert(endpoints).values(row).onConflictDoNothing().returning();
  return added;
}

export async function addDeployments(
  transaction: Transaction,
  rows: (typeof deployments.$inferInsert)[],
): Promise<void> {
  await transaction.insert(deployments).values(rows);
}

/** One endpoint; `lock` keeps others from deploying to it until the transaction ends. */
export async function findEndpoint(
  transaction: Transaction,
  endpointId: string,
  options: { lock?: boolean } = {},
): Promise<EndpointRow | undefined> {
  const query = transaction.select().from(endpoints).where(eq(endpoints.id, endpointId));
  const [row] = options.lock ? await query.for('update') : await query;
  return row;
}

export async function listEndpointRows(
  transaction: Transaction,
  projectId: string,
  page: { limit: number; after: string | undefined },
): Promise<EndpointRow[]> {
  return await transaction
    .select()
    .from(endpoints)
    .where(
      and(
        eq(endpoints.projectId, projectId),
        page.after === undefined ? undefined : lt(endpoints.id, page.after),
      ),
    )
    .orderBy(desc(endpoints.id))
    .limit(page.limit + 1);
}

/** The deployments of one revision, largest share first. */
export async function deploymentsOf(
  transaction: Transaction,
  endpointId: string,
  revision: number,
): Promise<DeploymentRow[]> {
  return await transaction
    .select()
    .from(deployments)
    .where(and(eq(deployments.endpointId, endpointId), eq(deployments.revision, revision)))
    .orderBy(desc(deployments.trafficShare), deployments.id);
}

/** Points the endpoint at a revision. */
export async function pointAtRevision(
  transaction: Transaction,
  endpointId: string,
  change: { revision: number; fields: ModelField[] },
): Promise<void> {
  await transaction.update(endpoints).set(change).where(eq(endpoints.id, endpointId));
}

/** Removes an endpoint with its history. */
export async function dropEndpoint(transaction: Transaction, endpointId: string): Promise<void> {
  await transaction.delete(deployments).where(eq(deployments.endpointId, endpointId));
  await transaction.delete(endpoints).where(eq(endpoints.id, endpointId));
}

/** Adds to the count of predictions that an endpoint answered. */
export async function addPredictionCount(
  transaction: Transaction,
  endpointId: string,
  count: number,
): Promise<void> {
  await transaction
    .update(endpoints)
    .set({ predictionCount: sql`${endpoints.predictionCount} + ${count}` })
    .where(eq(endpoints.id, endpointId));
}

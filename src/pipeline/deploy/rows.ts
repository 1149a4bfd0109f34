// Queries of the tables `endpoints` and `deployments`. Deployments are only ever added: an endpoint points at one
// revision, the set of deployments that share its traffic now; earlier revisions are its history.
import { and, desc, eq, inArray, lt, or, sql } from 'drizzle-orm';
import {
  bigint,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { LogSettings, ServingSettings } from '../../contract/endpoint.ts';
import type { ModelField } from '../registry/registry.ts';
import { tenantColumns, tenantPolicies } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';

const isKeptReady = sql`serving->>'minReplicas' <> '0'`;

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
    /** What is kept of the predictions. */
    log: jsonb('log').$type<LogSettings>().notNull(),
    /** Where its models answer, and how many replicas they have. */
    serving: jsonb('serving').$type<ServingSettings>().notNull(),
    /** Raised by every change that those who answer must know of: deployments, settings of the log and of serving. */
    changeCount: integer('change_count').notNull(),
    /** The release that moves this endpoint's traffic now: nobody else may deploy. */
    heldBy: text('held_by'),
  },
  (table) => [
    uniqueIndex('endpoints_name').on(table.projectId, table.name),
    // Few endpoints have replicas that are always ready, and every server asks for them again and again.
    index('endpoints_kept_ready').on(table.id).where(isKeptReady),
    ...tenantPolicies('project'),
  ],
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
    /** `live` answers; `shadow` is asked copies of requests, and nobody sees its answers. */
    role: text('role').$type<DeploymentRole>().notNull().default('live'),
    /** Of the traffic, or of the requests that are copied. */
    trafficShare: doublePrecision('traffic_share').notNull(),
  },
  (table) => [
    index('deployments_revision').on(table.endpointId, table.revision),
    ...tenantPolicies('project'),
  ],
);

/** How the requests of each deployment ended, added up by all servers. */
export const deploymentCounts = pgTable(
  'deployment_counts',
  {
    deploymentId: text('deployment_id').primaryKey(),
    workspaceId: text('workspace_id').notNull(),
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    requestCount: bigint('request_count', { mode: 'number' }).notNull(),
    errorCount: bigint('error_count', { mode: 'number' }).notNull(),
    /** Answered requests by how long they took: one count for each of `latencyEdgesMs`, and one for all above. */
    latencyCounts: bigint('latency_counts', { mode: 'number' }).array().notNull(),
  },
  (table) => [index('deployment_counts_endpoint').on(table.endpointId), ...tenantPolicies('project')],
);

/** Tells which endpoint has changed, once the change is committed. */
export const endpointsChannel = 'pilvi_endpoints';

export type EndpointRow = typeof endpoints.$inferSelect;
export type DeploymentRole = 'live' | 'shadow';
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

/** Endpoints of every project that the caller reaches, oldest first: those of a name, of a project, or all. */
export async function findEndpointRows(
  transaction: Transaction,
  { name, projectId, limit }: { name: string | undefined; projectId: string | undefined; limit: number },
): Promise<EndpointRow[]> {
  return await transaction
    .select()
    .from(endpoints)
    .where(
      and(
        name === undefined ? undefined : eq(endpoints.name, name),
        projectId === undefined ? undefined : eq(endpoints.projectId, projectId),
      ),
    )
    .orderBy(endpoints.id)
    .limit(limit);
}

/** The deployments of these endpoints now: those that answer, largest share first, then shadows. */
export async function deploymentsOf(
  transaction: Transaction,
  rows: readonly Pick<EndpointRow, 'id' | 'revision'>[],
): Promise<DeploymentRow[]> {
  if (rows.length === 0) return [];
  return await transaction
    .select()
    .from(deployments)
    .where(
      or(
        ...rows.map(({ id, revision }) =>
          and(eq(deployments.endpointId, id), eq(deployments.revision, revision)),
        ),
      ),
    )
    .orderBy(deployments.role, desc(deployments.trafficShare), deployments.id);
}

/** How often each of these endpoints was changed; endpoints that are gone are left out. */
export async function changeCountsOf(
  transaction: Transaction,
  endpointIds: readonly string[],
): Promise<Map<string, number>> {
  if (endpointIds.length === 0) return new Map();
  const rows = await transaction
    .select({ id: endpoints.id, changeCount: endpoints.changeCount })
    .from(endpoints)
    .where(inArray(endpoints.id, [...endpointIds]));
  return new Map(rows.map(({ id, changeCount }) => [id, changeCount]));
}

/** Points the endpoint at a revision. */
export async function pointAtRevision(
  transaction: Transaction,
  endpointId: string,
  change: { revision: number; fields: ModelField[] },
): Promise<void> {
  await changeEndpoint(transaction, endpointId, change);
}

/** Says which release alone may deploy; null: anybody. */
export async function setHolder(
  transaction: Transaction,
  endpointId: string,
  heldBy: string | null,
): Promise<void> {
  await transaction.update(endpoints).set({ heldBy }).where(eq(endpoints.id, endpointId));
}

/** Changes what is kept of predictions. */
export async function changeLog(
  transaction: Transaction,
  endpointId: string,
  log: LogSettings,
): Promise<void> {
  await changeEndpoint(transaction, endpointId, { log });
}

/** Changes how it is served. */
export async function changeServing(
  transaction: Transaction,
  endpointId: string,
  serving: ServingSettings,
): Promise<void> {
  await changeEndpoint(transaction, endpointId, { serving });
}

/** The endpoints of all workspaces that have replicas which are always ready. */
export async function endpointsKeptReady(transaction: Transaction): Promise<EndpointRow[]> {
  return await transaction.select().from(endpoints).where(isKeptReady).orderBy(endpoints.id);
}

/** What is kept of the predictions of these endpoints; endpoints that are gone are left out. */
export async function logSettingsOf(
  transaction: Transaction,
  endpointIds: readonly string[],
): Promise<Map<string, LogSettings>> {
  if (endpointIds.length === 0) return new Map();
  const rows = await transaction
    .select({ id: endpoints.id, log: endpoints.log })
    .from(endpoints)
    .where(inArray(endpoints.id, [...endpointIds]));
  return new Map(rows.map(({ id, log }) => [id, log]));
}

/** Whether the endpoint is there; if so it stays until the transaction ends. */
export async function holdEndpoint(transaction: Transaction, endpointId: string): Promise<boolean> {
  const query = transaction.select({ id: endpoints.id }).from(endpoints).where(eq(endpoints.id, endpointId));
  return (await query.for('key share')).length > 0;
}

/** Removes an endpoint with its history. */
export async function dropEndpoint(transaction: Transaction, endpointId: string): Promise<void> {
  await transaction.delete(deploymentCounts).where(eq(deploymentCounts.endpointId, endpointId));
  await transaction.delete(deployments).where(eq(deployments.endpointId, endpointId));
  await transaction.delete(endpoints).where(eq(endpoints.id, endpointId));
  await tellServers(transaction, endpointId);
}

/** Adds to the counts of predictions that endpoints answered; endpoints that are gone are passed over. */
export async function addPredictionCounts(
  transaction: Transaction,
  counts: ReadonlyMap<string, number>,
): Promise<void> {
  // Locked in the order of their ids, so that servers that count at the same time cannot deadlock.
  await transaction.execute(sql`
    with line as (
      select key as id, value::int8 as count from jsonb_each_text(${JSON.stringify(Object.fromEntries(counts))}::jsonb)
    ), locked as (
      select id from endpoints where id in (select id from line) order by id for update
    )
    update endpoints set prediction_count = prediction_count + line.count
    from line, locked where endpoints.id = line.id and endpoints.id = locked.id`);
}

/** How the requests of one deployment ended. */
export type RequestCounts = Pick<
  typeof deploymentCounts.$inferSelect,
  'requestCount' | 'errorCount' | 'latencyCounts'
>;

/** Adds to the counts of requests; deployments that are gone are passed over. */
export async function addRequestCounts(
  transaction: Transaction,
  counts: ReadonlyMap<string, RequestCounts>,
): Promise<void> {
  const lines = [...counts].map(([id, line]) => ({ id, ...line }));
  // In the order of their ids, so that servers that count at the same time cannot deadlock.
  await transaction.execute(sql`
    insert into deployment_counts
      (deployment_id, workspace_id, project_id, endpoint_id, request_count, error_count, latency_counts)
    select deployments.id, workspace_id, project_id, endpoint_id, line."requestCount", line."errorCount",
      line."latencyCounts"
    from jsonb_to_recordset(${JSON.stringify(lines)}::jsonb)
      as line (id text, "requestCount" int8, "errorCount" int8, "latencyCounts" int8[])
    join deployments on deployments.id = line.id
    order by deployments.id
    on conflict (deployment_id) do update set
      request_count = deployment_counts.request_count + excluded.request_count,
      error_count = deployment_counts.error_count + excluded.error_count,
      latency_counts = (
        select array_agg(known + fresh order by place)
        from unnest(deployment_counts.latency_counts, excluded.latency_counts) with ordinality
          as both_counts (known, fresh, place))`);
}

/** The deployments of these revisions with how their requests ended; what was never asked has no counts. */
export async function countedDeployments(
  transaction: Transaction,
  endpointId: string,
  revisions: readonly number[],
): Promise<{ deployment: DeploymentRow; counts: RequestCounts | null }[]> {
  if (revisions.length === 0) return [];
  const { requestCount, errorCount, latencyCounts } = deploymentCounts;
  return await transaction
    .select({ deployment: deployments, counts: { requestCount, errorCount, latencyCounts } })
    .from(deployments)
    .leftJoin(deploymentCounts, eq(deploymentCounts.deploymentId, deployments.id))
    .where(and(eq(deployments.endpointId, endpointId), inArray(deployments.revision, [...revisions])))
    .orderBy(deployments.id);
}

async function changeEndpoint(
  transaction: Transaction,
  endpointId: string,
  change: Partial<typeof endpoints.$inferInsert>,
): Promise<void> {
  await transaction
    .update(endpoints)
    .set({ ...change, changeCount: sql`${endpoints.changeCount} + 1` })
    .where(eq(endpoints.id, endpointId));
  await tellServers(transaction, endpointId);
}

async function tellServers(transaction: Transaction, endpointId: string): Promise<void> {
  await transaction.execute(sql`select pg_notify(${endpointsChannel}, ${endpointId})`);
}

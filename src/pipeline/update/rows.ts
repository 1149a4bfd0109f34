// Queries of the tables of updates: when endpoints are updated, and each update with its steps.
import { and, desc, eq, inArray, isNotNull, isNull, lt, lte, ne, or, sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { z } from 'zod';
import type { update, updateSettings, updateTrigger } from '../../contract/update.ts';
import { tenantColumns, tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { runningStates, type UpdateState } from './states.ts';

export type Settings = z.output<typeof updateSettings>;
export type Trigger = z.output<typeof updateTrigger>;
export type Step = z.output<typeof update>['steps'][number];

/** A version that answered, and its share of the traffic. */
export interface FormerDeployment {
  modelVersionId: string;
  trafficShare: number;
}

export const updatePolicies = pgTable(
  'update_policies',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    settings: jsonb('settings').$type<Settings>().notNull(),
    nextAt: time('next_at'),
    restsUntil: time('rests_until'),
    /** One place: however often triggers come, they make one update. */
    waiting: jsonb('waiting').$type<Trigger>(),
    /** The engine that this endpoint was last updated for, or watched from. */
    engineVersion: text('engine_version').notNull(),
  },
  (table) => [uniqueIndex('update_policies_endpoint').on(table.endpointId), ...tenantPolicies('project')],
);

export const updates = pgTable(
  'updates',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    state: text('state').$type<UpdateState>().notNull(),
    trigger: jsonb('trigger').$type<Trigger>().notNull(),
    formerVersionId: text('former_version_id').notNull(),
    formerModelName: text('former_model_name').notNull(),
    formerNumber: integer('former_number').notNull(),
    /** Everything that answered, to be put back. */
    formerDeployments: jsonb('former_deployments').$type<FormerDeployment[]>().notNull(),
    maxMicroUsd: bigint('max_micro_usd', { mode: 'number' }),
    trainingId: text('training_id'),
    candidateVersionId: text('candidate_version_id'),
    candidateModelName: text('candidate_model_name'),
    candidateNumber: integer('candidate_number'),
    comparisonId: text('comparison_id'),
    releaseId: text('release_id'),
    reasons: jsonb('reasons').$type<string[]>().notNull(),
    steps: jsonb('steps').$type<Step[]>().notNull(),
    startedBy: text('started_by').notNull(),
    endedAt: time('ended_at'),
  },
  (table) => [
    index('updates_endpoint').on(table.endpointId, table.id),
    // At most one runs for an endpoint, whichever servers want to start one.
    uniqueIndex('updates_running')
      .on(table.endpointId)
      .where(sql`state in ('starting', 'training', 'comparing', 'releasing')`),
    ...tenantPolicies('project'),
  ],
);

export type PolicyRow = typeof updatePolicies.$inferSelect;
export type UpdateRow = typeof updates.$inferSelect;

/** The policy of an endpoint; `lock` keeps others from changing it until the transaction ends. */
export async function findPolicy(
  transaction: Transaction,
  endpointId: string,
  options: { lock?: boolean } = {},
): Promise<PolicyRow | undefined> {
  const query = transaction.select().from(updatePolicies).where(eq(updatePolicies.endpointId, endpointId));
  const [row] = options.lock ? await query.for('update') : await query;
  return row;
}

/** Adds a policy unless the endpoint has one. */
export async function addPolicy(
  transaction: Transaction,
  row: typeof updatePolicies.$inferInsert,
): Promise<void> {
  await transaction.insert(updatePolicies).values(row).onConflictDoNothing();
}

export async function changePolicy(
  transaction: Transaction,
  endpointId: string,
  change: Partial<Pick<PolicyRow, 'settings' | 'nextAt' | 'restsUntil' | 'waiting' | 'engineVersion'>>,
): Promise<void> {
  await transaction.update(updatePolicies).set(change).where(eq(updatePolicies.endpointId, endpointId));
}

/** The policies of a workspace that are on. */
export async function activePolicies(transaction: Transaction): Promise<PolicyRow[]> {
  return await transaction.select().from(updatePolicies).where(isOn);
}

const isOn = sql`(${updatePolicies.settings}->>'isOn')::boolean`;

/**
 * Policies that have something to start: a trigger waits and the rest is over, the time has come, or there is another
 * engine. Over all workspaces; in a system transaction.
 */
export async function duePolicies(
  transaction: Transaction,
  { now, engineVersion, limit }: { now: Date; engineVersion: string; limit: number },
): Promise<PolicyRow[]> {
  const running = transaction
    .select({ endpointId: updates.endpointId })
    .from(updates)
    .where(inArray(updates.state, [...runningStates]));
  const isWaiting = and(
    isNotNull(updatePolicies.waiting),
    or(isNull(updatePolicies.restsUntil), lte(updatePolicies.restsUntil, now)),
    sql`${updatePolicies.endpointId} not in ${running}`,
  );
  return await transaction
    .select()
    .from(updatePolicies)
    .where(
      and(
        isOn,
        or(
          isWaiting,
          and(isNotNull(updatePolicies.nextAt), lte(updatePolicies.nextAt, now)),
          ne(updatePolicies.engineVersion, engineVersion),
        ),
      ),
    )
    .orderBy(updatePolicies.id)
    .limit(limit);
}

/** Adds an update; undefined where one runs for the endpoint already. */
export async function addUpdate(
  transaction: Transaction,
  row: typeof updates.$inferInsert,
): Promise<UpdateRow | undefined> {
  const [added] = await transaction.insert(updates).values(row).onConflictDoNothing().returning();
  return added;
}

export async function findUpdate(transaction: Transaction, updateId: string): Promise<UpdateRow | undefined> {
  const [row] = await transaction.select().from(updates).where(eq(updates.id, updateId));
  return row;
}

/** Changes an update that is still in `state`; false when another server was first. */
export async function changeUpdate(
  transaction: Transaction,
  { id, state }: Pick<UpdateRow, 'id' | 'state'>,
  change: Partial<typeof updates.$inferInsert>,
): Promise<boolean> {
  const changed = await transaction
    .update(updates)
    .set(change)
    .where(and(eq(updates.id, id), eq(updates.state, state)))
    .returning({ id: updates.id });
  return changed.length > 0;
}

/** Newest first. */
export async function listUpdateRows(
  transaction: Transaction,
  endpointId: string,
  { limit, after }: { limit: number; after: string | undefined },
): Promise<UpdateRow[]> {
  return await transaction
    .select()
    .from(updates)
    .where(and(eq(updates.endpointId, endpointId), after === undefined ? undefined : lt(updates.id, after)))
    .orderBy(desc(updates.id))
    .limit(limit + 1);
}

/** The update of a workspace that runs and whose training, or endpoint, this is. */
export async function runningUpdate(
  transaction: Transaction,
  { trainingId, endpointId }: { trainingId?: string; endpointId?: string },
): Promise<UpdateRow | undefined> {
  const [row] = await transaction
    .select()
    .from(updates)
    .where(
      and(
        inArray(updates.state, [...runningStates]),
        trainingId === undefined ? undefined : eq(updates.trainingId, trainingId),
        endpointId === undefined ? undefined : eq(updates.endpointId, endpointId),
      ),
    )
    .limit(1);
  return row;
}

/** Updates that run, over all workspaces; in a system transaction. */
export async function runningUpdates(transaction: Transaction, limit: number): Promise<UpdateRow[]> {
  return await transaction
    .select()
    .from(updates)
    .where(inArray(updates.state, [...runningStates]))
    .orderBy(updates.id)
    .limit(limit);
}

/** Removes all that there is of an endpoint. */
export async function dropEndpointUpdates(transaction: Transaction, endpointId: string): Promise<void> {
  await transaction.delete(updates).where(eq(updates.endpointId, endpointId));
  await transaction.delete(updatePolicies).where(eq(updatePolicies.endpointId, endpointId));
}

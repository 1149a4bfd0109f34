// Queries of the table `serving_states`: how ready each server says that it is to answer for an endpoint. What a server has
// not confirmed for a while counts no more; times are the database's, because clocks of servers differ.
import { and, eq, gt, inArray, lt, ne, sql, type SQL } from 'drizzle-orm';
import { jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { Readiness } from './readiness.ts';

export const servingStates = pgTable(
  'serving_states',
  {
    serverId: text('server_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    workspaceId: text('workspace_id').notNull(),
    projectId: text('project_id').notNull(),
    /** One for each version that is not cold there. */
    versions: jsonb('versions').$type<Readiness[]>().notNull(),
    seenAt: time('seen_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.endpointId, table.serverId] }), ...tenantPolicies('project')],
);

export type ServingState = Omit<typeof servingStates.$inferSelect, 'seenAt' | 'serverId'>;

/** Unconfirmed for so long, a server is taken for gone. */
const goneSeconds = 30;

/** Writes what changed on a server; in a system transaction. */
export async function putStates(
  transaction: Transaction,
  serverId: string,
  states: readonly ServingState[],
): Promise<void> {
  if (states.length === 0) return;
  const rows = states.map((state) => ({ ...state, serverId, seenAt: sql`now()` }));
  await transaction
    .insert(servingStates)
    .values(rows)
    .onConflictDoUpdate({
      target: [servingStates.endpointId, servingStates.serverId],
      set: { versions: sql`excluded.versions`, seenAt: sql`excluded.seen_at` },
    });
}

/** Removes what a server says of these endpoints. */
export async function dropStates(
  transaction: Transaction,
  serverId: string,
  endpointIds: readonly string[],
): Promise<void> {
  if (endpointIds.length === 0) return;
  await transaction
    .delete(servingStates)
    .where(and(eq(servingStates.serverId, serverId), inArray(servingStates.endpointId, [...endpointIds])));
}

/** Confirms all that a server says, and removes what servers said that are gone. */
export async function confirmStates(transaction: Transaction, serverId: string): Promise<void> {
  await transaction.delete(servingStates).where(lt(servingStates.seenAt, secondsAgo(2 * goneSeconds)));
  await transaction
    .update(servingStates)
    .set({ seenAt: sql`now()` })
    .where(eq(servingStates.serverId, serverId));
}

/** What the other servers say of an endpoint. */
export async function statesElsewhere(
  transaction: Transaction,
  serverId: string,
  endpointId: string,
): Promise<Readiness[][]> {
  const rows = await transaction
    .select({ versions: servingStates.versions })
    .from(servingStates)
    .where(
      and(
        eq(servingStates.endpointId, endpointId),
        ne(servingStates.serverId, serverId),
        gt(servingStates.seenAt, secondsAgo(goneSeconds)),
      ),
    );
  return rows.map(({ versions }) => versions);
}

function secondsAgo(seconds: number): SQL {
  return sql`now() - make_interval(secs => ${seconds})`;
}

// The tables of the outbox: events that were published, and what became of each reaction to them.
import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgPolicy, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../base/json.ts';
import { scopeSettings, tenantColumns, tenantRole, time } from '../database/table.ts';
import type { Transaction } from '../ports/database.ts';

const inScope = sql.raw(
  `workspace_id = current_setting('${scopeSettings.workspaceId}', true) and ` +
    `(project_id is null or coalesce(current_setting('${scopeSettings.projectId}', true), '') in ('', project_id))`,
);

export const outboxEvents = pgTable(
  'outbox_events',
  {
    ...tenantColumns,
    projectId: text('project_id'),
    name: text('name').notNull(),
    data: jsonb('data').$type<JsonObject>().notNull(),
    /** When its deliveries were made; null while it waits for the dispatcher. */
    dispatchedAt: time('dispatched_at'),
  },
  (table) => [
    index('outbox_events_waiting')
      .on(table.id)
      .where(sql`dispatched_at is null`),
    index('outbox_events_created').on(table.createdAt),
    // Published in a workspace's transaction, read by the dispatcher alone.
    pgPolicy('tenant_publish', { for: 'insert', to: tenantRole, withCheck: inScope }),
  ],
);

/** One reaction's delivery of one event. Tenants have no business here: no policy, so it is closed to them. */
export const eventDeliveries = pgTable(
  'event_deliveries',
  {
    eventId: text('event_id')
      .notNull()
      .references(() => outboxEvents.id, { onDelete: 'cascade' }),
    reaction: text('reaction').notNull(),
    state: text('state').$type<DeliveryState>().notNull(),
    /** Tries that were begun. */
    attemptCount: integer('attempt_count').notNull(),
    /** When it may be tried next; while it is being tried, when its taker is given up for dead. */
    dueAt: time('due_at').notNull(),
    lastError: text('last_error'),
  },
  (table) => [
    primaryKey({ columns: [table.eventId, table.reaction] }),
    index('event_deliveries_due')
      .on(table.dueAt)
      .where(sql`state = 'waiting'`),
  ],
);

/** `waiting` for its first or next try, `done`, or `dead` after the last one. */
export type DeliveryState = 'waiting' | 'done' | 'dead';

/** Dispatchers listen here for newly committed events. */
export const eventsChannel = 'pilvi_events';

/** Adds an event, and wakes the dispatchers when the transaction commits. */
export async function insertEvent(
  transaction: Transaction,
  event: Omit<typeof outboxEvents.$inferInsert, 'dispatchedAt'>,
): Promise<void> {
  await transaction.insert(outboxEvents).values(event);
  await transaction.execute(sql`select pg_notify(${eventsChannel}, '')`);
}

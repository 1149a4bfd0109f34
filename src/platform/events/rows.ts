// The tables of the outbox: events that were published, and what became of each reaction to them.
import { and, asc, eq, inArray, isNotNull, isNull, lt, lte, notExists, or, sql } from 'drizzle-orm';
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

export type EventRow = typeof outboxEvents.$inferSelect;

/** One try of one reaction: who holds it may settle it while `attemptCount` stays the same. */
export interface DeliveryKey {
  eventId: string;
  reaction: string;
  attemptCount: number;
}

/** Takes events that were not dispatched yet, oldest first, leaving those that another server has in its hands. */
export function lockWaitingEvents(transaction: Transaction, limit: number): Promise<EventRow[]> {
  return transaction
    .select()
    .from(outboxEvents)
    .where(isNull(outboxEvents.dispatchedAt))
    .orderBy(asc(outboxEvents.id))
    .limit(limit)
    .for('update', { skipLocked: true });
}

/** Makes the deliveries of dispatched events; each reaction gets an event once. */
export async function insertDeliveries(
  transaction: Transaction,
  eventIds: string[],
  deliveries: { eventId: string; reaction: string }[],
  now: Date,
): Promise<void> {
  if (deliveries.length > 0) {
    const rows = deliveries.map((each) => ({
      ...each,
      state: 'waiting' as const,
      attemptCount: 0,
      dueAt: now,
    }));
    await transaction.insert(eventDeliveries).values(rows).onConflictDoNothing();
  }
  await transaction.update(outboxEvents).set({ dispatchedAt: now }).where(inArray(outboxEvents.id, eventIds));
}

/** Takes deliveries that are due, until `leasedUntil`; of the named reactions only. */
export async function takeDueDeliveries(
  transaction: Transaction,
  {
    reactions,
    now,
    leasedUntil,
    limit,
  }: { reactions: string[]; now: Date; leasedUntil: Date; limit: number },
): Promise<(DeliveryKey & { event: EventRow })[]> {
  const due = await transaction
    .select({ delivery: eventDeliveries, event: outboxEvents })
    .from(eventDeliveries)
    .innerJoin(outboxEvents, eq(outboxEvents.id, eventDeliveries.eventId))
    .where(
      and(
        eq(eventDeliveries.state, 'waiting'),
        lte(eventDeliveries.dueAt, now),
        inArray(eventDeliveries.reaction, reactions),
      ),
    )
    .orderBy(asc(eventDeliveries.dueAt), asc(eventDeliveries.eventId))
    .limit(limit)
    .for('update', { of: eventDeliveries, skipLocked: true });
  const taken = due.map(({ delivery, event }) => ({
    eventId: delivery.eventId,
    reaction: delivery.reaction,
    attemptCount: delivery.attemptCount + 1,
    event,
  }));
  for (const { eventId, reaction, attemptCount } of taken) {
    await transaction
      .update(eventDeliveries)
      .set({ attemptCount, dueAt: leasedUntil })
      .where(and(eq(eventDeliveries.eventId, eventId), eq(eventDeliveries.reaction, reaction)));
  }
  return taken;
}

/** Changes a delivery that is still in the hands of `key`; otherwise nothing. */
export async function updateDelivery(
  transaction: Transaction,
  { eventId, reaction, attemptCount }: DeliveryKey,
  changes: { state?: DeliveryState; dueAt?: Date; lastError?: string },
): Promise<void> {
  await transaction
    .update(eventDeliveries)
    .set(changes)
    .where(
      and(
        eq(eventDeliveries.eventId, eventId),
        eq(eventDeliveries.reaction, reaction),
        eq(eventDeliveries.attemptCount, attemptCount),
        eq(eventDeliveries.state, 'waiting'),
      ),
    );
}

/** Forgets dispatched events from before `settledBefore` with nothing left to do, and all from before `allBefore`. */
export async function forgetEvents(
  transaction: Transaction,
  { settledBefore, allBefore }: { settledBefore: Date; allBefore: Date },
): Promise<void> {
  const unsettled = transaction
    .select({ one: sql`1` })
    .from(eventDeliveries)
    .where(and(eq(eventDeliveries.eventId, outboxEvents.id), sql`${eventDeliveries.state} <> 'done'`));
  await transaction
    .delete(outboxEvents)
    .where(
      and(
        isNotNull(outboxEvents.dispatchedAt),
        or(
          lt(outboxEvents.createdAt, allBefore),
          and(lt(outboxEvents.createdAt, settledBefore), notExists(unsettled)),
        ),
      ),
    );
}

// The tables of money and the queries that move it; charge-rows.ts reads what was charged.
//
// Every change of a workspace's money begins with `lockLedger`, which locks the row of the workspace's own cap. So
// changes of one workspace come one after the other, whatever else their transactions do, and cannot deadlock among
// each other; workspaces do not wait for one another.
import { and, asc, desc, eq, lte, or, sql, type SQL } from 'drizzle-orm';
import {
  bigint,
  check,
  date,
  doublePrecision,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { MicroUsd } from '../../base/money.ts';
import { toIso } from '../../base/time.ts';
import { tenantColumns, tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { Payer, ReservationRequest, Usage, UsageUnit } from '../../platform/ports/meter.ts';
import { dayOf, type BudgetPeriod, type ReservationState } from './states.ts';

export type ScopeKind = 'workspace' | 'project' | 'key';

/** Hard caps: at most one for each scope. `scopeId` is empty for the workspace itself. */
export const budgets = pgTable(
  'budgets',
  {
    ...tenantColumns,
    scopeKind: text('scope_kind').$type<ScopeKind>().notNull(),
    scopeId: text('scope_id').notNull(),
    period: text('period').$type<BudgetPeriod>().notNull(),
    capMicroUsd: bigint('cap_micro_usd', { mode: 'number' }).notNull(),
  },
  (table) => [
    uniqueIndex('budgets_scope').on(table.workspaceId, table.scopeKind, table.scopeId),
    ...tenantPolicies('workspace'),
  ],
);

/**
 * What each payer has spent and holds, for each month and in all, capped or not: so a cap that is set later counts
 * from the start. `period` is a month such as `2026-11`, or `total`.
 */
export const balances = pgTable(
  'balances',
  {
    workspaceId: text('workspace_id').notNull(),
    scopeKind: text('scope_kind').$type<ScopeKind>().notNull(),
    scopeId: text('scope_id').notNull(),
    period: text('period').notNull(),
    spentMicroUsd: bigint('spent_micro_usd', { mode: 'number' }).notNull(),
    reservedMicroUsd: bigint('reserved_micro_usd', { mode: 'number' }).notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.scopeKind, table.scopeId, table.period] }),
    check('balances_not_negative', sql`spent_micro_usd >= 0 and reserved_micro_usd >= 0`),
    ...tenantPolicies('workspace'),
  ],
);

export const reservations = pgTable(
  'reservations',
  {
    ...tenantColumns,
    projectId: text('project_id'),
    keyId: text('key_id'),
    purposeKind: text('purpose_kind').$type<ReservationRequest['purpose']['kind']>().notNull(),
    subjectId: text('subject_id').notNull(),
    /** The month that it counts in, whenever it ends. */
    month: text('month').notNull(),
    amountMicroUsd: bigint('amount_micro_usd', { mode: 'number' }).notNull(),
    /** What its owner has said it used so far; charged if the owner is never heard of again. */
    usedSoFar: jsonb('used_so_far').$type<Usage[]>().notNull(),
    state: text('state').$type<ReservationState>().notNull(),
    expiresAt: time('expires_at').notNull(),
    endedAt: time('ended_at'),
    chargedMicroUsd: bigint('charged_micro_usd', { mode: 'number' }),
  },
  (table) => [
    uniqueIndex('reservations_purpose')
      .on(table.workspaceId, table.purposeKind, table.subjectId)
      .where(sql`state = 'held' and purpose_kind <> 'prediction-lease'`),
    index('reservations_expiry')
      .on(table.expiresAt)
      .where(sql`state = 'held'`),
    ...tenantPolicies('project'),
  ],
);

/** Append-only. One line for each reservation and unit at most: nothing can be charged twice. */
export const charges = pgTable(
  'charges',
  {
    ...tenantColumns,
    projectId: text('project_id'),
    keyId: text('key_id'),
    subjectId: text('subject_id').notNull(),
    reservationId: text('reservation_id').notNull(),
    unit: text('unit').$type<UsageUnit>().notNull(),
    quantity: doublePrecision('quantity').notNull(),
    amountMicroUsd: bigint('amount_micro_usd', { mode: 'number' }).notNull(),
    month: text('month').notNull(),
  },
  (table) => [
    uniqueIndex('charges_once').on(table.reservationId, table.unit),
    index('charges_listing').on(table.workspaceId, table.id),
    ...tenantPolicies('project', 'append'),
  ],
);

/** Charges summed by day, unit and project, so that charts need not read them all. `projectId` is empty for none. */
export const usageDays = pgTable(
  'usage_days',
  {
    workspaceId: text('workspace_id').notNull(),
    projectId: text('project_id').notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    unit: text('unit').$type<UsageUnit>().notNull(),
    quantity: doublePrecision('quantity').notNull(),
    amountMicroUsd: bigint('amount_micro_usd', { mode: 'number' }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.day, table.unit, table.projectId] }),
    ...tenantPolicies('project'),
  ],
);

export type BudgetRow = typeof budgets.$inferSelect;
export type ReservationRow = typeof reservations.$inferSelect;

/** A cap with what stands against it in its current period. */
export interface BudgetStanding extends BudgetRow {
  spentMicroUsd: MicroUsd;
  reservedMicroUsd: MicroUsd;
  /** When the first money of the period moved; null when none has. */
  firstMovedAt: Date | null;
}

/** Waits for every other change of the workspace's money to commit. Makes the workspace's cap where it is missing. */
export async function lockLedger(
  transaction: Transaction,
  missing: typeof budgets.$inferInsert,
): Promise<void> {
  const lock = (): Promise<unknown[]> =>
    transaction
      .select({ id: budgets.id })
      .from(budgets)
      .where(and(eq(budgets.workspaceId, missing.workspaceId), eq(budgets.scopeKind, 'workspace')))
      .for('update');
  if ((await lock()).length > 0) return;
  await transaction.insert(budgets).values(missing).onConflictDoNothing();
  await lock();
}

/** The caps of a workspace with their standings in `month`; with `payer`, only those that apply to it. */
export async function listStandings(
  transaction: Transaction,
  where: { workspaceId: string; month: string; payer?: Payer },
): Promise<BudgetStanding[]> {
  const { workspaceId, month, payer } = where;
  const rows = await transaction
    .select()
    .from(budgets)
    .leftJoin(
      balances,
      and(
        eq(balances.workspaceId, budgets.workspaceId),
        eq(balances.scopeKind, budgets.scopeKind),
        eq(balances.scopeId, budgets.scopeId),
        eq(balances.period, sql`case ${budgets.period} when 'month' then ${month} else 'total' end`),
      ),
    )
    .where(and(eq(budgets.workspaceId, workspaceId), payer && appliesTo(payer)))
    .orderBy(desc(budgets.scopeKind), asc(budgets.createdAt), asc(budgets.id));
  return rows.map((row) => ({
    ...row.budgets,
    spentMicroUsd: row.balances?.spentMicroUsd ?? 0,
    reservedMicroUsd: row.balances?.reservedMicroUsd ?? 0,
    firstMovedAt: row.balances?.createdAt ?? null,
  }));
}

/** Sets the cap of a scope. The ledger must be locked. */
export async function putBudget(
  transaction: Transaction,
  row: typeof budgets.$inferInsert,
): Promise<BudgetRow> {
  const [put] = await transaction
    .insert(budgets)
    .values(row)
    .onConflictDoUpdate({
      target: [budgets.workspaceId, budgets.scopeKind, budgets.scopeId],
      set: { period: row.period, capMicroUsd: row.capMicroUsd },
    })
    .returning();
  return put!;
}

export async function findBudget(transaction: Transaction, budgetId: string): Promise<BudgetRow | undefined> {
  const [row] = await transaction.select().from(budgets).where(eq(budgets.id, budgetId));
  return row;
}

export async function dropBudget(transaction: Transaction, budgetId: string): Promise<void> {
  await transaction.delete(budgets).where(eq(budgets.id, budgetId));
}

/** Adds a reservation and holds its amount in every balance of its payer. The ledger must be locked. */
export async function holdReservation(
  transaction: Transaction,
  row: typeof reservations.$inferInsert,
): Promise<void> {
  await transaction.insert(reservations).values(row);
  await transaction
    .insert(balances)
    .values(
      scopesOf(row).flatMap(({ scopeKind, scopeId }) =>
        [row.month, 'total'].map((period) => ({
          workspaceId: row.workspaceId,
          scopeKind,
          scopeId,
          period,
          spentMicroUsd: 0,
          reservedMicroUsd: row.amountMicroUsd,
          createdAt: row.createdAt,
        })),
      ),
    )
    .onConflictDoUpdate({
      target: [balances.workspaceId, balances.scopeKind, balances.scopeId, balances.period],
      set: { reservedMicroUsd: sql`${balances.reservedMicroUsd} + excluded.reserved_micro_usd` },
    });
}

export async function findReservation(
  transaction: Transaction,
  reservationId: string,
): Promise<ReservationRow | undefined> {
  const [row] = await transaction.select().from(reservations).where(eq(reservations.id, reservationId));
  return row;
}

/** The newest reservation for a purpose, ended or not. Leases do not ask: they hold several. */
export async function findByPurpose(
  transaction: Transaction,
  workspaceId: string,
  purpose: ReservationRequest['purpose'],
): Promise<ReservationRow | undefined> {
  const [row] = await transaction
    .select()
    .from(reservations)
    .where(
      and(
        eq(reservations.workspaceId, workspaceId),
        eq(reservations.purposeKind, purpose.kind),
        eq(reservations.subjectId, purpose.subjectId),
      ),
    )
    .orderBy(desc(reservations.id))
    .limit(1);
  return row;
}

/** Moves the expiry of held reservations and records their use; returns the ids of those that are still held. */
export async function renewReservations(
  transaction: Transaction,
  renewals: { id: string; expiresAtMs: number; usedSoFar: Usage[] }[],
): Promise<Set<string>> {
  if (renewals.length === 0) return new Set();
  const lines = renewals.map(({ id, expiresAtMs, usedSoFar }) => ({
    id,
    expires_at: toIso(expiresAtMs),
    used_so_far: usedSoFar,
  }));
  const { rows } = await transaction.execute<{ id: string }>(sql`
    update reservations set expires_at = line.expires_at, used_so_far = line.used_so_far
    from jsonb_to_recordset(${JSON.stringify(lines)}::jsonb) as line(id text, expires_at timestamptz, used_so_far jsonb)
    where reservations.id = line.id and reservations.state = 'held'
    returning reservations.id`);
  return new Set(rows.map((row) => row.id));
}

/** How a reservation ends. */
export interface Ending {
  reservationId: string;
  atMs: number;
  charges: { id: string; unit: UsageUnit; quantity: number; amountMicroUsd: MicroUsd }[];
  /** End it only if it had expired by then. */
  expiredByMs?: number;
}

/**
 * Ends a held reservation, frees its amount and writes its charges, in one statement; false when it had ended
 * already (or, for the reaper, was renewed). The ledger must be locked.
 */
export async function endReservation(transaction: Transaction, ending: Ending): Promise<boolean> {
  const { reservationId, atMs, expiredByMs } = ending;
  const chargedMicroUsd = ending.charges.reduce((total, line) => total + line.amountMicroUsd, 0);
  const lines = ending.charges.map((line) => ({ ...line, amount: line.amountMicroUsd }));
  const expired =
    expiredByMs === undefined ? sql`true` : sql`expires_at <= ${toIso(expiredByMs)}::timestamptz`;
  const { rows } = await transaction.execute<{ id: string }>(sql`
    with line as (
      select * from jsonb_to_recordset(${JSON.stringify(lines)}::jsonb) as line(id text, unit text, quantity float8, amount int8)
    ), ended as (
      update reservations
      set state = ${lines.length > 0 ? 'settled' : 'released'}, ended_at = ${toIso(atMs)}::timestamptz, charged_micro_usd = ${chargedMicroUsd}::int8
      where id = ${reservationId} and state = 'held' and ${expired}
      returning *
    ), freed as (
      update balances
      set reserved_micro_usd = reserved_micro_usd - ended.amount_micro_usd, spent_micro_usd = spent_micro_usd + ended.charged_micro_usd
      from ended
      where balances.workspace_id = ended.workspace_id and balances.period in (ended.month, 'total')
        and balances.scope_id = case balances.scope_kind when 'key' then ended.key_id when 'project' then ended.project_id else '' end
    ), charged as (
      insert into charges (id, workspace_id, created_at, project_id, key_id, subject_id, reservation_id, unit, quantity, amount_micro_usd, month)
      select line.id, workspace_id, ended_at, project_id, key_id, subject_id, ended.id, unit, quantity, amount, month from ended, line
    ), counted as (
      insert into usage_days (workspace_id, project_id, day, unit, quantity, amount_micro_usd)
      select workspace_id, coalesce(project_id, ''), ${dayOf(atMs)}::date, unit, quantity, amount from ended, line
      on conflict (workspace_id, day, unit, project_id) do update
      set quantity = usage_days.quantity + excluded.quantity, amount_micro_usd = usage_days.amount_micro_usd + excluded.amount_micro_usd
    )
    select id from ended`);
  return rows.length > 0;
}

/** Held reservations that have expired, the longest expired first, of all workspaces. */
export async function listExpired(
  transaction: Transaction,
  nowMs: number,
  limit: number,
): Promise<ReservationRow[]> {
  return await transaction
    .select()
    .from(reservations)
    .where(and(eq(reservations.state, 'held'), lte(reservations.expiresAt, new Date(nowMs))))
    .orderBy(asc(reservations.expiresAt))
    .limit(limit);
}

function scopesOf(payer: {
  projectId?: string | null | undefined;
  keyId?: string | null | undefined;
}): { scopeKind: ScopeKind; scopeId: string }[] {
  const scopes: { scopeKind: ScopeKind; scopeId: string }[] = [{ scopeKind: 'workspace', scopeId: '' }];
  if (payer.projectId) scopes.push({ scopeKind: 'project', scopeId: payer.projectId });
  if (payer.keyId) scopes.push({ scopeKind: 'key', scopeId: payer.keyId });
  return scopes;
}

function appliesTo(payer: Payer): SQL | undefined {
  return or(
    ...scopesOf(payer).map(({ scopeKind, scopeId }) =>
      and(eq(budgets.scopeKind, scopeKind), eq(budgets.scopeId, scopeId)),
    ),
  );
}

// Billing: the meter that everything is paid through, and what people see of it. This file is what other folders see.
// The rules of money are in ledger.ts, leases in lease.ts, prices in prices.ts, storage in storage.ts.
import type { z } from 'zod';
import type { NewId } from '../../base/ids.ts';
import { Problem } from '../../base/problems.ts';
import { dayMs, secondMs, toIso, type Clock } from '../../base/time.ts';
import type { budget, budgetScope, charge, price } from '../../contract/budget.ts';
import type { Context } from '../../platform/context.ts';
import { pageOf, readCursor } from '../../platform/http/cursor.ts';
import type { Database } from '../../platform/ports/database.ts';
import type { Log } from '../../platform/ports/log.ts';
import type { Meter, UsageUnit } from '../../platform/ports/meter.ts';
import { requireKey } from '../../platform/security/keys/keys.ts';
import { requireProject } from '../../platform/tenancy/tenancy.ts';
import { listChargeRows, sumUsageDays, type ChargeRow } from './charge-rows.ts';
import { LeaseBook } from './lease.ts';
import { openLedger, reap, reserve, settle } from './ledger.ts';
import { prices, quote } from './prices.ts';
import {
  dropBudget,
  findBudget,
  listStandings,
  putBudget,
  renewReservations,
  type BudgetStanding,
} from './rows.ts';
import { dayOf, monthOf, type BudgetPeriod } from './states.ts';

export type Budget = z.output<typeof budget>;
export type BudgetScope = z.output<typeof budgetScope>;
export type Charge = z.output<typeof charge>;
export type Price = z.output<typeof price>;

const reapEveryMs = 15 * secondMs;

/** The meter port with the life of a server: leases are tended and the dead are reaped until it is closed. */
export interface RunningMeter extends Meter {
  /** One round of upkeep: leases are recorded and settled, and expired reservations ended now and then. */
  tend(): Promise<void>;
  /** Settles all leases and ends the upkeep. */
  close(): Promise<void>;
}

/** @param options `tendEveryMs`: how often upkeep runs by itself; null leaves it to the caller. */
export function createMeter(options: {
  database: Database;
  clock: Clock;
  newId: NewId;
  log: Log;
  tendEveryMs?: number | null;
}): RunningMeter {
  const { database, clock, log, tendEveryMs = secondMs } = options;
  const book = new LeaseBook(options);
  let nextReapMs = 0;
  const tend = async (): Promise<void> => {
    await book.tend();
    if (clock.monotonicMs() < nextReapMs) return;
    nextReapMs = clock.monotonicMs() + reapEveryMs;
    const endedCount = await reap(options, database);
    if (endedCount > 0) log.info({ endedCount }, 'Ended reservations whose owners were gone.');
  };
  const upkeep = repeat(tend, tendEveryMs, log);
  return {
    quote,
    reserve: (transaction, request) => reserve(options, transaction, request),
    renew: async (transaction, id, progress) =>
      (await renewReservations(transaction, [{ id, ...progress }])).has(id),
    settle: (transaction, reservationId, used) => settle(options, transaction, reservationId, used),
    release: async (transaction, reservationId) =>
      void (await settle(options, transaction, reservationId, [])),
    lease: (request) => book.lease(request),
    tend,
    close: async () => {
      await upkeep.stop();
      await book.close();
    },
  };
}

/** The price list. */
export function listPrices(): Price[] {
  return [...prices];
}

/** All caps that the caller may see, the workspace's first. */
export async function listBudgets(context: Context): Promise<Budget[]> {
  const { workspaceId, actor } = context;
  const month = monthOf(context.clock.nowMs());
  const standings = await context.transaction(async (transaction) => {
    await openLedger(context, transaction, workspaceId);
    return await listStandings(transaction, { workspaceId, month });
  });
  const boundTo = actor.kind === 'key' && actor.projectId !== null ? [actor.projectId, actor.id] : null;
  return standings
    .filter((standing) => boundTo === null || boundTo.includes(standing.scopeId))
    .map((standing) => showBudget(standing, month));
}

/** Sets a hard cap; it holds for everything reserved from now on. Throws `not-found` for an unknown project or key. */
export async function setBudget(
  context: Context,
  wanted: { scope: BudgetScope; period: BudgetPeriod; capMicroUsd: number },
): Promise<Budget> {
  const { workspaceId } = context;
  const { scope, period, capMicroUsd } = wanted;
  const nowMs = context.clock.nowMs();
  const month = monthOf(nowMs);
  return await context.transaction(async (transaction) => {
    if (scope.kind === 'project') await requireProject(transaction, scope.projectId);
    if (scope.kind === 'key') await requireKey(transaction, scope.keyId);
    await openLedger(context, transaction, workspaceId);
    const row = await putBudget(transaction, {
      id: context.newId('budget'),
      workspaceId,
      createdAt: new Date(nowMs),
      scopeKind: scope.kind,
      scopeId: scopeIdOf(scope),
      period,
      capMicroUsd,
    });
    await context.audit(transaction, {
      action: 'budget:manage',
      subjectId: row.id,
      details: { scope, period, capMicroUsd },
    });
    const standings = await listStandings(transaction, { workspaceId, month });
    return showBudget(
      standings.find((standing) => standing.id === row.id)!,
      month,
    );
  });
}

/** Removes the cap of a project or key. Throws `wrong-state` for the workspace's own, `not-found`. */
export async function removeBudget(context: Context, budgetId: string): Promise<void> {
  await context.transaction(async (transaction) => {
    await openLedger(context, transaction, context.workspaceId);
    const row = await findBudget(transaction, budgetId);
    if (!row) throw new Problem('not-found', `There is no budget ${budgetId}.`);
    if (row.scopeKind === 'workspace')
      throw new Problem(
        'wrong-state',
        'A workspace always has a cap. Set another one instead of removing it.',
      );
    await dropBudget(transaction, budgetId);
    await context.audit(transaction, {
      action: 'budget:manage',
      subjectId: budgetId,
      details: { removed: true, scopeKind: row.scopeKind, scopeId: row.scopeId },
    });
  });
}

/** What was charged, newest first. */
export async function listCharges(
  context: Context,
  input: { projectId?: string | undefined; limit: number; cursor?: string | undefined },
): Promise<{ items: Charge[]; nextCursor: string | null }> {
  const { projectId, limit, cursor } = input;
  const where = { workspaceId: context.workspaceId, projectId, limit, after: readCursor(cursor) };
  const rows = await context.transaction((transaction) => listChargeRows(transaction, where));
  return pageOf(rows, limit, (row) => row.id, showCharge);
}

/** What was charged in the last `days` days, today included, by day and unit; days without charges are left out. */
export async function getSpending(
  context: Context,
  days: number,
): Promise<{ day: string; unit: UsageUnit; quantity: number; amountMicroUsd: number }[]> {
  const firstDay = dayOf(context.clock.nowMs() - (days - 1) * dayMs);
  return await context.transaction((transaction) => sumUsageDays(transaction, context.workspaceId, firstDay));
}

/** Runs `work` every `everyMs`, one round at a time, without keeping the process alive. */
function repeat(work: () => Promise<void>, everyMs: number | null, log: Log): { stop: () => Promise<void> } {
  if (everyMs === null) return { stop: async () => undefined };
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      .catch((error: unknown) => log.warn({ error }, 'Billing upkeep failed; it is tried again.'))
      .finally(() => {
        running = undefined;
      });
  }, everyMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

function scopeIdOf(scope: BudgetScope): string {
  switch (scope.kind) {
    case 'workspace':
      return '';
    case 'project':
      return scope.projectId;
    case 'key':
      return scope.keyId;
    default:
      return scope satisfies never;
  }
}

function showBudget(standing: BudgetStanding, month: string): Budget {
  const { scopeKind, scopeId, period, createdAt, firstMovedAt } = standing;
  const scope: BudgetScope =
    scopeKind === 'workspace'
      ? { kind: scopeKind }
      : scopeKind === 'project'
        ? { kind: scopeKind, projectId: scopeId }
        : { kind: scopeKind, keyId: scopeId };
  const beginMs = Math.min(createdAt.getTime(), firstMovedAt?.getTime() ?? Infinity);
  return {
    id: standing.id,
    scope,
    period,
    capMicroUsd: standing.capMicroUsd,
    spentMicroUsd: standing.spentMicroUsd,
    reservedMicroUsd: standing.reservedMicroUsd,
    periodStart: period === 'month' ? `${month}-01T00:00:00.000Z` : toIso(beginMs),
  };
}

function showCharge(row: ChargeRow): Charge {
  const { id, unit, quantity, amountMicroUsd, projectId, keyId, subjectId } = row;
  return {
    id,
    at: toIso(row.createdAt.getTime()),
    unit,
    quantity,
    amountMicroUsd,
    projectId,
    keyId,
    subjectId,
  };
}

// What the tests of money share: a clock that they move, and the sum rule of ledger.ts checked from the rows alone.
import assert from 'node:assert/strict';
import { and, eq, type SQL } from 'drizzle-orm';
import type { Clock } from '../../base/time.ts';
import type { Database } from '../../platform/ports/database.ts';
import type { ChargeRow } from './charge-rows.ts';
import {
  balances,
  budgets,
  charges,
  reservations,
  usageDays,
  type ReservationRow,
  type ScopeKind,
} from './rows.ts';

/** A clock that stands still until it is moved. */
export interface TestClock extends Clock {
  advance(ms: number): void;
}

export function testClock(startMs = Date.UTC(2026, 10, 22, 10)): TestClock {
  let nowMs = startMs;
  return { nowMs: () => nowMs, monotonicMs: () => nowMs, advance: (ms) => void (nowMs += ms) };
}

export interface LedgerContent {
  balances: (typeof balances.$inferSelect)[];
  reservations: ReservationRow[];
  charges: ChargeRow[];
  days: (typeof usageDays.$inferSelect)[];
}

type LedgerTable = typeof balances | typeof reservations | typeof charges | typeof usageDays;

/** Everything the ledger of a workspace holds, while nobody may change it: leases reserve in the background. */
export async function readLedger(database: Database, workspaceId: string): Promise<LedgerContent> {
  return await database.asSystem('test', async (transaction) => {
    const lock = and(eq(budgets.workspaceId, workspaceId), eq(budgets.scopeKind, 'workspace'));
    await transaction.select().from(budgets).where(lock).for('update');
    const of = <T extends LedgerTable>(table: T): SQL => eq(table.workspaceId, workspaceId);
    return {
      balances: await transaction.select().from(balances).where(of(balances)),
      reservations: await transaction.select().from(reservations).where(of(reservations)),
      charges: await transaction.select().from(charges).where(of(charges)),
      days: await transaction.select().from(usageDays).where(of(usageDays)),
    };
  });
}

/** What a scope has spent and holds in a period, summed from charges and reservations. */
export function standingOf(
  content: LedgerContent,
  scope: { scopeKind: ScopeKind; scopeId: string; period: string },
): { spentMicroUsd: number; reservedMicroUsd: number } {
  const isOf = (row: { projectId: string | null; keyId: string | null; month: string }): boolean =>
    (scope.period === 'total' || row.month === scope.period) &&
    (scope.scopeKind === 'workspace' ||
      (scope.scopeKind === 'project' ? row.projectId : row.keyId) === scope.scopeId);
  const held = content.reservations.filter((row) => row.state === 'held' && isOf(row));
  return {
    spentMicroUsd: total(content.charges.filter(isOf)),
    reservedMicroUsd: total(held),
  };
}

/** Asserts the sum rule of a workspace's ledger, and that no reservation was charged more than it held. */
export async function assertLedgerAddsUp(database: Database, workspaceId: string): Promise<LedgerContent> {
  const content = await readLedger(database, workspaceId);
  for (const balance of content.balances) {
    const { spentMicroUsd, reservedMicroUsd } = balance;
    assert.deepEqual({ spentMicroUsd, reservedMicroUsd }, standingOf(content, balance));
  }
  for (const reservation of content.reservations) {
    const charged = total(content.charges.filter((charge) => charge.reservationId === reservation.id));
    assert.equal(charged, reservation.chargedMicroUsd ?? 0, `charges of ${reservation.id}`);
    assert.ok(charged <= reservation.amountMicroUsd, `${reservation.id} was charged more than it held`);
    assert.equal(reservation.state === 'held', reservation.endedAt === null);
  }
  assert.equal(total(content.days), total(content.charges), 'the days add up to the charges');
  return content;
}

function total(rows: { amountMicroUsd: number }[]): number {
  return rows.reduce((sum, row) => sum + row.amountMicroUsd, 0);
}

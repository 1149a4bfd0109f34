// The ledger: money moves only here, as reserve, then settle or release. It is the reserve-then-commit scheme of card
// payments: an authorisation sets the most aside, a capture takes at most that. Nothing is kept in memory; any number
// of servers may work on one ledger.
//
// The sum rule, kept for every workspace, project and key, month and total: spent + reserved never grows beyond the
// cap, spent = sum of its charges, reserved = sum of its held reservations.
import { assert } from '../../base/assert.ts';
import type { NewId } from '../../base/ids.ts';
import { assertMicroUsd, formatUsd, microUsdPerUsd, type MicroUsd } from '../../base/money.ts';
import { Problem } from '../../base/problems.ts';
import type { Clock } from '../../base/time.ts';
import type { Database, Transaction } from '../../platform/ports/database.ts';
import type { Payer, ReservationRequest, Usage, UsageUnit } from '../../platform/ports/meter.ts';
import { affordableQuantity, chargesWithin, quote } from './prices.ts';
import {
  endReservation,
  findByPurpose,
  findReservation,
  holdReservation,
  listExpired,
  listStandings,
  lockLedger,
  renewReservations,
  type BudgetStanding,
} from './rows.ts';
import { monthOf } from './states.ts';

/** The cap that every workspace starts with, a month. */
export const defaultCapMicroUsd: MicroUsd = 100 * microUsdPerUsd;

/** What the ledger needs of the outside. */
export interface LedgerTools {
  clock: Clock;
  newId: NewId;
}

export interface Reservation {
  reservationId: string;
  amountMicroUsd: MicroUsd;
}

/** Locks the workspace's ledger for the rest of the transaction, making its default cap when it has none. */
export async function openLedger(
  tools: LedgerTools,
  transaction: Transaction,
  workspaceId: string,
): Promise<void> {
  await lockLedger(transaction, {
    id: tools.newId('budget'),
    workspaceId,
    createdAt: new Date(tools.clock.nowMs()),
    scopeKind: 'workspace',
    scopeId: '',
    period: 'month',
    capMicroUsd: defaultCapMicroUsd,
  });
}

/** Holds the price of the whole usage, or throws `budget-exceeded` and holds nothing. */
export async function reserve(
  tools: LedgerTools,
  transaction: Transaction,
  request: ReservationRequest,
): Promise<Reservation> {
  const { payer, purpose, expiresAtMs } = request;
  const amountMicroUsd = quote(request.usage);
  await openLedger(tools, transaction, payer.workspaceId);
  if (purpose.kind !== 'prediction-lease') {
    const same = await findByPurpose(transaction, payer.workspaceId, purpose);
    if (same?.state === 'held') {
      assert(
        same.amountMicroUsd === amountMicroUsd,
        `${purpose.kind} ${purpose.subjectId} holds another amount`,
      );
      await renewReservations(transaction, [{ id: same.id, expiresAtMs, usedSoFar: same.usedSoFar }]);
      return { reservationId: same.id, amountMicroUsd };
    }
  }
  const tightest = await tightestCap(tools, transaction, payer);
  if (amountMicroUsd > 0 && amountMicroUsd > tightest.leftMicroUsd) throw refusal(tightest, amountMicroUsd);
  return await hold(tools, transaction, { payer, purpose, expiresAtMs, amountMicroUsd });
}

/**
 * Holds the price of as much as the caps allow, from `minimum` up to `maximum` units.
 * Throws `budget-exceeded` when they do not allow `minimum`.
 */
export async function reserveUpTo(
  tools: LedgerTools,
  transaction: Transaction,
  request: Omit<ReservationRequest, 'usage'> & { unit: UsageUnit; minimum: number; maximum: number },
): Promise<Reservation & { quantity: number }> {
  const { payer, unit, minimum, maximum } = request;
  assert(minimum <= maximum, 'the minimum of a reservation is above its maximum');
  await openLedger(tools, transaction, payer.workspaceId);
  const tightest = await tightestCap(tools, transaction, payer);
  const quantity = Math.min(maximum, affordableQuantity(unit, tightest.leftMicroUsd));
  if (quantity < minimum) throw refusal(tightest, quote([{ unit, quantity: minimum }]));
  const amountMicroUsd = quote([{ unit, quantity }]);
  return { ...(await hold(tools, transaction, { ...request, amountMicroUsd })), quantity };
}

/**
 * Ends a reservation: charges `used`, at most what it holds, and frees the rest. One that has ended stays as it is.
 * @returns what was charged when it ended
 */
export async function settle(
  tools: LedgerTools,
  transaction: Transaction,
  reservationId: string,
  used: readonly Usage[],
): Promise<MicroUsd> {
  return await end(tools, transaction, { reservationId, used });
}

/**
 * Ends reservations whose time is over: charges what their owners had recorded, frees the rest. Several servers may
 * do so at once; each reservation ends once.
 * @returns how many it ended
 */
export async function reap(tools: LedgerTools, database: Database, limit = 100): Promise<number> {
  const nowMs = tools.clock.nowMs();
  const expired = await database.asSystem('reap reservations', (transaction) =>
    listExpired(transaction, nowMs, limit),
  );
  let endedCount = 0;
  for (const { id, workspaceId, usedSoFar } of expired) {
    // oxlint-disable-next-line no-await-in-loop -- each in a transaction of its own, so that one ledger is locked at a time
    const ended = await database.inWorkspace({ workspaceId, projectId: null }, (transaction) =>
      endOnce(tools, transaction, { reservationId: id, used: usedSoFar, expiredByMs: nowMs }),
    );
    if (ended) endedCount++;
  }
  return endedCount;
}

interface EndRequest {
  reservationId: string;
  used: readonly Usage[];
  expiredByMs?: number;
}

async function end(tools: LedgerTools, transaction: Transaction, request: EndRequest): Promise<MicroUsd> {
  await endOnce(tools, transaction, request);
  const ended = await findReservation(transaction, request.reservationId);
  return ended?.chargedMicroUsd ?? 0;
}

async function endOnce(tools: LedgerTools, transaction: Transaction, request: EndRequest): Promise<boolean> {
  const { reservationId, used, expiredByMs } = request;
  const found = await findReservation(transaction, reservationId);
  assert(found, `there is no reservation ${reservationId}`);
  if (found.state !== 'held') return false;
  await openLedger(tools, transaction, found.workspaceId);
  return await endReservation(transaction, {
    reservationId,
    atMs: tools.clock.nowMs(),
    charges: chargesWithin(used, found.amountMicroUsd).map((line) => ({
      ...line,
      id: tools.newId('charge'),
    })),
    ...(expiredByMs !== undefined && { expiredByMs }),
  });
}

async function hold(
  tools: LedgerTools,
  transaction: Transaction,
  held: Pick<ReservationRequest, 'payer' | 'purpose' | 'expiresAtMs'> & { amountMicroUsd: MicroUsd },
): Promise<Reservation> {
  const { payer, purpose, expiresAtMs, amountMicroUsd } = held;
  assertMicroUsd(amountMicroUsd, 'the amount of a reservation');
  const reservationId = tools.newId('reservation');
  const nowMs = tools.clock.nowMs();
  await holdReservation(transaction, {
    id: reservationId,
    ...payer,
    createdAt: new Date(nowMs),
    purposeKind: purpose.kind,
    subjectId: purpose.subjectId,
    month: monthOf(nowMs),
    amountMicroUsd,
    usedSoFar: [],
    state: 'held',
    expiresAt: new Date(expiresAtMs),
  });
  return { reservationId, amountMicroUsd };
}

interface TightestCap {
  budget: BudgetStanding;
  /** Below zero after a cap was lowered. */
  leftMicroUsd: MicroUsd;
}

async function tightestCap(tools: LedgerTools, transaction: Transaction, payer: Payer): Promise<TightestCap> {
  const month = monthOf(tools.clock.nowMs());
  const standings = await listStandings(transaction, { workspaceId: payer.workspaceId, month, payer });
  const caps = standings.map((budget) => ({
    budget,
    leftMicroUsd: budget.capMicroUsd - budget.spentMicroUsd - budget.reservedMicroUsd,
  }));
  assert(caps.length > 0, `workspace ${payer.workspaceId} has no cap`);
  return caps.reduce((tightest, cap) => (cap.leftMicroUsd < tightest.leftMicroUsd ? cap : tightest));
}

function refusal({ budget, leftMicroUsd }: TightestCap, neededMicroUsd: MicroUsd): Problem {
  const whose = budget.scopeKind === 'workspace' ? 'the workspace' : `the ${budget.scopeKind}`;
  const which = budget.period === 'month' ? `monthly cap of ${whose}` : `cap of ${whose}`;
  return new Problem(
    'budget-exceeded',
    `The ${which} leaves ${formatUsd(Math.max(0, leftMicroUsd))}; this could cost ${formatUsd(neededMicroUsd)}.`,
  );
}

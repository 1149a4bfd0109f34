// The ledger by example: refusals, ends, months, the reaper, and what keys that are bound to a project may do.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Problem } from '../../base/problems.ts';
import { dayMs, minuteMs } from '../../base/time.ts';
import type { Database, Transaction } from '../../platform/ports/database.ts';
import type { Payer, ReservationRequest } from '../../platform/ports/meter.ts';
import { openTestServices, type TestServices } from '../../platform/testing.ts';
import { openLedger, reap, reserve, reserveUpTo, settle, type LedgerTools } from './ledger.ts';
import { putBudget, renewReservations, type ScopeKind } from './rows.ts';
import { assertLedgerAddsUp, standingOf, testClock, type TestClock } from './testing.ts';

let opened: TestServices;
let database: Database;
let clock: TestClock;
let tools: LedgerTools;
before(async () => {
  opened = await openTestServices();
  database = opened.services.database;
});
after(() => opened.close());

function freshWorkspace(): Payer {
  clock = testClock();
  tools = { clock, newId: opened.services.newId };
  return { workspaceId: opened.services.newId('workspace'), projectId: 'prj_a', keyId: 'key_a' };
}

function within<T>(payer: Payer, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return database.inWorkspace({ workspaceId: payer.workspaceId, projectId: null }, work);
}

async function setCap(
  payer: Payer,
  scopeKind: ScopeKind,
  capMicroUsd: number,
  period: 'month' | 'total' = 'month',
): Promise<void> {
  const scopeId = scopeKind === 'workspace' ? '' : scopeKind === 'project' ? payer.projectId! : payer.keyId!;
  await within(payer, async (transaction) => {
    await openLedger(tools, transaction, payer.workspaceId);
    const id = tools.newId('budget');
    const createdAt = new Date(clock.nowMs());
    const row = { id, workspaceId: payer.workspaceId, createdAt, scopeKind, scopeId, period, capMicroUsd };
    await putBudget(transaction, row);
  });
}

/** A training of `seconds`, at 100 micro-dollars each. */
function training(payer: Payer, seconds: number, subjectId = tools.newId('training')): ReservationRequest {
  return {
    payer,
    usage: [{ unit: 'training-second', quantity: seconds }],
    purpose: { kind: 'training', subjectId },
    expiresAtMs: clock.nowMs() + 10 * minuteMs,
  };
}

const isRefused = (error: unknown): boolean => error instanceof Problem && error.code === 'budget-exceeded';

describe('reserving', () => {
  test('a new workspace has a hard cap of 100 dollars a month', async () => {
    const payer = freshWorkspace();
    await within(payer, (transaction) => reserve(tools, transaction, training(payer, 1_000_000)));
    await assert.rejects(
      within(payer, (transaction) => reserve(tools, transaction, training(payer, 1))),
      (error: Problem) =>
        isRefused(error) &&
        error.message === 'The monthly cap of the workspace leaves $0.00; this could cost $0.0001.',
    );
    const content = await assertLedgerAddsUp(database, payer.workspaceId);
    assert.equal(content.reservations.length, 1);
  });

  test('the caps of workspace, project and key all apply', async () => {
    for (const scopeKind of ['workspace', 'project', 'key'] as const) {
      const payer = freshWorkspace();
      // oxlint-disable-next-line no-await-in-loop
      await setCap(payer, scopeKind, 500, scopeKind === 'key' ? 'total' : 'month');
      // oxlint-disable-next-line no-await-in-loop
      await within(payer, (transaction) => reserve(tools, transaction, training(payer, 5)));
      // oxlint-disable-next-line no-await-in-loop
      await assert.rejects(
        within(payer, (transaction) => reserve(tools, transaction, training(payer, 1))),
        (error: Problem) => isRefused(error) && error.message.includes(`cap of the ${scopeKind}`),
      );
    }
  });

  test('a refusal holds nothing, even in a transaction that commits', async () => {
    const payer = freshWorkspace();
    await setCap(payer, 'key', 100);
    await within(payer, async (transaction) => {
      await assert.rejects(reserve(tools, transaction, training(payer, 2)), isRefused);
    });
    const content = await assertLedgerAddsUp(database, payer.workspaceId);
    assert.deepEqual(content.reservations, []);
  });

  test('reserving again for the same purpose gives the same reservation', async () => {
    const payer = freshWorkspace();
    const request = training(payer, 5, 'trn_same');
    const first = await within(payer, (transaction) => reserve(tools, transaction, request));
    const again = await within(payer, (transaction) => reserve(tools, transaction, request));
    assert.deepEqual(again, first);
    const content = await assertLedgerAddsUp(database, payer.workspaceId);
    assert.equal(content.reservations.length, 1);
  });

  test('as much as the cap allows is reserved, and not less than the minimum', async () => {
    const payer = freshWorkspace();
    await setCap(payer, 'project', 1_025);
    const request = {
      payer,
      unit: 'prediction' as const,
      purpose: { kind: 'prediction-lease' as const, subjectId: 'ep_a' },
      expiresAtMs: clock.nowMs() + minuteMs,
    };
    const granted = await within(payer, (transaction) =>
      reserveUpTo(tools, transaction, { ...request, minimum: 1, maximum: 1000 }),
    );
    assert.equal(granted.quantity, 20, '20 predictions at 50 micro-dollars');
    assert.equal(granted.amountMicroUsd, 1_000);
    await assert.rejects(
      within(payer, (transaction) =>
        reserveUpTo(tools, transaction, { ...request, minimum: 1, maximum: 1000 }),
      ),
      isRefused,
    );
  });

  test('a cap lowered below what is spent refuses everything that costs', async () => {
    const payer = freshWorkspace();
    await within(payer, (transaction) => reserve(tools, transaction, training(payer, 5)));
    await setCap(payer, 'workspace', 100);
    await assert.rejects(
      within(payer, (transaction) => reserve(tools, transaction, training(payer, 1))),
      isRefused,
    );
    await within(payer, (transaction) => reserve(tools, transaction, training(payer, 0)));
  });

  test('a cap that is set later counts what was spent before', async () => {
    const payer = freshWorkspace();
    await within(payer, (transaction) => reserve(tools, transaction, training(payer, 5)));
    await setCap(payer, 'key', 700, 'total');
    await assert.rejects(
      within(payer, (transaction) => reserve(tools, transaction, training(payer, 3))),
      isRefused,
    );
    await within(payer, (transaction) => reserve(tools, transaction, training(payer, 2)));
  });

  test('a key that is bound to a project pays like any other', async () => {
    const payer = freshWorkspace();
    const scope = { workspaceId: payer.workspaceId, projectId: payer.projectId };
    const { reservationId } = await database.inWorkspace(scope, (transaction) =>
      reserve(tools, transaction, training(payer, 5)),
    );
    const charged = await database.inWorkspace(scope, (transaction) =>
      settle(tools, transaction, reservationId, [{ unit: 'training-second', quantity: 3 }]),
    );
    assert.equal(charged, 300);
    await assertLedgerAddsUp(database, payer.workspaceId);
  });
});

describe('ending', () => {
  test('what was used is charged once, however often it is settled', async () => {
    const payer = freshWorkspace();
    const { reservationId } = await within(payer, (transaction) =>
      reserve(tools, transaction, training(payer, 10)),
    );
    const settleWith = (quantity: number): Promise<number> =>
      within(payer, (transaction) =>
        settle(tools, transaction, reservationId, [{ unit: 'training-second', quantity }]),
      );
    const charged = await Promise.all([settleWith(4), settleWith(4), settleWith(4)]);
    assert.deepEqual(charged, [400, 400, 400]);
    assert.equal(await settleWith(9), 400, 'a late settlement changes nothing');
    const content = await assertLedgerAddsUp(database, payer.workspaceId);
    assert.equal(content.charges.length, 1);
    assert.equal(content.reservations[0]!.state, 'settled');
  });

  test('no more is charged than was reserved', async () => {
    const payer = freshWorkspace();
    const { reservationId } = await within(payer, (transaction) =>
      reserve(tools, transaction, training(payer, 10)),
    );
    const charged = await within(payer, (transaction) =>
      settle(tools, transaction, reservationId, [
        { unit: 'training-second', quantity: 8 },
        { unit: 'query-second', quantity: 8 },
      ]),
    );
    assert.equal(charged, 1_000);
    const content = await assertLedgerAddsUp(database, payer.workspaceId);
    assert.deepEqual(
      content.charges.map((charge) => charge.amountMicroUsd).toSorted((a, b) => a - b),
      [200, 800],
    );
  });

  test('without use it is released', async () => {
    const payer = freshWorkspace();
    const { reservationId } = await within(payer, (transaction) =>
      reserve(tools, transaction, training(payer, 10)),
    );
    assert.equal(await within(payer, (transaction) => settle(tools, transaction, reservationId, [])), 0);
    const content = await assertLedgerAddsUp(database, payer.workspaceId);
    assert.equal(content.reservations[0]!.state, 'released');
  });

  test('a reservation counts in the month it was made in', async () => {
    const payer = freshWorkspace();
    await setCap(payer, 'workspace', 1_000);
    clock.advance(Date.UTC(2026, 10, 30, 23, 59, 59) - clock.nowMs());
    const { reservationId } = await within(payer, (transaction) =>
      reserve(tools, transaction, training(payer, 10)),
    );
    clock.advance(2 * minuteMs);
    await within(payer, (transaction) => reserve(tools, transaction, training(payer, 10)));
    await within(payer, (transaction) =>
      settle(tools, transaction, reservationId, [{ unit: 'training-second', quantity: 10 }]),
    );
    const content = await assertLedgerAddsUp(database, payer.workspaceId);
    const workspace = { scopeKind: 'workspace' as const, scopeId: '' };
    assert.deepEqual(standingOf(content, { ...workspace, period: '2026-11' }), {
      spentMicroUsd: 1_000,
      reservedMicroUsd: 0,
    });
    assert.deepEqual(standingOf(content, { ...workspace, period: '2026-12' }), {
      spentMicroUsd: 0,
      reservedMicroUsd: 1_000,
    });
  });
});

describe('reaping', () => {
  before(async () => {
    const late = testClock(clock.nowMs() + dayMs);
    await reap({ ...tools, clock: late }, database); // What the tests above left behind.
  });

  test('the recorded use of an expired reservation is charged, the rest freed, once', async () => {
    const payer = freshWorkspace();
    const { reservationId } = await within(payer, (transaction) =>
      reserve(tools, transaction, training(payer, 10)),
    );
    const used = [{ unit: 'training-second' as const, quantity: 6 }];
    const expiresAtMs = clock.nowMs() + 20 * minuteMs;
    await within(payer, (transaction) =>
      renewReservations(transaction, [{ id: reservationId, expiresAtMs, usedSoFar: used }]),
    );
    clock.advance(15 * minuteMs);
    assert.equal(await reap(tools, database), 0, 'it was renewed');
    clock.advance(6 * minuteMs);
    const ended = await Promise.all([reap(tools, database), reap(tools, database)]);
    assert.deepEqual(
      ended.toSorted((a, b) => a - b),
      [0, 1],
    );
    const late = await within(payer, (transaction) =>
      settle(tools, transaction, reservationId, [{ unit: 'training-second', quantity: 10 }]),
    );
    assert.equal(late, 600);
    await assertLedgerAddsUp(database, payer.workspaceId);
  });

  test('an ended reservation cannot be renewed', async () => {
    const payer = freshWorkspace();
    const { reservationId } = await within(payer, (transaction) =>
      reserve(tools, transaction, training(payer, 10)),
    );
    clock.advance(dayMs);
    await reap(tools, database);
    const renewal = { id: reservationId, expiresAtMs: clock.nowMs() + minuteMs, usedSoFar: [] };
    const held = await within(payer, (transaction) => renewReservations(transaction, [renewal]));
    assert.equal(held.size, 0);
  });
});

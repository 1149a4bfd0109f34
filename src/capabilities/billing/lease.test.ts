// Leases by example: warm use waits for nothing, use never exceeds what is reserved, and everything is charged once.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs } from '../../base/time.ts';
import type { LeaseRequest, Payer } from '../../platform/ports/meter.ts';
import { openTestServices, type TestServices } from '../../platform/testing.ts';
import { createMeter, type RunningMeter } from './billing.ts';
import { openLedger } from './ledger.ts';
import { putBudget } from './rows.ts';
import { assertLedgerAddsUp, testClock, type LedgerContent, type TestClock } from './testing.ts';

let opened: TestServices;
let clock: TestClock;
let payer: Payer;
let meter: RunningMeter;

before(async () => {
  opened = await openTestServices();
});
beforeEach(() => {
  clock = testClock();
  payer = { workspaceId: opened.services.newId('workspace'), projectId: 'prj_a', keyId: null };
  meter = start();
});
after(() => opened.close());

function start(): RunningMeter {
  return createMeter({ ...opened.services, clock, tendEveryMs: null });
}

function request(chunkQuantity = 10): LeaseRequest {
  return { payer, unit: 'prediction', subjectId: 'ep_a', chunkQuantity };
}

async function setCap(capMicroUsd: number): Promise<void> {
  const { workspaceId } = payer;
  const tools = { clock, newId: opened.services.newId };
  await opened.services.database.inWorkspace({ workspaceId, projectId: null }, async (transaction) => {
    await openLedger(tools, transaction, workspaceId);
    const id = tools.newId('budget');
    const scope = { scopeKind: 'workspace' as const, scopeId: '', period: 'month' as const };
    await putBudget(transaction, { id, workspaceId, createdAt: new Date(0), ...scope, capMicroUsd });
  });
}

function ledger(): Promise<LedgerContent> {
  return assertLedgerAddsUp(opened.services.database, payer.workspaceId);
}

async function chargedQuantity(): Promise<number> {
  return (await ledger()).charges.reduce((sum, charge) => sum + charge.quantity, 0);
}

const isRefused = (error: unknown): boolean => error instanceof Problem && error.code === 'budget-exceeded';

test('a cold lease waits for a reservation, a warm one answers at once', async () => {
  const lease = meter.lease(request());
  assert.equal(lease.tryUse(1), false);
  await lease.use(1);
  for (let count = 0; count < 4; count++) assert.equal(lease.tryUse(1), true);
  assert.equal(meter.lease(request()), lease, 'asking again gives the same lease');
  await meter.close();
  assert.equal(await chargedQuantity(), 5);
});

test('it never uses more than is reserved, and reserves ahead when it runs low', async () => {
  const lease = meter.lease(request());
  await lease.use(1);
  assert.equal(lease.tryUse(10), false, 'nine are left');
  assert.equal(lease.tryUse(9), true);
  assert.equal(lease.tryUse(1), false, 'the next chunk is not there yet');
  await lease.use(1);
  await meter.close();
  assert.equal(await chargedQuantity(), 11);
});

test('the cap is used up to the last unit and not beyond', async () => {
  await setCap(25 * 50);
  const lease = meter.lease(request());
  let usedCount = 0;
  for (let count = 0; count < 30; count++) {
    // oxlint-disable-next-line no-await-in-loop
    await lease.use(1).then(
      () => usedCount++,
      (error: unknown) => assert.ok(isRefused(error)),
    );
  }
  assert.equal(usedCount, 25);
  await meter.close();
  const content = await ledger();
  assert.equal(
    content.charges.reduce((sum, charge) => sum + charge.amountMicroUsd, 0),
    25 * 50,
  );
});

test('after a refusal the ledger is asked again a second later', async () => {
  await setCap(0);
  const lease = meter.lease(request());
  await assert.rejects(lease.use(1), isRefused);
  await setCap(1_000);
  await assert.rejects(lease.use(1), isRefused);
  clock.advance(secondMs);
  await lease.use(1);
  await meter.close();
});

test('a refusal of much does not refuse little', async () => {
  await setCap(25 * 50);
  const lease = meter.lease(request());
  await assert.rejects(lease.use(26), isRefused);
  await Promise.all([assert.rejects(lease.use(26), isRefused), lease.use(3)]);
  await meter.close();
  assert.equal(await chargedQuantity(), 3);
});

test('what was recorded is charged after a crash, and the rest is freed', async () => {
  const lease = meter.lease(request(100));
  await lease.use(30);
  await meter.tend();
  assert.equal(lease.tryUse(5), true);
  // The server is gone here; another one reaps.
  const other = start();
  clock.advance(2 * minuteMs);
  await other.tend();
  const content = await ledger();
  assert.equal(content.charges[0]!.quantity, 30);
  assert.ok(content.reservations.every((reservation) => reservation.state !== 'held'));
  assert.equal(lease.tryUse(1), false, 'a chunk that may have been reaped is not used');
  await meter.tend();
  assert.equal(await chargedQuantity(), 30, 'the server that woke up again charges nothing twice');
  await Promise.all([meter.close(), other.close()]);
});

test('a lease in use is kept and charged now and then; an idle one gives its money back', async () => {
  const lease = meter.lease(request(100));
  for (let second = 0; second < 100; second++) {
    // oxlint-disable-next-line no-await-in-loop
    await lease.use(1);
    clock.advance(secondMs);
    // oxlint-disable-next-line no-await-in-loop
    await meter.tend();
  }
  const during = await ledger();
  assert.ok(during.charges.length >= 2 && during.charges.length <= 4, `${during.charges.length} charges`);
  clock.advance(minuteMs);
  await meter.tend();
  const after1 = await ledger();
  assert.ok(after1.reservations.every((reservation) => reservation.state !== 'held'));
  assert.equal(await chargedQuantity(), 100);
  await lease.use(1);
  await meter.close();
  assert.equal(await chargedQuantity(), 101, 'a forgotten lease is tended again when it is used');
});

test('chunks grow under load', async () => {
  const lease = meter.lease(request(10));
  // oxlint-disable-next-line no-await-in-loop
  for (let count = 0; count < 600; count++) await lease.use(1);
  await meter.close();
  const { reservations } = await ledger();
  assert.ok(reservations.length < 12, `${reservations.length} reservations for 600 units`);
  assert.equal(await chargedQuantity(), 600);
});

test('a closed meter lets nothing be used', async () => {
  const lease = meter.lease(request());
  await lease.use(1);
  await meter.close();
  assert.equal(lease.tryUse(1), false);
  await assert.rejects(
    lease.use(1),
    (error: unknown) => error instanceof Problem && error.code === 'unavailable',
  );
  await assert.rejects(meter.lease({ ...request(), subjectId: 'ep_b' }).use(1));
  assert.equal(await chargedQuantity(), 1);
});

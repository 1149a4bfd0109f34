// The process that kill.test.ts kills: spends from a lease and in reservations as fast as it can, until it is gone.
// Run as: node kill-spender.fixture.ts FOLDER WORKSPACE CAP N. Writes the number of predictions used so far, a line
// each, and goes on after N of them only when the ledger knows of some.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { idSource } from '../../base/ids.ts';
import { Problem } from '../../base/problems.ts';
import { minuteMs, systemClock } from '../../base/time.ts';
import { openLog } from '../../platform/drivers/log.ts';
import { openPglite } from '../../platform/drivers/pglite.ts';
import { createMeter } from './billing.ts';
import { putBudget } from './rows.ts';
import { readLedger } from './testing.ts';

const [folder, workspaceId, capMicroUsd, recordedAfter] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
];
const log = openLog({ level: 'silent' });
const newId = idSource();
const database = await openPglite({ storage: { folder }, log });
const meter = createMeter({ database, clock: systemClock, newId, log, tendEveryMs: 20 });
const payer = { workspaceId, projectId: 'prj_a', keyId: null };
const lease = meter.lease({ payer, unit: 'prediction', subjectId: 'ep_a', chunkQuantity: 10 });
let usedCount = 0;

const cap = { scopeKind: 'workspace' as const, scopeId: '', period: 'total' as const };
await database.inWorkspace({ workspaceId, projectId: null }, (transaction) =>
  putBudget(transaction, {
    id: newId('budget'),
    workspaceId,
    createdAt: new Date(),
    ...cap,
    capMicroUsd: Number(capMicroUsd),
  }),
);
await Promise.all([predict(), train(0), train(1)]);

async function predict(): Promise<never> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    await unlessRefused(async () => {
      await lease.use(1);
      usedCount++;
      writeSync(1, `${usedCount}\n`);
    });
    // oxlint-disable-next-line no-await-in-loop
    if (usedCount === Number(recordedAfter)) while (!(await isUseRecorded())) await sleep(5);
    // oxlint-disable-next-line no-await-in-loop
    await new Promise(setImmediate);
  }
}

async function isUseRecorded(): Promise<boolean> {
  const { reservations } = await readLedger(database, workspaceId);
  return reservations.some(
    ({ purposeKind, usedSoFar, chargedMicroUsd }) =>
      purposeKind === 'prediction-lease' && ((chargedMicroUsd ?? 0) > 0 || usedSoFar.length > 0),
  );
}

async function train(phase: number): Promise<never> {
  const scope = { workspaceId, projectId: null };
  for (let round = phase; ; round++) {
    // oxlint-disable-next-line no-await-in-loop
    await unlessRefused(async () => {
      const usage = [{ unit: 'training-second' as const, quantity: 20 }];
      const purpose = { kind: 'training' as const, subjectId: newId('training') };
      const request = { payer, usage, purpose, expiresAtMs: systemClock.nowMs() + minuteMs };
      const id = await database.inWorkspace(
        scope,
        async (transaction) => (await meter.reserve(transaction, request)).reservationId,
      );
      const used = [{ unit: 'training-second' as const, quantity: round % 50 === 0 ? 1 : 0 }];
      await database.inWorkspace(scope, (transaction) => meter.settle(transaction, id, used));
    });
    // The embedded database works within one turn of the event loop: without this nobody else would have one.
    // oxlint-disable-next-line no-await-in-loop
    await new Promise(setImmediate);
  }
}

async function unlessRefused(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'budget-exceeded')) throw error;
  }
}

// kill -9 in the middle of spending: whatever the moment, the ledger in the folder adds up, nothing is overdrawn or
// charged that was not used, and once the reaper has been, nothing is held.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { idSource } from '../../base/ids.ts';
import { hourMs } from '../../base/time.ts';
import { openLog } from '../../platform/drivers/log.ts';
import { openPglite } from '../../platform/drivers/pglite.ts';
import type { Database } from '../../platform/ports/database.ts';
import { reap } from './ledger.ts';
import { assertLedgerAddsUp, testClock } from './testing.ts';

const capMicroUsd = 16_000;
/** The spender goes on after so many predictions only when the ledger knows of some; before, it may know of none. */
const recordedAfter = 100;
const log = openLog({ level: 'silent' });
const newId = idSource();

test('money survives kill -9', async () => {
  const home = await mkdtemp(join(tmpdir(), 'pilvi-kill-'));
  const folder = join(home, 'database');
  const workspaceId = newId('workspace');
  try {
    let usedCount = 0;
    for (const lineCount of [25, recordedAfter + 50]) {
      // oxlint-disable-next-line no-await-in-loop
      usedCount += await spendUntilKilled(folder, workspaceId, lineCount);
      const isSurelyRecorded = lineCount > recordedAfter;
      // oxlint-disable-next-line no-await-in-loop
      await within(folder, (database) => check(database, { workspaceId, usedCount, isSurelyRecorded }));
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

/** Runs the spender until it has written `lineCount` lines, kills it, and returns how many predictions it used. */
async function spendUntilKilled(folder: string, workspaceId: string, lineCount: number): Promise<number> {
  const program = fileURLToPath(new URL('./kill-spender.fixture.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [program, folder, workspaceId, String(capMicroUsd), String(recordedAfter)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exited = once(child, 'exit');
  let usedCount = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    usedCount = Number(line);
    if (usedCount === lineCount) child.kill('SIGKILL');
  }
  assert.deepEqual(await exited, [null, 'SIGKILL']);
  return usedCount;
}

async function check(
  database: Database,
  {
    workspaceId,
    usedCount,
    isSurelyRecorded,
  }: { workspaceId: string; usedCount: number; isSurelyRecorded: boolean },
): Promise<void> {
  const found = await assertLedgerAddsUp(database, workspaceId);
  const balance = found.balances.find((one) => one.scopeKind === 'workspace' && one.period === 'total')!;
  assert.ok(balance.spentMicroUsd + balance.reservedMicroUsd <= capMicroUsd, 'overdrawn');
  await reap({ clock: testClock(Date.now() + hourMs), newId }, database);
  const content = await assertLedgerAddsUp(database, workspaceId);
  assert.ok(content.reservations.every((reservation) => reservation.state !== 'held'));
  const predictions = content.charges.filter((charge) => charge.unit === 'prediction');
  const chargedCount = predictions.reduce((sum, charge) => sum + charge.quantity, 0);
  assert.ok(chargedCount <= usedCount, `charged ${chargedCount} of ${usedCount} used`);
  assert.ok(chargedCount > 0 || !isSurelyRecorded, 'what the ledger knew as used was not charged');
}

async function within(folder: string, work: (database: Database) => Promise<void>): Promise<void> {
  const database = await openPglite({ storage: { folder }, log });
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

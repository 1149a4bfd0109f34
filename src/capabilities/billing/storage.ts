// What is stored is charged by the hour: the bytes that a workspace has at that moment, for one hour. An hour that no
// server saw is not charged, and an hour is charged once however many servers look.
import { Problem } from '../../base/problems.ts';
import { minuteMs } from '../../base/time.ts';
import type { Services } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { Usage } from '../../platform/ports/meter.ts';
import { openLedger, reserve, settle } from './ledger.ts';
import { findByPurpose } from './rows.ts';
import { hourOf } from './states.ts';

const bytesPerGib = 1_073_741_824;

/** Tells, over all workspaces, how many bytes each stores; datasets and models each have one. */
export type StoredBytes = (transaction: Transaction) => Promise<{ workspaceId: string; sizeBytes: number }[]>;

type MeteringServices = Pick<Services, 'database' | 'clock' | 'newId' | 'log'>;

/**
 * Charges every workspace for the running hour, unless that was done. Call it at least once an hour. A workspace
 * whose cap does not allow the charge is not charged: what it stores stays.
 * @returns how many workspaces were charged
 */
export async function meterStorage(
  services: MeteringServices,
  sources: readonly StoredBytes[],
): Promise<number> {
  const bytesOf = new Map<string, number>();
  await services.database.asSystem('meter storage', async (transaction) => {
    for (const storedBytes of sources)
      // oxlint-disable-next-line no-await-in-loop -- one connection
      for (const { workspaceId, sizeBytes } of await storedBytes(transaction))
        bytesOf.set(workspaceId, (bytesOf.get(workspaceId) ?? 0) + sizeBytes);
  });
  let chargedCount = 0;
  for (const [workspaceId, sizeBytes] of bytesOf) {
    // oxlint-disable-next-line no-await-in-loop -- one ledger locked at a time
    if (sizeBytes > 0 && (await chargeHour(services, workspaceId, sizeBytes))) chargedCount++;
  }
  return chargedCount;
}

async function chargeHour(
  services: MeteringServices,
  workspaceId: string,
  sizeBytes: number,
): Promise<boolean> {
  const nowMs = services.clock.nowMs();
  const purpose = { kind: 'storage' as const, subjectId: hourOf(nowMs) };
  const usage: Usage[] = [{ unit: 'stored-gib-hour', quantity: sizeBytes / bytesPerGib }];
  const payer = { workspaceId, projectId: null, keyId: null };
  try {
    return await services.database.inWorkspace({ workspaceId, projectId: null }, async (transaction) => {
      await openLedger(services, transaction, workspaceId);
      if (await findByPurpose(transaction, workspaceId, purpose)) return false;
      const expiresAtMs = nowMs + minuteMs;
      const { reservationId } = await reserve(services, transaction, { payer, usage, purpose, expiresAtMs });
      await settle(services, transaction, reservationId, usage);
      return true;
    });
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'budget-exceeded')) throw error;
    services.log.warn(
      { workspaceId },
      'The cap of a workspace does not allow its storage; this hour is free.',
    );
    return false;
  }
}

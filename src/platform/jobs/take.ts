// Taking jobs: the next one from the queue, and those whose hosts have gone silent.
import type { Delivery } from '../drivers/pg-boss.ts';
import { secondMs } from '../../base/time.ts';
import type { Transaction } from '../ports/database.ts';
import { stateEvent, tell, type JobParts } from './ending.ts';
import * as rows from './rows.ts';
import type { JobRow } from './rows.ts';

/** A job of a kind that this version does not know waits for a host that does. */
const unknownKindDelayMs = 30 * secondMs;
const maxAdoptedAtOnce = 20;

/** Takes the job whose turn it is and says that it runs; undefined when none waits. */
export async function takeNextJob(parts: JobParts, hostId: string): Promise<JobRow | undefined> {
  return await parts.services().database.asSystem('take a job', async (transaction) => {
    for (;;) {
      const delivery = await parts.queue.take(transaction);
      if (!delivery) return undefined;
      const row = await takeDelivered(parts, transaction, delivery, hostId);
      if (row) return row;
    }
  });
}

async function takeDelivered(
  parts: JobParts,
  transaction: Transaction,
  delivery: Delivery,
  hostId: string,
): Promise<JobRow | undefined> {
  const { clock, log } = parts.services();
  const waiting = await rows.findJob(transaction, delivery.jobId);
  if (waiting?.deliveryId === delivery.id && !parts.kinds.has(waiting.kind)) {
    log.warn({ kind: waiting.kind }, 'a job of an unknown kind waits for a host that knows it');
    const job = { jobId: waiting.id, workspaceId: waiting.workspaceId };
    await rows.setDelivery(
      transaction,
      waiting.id,
      await parts.queue.add(transaction, job, unknownKindDelayMs),
    );
  }
  const now = new Date(clock.nowMs());
  const hold = { jobId: delivery.jobId, deliveryId: delivery.id, hostId };
  const row = await rows.takeJob(transaction, hold, now);
  if (row) await tell(transaction, row.id, stateEvent('running', row.attempt, now));
  else await parts.queue.remove(transaction, delivery.id);
  return row;
}

/**
 * Takes over jobs that nobody has said to be alive for `silentMs`; their processes have ended, or find out that they
 * are not held any more. `isMore`: there may be others.
 * @param exceptDeliveries what this host runs, whether its heartbeats arrived or not.
 */
export async function adoptLostJobs(
  parts: JobParts,
  hostId: string,
  { silentMs, exceptDeliveries }: { silentMs: number; exceptDeliveries: string[] },
): Promise<{ lost: JobRow[]; isMore: boolean }> {
  const limit = maxAdoptedAtOnce;
  const kinds = [...parts.kinds.keys()];
  const lost = await parts
    .services()
    .database.asSystem('adopt lost jobs', (transaction) =>
      rows.adoptJobs(transaction, hostId, { silentMs, limit, kinds, exceptDeliveries }),
    );
  return { lost, isMore: lost.length === limit };
}

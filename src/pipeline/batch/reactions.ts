// Calls back when a batch has ended. What fails for a while is tried again by the dispatcher, ever later; what will not
// pass, or did not for an hour, is given up and told at the batch.
import { Problem } from '../../base/problems.ts';
import { hourMs } from '../../base/time.ts';
import type { Context, Reaction } from '../../platform/context.ts';
import { sendWebhook } from '../../platform/webhooks.ts';
import { callbackBody, type StoredCallback } from './callback.ts';
import { findBatch, updateBatch, type BatchRow } from './rows.ts';

const giveUpMs = hourMs;
/** Refusals that may pass; any other status of 400 to 499 is the receiver's last word. */
const passingStatuses = new Set([408, 409, 425, 429]);

export const batchReactions: Reaction[] = [
  {
    event: 'batch-finished',
    name: 'batch-callback',
    async react(context, { eventId, data }) {
      const batchId = String(data['batchId']);
      const row = await context.transaction((transaction) => findBatch(transaction, batchId));
      const callback = row?.callback;
      if (!row || callback?.state !== 'waiting' || callback.secret === null) return;
      const outcome = await call(context, { row, callback, secret: callback.secret, eventId });
      const isLate = context.clock.nowMs() - (row.finishedAt?.getTime() ?? 0) > giveUpMs;
      const state = outcome.state === 'waiting' && isLate ? 'failed' : outcome.state;
      const kept: StoredCallback = {
        ...outcome,
        url: callback.url,
        state,
        secret: state === 'waiting' ? callback.secret : null,
      };
      await context.transaction((transaction) => updateBatch(transaction, batchId, { callback: kept }));
      if (state === 'waiting') throw new Problem('source-failed', kept.detail);
    },
  },
];

async function call(
  context: Context,
  {
    row,
    callback,
    secret,
    eventId,
  }: { row: BatchRow; callback: StoredCallback; secret: string; eventId: string },
): Promise<Pick<StoredCallback, 'state' | 'detail'>> {
  try {
    const status = await sendWebhook(context, {
      url: callback.url,
      id: eventId,
      body: callbackBody(row),
      signedBy: { secret },
    });
    if (status >= 200 && status < 300)
      return { state: 'delivered', detail: `Answered with status ${status}.` };
    const isFinal = status >= 300 && status < 500 && !passingStatuses.has(status);
    return { state: isFinal ? 'failed' : 'waiting', detail: `The address answered with status ${status}.` };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { state: error.code === 'address-forbidden' ? 'failed' : 'waiting', detail: error.message };
  }
}

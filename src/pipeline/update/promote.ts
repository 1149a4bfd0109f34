// How a new version takes over for an endpoint, and how it is taken back: by a release. The one place that knows.
import { Problem } from '../../base/problems.ts';
import type { Context } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { getEndpoint } from '../deploy/deploy.ts';
import { getRelease, rollBackRelease, startRelease } from '../release/release.ts';
import type { FormerDeployment, Settings, UpdateRow } from './rows.ts';

/** How far a promotion is. */
export type Promotion =
  | { state: 'started' }
  | { state: 'under-way' }
  | { state: 'done'; words: string }
  | { state: 'stopped'; reasons: string[] };

/**
 * Starts the release of the candidate, or looks how far it is. May be called again after it was interrupted.
 * @param keep writes the release's id with the transaction that starts it; false: another server started one
 */
export async function promote(
  context: Context,
  row: UpdateRow,
  {
    takesOver,
    keep,
  }: {
    takesOver: Settings['takesOver'];
    keep: (transaction: Transaction, releaseId: string) => Promise<boolean>;
  },
): Promise<Promotion> {
  if (row.releaseId !== null) return await lookAt(context, row.releaseId);
  const { deployments, releaseId } = await getEndpoint(context, row.endpointId);
  if (releaseId !== null)
    return stopped('Another release moves the traffic of this endpoint: the update leaves that as it is.');
  if (!isSame(deployments, row.formerDeployments))
    return stopped(
      'Somebody changed which versions answer while the update was under way: it leaves that as it is.',
    );
  const { strategy, leastRequests } = takesOver;
  const wanted = {
    endpointId: row.endpointId,
    modelVersionId: row.candidateVersionId!,
    strategy,
    guard: { leastRequests },
    note: `By an update: ${row.trigger.words}`,
  };
  await startRelease(context, wanted, async (transaction, id) => {
    if (!(await keep(transaction, id))) throw new Problem('wrong-state', 'Another server released it.');
  });
  return { state: 'started' };
}

async function lookAt(context: Context, releaseId: string): Promise<Promotion> {
  const { state, reason } = await getRelease(context, releaseId);
  switch (state) {
    case 'waiting':
    case 'baking':
    case 'paused':
      return { state: 'under-way' };
    case 'finished':
      return { state: 'done', words: 'It answers all requests.' };
    case 'rolled-back':
      return stopped(reason ?? 'Its release was rolled back.');
    case 'ended':
      return stopped('The endpoint is gone.');
    default:
      return state satisfies never;
  }
}

function stopped(reason: string): Promotion {
  return { state: 'stopped', reasons: [reason] };
}

/** Lets the former versions answer again. Throws `wrong-state` when something else was deployed since. */
export async function takeBack(context: Context, { releaseId }: UpdateRow, reason: string): Promise<void> {
  if (releaseId !== null) await rollBackRelease(context, releaseId, { reason });
}

/** Whether these answer with the same shares. */
export function isSame(now: readonly FormerDeployment[], before: readonly FormerDeployment[]): boolean {
  const shares = new Map(before.map(({ modelVersionId, trafficShare }) => [modelVersionId, trafficShare]));
  return (
    now.length === before.length &&
    now.every(({ modelVersionId, trafficShare }) => shares.get(modelVersionId) === trafficShare)
  );
}

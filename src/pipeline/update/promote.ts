// How a new version takes over for an endpoint, and how it is taken back. The one place that knows.
import type { Context } from '../../platform/context.ts';
import { deployModel, getEndpoint } from '../deploy/deploy.ts';
import type { FormerDeployment, UpdateRow } from './rows.ts';

/** How far a promotion is. */
export type Promotion = { state: 'done'; words: string } | { state: 'stopped'; reasons: string[] };

/** Gives the candidate all of the traffic. May be called again after it was interrupted. */
export async function promote(
  context: Context,
  { endpointId, candidateVersionId, formerDeployments }: UpdateRow,
): Promise<Promotion> {
  const { deployments } = await getEndpoint(context, endpointId);
  const isThere = deployments.length === 1 && deployments[0]!.modelVersionId === candidateVersionId;
  if (!isThere) {
    if (!isSame(deployments, formerDeployments))
      return {
        state: 'stopped',
        reasons: [
          'Somebody changed which versions answer while the update was under way: it leaves that as it is.',
        ],
      };
    await deployModel(context, endpointId, [{ modelVersionId: candidateVersionId!, trafficShare: 1 }]);
  }
  return { state: 'done', words: 'It answers all requests.' };
}

/** Puts the former versions back. Throws what deploying throws. */
export async function takeBack(
  context: Context,
  { endpointId, formerDeployments }: UpdateRow,
): Promise<void> {
  await deployModel(context, endpointId, formerDeployments);
}

/** Whether these answer with the same shares. */
export function isSame(now: readonly FormerDeployment[], before: readonly FormerDeployment[]): boolean {
  const shares = new Map(before.map(({ modelVersionId, trafficShare }) => [modelVersionId, trafficShare]));
  return (
    now.length === before.length &&
    now.every(({ modelVersionId, trafficShare }) => shares.get(modelVersionId) === trafficShare)
  );
}

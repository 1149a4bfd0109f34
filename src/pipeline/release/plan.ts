// Strategies as data: the steps that a strategy means, and who answers in each. Pure.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import type { release, releaseStrategy } from '../../contract/release.ts';
import type { WantedDeployment } from '../deploy/revisions.ts';

export type Strategy = z.output<typeof releaseStrategy>;
export type Step = z.output<typeof release>['steps'][number];

/**
 * The steps before the version gets all of the traffic, and of `all-at-once` that step itself, which is watched too.
 * Throws `invalid-request` for shares that do not grow.
 */
export function stepsOf(strategy: Strategy): Step[] {
  switch (strategy.kind) {
    case 'all-at-once':
      return [{ role: 'live', trafficShare: 1, bakingMinutes: strategy.bakingMinutes }];
    case 'canary': {
      const { steps } = strategy;
      const wrong = steps.findIndex(
        ({ trafficShare }, index) => index > 0 && trafficShare <= steps[index - 1]!.trafficShare,
      );
      if (wrong >= 0)
        throw new Problem(
          'invalid-request',
          `The share of step ${wrong + 1} is not larger than the one before.`,
          {
            errors: [
              {
                field: `body.strategy.steps.${wrong}.trafficShare`,
                message: 'must be larger than the one before',
              },
            ],
          },
        );
      return steps.map((step) => ({ role: 'live', ...step }));
    }
    case 'linear':
      return Array.from({ length: strategy.stepCount - 1 }, (_, index) => ({
        role: 'live',
        trafficShare: (index + 1) / strategy.stepCount,
        bakingMinutes: strategy.bakingMinutes,
      }));
    case 'shadow':
      return [{ role: 'shadow', trafficShare: strategy.trafficShare, bakingMinutes: strategy.bakingMinutes }];
    case 'challenger':
      return [{ role: strategy.role, trafficShare: strategy.trafficShare, bakingMinutes: null }];
    default:
      return strategy satisfies never;
  }
}

/** Who answers in a step: the candidate has its share, the former versions share the rest as they did. */
export function deploymentsOfStep(
  candidateId: string,
  former: readonly { modelVersionId: string; trafficShare: number }[],
  { role, trafficShare }: Pick<Step, 'role' | 'trafficShare'>,
): WantedDeployment[] {
  const candidate: WantedDeployment = { modelVersionId: candidateId, trafficShare, role };
  if (role === 'shadow') return [...former.map(asLive), candidate];
  // The former versions stay in sight, and ready, when nothing is left for them.
  const others = former.filter(({ modelVersionId }) => modelVersionId !== candidateId);
  const total = others.reduce((sum, each) => sum + each.trafficShare, 0);
  const rest = others.map(({ modelVersionId, trafficShare: had }) => ({
    modelVersionId,
    trafficShare: total > 0 ? (had * (1 - trafficShare)) / total : (1 - trafficShare) / others.length,
  }));
  return [candidate, ...rest];
}

function asLive({
  modelVersionId,
  trafficShare,
}: {
  modelVersionId: string;
  trafficShare: number;
}): WantedDeployment {
  return { modelVersionId, trafficShare };
}

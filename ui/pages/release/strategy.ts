// The ways of releasing a version that forms offer, as the API takes them.
import type { NewRelease } from '../../api/types.ts';
import type { StrategyKind } from './words.ts';

/** Steps that suit most; each is watched for so many minutes. */
export function strategyOf(kind: StrategyKind, bakingMinutes: number): NewRelease['strategy'] {
  switch (kind) {
    case 'canary':
      return { kind, steps: [0.05, 0.25, 0.5].map((trafficShare) => ({ trafficShare, bakingMinutes })) };
    case 'linear':
      return { kind, stepCount: 5, bakingMinutes };
    case 'challenger':
      return { kind, role: 'live', trafficShare: 0.1 };
    case 'shadow':
    case 'all-at-once':
      return { kind, bakingMinutes };
    default:
      return kind satisfies never;
  }
}

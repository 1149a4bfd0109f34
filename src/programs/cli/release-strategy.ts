// Ways of releasing a version, as options.
import { parseDurationMs } from '../../base/time.ts';
import type { InputFor } from '../../sdk/types.ts';
import { UsageError } from './failure.ts';

type Strategy = InputFor<'startRelease'>['body']['strategy'];

export interface StrategyOptions {
  strategy: Strategy['kind'];
  steps?: string;
  stepCount: number;
  bake: string;
  share?: number;
  role: 'shadow' | 'live';
}

export const strategies = ['canary', 'linear', 'all-at-once', 'shadow', 'challenger'] as const;

/** Throws a usage error for steps or times that cannot be read. */
export function strategyOf(options: StrategyOptions): Strategy {
  const { strategy: kind, steps, stepCount, bake, share, role } = options;
  switch (kind) {
    case 'canary':
      return { kind, steps: readSteps(steps ?? '5%=15m,25%=15m,50%=15m') };
    case 'linear':
      return { kind, stepCount, bakingMinutes: minutesOf(bake) };
    case 'all-at-once':
      return { kind, bakingMinutes: minutesOf(bake) };
    case 'shadow':
      return { kind, trafficShare: share ?? 1, bakingMinutes: minutesOf(bake) };
    case 'challenger':
      return { kind, role, trafficShare: share ?? (role === 'shadow' ? 1 : 0.1) };
    default:
      return kind satisfies never;
  }
}

/** `5%=15m,0.25=1h`. */
function readSteps(text: string): { trafficShare: number; bakingMinutes: number }[] {
  return text.split(',').map((step) => {
    const [, number, percent, time] = /^\s*([\d.]+)(%?)=(\S+)\s*$/.exec(step) ?? [];
    const trafficShare = Number(number) / (percent ? 100 : 1);
    if (time !== undefined && trafficShare > 0 && trafficShare <= 1)
      return { trafficShare, bakingMinutes: minutesOf(time) };
    throw new UsageError(`"${step}" is no step; write SHARE=TIME, such as 5%=15m`);
  });
}

function minutesOf(text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined) return durationMs / 60_000;
  throw new UsageError(`"${text}" is no time; write such as 30s, 15m or 2h`);
}

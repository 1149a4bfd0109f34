// The leaderboard of a training without a result, told from its events: it runs, or was ended before there was one.
import { trial } from '../../contract/training.ts';
import type { z } from 'zod';

export type Trial = z.output<typeof trial>;

/** The trials in `events` (oldest first), each in its newest state, in the order they were started. */
export function trialsOf(events: readonly { name: string; data: unknown }[]): Trial[] {
  const trials = new Map<string, Trial>();
  for (const { name, data } of events) {
    if (name !== 'trial-started' && name !== 'trial-finished') continue;
    const parsed = trial.safeParse((data as { trial?: unknown }).trial);
    if (parsed.success) trials.set(parsed.data.id, parsed.data);
  }
  return [...trials.values()];
}

/** A trial as it stands when its training has ended: what was running has stopped. */
export function asStopped(one: Trial): Trial {
  return one.state === 'running' ? { ...one, state: 'stopped', problem: 'The training ended first' } : one;
}

// The states of a job and what follows from them; README.md draws them.
import { hash32 } from '../../base/hash.ts';
import { secondMs } from '../../base/time.ts';
import type { JobState } from '../../contract/job.ts';

const longestRetryDelayMs = 60 * secondMs;

/** Whether nothing more will happen. */
export function isEnded(state: JobState): boolean {
  switch (state) {
    case 'queued':
    case 'running':
      return false;
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return true;
    default:
      return state satisfies never;
  }
}

/**
 * How long to wait after the `attempt`-th try before the next: 1 s, doubled each time up to a minute, and a share of
 * it less for each job, so that jobs that fell together do not rise together (exponential back-off with jitter).
 */
export function retryDelayMs(jobId: string, attempt: number): number {
  const delayMs = Math.min(longestRetryDelayMs, secondMs * 2 ** (attempt - 1));
  return Math.round(delayMs * (1 - (hash32(`${jobId}/${attempt}`) % 1_000) / 2_000));
}

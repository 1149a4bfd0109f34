// The states of a batch are those of its job: queued -> running -> succeeded | failed | cancelled.
import type { JobState } from '../../contract/job.ts';

/** Whether nothing more will happen. */
export function isEnded(state: JobState): boolean {
  switch (state) {
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return true;
    case 'queued':
    case 'running':
      return false;
    default:
      return state satisfies never;
  }
}

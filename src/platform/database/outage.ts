// What may go on while the database cannot be reached: for a minute, requests are answered by what was in memory when it
// was last heard of (who may ask, which versions answer, money that was set aside). Then they are refused. So a restart
// of the database costs no prediction; the price is that what another server revoked in this minute is not seen.
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs } from '../../base/time.ts';

/** How long memory is used without the database. */
export const outageMs = minuteMs;

/** What may be answered from memory waits no longer for the database than this. */
export const outagePatienceMs = secondMs;

/** Whether a failure says that the database does not answer, rather than what it answers. */
export function isOutage(error: unknown): boolean {
  return error instanceof Problem && error.code === 'unavailable';
}

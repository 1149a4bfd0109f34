// States of an update, drawn in the README.
import type { updateStates } from '../../contract/update.ts';

export type UpdateState = (typeof updateStates)[number];

/** States in which something is to be done; of each endpoint at most one update is in one of them. */
export const runningStates = [
  'starting',
  'training',
  'comparing',
  'releasing',
] as const satisfies UpdateState[];

/** Whether something is to be done. */
export function isRunning(state: UpdateState): boolean {
  return (runningStates as readonly UpdateState[]).includes(state);
}

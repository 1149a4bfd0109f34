// States of a release, drawn in the README.

export type ReleaseState = 'waiting' | 'baking' | 'paused' | 'finished' | 'rolled-back' | 'ended';

/** Whether it moves, or may move, the traffic of its endpoint. */
export function isRunning(state: ReleaseState): boolean {
  switch (state) {
    case 'waiting':
    case 'baking':
    case 'paused':
      return true;
    case 'finished':
    case 'rolled-back':
    case 'ended':
      return false;
    default:
      return state satisfies never;
  }
}

// The states of a dataset version: importing -> ready | failed. A failed one stays, to say why.
import type { versionStates } from '../../contract/dataset.ts';

export type VersionState = (typeof versionStates)[number];

/** Whether its content can be read. */
export function isReadable(state: VersionState): boolean {
  switch (state) {
    case 'ready':
      return true;
    case 'importing':
    case 'failed':
      return false;
    default:
      return state satisfies never;
  }
}

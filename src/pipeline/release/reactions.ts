// What releases do when something happened: with its endpoint a release ends.
import type { Reaction } from '../../platform/context.ts';
import { endReleasesOf } from './release.ts';

export const releaseReactions: Reaction[] = [
  {
    event: 'endpoint-deleted',
    name: 'end-releases',
    react: (context, { data }) => endReleasesOf(context, String(data['endpointId'])),
  },
];

// What comparing does when something happened: with an endpoint goes what was compared for it.
import type { Reaction } from '../../platform/context.ts';
import { forgetComparisons } from './compare.ts';

export const compareReactions: Reaction[] = [
  {
    event: 'endpoint-deleted',
    name: 'forget-comparisons',
    react: (context, { data }) => forgetComparisons(context, String(data['endpointId'])),
  },
];

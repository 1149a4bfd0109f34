// What this stage does when an endpoint is gone: its log goes, too.
import type { Reaction } from '../../platform/context.ts';
import { dropPredictionLog } from './log/log.ts';

export const predictReactions: Reaction[] = [
  {
    event: 'endpoint-deleted',
    name: 'drop-prediction-log',
    react: (context, event) => dropPredictionLog(context, (event.data as { endpointId: string }).endpointId),
  },
];

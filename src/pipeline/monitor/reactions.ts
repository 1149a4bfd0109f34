// What monitoring does when something happened: endpoints are watched from their first deployment until they are deleted;
// messages of alerts are sent.
import type { Reaction } from '../../platform/context.ts';
import { sendAlert, type Channel } from './alerts.ts';
import { forgetEndpoint, watchEndpoint } from './monitor.ts';

export const monitorReactions: Reaction[] = [
  {
    event: 'endpoint-deployed',
    name: 'watch-endpoint',
    react: (context, { data }) => watchEndpoint(context, String(data['endpointId'])),
  },
  {
    event: 'endpoint-deleted',
    name: 'forget-watched-endpoint',
    react: (context, { data }) => forgetEndpoint(context, String(data['endpointId'])),
  },
  {
    event: 'alert-message-due',
    name: 'send-alert',
    react: (context, { data, eventId }) =>
      sendAlert(context, {
        ...(data as unknown as { alertId: string; state: 'open' | 'closed' } & Channel),
        eventId,
      }),
  },
];

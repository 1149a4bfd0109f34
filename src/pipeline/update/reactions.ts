// What makes updates start and go on: new data, alerts, and what a running update waits for.
import type { Reaction } from '../../platform/context.ts';
import { forgetUpdates, noticeAlerts, noticeData, noticeProgress } from './update.ts';

export const updateReactions: Reaction[] = [
  {
    event: 'dataset-version-ready',
    name: 'update-after-new-data',
    react: (context, { data }) =>
      noticeData(context, { datasetId: String(data['datasetId']), number: Number(data['number']) }),
  },
  {
    event: 'alert-opened',
    name: 'update-after-alert',
    react: (context, { data }) => noticeAlerts(context, String(data['endpointId'])),
  },
  {
    event: 'monitor-report-ready',
    name: 'update-after-report',
    react: (context, { data }) => noticeAlerts(context, String(data['endpointId'])),
  },
  {
    event: 'model-version-created',
    name: 'update-after-training',
    async react(context, { data }) {
      if (data['trainingId'] !== null)
        await noticeProgress(context, { trainingId: String(data['trainingId']) });
    },
  },
  {
    event: 'comparison-finished',
    name: 'update-after-comparison',
    react: (context, { data }) => noticeProgress(context, { endpointId: String(data['endpointId']) }),
  },
  ...['release-finished', 'release-rolled-back'].map((event): Reaction => ({
    event,
    name: `update-after-${event}`,
    react: (context, { data }) => noticeProgress(context, { endpointId: String(data['endpointId']) }),
  })),
  {
    event: 'endpoint-deleted',
    name: 'forget-updates',
    react: (context, { data }) => forgetUpdates(context, String(data['endpointId'])),
  },
];

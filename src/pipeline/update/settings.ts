// When endpoints are updated by themselves, and how, where nobody has said otherwise.
import type { Settings } from './rows.ts';

/** Off, and careful once it is on: a tenth of the requests for half an hour. */
export const defaultSettings: Settings = {
  isOn: false,
  onNewData: true,
  onAlerts: ['moved-columns', 'performance', 'coverage'],
  onNewEngine: false,
  everyHours: null,
  restHours: 24,
  maxMicroUsdPerRun: null,
  takesOver: {
    strategy: { kind: 'canary', steps: [{ trafficShare: 0.1, bakingMinutes: 30 }] },
    // An endpoint that few ask is updated, too.
    leastRequests: 0,
  },
};

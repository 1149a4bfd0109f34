// Releases in plain words.
import type { Release } from '../../api/types.ts';
import { formatShare } from '../../kit/format.ts';

export type StrategyKind = Release['strategy']['kind'];

/** Each way, and what it means for those who ask. */
export const strategyWords: Record<StrategyKind, { label: string; about: string }> = {
  canary: {
    label: 'Small steps',
    about: 'It answers a small part first, then more, while it is compared with the current version.',
  },
  linear: { label: 'Equal steps', about: 'Its part grows by the same amount each time.' },
  shadow: {
    label: 'In the shadow first',
    about: 'It answers copies of the requests, which nobody sees, before it answers anybody.',
  },
  'all-at-once': {
    label: 'All at once',
    about: 'It answers everything now; the current version stays ready to come back.',
  },
  challenger: {
    label: 'Challenger',
    about: 'It stays beside the current version until somebody decides.',
  },
};

/** How long a step may be watched, in minutes. */
export const watchTimes = [1, 5, 15, 30, 60, 360, 1440];

/** What a release is doing, in a sentence. */
export function headlineOf({ state, steps, stepIndex, candidate, former, waitingFor }: Release): string {
  const name = `Version ${candidate.versionNumber}`;
  const step = stepIndex === null ? undefined : steps[stepIndex];
  const part = step ? formatShare(step.trafficShare, 0) : '';
  switch (state) {
    case 'waiting':
      return waitingFor.length > 0 ? `${name} waits` : `${name} is about to start`;
    case 'paused':
      return step ? `${name} is paused at ${part}` : `${name} is paused`;
    case 'baking':
      if (step?.role === 'shadow') return `${name} answers copies of ${part} of the requests`;
      return `${name} answers ${part} of the requests`;
    case 'finished':
      return `${name} answers everything`;
    case 'rolled-back':
      return `${name} was taken back; ${former.map(({ versionNumber }) => `version ${versionNumber}`).join(' and ')} ${former.length > 1 ? 'answer' : 'answers'} again`;
    case 'ended':
      return `${name} ended with its endpoint`;
    default:
      return state satisfies never;
  }
}

/** A step in a few words. */
export function stepLabel({ role, trafficShare, bakingMinutes }: Release['steps'][number]): {
  title: string;
  about: string;
} {
  const part = formatShare(trafficShare, 0);
  return {
    title: role === 'shadow' ? `Shadow, ${part}` : part,
    about: bakingMinutes === null ? 'until decided' : minutes(bakingMinutes),
  };
}

/** `15 minutes`, `2 hours`. */
export function minutes(value: number): string {
  if (value >= 120) return `${Math.round(value / 60)} hours`;
  if (value < 1) return `${Math.round(value * 60)} seconds`;
  return Math.round(value) === 1 ? '1 minute' : `${Math.round(value)} minutes`;
}

/** What a line of the history says. */
export const lineWords: Record<Release['history'][number]['kind'], string> = {
  started: 'Started',
  approved: 'Approved',
  step: 'Next step',
  waiting: 'Waits',
  paused: 'Paused',
  resumed: 'Went on',
  promoted: 'Given everything by hand',
  finished: 'Finished',
  'rolled-back': 'Taken back',
  ended: 'Ended',
};

export const measureWords: Record<NonNullable<Release['comparison']>['findings'][number]['measure'], string> =
  {
    errors: 'Not answered',
    latency: 'Slow answers',
    quality: 'Wrong or far off',
    answers: 'Answers spread otherwise',
  };

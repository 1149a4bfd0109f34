// The trials of a running training, told from its events, and their order.
import type { JobEvent, LearnerCatalogue, Trial } from '../../api/types.ts';

export type Measure = LearnerCatalogue['metrics'][number];

/** Trials in their newest state: those in `known` and those that the events tell of. */
export function trialsOf(events: readonly JobEvent[], known: readonly Trial[]): Trial[] {
  const trials = new Map(known.map((trial) => [trial.id, trial]));
  for (const event of events) {
    const trial = trialIn(event);
    if (trial) trials.set(trial.id, trial);
  }
  return [...trials.values()];
}

/** The trial that an event tells of, if it does. */
export function trialIn({ name, data }: JobEvent): Trial | undefined {
  if (name !== 'trial-started' && name !== 'trial-finished') return undefined;
  const { trial } = data as { trial?: Trial };
  return typeof trial?.id === 'string' ? trial : undefined;
}

/** Best first; trials without a score last, running ones before failed ones. */
export function ranked(trials: readonly Trial[], measure: Measure | undefined): Trial[] {
  const sign = measure?.greaterIsBetter === false ? 1 : -1;
  const withoutScore = (trial: Trial): number => (trial.state === 'running' ? 1 : 2);
  return trials.toSorted((a, b) => {
    if (a.score !== null && b.score !== null) return sign * (a.score - b.score);
    if (a.score !== null) return -1;
    if (b.score !== null) return 1;
    return withoutScore(a) - withoutScore(b);
  });
}

/** What the model is made of: shares of its parts that sum to one, and how far it then goes from the baseline. */
export interface Mixture {
  shareOf: (trial: Trial) => number;
  /** A part of the distance between what the parts say together and what the baseline says; 0 as a rule. */
  stretch: number;
}

/**
 * Weights of numbers may sum to more than one, with a baseline below zero for the rest (ml/search/ensemble-weights.ts):
 * the same as an average whose distance from the baseline grows by that.
 */
export function mixtureOf(trials: readonly Trial[]): Mixture {
  const sum = trials.reduce((total, { weight }) => total + Math.max(0, weight), 0);
  const stretch = trials.reduce((total, { weight }) => total + Math.max(0, -weight), 0);
  return { shareOf: ({ weight }) => (weight > 0 ? weight / sum : 0), stretch };
}

/** The best score after each finished trial, by seconds since the start. */
export function bestSoFar(
  events: readonly JobEvent[],
  measure: Measure | undefined,
  startIso: string,
): { seconds: number; score: number; best: number; label: string }[] {
  const isBetter = (a: number, b: number): boolean => (measure?.greaterIsBetter === false ? a < b : a > b);
  const points: { seconds: number; score: number; best: number; label: string }[] = [];
  for (const event of events) {
    const trial = event.name === 'trial-finished' ? trialIn(event) : undefined;
    if (!trial || trial.score === null) continue;
    const before = points.at(-1)?.best;
    const best = before === undefined || isBetter(trial.score, before) ? trial.score : before;
    const seconds = Math.max(0, (Date.parse(event.at) - Date.parse(startIso)) / 1000);
    points.push({ seconds, score: trial.score, best, label: trial.label });
  }
  return points;
}

/** How the newest trial that tells of it learns, iteration by iteration. */
export function newestCurve(
  events: readonly JobEvent[],
):
  | { label: string; points: { iteration: number; trainScore?: number; validationScore: number }[] }
  | undefined {
  const event = events.findLast(({ name }) => name === 'curve');
  if (!event) return undefined;
  const { trialId, points } = event.data as { trialId?: string; points?: never };
  if (!Array.isArray(points)) return undefined;
  const started = events.map(trialIn).find((trial) => trial?.id === trialId);
  return { label: started?.label ?? 'The newest attempt', points };
}

import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { JobEvent, Trial } from '../../api/types.ts';
import { bestSoFar, mixtureOf, ranked, trialsOf, type Measure } from './trials.ts';

const startIso = '2026-11-23T12:00:00.000Z';
const less: Measure = {
  name: 'rmse',
  label: 'RMSE',
  plainWords: '',
  tasks: ['regression'],
  greaterIsBetter: false,
};

test('events bring each trial into its newest state', () => {
  const events = [told('trial-started', trial('a', null, 'running')), told('trial-finished', trial('a', 2))];
  deepEqual(
    trialsOf(events, [trial('b', 1)]).map(({ id, score, state }) => [id, score, state]),
    [
      ['b', 1, 'finished'],
      ['a', 2, 'finished'],
    ],
  );
});

test('shares are those of an average, and what lies beyond it is told apart', () => {
  const plain = [
    { ...trial('a', 1), weight: 0.75 },
    { ...trial('b', 2), weight: 0.25 },
    { ...trial('c', 3), weight: 0 },
  ];
  deepEqual(plain.map(mixtureOf(plain).shareOf), [0.75, 0.25, 0]);
  equal(mixtureOf(plain).stretch, 0);
  const stretched = [
    { ...trial('a', 1), weight: 0.9 },
    { ...trial('b', 2), weight: 0.15 },
    { ...trial('baseline', 9), weight: -0.05 },
  ];
  const { shareOf, stretch } = mixtureOf(stretched);
  const [a, b, baseline] = stretched.map(shareOf);
  equal(baseline, 0);
  ok(Math.abs(a! + b! - 1) < 1e-12 && Math.abs(a! - 0.9 / 1.05) < 1e-12);
  // What the parts say is 3 and 7, what the baseline says is 2.
  const told = 2 + (1 + stretch) * (3 * a! + 7 * b! - 2);
  ok(Math.abs(told - (0.9 * 3 + 0.15 * 7 - 0.05 * 2)) < 1e-12);
});

test('the order follows the measure; what has no score comes last', () => {
  const trials = [
    trial('failed', null, 'failed'),
    trial('poor', 9),
    trial('runs', null, 'running'),
    trial('good', 1),
  ];
  deepEqual(
    ranked(trials, less).map(({ id }) => id),
    ['good', 'poor', 'runs', 'failed'],
  );
  deepEqual(
    ranked(trials, undefined).map(({ id }) => id),
    ['poor', 'good', 'runs', 'failed'],
  );
});

test('the best score never gets worse', () => {
  const events = [5, 7, 3].map((score, index) => told('trial-finished', trial(`t${index}`, score), index));
  deepEqual(
    bestSoFar(events, less, startIso).map(({ seconds, best }) => [seconds, best]),
    [
      [0, 5],
      [1, 5],
      [2, 3],
    ],
  );
});

function trial(id: string, score: number | null, state: Trial['state'] = 'finished'): Trial {
  return {
    id,
    learner: 'linear',
    label: id,
    hyperparameters: {},
    state,
    score,
    foldScores: [],
    seconds: 1,
    weight: 0,
    problem: null,
  };
}

function told(name: string, told: Trial, second = 0): JobEvent {
  const at = new Date(Date.parse(startIso) + second * 1000).toISOString();
  return { sequence: second + 1, at, name, data: { trial: told } };
}

import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import type { JobEvent, Trial } from '../../api/types.ts';
import { bestSoFar, ranked, trialsOf, type Measure } from './trials.ts';

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

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { Evaluation } from '../../api/types.ts';
import { costAt, outcomesAt } from './threshold.ts';

const evaluation: Evaluation = {
  task: 'binary',
  rowCount: 100,
  metrics: {},
  positiveClass: 'leaves',
  confusionMatrix: {
    classes: ['leaves', 'stays'],
    counts: [
      [15, 5],
      [10, 70],
    ],
  },
  rocCurve: [
    { threshold: 1, truePositiveRate: 0, falsePositiveRate: 0 },
    { threshold: 0.8, truePositiveRate: 0.5, falsePositiveRate: 0.05 },
    { threshold: 0.3, truePositiveRate: 1, falsePositiveRate: 0.5 },
  ],
  samples: [],
};

test('outcomes are counts of the holdout at the strictest point that the threshold allows', () => {
  deepEqual(outcomesAt(evaluation, 0.5), {
    total: 100,
    flagged: 14,
    flaggedShare: 0.14,
    falseAlarms: 4,
    missed: 10,
    recall: 0.5,
    falsePositiveRate: 0.05,
    precision: 10 / 14,
  });
  equal(outcomesAt(evaluation, 0.1)?.missed, 0);
});

test('above every score nothing is acted on, and nothing can be said of being right', () => {
  const outcomes = outcomesAt(evaluation, 0.95);
  equal(outcomes?.flagged, 0);
  equal(outcomes?.precision, undefined);
});

test('without a curve there are no outcomes', () => {
  equal(outcomesAt({ ...evaluation, rocCurve: undefined }, 0.5), undefined);
});

test('what a line costs is what its mistakes and its right decisions cost', () => {
  const money = {
    currency: 'EUR',
    decisionCount: 10,
    perDecision: 0,
    perDecisionWhenRight: 0,
    costs: {
      classes: ['leaves', 'stays'],
      matrix: [
        [-1, 7],
        [2, 0],
      ],
    },
    alternatives: [],
  };
  const outcomes = outcomesAt(evaluation, 0.5)!;
  equal(costAt({ ...evaluation, money }, outcomes), (4 * 2 + 10 * 7 + 10 * -1) / 100);
  equal(costAt(evaluation, outcomes), undefined);
});

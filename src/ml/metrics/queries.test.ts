// Expected figures are worked out by hand, or by going through all orders of equal scores.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  meanAveragePrecision,
  meanReciprocalRank,
  normalisedGain,
  queriesOf,
  type RankedQueries,
} from './queries.ts';

function ranked(groups: number[], relevance: number[], scores: number[]): RankedQueries {
  return {
    scores: Float64Array.from(scores),
    relevance: Float64Array.from(relevance),
    queries: queriesOf(Int32Array.from(groups)),
  };
}

const close = (value: number, expected: number): void =>
  assert.ok(Math.abs(value - expected) < 1e-12, `${value} is not ${expected}`);

test('rows are gathered by query, wherever they are', () => {
  const { rows, starts } = queriesOf(Int32Array.of(7, 3, 7, 5, 3));
  assert.deepEqual([...rows], [0, 2, 1, 4, 3]);
  assert.deepEqual([...starts], [0, 2, 4, 5]);
});

test('NDCG of small examples', () => {
  // Relevance in the order of scores: 3 2 3 0 1 2, the example of many textbooks; gains 7 3 7 0 1 3.
  const gain = 7 / 1 + 3 / Math.log2(3) + 7 / 2 + 0 + 1 / Math.log2(6) + 3 / Math.log2(7);
  const best = 7 / 1 + 7 / Math.log2(3) + 3 / 2 + 3 / Math.log2(5) + 1 / Math.log2(6);
  const one = ranked([1, 1, 1, 1, 1, 1], [3, 2, 3, 0, 1, 2], [6, 5, 4, 3, 2, 1]);
  close(normalisedGain(one, 6), gain / best);
  close(normalisedGain(one, 6), 0.9488107485678985);
  close(normalisedGain(one, 2), (7 + 3 / Math.log2(3)) / (7 + 7 / Math.log2(3)));
  close(normalisedGain(one, 1), 1);
  // Two queries, mixed rows; the one of relevance 0 throughout does not count.
  const two = ranked([1, 2, 1, 2, 3], [0, 1, 1, 0, 0], [2, 2, 1, 1, 0]);
  close(normalisedGain(two, 10), (1 / Math.log2(3) + 1) / 2);
  assert.ok(Number.isNaN(normalisedGain(ranked([1, 1], [0, 0], [1, 2]), 10)));
  assert.ok(Number.isNaN(normalisedGain(ranked([], [], []), 10)));
});

test('average precision and reciprocal rank of small examples', () => {
  // Relevant at places 1, 3 and 4, and at place 3 of 3.
  const given = ranked([1, 1, 1, 1, 2, 2, 2], [2, 0, 1, 5, 0, 0, 1], [9, 8, 7, 6, 3, 2, 1]);
  close(meanAveragePrecision(given), ((1 + 2 / 3 + 3 / 4) / 3 + 1 / 3) / 2);
  close(meanReciprocalRank(given), (1 + 1 / 3) / 2);
  // Three that are equal behind one that is not relevant: the first relevant of two is at place 2 or 3.
  const tied = ranked([1, 1, 1, 1], [0, 1, 1, 0], [5, 2, 2, 2]);
  close(meanReciprocalRank(tied), (2 / 3) * (1 / 2) + (1 / 3) * (1 / 3));
  assert.ok(Number.isNaN(meanReciprocalRank(ranked([1], [0], [1]))));
});

test('equal scores count as the average over all their orders', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ relevance: fc.integer({ min: 0, max: 4 }), score: fc.integer({ min: 0, max: 2 }) }),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
      fc.integer({ min: 1, max: 7 }),
      (rows, depth) => {
        if (rows.every(({ relevance }) => relevance === 0)) return;
        const relevance = rows.map((row) => row.relevance);
        const groups = rows.map(() => 4);
        const given = ranked(
          groups,
          relevance,
          rows.map((row) => row.score),
        );
        const orders = permutations(rows.map((_, index) => index)).map((order) =>
          // A small step in this order breaks the ties.
          ranked(
            groups,
            relevance,
            rows.map((row, index) => row.score - order.indexOf(index) / 10),
          ),
        );
        const mean = (of: (one: RankedQueries) => number): number =>
          orders.reduce((sum, one) => sum + of(one), 0) / orders.length;
        assert.ok(Math.abs(normalisedGain(given, depth) - mean((one) => normalisedGain(one, depth))) < 1e-9);
        assert.ok(Math.abs(meanReciprocalRank(given) - mean(meanReciprocalRank)) < 1e-9);
      },
    ),
    { seed: 3, numRuns: 60 },
  );
});

function permutations(items: number[]): number[][] {
  if (items.length <= 1) return [items];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

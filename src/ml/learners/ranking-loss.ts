// LambdaMART's loss (Burges, "From RankNet to LambdaRank to LambdaMART", 2010): within each query, every pair of rows
// of different relevance pushes its two scores apart, as strongly as swapping the two would change the NDCG. As in
// LightGBM's lambdarank, only pairs with a row among the first `truncation` places push, pushes are weaker the farther
// the scores are apart already, and those of one query are scaled down to the logarithm of their sum.
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import {
  bestGain,
  discountAt,
  gainOfRelevance,
  mostRelevance,
  normalisedGain,
  queriesOf,
  usualDepth,
  type Queries,
} from '../metrics/queries.ts';
import { exp, log } from '../model/arithmetic.ts';
import type { Loss, LossData } from './loss.ts';

/** Keeps pairs of nearly equal scores from pushing without bounds. */
const closeness = 0.01;

/** The loss that is watched is 1 - NDCG of the first ten places. Needs `data.groups`. */
export function rankingLoss(data: LossData, truncation: number): Loss {
  const { scores, target, groups } = data;
  assert(groups, 'a ranking needs groups');
  const pushes = pushesOf(data, groups, truncation);
  const gathered = new Map<string, Queries>();
  const queriesFrom = (begin: number, end: number): Queries => {
    const key = `${begin} ${end}`;
    const known = gathered.get(key) ?? queriesOf(groups.subarray(begin, end));
    gathered.set(key, known);
    return known;
  };
  return {
    link: 'identity',
    outputCount: 1,
    start: () => new Float64Array(1),
    derive: pushes,
    mean: (begin, end) =>
      1 -
      normalisedGain(
        {
          scores: scores.subarray(begin, end),
          relevance: target.subarray(begin, end),
          queries: queriesFrom(begin, end),
        },
        usualDepth,
      ),
  };
}

/** @throws Problem `invalid-request` without groups, `target-unusable` for targets that are no relevance or don't differ */
export function checkRanking(
  target: Float64Array,
  rows: Int32Array,
  groups: Int32Array | undefined,
): asserts groups is Int32Array {
  if (!groups)
    throw new Problem(
      'invalid-request',
      'The ranking loss orders rows within groups, and there are none: say which column tells the groups apart.',
      { errors: [{ field: 'groups', message: 'is needed with the ranking loss' }] },
    );
  if (groups.length !== target.length)
    throw new Problem(
      'invalid-request',
      `There are ${groups.length} groups of rows for ${target.length} rows: each row needs the number of its group.`,
      { errors: [{ field: 'groups', message: `must have ${target.length} values` }] },
    );
  const odd = rows.find((row) => !isRelevance(target[row]!));
  if (odd !== undefined)
    throw new Problem(
      'target-unusable',
      `A ranking needs relevances, whole numbers from 0 (not relevant) to ${mostRelevance}, but there is ${target[odd]}.`,
    );
  const { rows: order, starts } = queriesOf(Int32Array.from(rows, (row) => groups[row]!));
  const differs = (at: number): boolean => target[rows[order[at]!]!] !== target[rows[order[at - 1]!]!];
  for (let query = 0; query + 1 < starts.length; query++)
    for (let at = starts[query]! + 1; at < starts[query + 1]!; at++) if (differs(at)) return;
  throw new Problem(
    'target-unusable',
    'No group has rows of different relevance, so there is no order to learn. Check which column tells the groups apart.',
  );
}

function isRelevance(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= mostRelevance;
}

/** Numbers of one query's rows by their places, from the highest score: side by side, which the pairs are quick to read. */
interface Places {
  scores: Float64Array;
  gains: Float64Array;
  discounts: Float64Array;
  gradients: Float64Array;
  hessians: Float64Array;
}

/** The function that writes the derivatives of the rows learned from. */
function pushesOf(data: LossData, groups: Int32Array, truncation: number): () => void {
  const { scores, target, rowCount } = data;
  const { rows, starts } = queriesOf(groups.subarray(0, rowCount));
  const gains = Float64Array.from(target.subarray(0, rowCount), gainOfRelevance);
  const inverseBest = Float64Array.from({ length: starts.length - 1 }, (_, query) => {
    const own = rows.subarray(starts[query], starts[query + 1]);
    const best = bestGain(
      Float64Array.from(own, (row) => target[row]!),
      truncation,
    );
    return best > 0 ? 1 / best : 0;
  });
  const longest = inverseBest.reduce(
    (most, _, query) => Math.max(most, starts[query + 1]! - starts[query]!),
    0,
  );
  const places: Places = {
    scores: new Float64Array(longest),
    gains: new Float64Array(longest),
    discounts: Float64Array.from({ length: longest }, (_, place) => discountAt(place)),
    gradients: new Float64Array(longest),
    hessians: new Float64Array(longest),
  };
  const order = new Int32Array(rowCount);
  return () => {
    const { derivatives, weights } = data;
    order.set(rows);
    inverseBest.forEach((inverse, query) => {
      const own = order.subarray(starts[query], starts[query + 1]);
      own.sort((a, b) => scores[b]! - scores[a]! || a - b);
      own.forEach((row, place) => {
        places.scores[place] = scores[row]!;
        places.gains[place] = gains[row]!;
      });
      pushQuery(places, own.length, { inverse, truncation });
      // Rows count by their weights, and no hessian is zero.
      own.forEach((row, place) => {
        const weight = weights ? weights[row]! : 1;
        derivatives[2 * row] = weight * places.gradients[place]!;
        derivatives[2 * row + 1] = weight * Math.max(1e-9, places.hessians[place]!);
      });
    });
  };
}

/** Writes the sums of the pushes of all pairs of one query of `count` rows. */
function pushQuery(
  { scores, gains, discounts, gradients, hessians }: Places,
  count: number,
  { inverse, truncation }: { inverse: number; truncation: number },
): void {
  gradients.fill(0, 0, count);
  hessians.fill(0, 0, count);
  const isLevel = scores[0] === scores[count - 1];
  const end = inverse > 0 ? Math.min(truncation, count - 1) : 0;
  let sum = 0;
  for (let upper = 0; upper < end; upper++) {
    const score = scores[upper]!;
    const gain = gains[upper]!;
    const discount = discounts[upper]!;
    let upperPush = 0;
    let upperHessian = 0;
    for (let lower = upper + 1; lower < count; lower++) {
      const gap = gain - gains[lower]!;
      if (gap === 0) continue;
      const distance = score - scores[lower]!;
      // What swapping the two would do to the NDCG.
      let change = Math.abs(gap) * (discount - discounts[lower]!) * inverse;
      if (!isLevel) change /= closeness + distance;
      // How far the better row is from being ahead without doubt.
      const doubt = 1 / (1 + exp(Math.min(700, gap > 0 ? distance : -distance)));
      const push = doubt * change;
      const hessian = push * (1 - doubt);
      const signed = gap > 0 ? push : -push;
      upperPush -= signed;
      upperHessian += hessian;
      gradients[lower] = gradients[lower]! + signed;
      hessians[lower] = hessians[lower]! + hessian;
      sum += 2 * push;
    }
    gradients[upper] = gradients[upper]! + upperPush;
    hessians[upper] = hessians[upper]! + upperHessian;
  }
  if (!(sum > 0)) return;
  const scale = log(1 + sum) / (Math.LN2 * sum);
  for (let place = 0; place < count; place++) {
    gradients[place] = gradients[place]! * scale;
    hessians[place] = hessians[place]! * scale;
  }
}

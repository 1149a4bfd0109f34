// How good an order of rows is within each group of them ("query"): normalised discounted cumulative gain (Järvelin and
// Kekäläinen 2002), mean average precision, mean reciprocal rank. Equal scores are in no order, so each measure is the
// one expected if they were shuffled (McSherry and Najork 2008), and the order of rows in a file can't help a model.
// Not for one ranking of all rows: that is ranking.ts.
import { log } from '../model/arithmetic.ts';
import { averagePrecision } from './ranking.ts';

/** Rows gathered by query: those of query q are rows[starts[q]] to rows[starts[q + 1] - 1]. */
export interface Queries {
  rows: Int32Array;
  starts: Int32Array;
}

/** A score and a relevance for each row; 0 is irrelevant, and each step more is worth about twice as much. */
export interface RankedQueries {
  scores: Float64Array;
  /** Whole numbers from 0 to {@link mostRelevance}. */
  relevance: Float64Array;
  queries: Queries;
}

export const mostRelevance = 31;
/** Places that the usual measure looks at. */
export const usualDepth = 10;

/** The rows of each group, groups in the order of their first row, rows in order. `groups` has a number for each row. */
export function queriesOf(groups: Int32Array): Queries {
  const numbers = new Map<number, number>();
  const queryOf = groups.map((group) => {
    const known = numbers.get(group);
    if (known !== undefined) return known;
    numbers.set(group, numbers.size);
    return numbers.size - 1;
  });
  const starts = new Int32Array(numbers.size + 1);
  for (const query of queryOf) starts[query + 1]!++;
  for (let query = 0; query < numbers.size; query++) starts[query + 1]! += starts[query]!;
  const next = starts.slice(0, numbers.size);
  const rows = new Int32Array(groups.length);
  queryOf.forEach((query, row) => (rows[next[query]!++] = row));
  return { rows, starts };
}

/** What a row of this relevance is worth at the top: 2^relevance - 1. */
export function gainOfRelevance(relevance: number): number {
  return 2 ** relevance - 1;
}

/** The share of a row's gain that counts at a place, 0 being the top: 1 / log2(place + 2). */
export function discountAt(place: number): number {
  return Math.LN2 / log(place + 2);
}

/** Mean NDCG of the top `depth` places. Queries without a relevant row are left out; NaN when there is no other. */
export function normalisedGain(ranked: RankedQueries, depth: number): number {
  return meanOverQueries(ranked, (scores, relevance) => {
    const best = expectedGain(relevance, relevance, depth);
    return expectedGain(scores, relevance, depth) / best;
  });
}

/** Mean over queries of the average precision; every relevance above 0 counts the same. NaN without a relevant row. */
export function meanAveragePrecision(ranked: RankedQueries): number {
  return meanOverQueries(ranked, (scores, relevance) =>
    averagePrecision({ scores, isPositive: Uint8Array.from(relevance, (value) => (value > 0 ? 1 : 0)) }),
  );
}

/** Mean over queries of one divided by the place (from 1) of the first relevant row. NaN without a relevant row. */
export function meanReciprocalRank(ranked: RankedQueries): number {
  return meanOverQueries(ranked, expectedReciprocalRank);
}

/** The best possible discounted gain of the top `depth` places. */
export function bestGain(relevance: Float64Array, depth: number): number {
  return expectedGain(relevance, relevance, depth);
}

function meanOverQueries(
  { scores, relevance, queries }: RankedQueries,
  of: (scores: Float64Array, relevance: Float64Array) => number,
): number {
  const { rows, starts } = queries;
  let sum = 0;
  let count = 0;
  for (let query = 0; query + 1 < starts.length; query++) {
    const own = rows.subarray(starts[query], starts[query + 1]);
    const truth = Float64Array.from(own, (row) => relevance[row]!);
    if (!truth.some((value) => value > 0)) continue;
    sum += of(
      Float64Array.from(own, (row) => scores[row]!),
      truth,
    );
    count++;
  }
  return sum / count;
}

/** Rows of equal score, from the highest: each run is order[begin] to order[end - 1]. */
function tiesOf(scores: Float64Array): { order: Int32Array; ends: number[] } {
  const order = Int32Array.from(scores, (_, row) => row).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const ends: number[] = [];
  for (let place = 1; place <= order.length; place++)
    if (place === order.length || scores[order[place]!] !== scores[order[place - 1]!]) ends.push(place);
  return { order, ends };
}

function expectedGain(scores: Float64Array, relevance: Float64Array, depth: number): number {
  const { order, ends } = tiesOf(scores);
  let sum = 0;
  let begin = 0;
  for (const end of ends) {
    if (begin >= depth) break;
    let gain = 0;
    let discount = 0;
    for (let place = begin; place < end; place++) {
      gain += gainOfRelevance(relevance[order[place]!]!);
      if (place < depth) discount += discountAt(place);
    }
    sum += (gain / (end - begin)) * discount;
    begin = end;
  }
  return sum;
}

/** Only the first run that holds a relevant row matters: one over its places, weighed by how likely each is the first. */
function expectedReciprocalRank(scores: Float64Array, relevance: Float64Array): number {
  const { order, ends } = tiesOf(scores);
  let begin = 0;
  for (const end of ends) {
    const relevant = order.subarray(begin, end).filter((row) => relevance[row]! > 0).length;
    if (relevant === 0) {
      begin = end;
      continue;
    }
    let sum = 0;
    let isNoneYet = 1;
    for (let place = begin; isNoneYet > 0; place++) {
      const chance = relevant / (end - place);
      sum += (isNoneYet * chance) / (place + 1);
      isNoneYet *= 1 - Math.min(1, chance);
    }
    return sum;
  }
  return 0;
}

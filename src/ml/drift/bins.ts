// Numbers counted in bins, from sketches: tenths of the reference for measuring, equal widths for looking.
import type { Levels } from '../learners/bins.ts';
import { sumOf } from './measures.ts';

/**
 * The values at which the reference has had each further tenth of its numbers, each once: bins end with them. Where the
 * least value has a tenth of its own, a bin of what is less comes first.
 */
export function tenthsOf(levels: Levels): number[] {
  const tenths = [...new Set(Array.from({ length: 9 }, (_, index) => quantileOf(levels, (index + 1) / 10)))];
  const least = levels.distinct[0];
  if (least === undefined) return [];
  return tenths[0] === least ? [justBelow(least), ...tenths] : tenths;
}

/** How many numbers are at most the first edge, at most the second but above the first, ..., above the last. */
export function countsBetween(levels: Levels, edges: readonly number[]): number[] {
  const counts = Array.from({ length: edges.length + 1 }, () => 0);
  let bin = 0;
  for (let index = 0; index < levels.distinct.length; index++) {
    while (bin < edges.length && levels.distinct[index]! > edges[bin]!) bin++;
    counts[bin]! += levels.counts[index]!;
  }
  return counts;
}

/** The value that a share of the numbers is at most; NaN where there are none. */
export function quantileOf({ distinct, counts }: Levels, share: number): number {
  const wanted = share * sumOf(counts);
  let below = 0;
  for (let index = 0; index < distinct.length; index++) {
    below += counts[index]!;
    if (below >= wanted) return distinct[index]!;
  }
  return NaN;
}

/** Share of the numbers that lie outside of a range. */
export function shareOutside({ distinct, counts }: Levels, minimum: number, maximum: number): number {
  let outside = 0;
  for (let index = 0; index < distinct.length; index++)
    if (distinct[index]! < minimum || distinct[index]! > maximum) outside += counts[index]!;
  const total = sumOf(counts);
  return total === 0 ? 0 : outside / total;
}

const shownBins = 14;
/** Shares of the numbers at the ends that share the outer bins with their neighbours. */
const tail = 0.01;

/** Inner edges of bins of equal width that hold nearly all numbers of both; none where all are equal. */
export function shownEdges(a: Levels, b: Levels): number[] {
  const sides = [a, b].filter(({ distinct }) => distinct.length > 0);
  const from = Math.min(...sides.map((levels) => quantileOf(levels, tail)));
  const to = Math.max(...sides.map((levels) => quantileOf(levels, 1 - tail)));
  const width = (to - from) / shownBins;
  if (!(width > 0) || !Number.isFinite(width)) return [];
  return Array.from({ length: shownBins - 1 }, (_, index) => from + width * (index + 1));
}

/** The largest double below a finite one, as far as a relative step of 2^-52 reaches. */
function justBelow(value: number): number {
  return value - Math.max(Number.MIN_VALUE, Math.abs(value) * Number.EPSILON);
}

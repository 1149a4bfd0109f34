// What texts are about, in the mean: each text is a direction in 256 dimensions, its words by signed hashes (Weinberger et
// al., "Feature hashing", 2009). The distance of two means is the maximum mean discrepancy under the kernel that these
// directions span (Gretton, Borgwardt, Rasch, Schölkopf, Smola, "A kernel two-sample test", JMLR 2012). Sums alone are
// kept, so that means can be merged.
import { readTerms } from '../frame/text-terms.ts';

export const dimensions = 256;

export interface TermMean {
  /** Texts with at least one word; each adds a vector of length 1. */
  count: number;
  readonly sums: Float64Array;
}

export function termMean(): TermMean {
  return { count: 0, sums: new Float64Array(dimensions) };
}

const direction = new Float64Array(dimensions);

/** Adds a text, `count` times. */
export function addText(mean: TermMean, text: string, count: number): void {
  direction.fill(0);
  readTerms(text, (kind, hash) => {
    if (kind === 'words') direction[hash & (dimensions - 1)]! += hash & dimensions ? 1 : -1;
  });
  let squares = 0;
  for (const value of direction) squares += value * value;
  if (squares === 0) return;
  const scale = count / Math.sqrt(squares);
  for (let index = 0; index < dimensions; index++) mean.sums[index]! += direction[index]! * scale;
  mean.count += count;
}

/** Adds all that `other` has seen. */
export function mergeTerms(mean: TermMean, other: TermMean): void {
  mean.count += other.count;
  for (let index = 0; index < dimensions; index++) mean.sums[index]! += other.sums[index]!;
}

// Which rows choose a tree's questions, and how much each weighs: a random share of them (Bernoulli), weights of the
// Bayesian bootstrap (Rubin 1981), sharpened or softened by a temperature as in CatBoost, or both.
import type { Random } from '../../base/random.ts';
import { exp, log } from '../model/arithmetic.ts';
import type { LeafParts } from './oblivious-grower.ts';

export interface Bag {
  /** All rows: those drawn, in order, then others to learn from, then followers. */
  rows: Int32Array;
  parts: LeafParts;
  /** One for each row to learn from; empty when all weigh the same. */
  weights: Float64Array;
}

export interface BagRules {
  /** Rows to learn from come before the others. */
  rowCount: number;
  allCount: number;
  /** The chance of each row to be drawn. */
  rowShare: number;
  temperature: number;
}

const quantileCount = 4096;

/** Draws one bag after the other. */
export function bagDrawer(
  { rowCount, allCount, rowShare, temperature }: BagRules,
  random: Random,
): () => Bag {
  const quantiles = weightQuantiles(temperature);
  return () => {
    const seed = random.below(4_294_967_296) | 0;
    const limit = rowShare >= 1 ? 2 ** 32 : Math.round(rowShare * 2 ** 32);
    const rows = new Int32Array(allCount);
    // From both ends, the rows that are not drawn lie in falling order.
    let drawn = 0;
    for (let row = 0; row < rowCount; row++) {
      const isDrawn = hashOf(row, seed) >>> 0 < limit ? 1 : 0;
      rows[isDrawn ? drawn : rowCount - 1 - row + drawn] = row;
      drawn += isDrawn;
    }
    // A bag of nothing would learn nothing.
    if (drawn === 0) while (drawn < rowCount) rows[drawn] = drawn++;
    for (let row = rowCount; row < allCount; row++) rows[row] = row;
    const weights = new Float64Array(temperature > 0 ? rowCount : 0);
    for (let row = 0; row < weights.length; row++)
      weights[row] = quantiles[hashOf(row, ~seed) & (quantileCount - 1)]!;
    return {
      rows,
      weights,
      parts: [
        { begin: 0, end: drawn },
        { begin: drawn, end: rowCount },
        { begin: rowCount, end: allCount },
      ],
    };
  };
}

/** Quantiles of (-ln u)^temperature, u uniform. */
function weightQuantiles(temperature: number): Float64Array {
  return Float64Array.from({ length: quantileCount }, (_, index) =>
    exp(temperature * log(-log((index + 0.5) / quantileCount))),
  );
}

/** 32 bits that look like chance: cheaper for each row than a stream of random numbers. */
function hashOf(row: number, seed: number): number {
  let z = (Math.imul(row + 1, 0x9e3779b1) + seed) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

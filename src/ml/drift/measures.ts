// How far two distributions are apart. Each measure says where it comes from; what is much of it, is in drift-levels.ts.
import type { Levels } from '../learners/bins.ts';
import { chiSquareTail, kolmogorovTail } from './p-values.ts';
import { dimensions, type TermMean } from './term-mean.ts';

export interface Tested {
  statistic: number;
  pValue: number;
}

/** A share below this counts as this much: a bin that one side lacks would be infinitely far away. */
const leastShare = 1e-4;

/**
 * Population stability index of counts in the same bins: sum of (b - a) ln(b / a) over shares (Siddiqi, "Credit risk
 * scorecards", 2006), the symmetric Kullback-Leibler divergence. 0 for equal shares.
 */
export function stabilityIndex(a: readonly number[], b: readonly number[]): number {
  const [sharesA, sharesB] = [sharesOf(a), sharesOf(b)];
  let sum = 0;
  for (const [bin, share] of sharesA.entries()) {
    const from = Math.max(leastShare, share);
    const to = Math.max(leastShare, sharesB[bin]!);
    sum += (to - from) * Math.log(to / from);
  }
  return sum;
}

/** Jensen-Shannon distance of counts in the same bins, base 2: from 0 for equal shares to 1 for nothing in common (Endres and Schindelin, 2003). */
export function jensenShannonDistance(a: readonly number[], b: readonly number[]): number {
  const [sharesA, sharesB] = [sharesOf(a), sharesOf(b)];
  let sum = 0;
  for (const [bin, p] of sharesA.entries()) {
    const q = sharesB[bin]!;
    const middle = (p + q) / 2;
    if (p > 0) sum += (p * Math.log2(p / middle)) / 2;
    if (q > 0) sum += (q * Math.log2(q / middle)) / 2;
  }
  return Math.sqrt(Math.max(0, Math.min(1, sum)));
}

/**
 * Kolmogorov-Smirnov: the largest distance of two cumulative distributions, and how likely it is by chance.
 * @param rankError by how much of all numbers ranks may be off: a distance of so much is none
 */
export function kolmogorovSmirnov(a: Levels, b: Levels, rankError = 0): Tested {
  const [totalA, totalB] = [sumOf(a.counts), sumOf(b.counts)];
  if (totalA === 0 || totalB === 0) return { statistic: 0, pValue: 1 };
  let [atA, atB, belowA, belowB, statistic] = [0, 0, 0, 0, 0];
  while (atA < a.distinct.length && atB < b.distinct.length) {
    const value = Math.min(a.distinct[atA]!, b.distinct[atB]!);
    if (a.distinct[atA] === value) belowA += a.counts[atA++]!;
    if (b.distinct[atB] === value) belowB += b.counts[atB++]!;
    statistic = Math.max(statistic, Math.abs(belowA / totalA - belowB / totalB));
  }
  const size = Math.sqrt((a.valueCount * b.valueCount) / (a.valueCount + b.valueCount));
  return { statistic, pValue: kolmogorovTail(Math.max(0, statistic - rankError) * size) };
}

/** Counts that are expected of a cell at least for the chi-square distribution to hold (Cochran, 1954). */
const leastExpected = 5;

/** Pearson's chi-square test that counts of the same values come from one distribution; rare values count as one. */
export function chiSquare(a: readonly number[], b: readonly number[]): Tested & { degrees: number } {
  const [totalA, totalB] = [sumOf(a), sumOf(b)];
  const smaller = Math.min(totalA, totalB) / (totalA + totalB);
  const cells: { a: number; b: number }[] = [];
  const rare = { a: 0, b: 0 };
  for (const [index, countA] of a.entries()) {
    const cell = { a: countA, b: b[index]! };
    if ((cell.a + cell.b) * smaller >= leastExpected) cells.push(cell);
    else {
      rare.a += cell.a;
      rare.b += cell.b;
    }
  }
  if (rare.a + rare.b > 0) cells.push(rare);
  let statistic = 0;
  for (const cell of cells) {
    const both = cell.a + cell.b;
    const expectedA = (both * totalA) / (totalA + totalB);
    const expectedB = (both * totalB) / (totalA + totalB);
    if (expectedA === 0 || expectedB === 0) return { statistic: 0, pValue: 1, degrees: 0 };
    statistic += (cell.a - expectedA) ** 2 / expectedA + (cell.b - expectedB) ** 2 / expectedB;
  }
  const degrees = Math.max(0, cells.length - 1);
  return { statistic, degrees, pValue: chiSquareTail(statistic, degrees) };
}

/**
 * Maximum mean discrepancy of texts (Gretton et al., JMLR 2012): the distance of their mean directions, 0 to 2, and a
 * bound of how likely it is by chance that holds for every distribution (theorem 7), and so is high.
 */
export function meanDiscrepancy(a: TermMean, b: TermMean): Tested {
  if (a.count === 0 || b.count === 0) return { statistic: 0, pValue: 1 };
  let squares = 0;
  for (let index = 0; index < dimensions; index++)
    squares += (a.sums[index]! / a.count - b.sums[index]! / b.count) ** 2;
  const statistic = Math.sqrt(squares);
  const beyond = statistic - 2 * (Math.sqrt(1 / a.count) + Math.sqrt(1 / b.count));
  if (beyond <= 0) return { statistic, pValue: 1 };
  const exponent = (beyond ** 2 * a.count * b.count) / (2 * (a.count + b.count));
  return { statistic, pValue: Math.min(1, 2 * Math.exp(-exponent)) };
}

/** Counts as shares of all; all 0 where there are none. */
export function sharesOf(counts: readonly number[]): number[] {
  const total = sumOf(counts);
  return counts.map((count) => (total === 0 ? 0 : count / total));
}

/** Of an array of any kind. */
export function sumOf(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < counts.length; index++) sum += counts[index]!;
  return sum;
}

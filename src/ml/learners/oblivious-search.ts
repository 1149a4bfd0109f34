// The best question for a whole level of an oblivious tree: asked of all leaves at once, its gain is the sum of theirs.
// Numbers: every bin border, missing values tried on both sides. Categories: one against the rest, or prefixes of the
// order by gradient ratio (Fisher 1958), which is one for the level. Gains are in units (kernels/tree-kernels.ts). Noise
// on the choice among features follows CatBoost's random strength: large while the model is small, gone later.
import { log } from '../model/arithmetic.ts';
import type { Random } from '../../base/random.ts';
import type { TreeKernels, UnitSums } from '../kernels/tree-kernels.ts';
import type { BinnedFeature } from './bins.ts';
import { noSplit, type Split } from './split-search.ts';

/** A leaf of the level, with rows. */
export interface LevelLeaf {
  slot: number;
  total: UnitSums;
}

export interface LevelSearch {
  kernels: TreeKernels;
  features: readonly BinnedFeature[];
  /** Positions of the features that may be asked about. */
  active: Int32Array;
  leaves: readonly LevelLeaf[];
  /** Of all leaves together. */
  rowCount: number;
  /** In units. */
  l2: number;
  /** Noise added to the square root of a gain: its standard deviation, in units. */
  noise: number;
  random: Random;
}

/** The question of largest gain over all leaves; {@link noSplit} when none gains. Its `left` sums are not told. */
export function bestQuestion(search: LevelSearch): Split {
  const { features, active, leaves, l2, noise, random } = search;
  const together = leaves.reduce((sum, { total }) => sum + gainOfLeaf(total, l2), 0);
  let best = noSplit;
  let bestScore = -Infinity;
  for (const feature of active) {
    const isCategory = features[feature]!.kind === 'category';
    const question = isCategory ? bestCategory(feature, search) : bestBorder(feature, search);
    const draw = noise > 0 ? noise * normal(random) : 0;
    if (!(question.gain > together * (1 + 1e-12))) continue;
    const score = Math.sqrt(question.gain) + draw;
    if (score <= bestScore) continue;
    bestScore = score;
    best = { ...question, gain: question.gain - together };
  }
  return best.feature < 0 || best.isCategorical ? best : withMissingSide(best, search);
}

const mostBins = 256;
/** Gains of each border with missing values on the right, and on the left; sums in the order of categories. */
const scratch = {
  right: new Float64Array(mostBins),
  left: new Float64Array(mostBins),
  gradients: new Float64Array(mostBins),
  hessians: new Float64Array(mostBins),
};

function bestBorder(feature: number, search: LevelSearch): Split {
  const { kernels, features, leaves, l2 } = search;
  const { binCount, missingBin } = features[feature]!;
  const presentBins = missingBin < 0 ? binCount : missingBin;
  const { right, left } = scratch;
  right.fill(0, 0, presentBins);
  left.fill(0, 0, presentBins);
  let missingHessian = 0;
  for (const { slot, total } of leaves) {
    const { gradients, hessians } = kernels.binSums(slot, feature, total);
    const sums = { gradients, hessians, total, l2, binCount: presentBins };
    addGains(right, sums, { gradient: 0, hessian: 0 });
    if (missingBin < 0) continue;
    const missing = { gradient: gradients[missingBin]!, hessian: hessians[missingBin]! };
    missingHessian += missing.hessian;
    addGains(left, sums, missing);
  }
  // Without missing values the last border leaves nothing on the right: its gain is that of no question.
  const best = { gain: 0, bin: 0, isMissingLeft: false };
  for (let bin = 0; bin < presentBins; bin++) {
    if (right[bin]! > best.gain) Object.assign(best, { gain: right[bin]!, bin, isMissingLeft: false });
    if (missingHessian > 0 && left[bin]! > best.gain)
      Object.assign(best, { gain: left[bin]!, bin, isMissingLeft: true });
  }
  return { ...noSplit, ...best, feature };
}

interface BinSums {
  gradients: Float64Array;
  hessians: Float64Array;
  total: UnitSums;
  l2: number;
  binCount: number;
}

/** Adds one leaf's gain for each border; `start` is on the left of all of them. */
function addGains(gains: Float64Array, sums: BinSums, start: UnitSums): void {
  const { gradients, hessians, total, l2, binCount } = sums;
  const allGradient = total.gradient;
  const allHessian = total.hessian + l2;
  let gradient = start.gradient;
  let hessian = start.hessian;
  let gain = gainOfSides(gradient, hessian + l2, allGradient - gradient, allHessian - hessian);
  for (let bin = 0; bin < binCount; bin++) {
    const more = hessians[bin]!;
    if (more !== 0 || gradients[bin] !== 0) {
      gradient += gradients[bin]!;
      hessian += more;
      gain = gainOfSides(gradient, hessian + l2, allGradient - gradient, allHessian - hessian);
    }
    gains[bin]! += gain;
  }
}

/** Both sides' gradient^2 / hessian, with one division; hessians include the penalty and are above zero. */
function gainOfSides(
  leftGradient: number,
  leftHessian: number,
  rightGradient: number,
  rightHessian: number,
): number {
  return (
    (leftGradient * leftGradient * rightHessian + rightGradient * rightGradient * leftHessian) /
    (leftHessian * rightHessian)
  );
}

/** Rows that a category needs to be asked about by name, estimated from hessians: asking of fewer memorises them. */
function fewestRows(rowCount: number): number {
  return Math.max(rowCount / 200, Math.min(20, rowCount / 20));
}

/** One frequent category against the rest, or several: the first in the order of their mean gradients over the level. */
function bestCategory(feature: number, search: LevelSearch): Split {
  const { kernels, features, leaves, l2 } = search;
  const { binCount, missingBin } = features[feature]!;
  const all = { gradients: new Float64Array(binCount), hessians: new Float64Array(binCount) };
  const ofLeaves = leaves.map(({ slot, total }) => {
    const { gradients, hessians } = kernels.binSums(slot, feature, total);
    for (let bin = 0; bin < binCount; bin++) {
      all.gradients[bin]! += gradients[bin]!;
      all.hessians[bin]! += hessians[bin]!;
    }
    return { gradients, hessians, total };
  });
  const allHessian = leaves.reduce((sum, { total }) => sum + total.hessian, 0);
  const least = (allHessian * fewestRows(search.rowCount)) / search.rowCount;
  const ratio = (bin: number): number => all.gradients[bin]! / (all.hessians[bin]! + l2);
  const frequent = [...all.hessians.keys()]
    .filter((bin) => all.hessians[bin]! >= Math.max(1, least))
    .sort((a, b) => ratio(a) - ratio(b) || a - b);
  const count = frequent.length;
  const alone = scratch.right.fill(0, 0, count);
  const together = scratch.left.fill(0, 0, count);
  const ordered = { gradients: scratch.gradients, hessians: scratch.hessians, l2, binCount: count };
  for (const { gradients, hessians, total } of ofLeaves) {
    for (let index = 0; index < count; index++) {
      const gradient = (ordered.gradients[index] = gradients[frequent[index]!]!);
      const hessian = (ordered.hessians[index] = hessians[frequent[index]!]!);
      alone[index]! += gainOfSides(
        gradient,
        hessian + l2,
        total.gradient - gradient,
        total.hessian - hessian + l2,
      );
    }
    addGains(together, { ...ordered, total }, { gradient: 0, hessian: 0 });
  }
  let gain = 0;
  let leftBins: number[] = [];
  for (let index = 0; index < count; index++) {
    if (alone[index]! > gain) {
      gain = alone[index]!;
      leftBins = [frequent[index]!];
    }
    if (together[index]! > gain) {
      gain = together[index]!;
      leftBins = frequent.slice(0, index + 1);
    }
  }
  const isMissingLeft = leftBins.includes(missingBin);
  return { ...noSplit, feature, gain, leftBins, isCategorical: true, isMissingLeft };
}

/** Where there were no missing values, later ones go to the larger side. */
function withMissingSide(split: Split, { kernels, features, leaves }: LevelSearch): Split {
  const { missingBin } = features[split.feature]!;
  let left = 0;
  let all = 0;
  for (const { slot, total } of leaves) {
    const { hessians } = kernels.binSums(slot, split.feature, total);
    if (missingBin >= 0 && hessians[missingBin]! > 0) return split;
    for (let bin = 0; bin <= split.bin; bin++) left += hessians[bin]!;
    all += total.hessian;
  }
  return { ...split, isMissingLeft: left * 2 > all };
}

function gainOfLeaf({ gradient, hessian }: UnitSums, l2: number): number {
  return (gradient * gradient) / (hessian + l2);
}

/** A normal number (Marsaglia's polar method). */
function normal(random: Random): number {
  for (;;) {
    const x = 2 * random.next() - 1;
    const y = 2 * random.next() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * log(square)) / square);
  }
}

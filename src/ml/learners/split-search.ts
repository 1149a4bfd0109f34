// The best question to ask at a leaf, found in its histogram. Numbers: every bin border, missing values tried on both
// sides. Categories: one against the rest when there are few, else prefixes of the order by gradient ratio (Fisher
// 1958; LightGBM's many-versus-many split). Row counts are estimated from hessians, as LightGBM does. All sums and
// gains are in units (kernels/tree-kernels.ts); rules are translated into them.
import type { Random } from '../../base/random.ts';
import { gainOf, type TreeKernels, type UnitScales, type UnitSums } from '../kernels/tree-kernels.ts';
import type { BinnedFeature } from './bins.ts';
import {
  boundedGain,
  boundedOutput,
  directionOf,
  gainOfOutput,
  type Bounds,
  type Constraints,
} from './constraints.ts';

export interface SplitRules {
  minRowsPerLeaf: number;
  minHessianPerLeaf: number;
  l2: number;
  minGain: number;
  /** Share of the features that each leaf may ask about. */
  featureShareByNode: number;
  /** Extra trees: one random border for each feature rather than the best (Geurts et al. 2006). */
  hasRandomBorders: boolean;
  /** Rows that a group of categories must have. */
  minRowsPerGroup: number;
  constraints?: Constraints | undefined;
}

/** A question, in bins. */
export interface Split {
  /** Position among the features; -1 for none. */
  feature: number;
  /** In units. */
  gain: number;
  /** Numbers: bins up to this one go left. */
  bin: number;
  isMissingLeft: boolean;
  /** Categories: the bins that go left. */
  leftBins: readonly number[];
  isCategorical: boolean;
  /** Sums of the left side. */
  left: UnitSums;
}

export const noSplit: Split = {
  feature: -1,
  gain: 0,
  bin: 0,
  isMissingLeft: false,
  leftBins: [],
  isCategorical: false,
  left: { gradient: 0, hessian: 0 },
};

export interface SplitSearch {
  kernels: TreeKernels;
  features: readonly BinnedFeature[];
  scales: UnitScales;
  rules: SplitRules;
}

/** Positions of features, in order. */
export interface ActiveFeatures {
  numbers: Int32Array;
  categories: Int32Array;
}

export interface LeafToSplit {
  /** Features that it may ask about. */
  active: ActiveFeatures;
  /** Outputs that it may have, in units. */
  bounds: Bounds;
  /** Its histogram. */
  slot: number;
  total: UnitSums;
  rowCount: number;
}

const categoryL2 = 10;
const categorySmoothing = 10;
const fewCategories = 4;
const longestCategoryPrefix = 32;

/** The split of largest gain over the active features; {@link noSplit} when none gains enough. */
export function bestSplit(leaf: LeafToSplit, search: SplitSearch, random: Random): Split {
  const context = contextOf(leaf, search);
  const { numbers, categories } = askedFeatures(leaf.active, search.rules.featureShareByNode, random);
  let best = noSplit;
  let gain = context.floor;
  const take = (split: Split | undefined): void => {
    if (!split || !(split.gain > gain)) return;
    best = split;
    gain = split.gain;
  };
  if (search.rules.hasRandomBorders) {
    for (const feature of numbers) take(randomBorder(feature, context, random));
  } else if (context.isMonotone) {
    for (const feature of numbers) take(bestMonotoneBorder(feature, context));
  } else take(bestBorder(numbers, context));
  for (const feature of categories) take(bestCategorySplit(feature, context));
  return best === noSplit ? noSplit : { ...best, gain: gain - context.together };
}

interface LeafContext extends Omit<LeafToSplit, 'rowCount' | 'active'>, SplitSearch {
  /** Outputs are bounded, which the kernels know nothing of. */
  isMonotone: boolean;
  /** The least hessian of a side, from both rules: rows (estimated) and hessian. */
  leastHessian: number;
  hessianPerRow: number;
  l2: number;
  /** Gain of not splitting. */
  together: number;
  /** Gain that a split must beat: that of not splitting, and the least gain asked for. */
  floor: number;
}

function contextOf(leaf: LeafToSplit, search: SplitSearch): LeafContext {
  const { rules, scales } = search;
  const { total, rowCount } = leaf;
  const hessianPerRow = total.hessian / rowCount;
  const least = Math.max(
    rules.minHessianPerLeaf / scales.hessianScale,
    (rules.minRowsPerLeaf - 0.5) * hessianPerRow,
  );
  const l2 = rules.l2 / scales.hessianScale;
  const gainScale = (scales.gradientScale * scales.gradientScale) / scales.hessianScale;
  const isMonotone = rules.constraints?.monotone?.some((direction) => direction !== 0) ?? false;
  const together = gainOfOutput(total, l2, boundedOutput(total, l2, leaf.bounds));
  return {
    kernels: search.kernels,
    features: search.features,
    scales,
    rules,
    slot: leaf.slot,
    total,
    bounds: leaf.bounds,
    isMonotone,
    hessianPerRow,
    leastHessian: Math.min(total.hessian + 1, Math.max(1, Math.ceil(least))),
    l2,
    together,
    floor: together + (rules.minGain + 1e-12) / gainScale,
  };
}

/** Sampling: each leaf asks about a random share of the features, and at least about one. */
function askedFeatures(active: ActiveFeatures, share: number, random: Random): ActiveFeatures {
  if (share >= 1) return active;
  const isAsked = (): boolean => random.next() < share;
  const numbers = active.numbers.filter(isAsked);
  const categories = active.categories.filter(isAsked);
  if (numbers.length + categories.length > 0) return { numbers, categories };
  const drawn = random.below(active.numbers.length + active.categories.length);
  const position = drawn - active.numbers.length;
  return position < 0
    ? { numbers: active.numbers.subarray(drawn, drawn + 1), categories }
    : { numbers, categories: active.categories.subarray(position, position + 1) };
}

/** Gain of a division of the leaf by `feature`. */
function gainAt(leaf: LeafContext, feature: number, left: UnitSums, l2 = leaf.l2): number {
  if (!leaf.isMonotone) return gainOf(left, leaf.total, l2);
  const direction = directionOf(leaf.rules.constraints, leaf.features[feature]!);
  return boundedGain(left, leaf.total, { l2, bounds: leaf.bounds, direction });
}

function bestBorder(features: Int32Array, leaf: LeafContext): Split | undefined {
  if (features.length === 0) return undefined;
  const { gradient, hessian } = leaf.total;
  const { leastHessian, l2, floor } = leaf;
  const border = leaf.kernels.bestBorder(leaf.slot, { features, gradient, hessian, leastHessian, l2, floor });
  if (!border) return undefined;
  return {
    ...noSplit,
    feature: border.feature,
    gain: border.gain,
    bin: border.bin,
    isMissingLeft: border.isMissingLeft,
    left: { gradient: border.gradient, hessian: border.hessian },
  };
}

/** As the kernels' search, with bounded outputs and directions. */
function bestMonotoneBorder(index: number, leaf: LeafContext): Split | undefined {
  const { total, leastHessian } = leaf;
  const { binCount, missingBin } = leaf.features[index]!;
  const { gradients, hessians } = leaf.kernels.binSums(leaf.slot, index, total);
  const presentBins = missingBin < 0 ? binCount : missingBin;
  const missing =
    missingBin < 0
      ? { gradient: 0, hessian: 0 }
      : { gradient: gradients[missingBin]!, hessian: hessians[missingBin]! };
  const hasMissing = missing.hessian > 0;
  let best: Split | undefined;
  for (const isMissingLeft of hasMissing ? [false, true] : [false]) {
    const left = isMissingLeft ? { ...missing } : { gradient: 0, hessian: 0 };
    for (let bin = 0; bin < (hasMissing ? presentBins : presentBins - 1); bin++) {
      left.gradient += gradients[bin]!;
      left.hessian += hessians[bin]!;
      if (left.hessian < leastHessian) continue;
      if (left.hessian > total.hessian - leastHessian) break;
      const gain = gainAt(leaf, index, left);
      if (gain <= (best?.gain ?? leaf.floor)) continue;
      const goesLeft = hasMissing ? isMissingLeft : left.hessian * 2 > total.hessian;
      best = { ...noSplit, feature: index, gain, bin, isMissingLeft: goesLeft, left: { ...left } };
    }
  }
  return best;
}

function randomBorder(index: number, leaf: LeafContext, random: Random): Split | undefined {
  const { total, leastHessian } = leaf;
  const feature = leaf.features[index]!;
  const { gradients, hessians } = leaf.kernels.binSums(leaf.slot, index, total);
  const isEmpty = (bin: number): boolean => gradients[bin] === 0 && hessians[bin] === 0;
  const presentBins = feature.missingBin < 0 ? feature.binCount : feature.missingBin;
  let low = 0;
  let high = presentBins - 1;
  while (low < high && isEmpty(low)) low++;
  while (high > low && isEmpty(high)) high--;
  if (low >= high) return undefined;
  const border = low + random.below(high - low);
  const sums = { gradient: 0, hessian: 0 };
  for (let bin = low; bin <= border; bin++) {
    sums.gradient += gradients[bin]!;
    sums.hessian += hessians[bin]!;
  }
  const hasMissing = feature.missingBin >= 0 && !isEmpty(feature.missingBin);
  let best: Split | undefined;
  for (const isMissingLeft of hasMissing ? [false, true] : [false]) {
    const left = isMissingLeft
      ? {
          gradient: sums.gradient + gradients[feature.missingBin]!,
          hessian: sums.hessian + hessians[feature.missingBin]!,
        }
      : sums;
    if (left.hessian < leastHessian || total.hessian - left.hessian < leastHessian) continue;
    const gain = gainAt(leaf, index, left);
    const goesLeft = hasMissing ? isMissingLeft : left.hessian * 2 > total.hessian;
    if (!best || gain > best.gain)
      best = { ...noSplit, feature: index, gain, bin: border, isMissingLeft: goesLeft, left };
  }
  return best;
}

function bestCategorySplit(index: number, leaf: LeafContext): Split | undefined {
  const feature = leaf.features[index]!;
  const { gradients, hessians } = leaf.kernels.binSums(leaf.slot, index, leaf.total);
  const groups: CategoryGroup[] = [];
  for (let bin = 0; bin < feature.binCount; bin++) {
    if (gradients[bin] === 0 && hessians[bin] === 0) continue;
    groups.push({ bin, gradient: gradients[bin]!, hessian: hessians[bin]! });
  }
  if (groups.length < 2) return undefined;
  const found =
    groups.length <= fewCategories ? oneAgainstRest(index, groups, leaf) : bestPrefix(index, groups, leaf);
  if (!found) return undefined;
  const isMissingLeft = feature.missingBin >= 0 && found.leftBins.includes(feature.missingBin);
  return { ...noSplit, ...found, feature: index, isMissingLeft, isCategorical: true };
}

interface CategoryGroup extends UnitSums {
  bin: number;
}

interface CategorySplit {
  gain: number;
  leftBins: number[];
  left: UnitSums;
}

function oneAgainstRest(
  index: number,
  groups: readonly CategoryGroup[],
  leaf: LeafContext,
): CategorySplit | undefined {
  const { total, leastHessian } = leaf;
  let best: CategorySplit | undefined;
  for (const { bin, gradient, hessian } of groups) {
    if (hessian < leastHessian || total.hessian - hessian < leastHessian) continue;
    const left = { gradient, hessian };
    const gain = gainAt(leaf, index, left);
    if (!best || gain > best.gain) best = { gain, leftBins: [bin], left };
  }
  return best;
}

function bestPrefix(
  index: number,
  groups: readonly CategoryGroup[],
  leaf: LeafContext,
): CategorySplit | undefined {
  const { total, leastHessian, hessianPerRow, rules, scales, l2 } = leaf;
  // Penalties shrink with the hessian of a row, so that they mean the same number of rows for every loss.
  const shrink = Math.min(1, hessianPerRow * scales.hessianScale * 4) / scales.hessianScale;
  const smoothing = categorySmoothing * shrink;
  const leastCategory = Math.min(categorySmoothing, rules.minRowsPerLeaf) * hessianPerRow * 0.5;
  const ordered = groups
    .filter((group) => group.hessian >= leastCategory)
    .sort(
      (a, b) => a.gradient / (a.hessian + smoothing) - b.gradient / (b.hessian + smoothing) || a.bin - b.bin,
    );
  const longest = Math.min(longestCategoryPrefix, (ordered.length + 1) >> 1);
  const leastGroup = rules.minRowsPerGroup * hessianPerRow;
  const penalty = l2 + categoryL2 * shrink;
  let best: CategorySplit | undefined;
  for (const isForward of [true, false]) {
    const left = { gradient: 0, hessian: 0 };
    let inGroup = 0;
    for (let length = 1; length <= longest; length++) {
      const group = ordered[isForward ? length - 1 : ordered.length - length]!;
      left.gradient += group.gradient;
      left.hessian += group.hessian;
      inGroup += group.hessian;
      const restHessian = total.hessian - left.hessian;
      if (left.hessian < leastHessian || inGroup < leastGroup) continue;
      if (restHessian < leastHessian || restHessian < leastGroup) break;
      inGroup = 0;
      const gain = gainAt(leaf, index, left, penalty);
      if (best && gain <= best.gain) continue;
      const taken = isForward ? ordered.slice(0, length) : ordered.slice(ordered.length - length);
      best = { gain, leftBins: taken.map((one) => one.bin), left: { ...left } };
    }
  }
  return best;
}

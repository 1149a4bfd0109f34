// The best question to ask at a leaf, found in its histogram. Numbers: every bin border, missing values tried on both
// sides. Categories: see kernels/category-split.ts. Row counts are estimated from hessians, as LightGBM does. All sums
// and gains are in units (kernels/tree-kernels.ts); rules are translated into them.
import { present } from '../../base/assert.ts';
import type { Random } from '../../base/random.ts';
import { bestCategories, type CategoryRules } from '../kernels/category-split.ts';
import {
  gainOf,
  type BinSums,
  type TreeKernels,
  type UnitScales,
  type UnitSums,
} from '../kernels/tree-kernels.ts';
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

/** Positions of features, in order. Lists of some are made for every leaf: small arrays of numbers are made fastest. */
export interface ActiveFeatures {
  numbers: readonly number[];
  categories: readonly number[];
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
/** Of the feature that is looked at. */
const sumsOfBins: BinSums = { gradients: new Float64Array(256), hessians: new Float64Array(256) };

/** The split of largest gain of each leaf over its active features; {@link noSplit} where none gains enough. */
export function bestSplits(leaves: readonly LeafToSplit[], search: SplitSearch, random: Random): Split[] {
  const contexts = leaves.map((leaf) => contextOf(leaf, search));
  const { hasRandomBorders, featureShareByNode } = search.rules;
  const asked = (leaf: LeafToSplit): ActiveFeatures => askedFeatures(leaf.active, featureShareByNode, random);
  const questions = contexts.map((context, index): Questions => {
    const features = asked(leaves[index]!);
    return hasRandomBorders ? withRandomBorders(features, context, random) : features;
  });
  const isKnownToKernels = !contexts.some((context) => context.isMonotone);
  const splits = isKnownToKernels
    ? bestOfGains(contexts, questions)
    : contexts.map((context, index) => bestOfAll(context, questions[index]!));
  return splits.map((split, index) =>
    split === noSplit ? noSplit : { ...split, gain: split.gain - contexts[index]!.together },
  );
}

/** The kernels tell the gains of all features; only the winner's split is looked for. */
function bestOfGains(contexts: readonly LeafContext[], questions: readonly Questions[]): Split[] {
  const searches = contexts.map((context, index) => {
    const { numbers, categories, borders } = questions[index]!;
    const features = categories.length === 0 ? numbers : [...numbers, ...categories];
    return { ...context, ...context.total, features, ...(borders && { borders }) };
  });
  const gains = searches[0]!.kernels.gains(searches);
  return searches.map(({ features, floor, borders }, index) => {
    const ofLeaf = gains[index]!;
    let best = -1;
    for (let position = 0; position < ofLeaf.length; position++)
      if (ofLeaf[position]! > (best < 0 ? floor : ofLeaf[best]!)) best = position;
    if (best < 0) return noSplit;
    const feature = features[best]!;
    const context = contexts[index]!;
    const isCategory = context.features[feature]!.kind === 'category';
    const split = isCategory
      ? bestCategorySplit(feature, context)
      : borders
        ? splitAt(borders[best]!, feature, context)
        : bestBorder(feature, context);
    return present(split, 'a split of known gain');
  });
}

/** One feature after the other: for what the kernels do not know. */
function bestOfAll(context: LeafContext, { numbers, categories, borders }: Questions): Split {
  let best = noSplit;
  let gain = context.floor;
  const take = (split: Split | undefined): void => {
    if (!split || !(split.gain > gain)) return;
    best = split;
    gain = split.gain;
  };
  numbers.forEach((feature, index) =>
    take(borders ? splitAt(borders[index]!, feature, context) : bestMonotoneBorder(feature, context)),
  );
  for (const feature of categories) take(bestCategorySplit(feature, context));
  return best;
}

/** What a leaf asks about. */
interface Questions extends ActiveFeatures {
  /** The only border of each number, as a bin; absent for all borders. */
  borders?: readonly number[];
}

interface LeafContext extends Omit<LeafToSplit, 'rowCount' | 'active'>, SplitSearch, CategoryRules {
  /** Outputs are bounded, which the kernels know nothing of. */
  isMonotone: boolean;
  /** From both rules: rows (estimated) and hessian. */
  leastHessian: number;
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
  // Penalties shrink with the hessian of a row, so that they mean the same number of rows for every loss.
  const shrink = Math.min(1, hessianPerRow * scales.hessianScale * 4) / scales.hessianScale;
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
    groupL2: l2 + categoryL2 * shrink,
    smoothing: categorySmoothing * shrink,
    leastCategoryHessian: Math.min(categorySmoothing, rules.minRowsPerLeaf) * hessianPerRow * 0.5,
    leastGroupHessian: rules.minRowsPerGroup * hessianPerRow,
    leastHessian: Math.min(total.hessian + 1, Math.max(1, Math.ceil(least))),
    l2,
    together,
    floor: together + (rules.minGain + 1e-12) / gainScale,
  };
}

/** Sampling: each leaf asks about a random share of the features, and at least about one. */
function askedFeatures(active: ActiveFeatures, share: number, random: Random): ActiveFeatures {
  if (share >= 1) return active;
  const numbers = someOf(active.numbers, share, random);
  const categories = someOf(active.categories, share, random);
  if (numbers.length + categories.length > 0) return { numbers, categories };
  const drawn = random.below(active.numbers.length + active.categories.length);
  const position = drawn - active.numbers.length;
  return position < 0
    ? { numbers: [active.numbers[drawn]!], categories }
    : { numbers, categories: [active.categories[position]!] };
}

function someOf(features: readonly number[], share: number, random: Random): number[] {
  const some: number[] = [];
  for (const feature of features) if (random.next() < share) some.push(feature);
  return some;
}

/** Extra trees: one border for each number that has two bins in the leaf, anywhere between the first and the last. */
function withRandomBorders(
  { numbers, categories }: ActiveFeatures,
  { kernels, slot, total }: LeafContext,
  random: Random,
): Questions {
  const occupied = kernels.occupied({ slot, ...total, features: numbers });
  const features: number[] = [];
  const borders: number[] = [];
  for (let index = 0; index < numbers.length; index++) {
    const first = occupied[2 * index]!;
    const last = occupied[2 * index + 1]!;
    if (first >= last) continue;
    features.push(numbers[index]!);
    borders.push(first + random.below(last - first));
  }
  return { numbers: features, categories, borders };
}

/** Gain of a division of the leaf by `feature`. */
function gainAt(leaf: LeafContext, feature: number, left: UnitSums, l2 = leaf.l2): number {
  if (!leaf.isMonotone) return gainOf(left, leaf.total, l2);
  const direction = directionOf(leaf.rules.constraints, leaf.features[feature]!);
  return boundedGain(left, leaf.total, { l2, bounds: leaf.bounds, direction });
}

function bestBorder(feature: number, leaf: LeafContext): Split | undefined {
  const { gradient, hessian } = leaf.total;
  const { leastHessian, l2, floor } = leaf;
  const border = leaf.kernels.bestBorder(leaf.slot, { feature, gradient, hessian, leastHessian, l2, floor });
  if (!border) return undefined;
  return {
    ...noSplit,
    feature,
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
  const { gradients, hessians } = leaf.kernels.binSums(leaf.slot, index, total, sumsOfBins);
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

/** The division behind a bin, missing values on the side where they gain more. */
function splitAt(bin: number, index: number, leaf: LeafContext): Split | undefined {
  const { total, leastHessian } = leaf;
  const { missingBin } = leaf.features[index]!;
  const { gradients, hessians } = leaf.kernels.binSums(leaf.slot, index, total, sumsOfBins);
  const sums = { gradient: 0, hessian: 0 };
  for (let below = 0; below <= bin; below++) {
    sums.gradient += gradients[below]!;
    sums.hessian += hessians[below]!;
  }
  const hasMissing = missingBin >= 0 && (gradients[missingBin] !== 0 || hessians[missingBin] !== 0);
  let best: Split | undefined;
  for (const isMissingLeft of hasMissing ? [false, true] : [false]) {
    const left = isMissingLeft
      ? {
          gradient: sums.gradient + gradients[missingBin]!,
          hessian: sums.hessian + hessians[missingBin]!,
        }
      : sums;
    if (left.hessian < leastHessian || total.hessian - left.hessian < leastHessian) continue;
    const gain = gainAt(leaf, index, left);
    const goesLeft = hasMissing ? isMissingLeft : left.hessian * 2 > total.hessian;
    if (!best || gain > best.gain)
      best = { ...noSplit, feature: index, gain, bin, isMissingLeft: goesLeft, left };
  }
  return best;
}

function bestCategorySplit(index: number, leaf: LeafContext): Split | undefined {
  const { binCount, missingBin } = leaf.features[index]!;
  const { total } = leaf;
  const { gradients, hessians } = leaf.kernels.binSums(leaf.slot, index, total, sumsOfBins);
  const gainOfLeft = (left: UnitSums, l2: number): number => gainAt(leaf, index, left, l2);
  const found = bestCategories({ gradients, hessians, binCount, total, gainAt: gainOfLeft }, leaf);
  if (!found) return undefined;
  const isMissingLeft = missingBin >= 0 && found.leftBins.includes(missingBin);
  return { ...noSplit, ...found, feature: index, isMissingLeft, isCategorical: true };
}

// The best question to ask at a leaf, found in its histogram. Numbers: every bin border, missing values tried on both
// sides. Categories: one against the rest when there are few, else prefixes of the order by gradient ratio (Fisher
// 1958; LightGBM's many-versus-many split). Row counts are estimated from hessians, as LightGBM does.
import type { Random } from '../../base/random.ts';
import type { BinnedFeature } from './bins.ts';
import { gradientOf, hessianOf, type HistogramLayout, type PackedGradients } from './histogram.ts';

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
}

/** A question, in bins. */
export interface Split {
  /** Position in the layout; -1 for none. */
  feature: number;
  gain: number;
  /** Numbers: bins up to this one go left. */
  bin: number;
  isMissingLeft: boolean;
  /** Categories: the bins that go left. */
  leftBins: readonly number[];
  isCategorical: boolean;
}

export interface LeafSums {
  /** Sum over the leaf's cells. */
  cell: number;
  rowCount: number;
}

const categoryL2 = 10;
const categorySmoothing = 10;
const fewCategories = 4;
const longestCategoryPrefix = 32;

export const noSplit: Split = {
  feature: -1,
  gain: 0,
  bin: 0,
  isMissingLeft: false,
  leftBins: [],
  isCategorical: false,
};

/** The split of largest gain over `active` features; {@link noSplit} when none gains enough. */
export function bestSplit(
  histogram: Float64Array,
  leaf: LeafSums,
  search: { layout: HistogramLayout; active: Int32Array; packed: PackedGradients; rules: SplitRules },
  random: Random,
): Split {
  const { layout, active, packed, rules } = search;
  const totalGradient = gradientOf(leaf.cell);
  const total: Sums = {
    gradient: totalGradient * packed.gradientScale,
    hessian: hessianOf(leaf.cell, totalGradient) * packed.hessianScale,
  };
  const context: LeafContext = {
    histogram,
    total,
    gradientScale: packed.gradientScale,
    hessianScale: packed.hessianScale,
    // The least hessian of a side, from both rules: rows (estimated) and hessian.
    leastHessian: Math.max(
      rules.minHessianPerLeaf,
      ((rules.minRowsPerLeaf - 0.5) * total.hessian) / leaf.rowCount,
    ),
    hessianPerRow: total.hessian / leaf.rowCount,
    rules,
  };
  let best = noSplit;
  const floor = rules.minGain + 1e-12;
  const chance = rules.featureShareByNode;
  for (let position = 0; position < active.length; position++) {
    // Sampling: each leaf asks about a random share of the features, and at least about one.
    if (chance < 1 && random.next() >= chance && !(position === active.length - 1 && best.feature < 0))
      continue;
    const index = active[position]!;
    const feature = layout.features[index]!;
    const found =
      feature.kind === 'category'
        ? bestCategorySplit(feature, layout.offsets[index]!, context)
        : rules.hasRandomBorders
          ? randomBorder(feature, layout.offsets[index]!, context, random)
          : bestBorder(feature, layout.offsets[index]!, context);
    if (found && found.gain > floor && found.gain > best.gain) best = { ...found, feature: index };
  }
  return best;
}

interface Sums {
  gradient: number;
  hessian: number;
}

interface LeafContext {
  histogram: Float64Array;
  total: Sums;
  gradientScale: number;
  hessianScale: number;
  leastHessian: number;
  hessianPerRow: number;
  rules: SplitRules;
}

function gainOf(leftGradient: number, leftHessian: number, total: Sums, l2: number): number {
  const rightGradient = total.gradient - leftGradient;
  const rightHessian = total.hessian - leftHessian;
  return (
    (leftGradient * leftGradient) / (leftHessian + l2) +
    (rightGradient * rightGradient) / (rightHessian + l2) -
    (total.gradient * total.gradient) / (total.hessian + l2)
  );
}

function bestBorder(feature: BinnedFeature, offset: number, leaf: LeafContext): Split | undefined {
  const { histogram, total, gradientScale, hessianScale, leastHessian, rules } = leaf;
  const { missingBin } = feature;
  const presentBins = missingBin < 0 ? feature.binCount : missingBin;
  const missing = missingBin < 0 ? 0 : histogram[offset + missingBin]!;
  const missingGradient = gradientOf(missing) * gradientScale;
  const missingHessian = hessianOf(missing, gradientOf(missing)) * hessianScale;
  const hasMissing = missingHessian > 0;
  // Without missing values in the leaf the last border would leave nothing on the right.
  const lastBin = hasMissing ? presentBins : presentBins - 1;
  const mostHessian = total.hessian - leastHessian;
  let bestGain = 0;
  let bestBin = -1;
  let isMissingLeft = false;
  let cells = 0;
  for (let bin = 0; bin < lastBin; bin++) {
    const cell = histogram[offset + bin]!;
    // A bin that is empty here divides the leaf as the one before it did.
    if (cell === 0) continue;
    cells += cell;
    const units = gradientOf(cells);
    const gradient = units * gradientScale;
    const hessian = hessianOf(cells, units) * hessianScale;
    if (hasMissing && hessian + missingHessian >= leastHessian && hessian + missingHessian <= mostHessian) {
      const gain = gainOf(gradient + missingGradient, hessian + missingHessian, total, rules.l2);
      if (gain > bestGain) {
        bestGain = gain;
        bestBin = bin;
        isMissingLeft = true;
      }
    }
    if (hessian < leastHessian) continue;
    if (hessian > mostHessian) break;
    const gain = gainOf(gradient, hessian, total, rules.l2);
    if (gain > bestGain) {
      bestGain = gain;
      bestBin = bin;
      // Where the leaf has no missing values, later ones follow the larger side.
      isMissingLeft = !hasMissing && hessian * 2 > total.hessian;
    }
  }
  return bestBin < 0
    ? undefined
    : { feature: -1, gain: bestGain, bin: bestBin, isMissingLeft, leftBins: [], isCategorical: false };
}

function randomBorder(
  feature: BinnedFeature,
  offset: number,
  leaf: LeafContext,
  random: Random,
): Split | undefined {
  const { histogram, total, gradientScale, hessianScale, leastHessian, rules } = leaf;
  const presentBins = feature.missingBin < 0 ? feature.binCount : feature.missingBin;
  let low = 0;
  let high = presentBins - 1;
  while (low < high && histogram[offset + low] === 0) low++;
  while (high > low && histogram[offset + high] === 0) high--;
  if (low >= high) return undefined;
  const border = low + random.below(high - low);
  let cells = 0;
  for (let bin = low; bin <= border; bin++) cells += histogram[offset + bin]!;
  const missing = feature.missingBin < 0 ? 0 : histogram[offset + feature.missingBin]!;
  let best: Split | undefined;
  for (const isMissingLeft of missing === 0 ? [false] : [false, true]) {
    const sum = isMissingLeft ? cells + missing : cells;
    const units = gradientOf(sum);
    const hessian = hessianOf(sum, units) * hessianScale;
    if (hessian < leastHessian || total.hessian - hessian < leastHessian) continue;
    const gain = gainOf(units * gradientScale, hessian, total, rules.l2);
    const goesLeft = missing === 0 ? hessian * 2 > total.hessian : isMissingLeft;
    if (!best || gain > best.gain)
      best = { feature: -1, gain, bin: border, isMissingLeft: goesLeft, leftBins: [], isCategorical: false };
  }
  return best;
}

function bestCategorySplit(feature: BinnedFeature, offset: number, leaf: LeafContext): Split | undefined {
  const { histogram, gradientScale, hessianScale } = leaf;
  const groups: CategoryGroup[] = [];
  for (let bin = 0; bin < feature.binCount; bin++) {
    const cell = histogram[offset + bin]!;
    if (cell === 0) continue;
    const units = gradientOf(cell);
    groups.push({ bin, gradient: units * gradientScale, hessian: hessianOf(cell, units) * hessianScale });
  }
  if (groups.length < 2) return undefined;
  const found = groups.length <= fewCategories ? oneAgainstRest(groups, leaf) : bestPrefix(groups, leaf);
  if (!found) return undefined;
  const isMissingLeft = feature.missingBin >= 0 && found.leftBins.includes(feature.missingBin);
  return {
    feature: -1,
    gain: found.gain,
    bin: 0,
    isMissingLeft,
    leftBins: found.leftBins,
    isCategorical: true,
  };
}

interface CategoryGroup extends Sums {
  bin: number;
}

interface CategorySplit {
  gain: number;
  leftBins: number[];
}

function oneAgainstRest(
  groups: readonly CategoryGroup[],
  { total, leastHessian, rules }: LeafContext,
): CategorySplit | undefined {
  let best: CategorySplit | undefined;
  for (const { bin, gradient, hessian } of groups) {
    if (hessian < leastHessian || total.hessian - hessian < leastHessian) continue;
    const gain = gainOf(gradient, hessian, total, rules.l2);
    if (!best || gain > best.gain) best = { gain, leftBins: [bin] };
  }
  return best;
}

function bestPrefix(groups: readonly CategoryGroup[], leaf: LeafContext): CategorySplit | undefined {
  const { total, leastHessian, hessianPerRow, rules } = leaf;
  const smoothing = categorySmoothing * Math.min(1, hessianPerRow * 4);
  const leastCategory = Math.min(categorySmoothing, rules.minRowsPerLeaf) * hessianPerRow * 0.5;
  const ordered = groups
    .filter((group) => group.hessian >= leastCategory)
    .sort(
      (a, b) => a.gradient / (a.hessian + smoothing) - b.gradient / (b.hessian + smoothing) || a.bin - b.bin,
    );
  const longest = Math.min(longestCategoryPrefix, (ordered.length + 1) >> 1);
  const leastGroup = rules.minRowsPerGroup * hessianPerRow;
  let best: CategorySplit | undefined;
  for (const isForward of [true, false]) {
    let gradient = 0;
    let hessian = 0;
    let inGroup = 0;
    for (let length = 1; length <= longest; length++) {
      const group = ordered[isForward ? length - 1 : ordered.length - length]!;
      gradient += group.gradient;
      hessian += group.hessian;
      inGroup += group.hessian;
      const restHessian = total.hessian - hessian;
      if (hessian < leastHessian || inGroup < leastGroup) continue;
      if (restHessian < leastHessian || restHessian < leastGroup) break;
      inGroup = 0;
      const gain = gainOf(gradient, hessian, total, rules.l2 + categoryL2 * Math.min(1, hessianPerRow * 4));
      if (best && gain <= best.gain) continue;
      const taken = isForward ? ordered.slice(0, length) : ordered.slice(ordered.length - length);
      best = { gain, leftBins: taken.map((one) => one.bin) };
    }
  }
  return best;
}

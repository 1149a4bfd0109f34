// The best division of a category's bins: one against the rest when there are few, else prefixes of the order by gradient
// ratio (Fisher 1958; LightGBM's many-versus-many split). assembly/gains.as has the same, for gains alone.
import type { UnitSums } from './tree-kernels.ts';

/** In units. */
export interface CategoryRules {
  /** Smallest hessian of a side. */
  leastHessian: number;
  l2: number;
  /** Penalty of divisions into more than one against the rest. */
  groupL2: number;
  /** Added to hessians where ratios are compared, so that rare categories come to lie in the middle. */
  smoothing: number;
  /** Smallest hessian of a category that may go to the smaller side, and of those that are added to it at a time. */
  leastCategoryHessian: number;
  leastGroupHessian: number;
}

export interface CategorySplit {
  gain: number;
  leftBins: number[];
  left: UnitSums;
}

/** The sums of each bin in a leaf, and what a division of them gains. */
export interface CategoryLeaf {
  gradients: ArrayLike<number>;
  hessians: ArrayLike<number>;
  binCount: number;
  total: UnitSums;
  gainAt: (left: UnitSums, l2: number) => number;
}

const fewCategories = 4;
const longestPrefix = 32;

/** `undefined` when no division is admissible. */
export function bestCategories(leaf: CategoryLeaf, rules: CategoryRules): CategorySplit | undefined {
  const bins: CategoryBin[] = [];
  for (let bin = 0; bin < leaf.binCount; bin++) {
    const gradient = leaf.gradients[bin]!;
    const hessian = leaf.hessians[bin]!;
    if (gradient !== 0 || hessian !== 0) bins.push({ bin, gradient, hessian });
  }
  if (bins.length < 2) return undefined;
  return bins.length <= fewCategories ? oneAgainstRest(bins, leaf, rules) : bestPrefix(bins, leaf, rules);
}

interface CategoryBin extends UnitSums {
  bin: number;
}

function oneAgainstRest(
  bins: readonly CategoryBin[],
  { total, gainAt }: CategoryLeaf,
  { leastHessian, l2 }: CategoryRules,
): CategorySplit | undefined {
  let best: CategorySplit | undefined;
  for (const { bin, gradient, hessian } of bins) {
    if (hessian < leastHessian || total.hessian - hessian < leastHessian) continue;
    const left = { gradient, hessian };
    const gain = gainAt(left, l2);
    if (!best || gain > best.gain) best = { gain, leftBins: [bin], left };
  }
  return best;
}

function bestPrefix(
  bins: readonly CategoryBin[],
  { total, gainAt }: CategoryLeaf,
  rules: CategoryRules,
): CategorySplit | undefined {
  const { leastHessian, leastGroupHessian, smoothing, groupL2 } = rules;
  const ordered = bins
    .filter((one) => one.hessian >= rules.leastCategoryHessian)
    .sort(
      (a, b) => a.gradient / (a.hessian + smoothing) - b.gradient / (b.hessian + smoothing) || a.bin - b.bin,
    );
  const longest = Math.min(longestPrefix, (ordered.length + 1) >> 1);
  let best: CategorySplit | undefined;
  for (const isForward of [true, false]) {
    const left = { gradient: 0, hessian: 0 };
    let inGroup = 0;
    for (let length = 1; length <= longest; length++) {
      const one = ordered[isForward ? length - 1 : ordered.length - length]!;
      left.gradient += one.gradient;
      left.hessian += one.hessian;
      inGroup += one.hessian;
      const restHessian = total.hessian - left.hessian;
      if (left.hessian < leastHessian || inGroup < leastGroupHessian) continue;
      if (restHessian < leastHessian || restHessian < leastGroupHessian) break;
      inGroup = 0;
      const gain = gainAt(left, groupL2);
      if (best && gain <= best.gain) continue;
      const taken = isForward ? ordered.slice(0, length) : ordered.slice(ordered.length - length);
      best = { gain, leftBins: taken.map((each) => each.bin), left: { ...left } };
    }
  }
  return best;
}

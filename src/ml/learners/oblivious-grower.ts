// Grows one oblivious (symmetric) tree on gradients: one question for each level, asked of all its leaves (Kohavi and Li
// 1995; CatBoost: Dorogush et al. 2018). It knows nothing of losses; the loops over rows are the kernels that the other
// trees are grown with.
import { assert } from '../../base/assert.ts';
import { shuffle, type Random } from '../../base/random.ts';
import type { RowRange, TreeKernels, UnitScales, UnitSums } from '../kernels/tree-kernels.ts';
import type { BinnedFeature } from './bins.ts';
import { bestQuestion } from './oblivious-search.ts';
import type { Split } from './split-search.ts';
import { writeSides } from './tree-grower.ts';

export interface ObliviousRules {
  maxDepth: number;
  l2: number;
  /** Share of the features that each tree sees. */
  featureShare: number;
  /** Standard deviation of the noise on the choice of questions, in gradients per square root of a hessian. */
  noise: number;
}

/** A leaf's rows: those that the tree was grown on, others that were to be learned from, and followers. */
export type LeafParts = readonly [drawn: RowRange, rest: RowRange, followers: RowRange];

/** Leaf l is reached by the answers that its bits tell, the first question's answer highest: 0 is left, 1 is right. */
export interface ObliviousTree {
  questions: Split[];
  leaves: LeafParts[];
}

export interface ObliviousInput {
  kernels: TreeKernels;
  features: readonly BinnedFeature[];
  rules: ObliviousRules;
  /** How the kernels' rows are cut into drawn rows, others to learn from, and followers. */
  parts: LeafParts;
  /** The drawn rows are the kernels' rows 0, 1, 2... */
  isInOrder: boolean;
  random: Random;
}

interface Leaf {
  parts: LeafParts;
  /** Its histogram; -1 for none. */
  slot: number;
  total: UnitSums;
}

/** Grows a tree; the kernels' rows are re-ordered leaf by leaf, part by part. */
export function growObliviousTree(input: ObliviousInput): ObliviousTree {
  const { kernels, features, rules, parts, isInOrder, random } = input;
  const questions: Split[] = [];
  let leaves: Leaf[] = [{ parts, slot: -1, total: { gradient: 0, hessian: 0 } }];
  if (features.length === 0) return { questions, leaves: [parts] };
  const scales = kernels.pack(random.below(4_294_967_296) | 0);
  const active = drawFeatures(features.length, rules.featureShare, random);
  kernels.draw(active);
  kernels.fill(0, { ...parts[0], isInOrder });
  leaves = [{ parts, slot: 0, total: kernels.totalOf(0) }];
  const slots = { used: 1 };
  while (questions.length < rules.maxDepth) {
    const question = bestQuestion({
      kernels,
      features,
      active,
      leaves: leaves.filter((leaf) => leaf.slot >= 0),
      rowCount: parts[0].end,
      ...inUnits(rules, scales),
      random,
    });
    if (question.feature < 0) break;
    questions.push(question);
    const isLast = questions.length === rules.maxDepth;
    leaves = leaves.flatMap((leaf) => divide(input, leaf, { question, slots: isLast ? undefined : slots }));
  }
  return { questions, leaves: leaves.map((leaf) => leaf.parts) };
}

function inUnits({ l2, noise }: ObliviousRules, scales: UnitScales): { l2: number; noise: number } {
  const gainScale = Math.sqrt(scales.hessianScale) / scales.gradientScale;
  return { l2: Math.max(1, l2 / scales.hessianScale), noise: noise * gainScale };
}

function drawFeatures(count: number, share: number, random: Random): Int32Array {
  const all = Int32Array.from({ length: count }, (_, index) => index);
  if (share >= 1) return all;
  return shuffle(all, random)
    .slice(0, Math.max(1, Math.round(count * share)))
    .sort();
}

/** Both sides of a leaf; with histograms where there are `slots`: the smaller is summed, the larger is the difference. */
function divide(
  { kernels, features }: ObliviousInput,
  leaf: Leaf,
  { question, slots }: { question: Split; slots: { used: number } | undefined },
): [Leaf, Leaf] {
  const { feature } = question;
  const sides = new Uint8Array(256);
  writeSides(features[feature]!, question, sides);
  const middles = leaf.parts.map(({ begin, end }) =>
    end > begin ? kernels.partition(begin, end, { feature, sides }) : end,
  );
  const partsOf = (isLeft: boolean): LeafParts => {
    const [drawn, rest, followers] = leaf.parts.map(({ begin, end }, part) =>
      isLeft ? { begin, end: middles[part]! } : { begin: middles[part]!, end },
    );
    assert(drawn && rest && followers, 'a leaf has three parts');
    return [drawn, rest, followers];
  };
  const none = { gradient: 0, hessian: 0 };
  const left: Leaf = { parts: partsOf(true), slot: -1, total: none };
  const right: Leaf = { parts: partsOf(false), slot: -1, total: none };
  if (!slots || leaf.slot < 0) return [left, right];
  left.total = leftSums(kernels, leaf, feature, sides);
  right.total = {
    gradient: leaf.total.gradient - left.total.gradient,
    hessian: leaf.total.hessian - left.total.hessian,
  };
  const [small, large] = drawnRows(left) < drawnRows(right) ? [left, right] : [right, left];
  large.slot = leaf.slot;
  if (drawnRows(small) === 0) return [left, right];
  small.slot = slots.used++;
  kernels.fill(small.slot, { ...small.parts[0], isInOrder: false }, large.slot);
  return [left, right];
}

function leftSums(kernels: TreeKernels, { slot, total }: Leaf, feature: number, sides: Uint8Array): UnitSums {
  const { gradients, hessians } = kernels.binSums(slot, feature, total);
  const left = { gradient: 0, hessian: 0 };
  for (let bin = 0; bin < gradients.length; bin++) {
    if (sides[bin] === 0) continue;
    left.gradient += gradients[bin]!;
    left.hessian += hessians[bin]!;
  }
  return left;
}

function drawnRows({ parts: [drawn] }: Leaf): number {
  return drawn.end - drawn.begin;
}

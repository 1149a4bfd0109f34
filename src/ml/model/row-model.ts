// What a learner leaves behind: plain numbers that turn one encoded row into an answer. Each form is in a file
// of its own; all are data (typed arrays), so a model file can hold them and any runtime can
// run them.
import { hasClasses, type Task } from '../frame/schema.ts';
import { exp, softmaxInPlace, sigmoid } from './arithmetic.ts';
import { applyLinear, type LinearModel } from './linear.ts';
import { applyNaiveBayes, type NaiveBayesModel } from './naive-bayes.ts';
import { applyNeighbours, type NeighboursModel } from './neighbours.ts';
import { applyNetwork, type NetworkModel } from './network.ts';
import { applyTrees, type TreesModel } from './trees.ts';
import { fewestWalkedRows, walkTrees } from './walk.ts';

/** The same answer for every row: a value, or the share of each class. */
export interface ConstantModel {
  kind: 'constant';
  values: Float64Array;
}

/** Models that add up raw scores, which a link turns into the answer. */
export type ScoreModel = TreesModel | LinearModel | NaiveBayesModel;

export type RowModel = ScoreModel | NeighboursModel | NetworkModel | ConstantModel;

/**
 * How raw scores become an answer. `identity`: they are it. `exponential`: they are its logarithm. `logistic`: one log-odds of class 1. `softmax`: one score
 * for each class. `share`: estimated shares (of class 1, or of each class), clipped and made to sum to one.
 */
export const links = ['identity', 'exponential', 'logistic', 'softmax', 'share'] as const;
export type Link = (typeof links)[number];

/** Questions from a root to a leaf; twice what learners make. */
export const longestWalk = 128;

/** The number of values an answer has: 1 for a regression or ranking, the number of classes otherwise. */
export function outputCountOf(task: Task, classCount: number): number {
  return hasClasses(task) ? classCount : 1;
}

/** Numbers that a model looks at for one row, at most: what its answers take grows with it. */
export function stepCountOf(model: RowModel): number {
  switch (model.kind) {
    case 'constant':
      return model.values.length;
    case 'trees':
      return model.roots.length * longestWalk;
    case 'linear':
      return model.numberWeights.length + model.levelWeights.length;
    case 'naive-bayes':
      return model.means.length + model.countWeights.length + model.levelWeights.length;
    case 'neighbours':
      return model.numbers.length + model.codes.length;
    case 'network':
      return model.headCount * (model.weights.length + model.knotVectors.length + model.lastWeights.length);
    default:
      return model satisfies never;
  }
}

/** Writes the answers for `rowCount` row-major encoded rows to `out`, `outputCount` values for each row. */
export function applyModel(
  model: RowModel,
  input: { rows: Float64Array; rowCount: number; featureCount: number },
  out: Float64Array,
): void {
  const outputCount = out.length / input.rowCount;
  if (model.kind === 'constant') {
    for (let row = 0; row < input.rowCount; row++) out.set(model.values, row * outputCount);
    return;
  }
  if (model.kind === 'neighbours') return applyNeighbours(model, input, out);
  if (model.kind === 'network') return applyNetwork(model, input, out);
  const rawCount = model.base.length;
  const raw = rawCount === outputCount ? out : new Float64Array(input.rowCount * rawCount);
  for (let row = 0; row < input.rowCount; row++) raw.set(model.base, row * rawCount);
  addScores(model, input, raw);
  if (model.link === 'logistic') return splitOdds(raw, out);
  for (let row = 0; row < input.rowCount; row++)
    applyLink(
      model.link,
      raw.subarray(row * rawCount, (row + 1) * rawCount),
      out.subarray(row * outputCount, (row + 1) * outputCount),
    );
}

function addScores(
  model: ScoreModel,
  input: { rows: Float64Array; rowCount: number; featureCount: number },
  raw: Float64Array,
): void {
  switch (model.kind) {
    case 'trees': {
      const isWalked = input.rowCount >= fewestWalkedRows && walkTrees(model, input, raw);
      if (!isWalked) applyTrees(model, input, raw);
      return;
    }
    case 'linear':
      return applyLinear(model, input, raw);
    case 'naive-bayes':
      return applyNaiveBayes(model, input, raw);
    default:
      return model satisfies never;
  }
}

/** Turns one row's raw scores into its answer; `raw` and `out` may be the same array. */
export function applyLink(link: Link, raw: Float64Array, out: Float64Array): void {
  switch (link) {
    case 'identity':
      if (raw !== out) out.set(raw);
      return;
    case 'exponential':
      // Kept among the finite numbers.
      out[0] = exp(Math.min(700, raw[0]!));
      return;
    case 'logistic': {
      const probability = sigmoid(raw[0]!);
      out[0] = 1 - probability;
      out[1] = probability;
      return;
    }
    case 'softmax':
      if (raw !== out) out.set(raw);
      softmaxInPlace(out, 0, out.length);
      return;
    case 'share':
      return normaliseShares(raw, out);
    default:
      return link satisfies never;
  }
}

/** The link `logistic` for all rows, without a view for each. */
function splitOdds(raw: Float64Array, out: Float64Array): void {
  for (let row = 0; row < raw.length; row++) {
    const probability = sigmoid(raw[row]!);
    out[2 * row] = 1 - probability;
    out[2 * row + 1] = probability;
  }
}

function normaliseShares(raw: Float64Array, out: Float64Array): void {
  if (raw.length === 1) {
    const share = Math.min(1, Math.max(0, raw[0]!));
    out[0] = 1 - share;
    out[1] = share;
    return;
  }
  let sum = 0;
  for (let index = 0; index < raw.length; index++) sum += out[index] = Math.max(1e-9, raw[index]!);
  for (let index = 0; index < raw.length; index++) out[index] = out[index]! / sum;
}

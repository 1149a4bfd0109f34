// Gradient boosting for tables with categories: CatBoost's ideas (Prokhorenkova et al., NeurIPS 2018; Dorogush et al.,
// 2018) on the kernels of the other trees. Trees are oblivious; columns of many categories become ordered target
// statistics, in one random order for each training. The model is plain trees, like that of the other boosted trees.
// CatBoost's combinations of categories and its ordered boosting are not here.
import { seededRandom, shuffle, type Random } from '../../base/random.ts';
import type { Task } from '../frame/schema.ts';
import { layoutOf } from '../kernels/layout.ts';
import { openKernels } from '../kernels/open-kernels.ts';
import type { RowRange, TreeKernels } from '../kernels/tree-kernels.ts';
import { exp, log } from '../model/arithmetic.ts';
import { binnedTable, type BinnedFeature, type BinnedTable } from './bins.ts';
import { positionsOf, runRounds } from './boosting-rounds.ts';
import { lossOf } from './boosting-settings.ts';
import { categoricalBoostingSpec } from './categorical-boosting-spec.ts';
import {
  checkAbilities,
  completeHyperparameters,
  isLate,
  numberSetting,
  type Hyperparameters,
  type Learner,
  type TrainedModel,
  type TrainingInput,
  type TrainingSize,
} from './learner.ts';
import { residualQuantile, type Loss } from './loss.ts';
import { lossFor, outputCountFor } from './losses.ts';
import { growObliviousTree, type ObliviousTree } from './oblivious-grower.ts';
import { shapeTree, type ShapedTree } from './oblivious-shape.ts';
import { checkTarget } from './regression-losses.ts';
import { bagDrawer, type Bag } from './row-bag.ts';
import { asCategorySplit, statisticsOf, type StatisticFeature } from './target-statistics.ts';
import type { KernelOpener } from './tree-grower.ts';
import { treeTrainingBytes } from './tree-memory.ts';
import { treeStore, type TreeStore } from './tree-store.ts';

export const categoricalBoosting: Learner = categoricalBoostingOn(openKernels);

/** The learner on given kernels; what it learns does not depend on them. */
export function categoricalBoostingOn(open: KernelOpener): Learner {
  const trainingBytes = (size: TrainingSize, settings: Hyperparameters): number =>
    // Rounds are not counted: early stopping decides how many there are.
    treeTrainingBytes(size, { leafCount: 2 ** numberSetting(settings, 'depth'), treeCount: 1 });
  return {
    spec: categoricalBoostingSpec,
    trainingBytes,
    train: (input) => trainCategoricalBoosting(input, open),
  };
}

interface Boosting {
  input: TrainingInput;
  settings: Hyperparameters;
  learningRate: number;
  maxDepth: number;
  /** Rows learned from, and with those that stop the training. */
  rowCount: number;
  allCount: number;
  /** Those of the table, then the statistics. */
  features: readonly BinnedFeature[];
  statistics: readonly StatisticFeature[];
  kernels: TreeKernels;
  loss: Loss;
  store: TreeStore;
  drawBag: () => Bag;
  random: Random;
}

const histogramMemoryBytes = 192 * 1024 * 1024;
/** Below this share of its first strength, noise decides nothing. */
const leastNoiseShare = 0.001;

async function trainCategoricalBoosting(input: TrainingInput, open: KernelOpener): Promise<TrainedModel> {
  const boosting = startBoosting(input, open);
  try {
    return await boost(boosting);
  } finally {
    boosting.kernels.close();
  }
}

async function boost(boosting: Boosting): Promise<TrainedModel> {
  const { settings, rowCount, allCount, kernels, loss, store } = boosting;
  const { control, validationRows } = boosting.input;
  await control.pause();
  const base = loss.start();
  base.forEach((score, k) => kernels.scores.fill(score, k * allCount, (k + 1) * allCount));
  const { kept, curve, endedBy } = await runRounds({
    control,
    iterations: numberSetting(settings, 'iterations'),
    patience: numberSetting(settings, 'patience'),
    add: (round) => growRound(boosting, round),
    validationScore: validationRows && (() => loss.mean(rowCount, allCount)),
  });
  const model = store.finish({ treeCount: kept * loss.outputCount, link: loss.link, base });
  const { learningRate } = boosting;
  return { model, iterationCount: kept, curve, endedBy, settled: { iterations: kept, learningRate } };
}

function startBoosting(input: TrainingInput, open: KernelOpener): Boosting {
  const { table, task, target, weights, classCount, rows } = input;
  checkAbilities(categoricalBoostingSpec, input);
  const settings = completeHyperparameters(categoricalBoostingSpec, input.hyperparameters);
  if (task === 'regression') checkTarget(lossOf(settings).loss, { target, rows });
  const positions = positionsOf(input);
  const rowCount = rows.length;
  const allCount = positions.length;
  const random = seededRandom(input.seed);
  const binned = binnedTable(table, input.control.threads);
  const statistics = drawStatistics(input, { settings, binned, random });
  const features = [...binned.features, ...statistics.map((statistic) => statistic.binned)];
  const layout = layoutOf(features);
  const fittingSlots = histogramMemoryBytes / Math.max(1, layout.cellCount * 8);
  const maxDepth = Math.min(numberSetting(settings, 'depth'), depthFor(fittingSlots));
  const outputCount = outputCountFor(task, classCount);
  const slotCount = 2 ** maxDepth;
  const kernels = open(
    { features, layout, positions, rowCount, outputCount, slotCount, leafCount: slotCount, target, weights },
    input.control.threads,
  );
  const temperature = numberSetting(settings, 'baggingTemperature');
  const bagRules = { rowCount, allCount, rowShare: numberSetting(settings, 'rowShare'), temperature };
  return {
    input,
    settings,
    learningRate: numberSetting(settings, 'learningRate') || chosenLearningRate(settings, task, rowCount),
    maxDepth,
    rowCount,
    allCount,
    features,
    statistics,
    kernels,
    loss: lossFor(task, { ...kernels, rowCount, classCount }, lossOf(settings)),
    store: treeStore(binned),
    drawBag: bagDrawer(bagRules, random),
    random,
  };
}

/** The depth of a tree with a histogram for each of its leaves, at least 1. */
function depthFor(slotCount: number): number {
  let depth = 1;
  while (2 ** (depth + 1) <= slotCount) depth++;
  return depth;
}

/** The statistics of all columns with many categories. */
function drawStatistics(
  { target, weights, task, classCount, rows, validationRows }: TrainingInput,
  { settings, binned, random }: { settings: Hyperparameters; binned: BinnedTable; random: Random },
): StatisticFeature[] {
  const above = numberSetting(settings, 'statisticsAbove');
  const sources = binned.features.flatMap((feature, place) =>
    feature.kind === 'category' && seenCount(feature, rows) > above ? [{ feature, place }] : [],
  );
  if (sources.length === 0) return [];
  return statisticsOf(sources, {
    task,
    classCount,
    target,
    weights,
    priorRows: numberSetting(settings, 'priorRows'),
    order: shuffle(rows.slice(), random),
    followers: validationRows ?? new Int32Array(0),
  });
}

/** Categories among `rows`. */
function seenCount({ bins }: BinnedFeature, rows: Int32Array): number {
  const seen = new Uint8Array(256);
  for (const row of rows) seen[bins[row]!] = 1;
  return seen.reduce((sum, one) => sum + one, 0);
}

/**
 * More rows bear larger steps, more iterations need smaller ones: CatBoost's form of the rule. The numbers are such that
 * 1000 trees suit 40,000 rows.
 */
function chosenLearningRate(settings: Hyperparameters, task: Task, rowCount: number): number {
  const { rate, growth } = task === 'binary' ? { rate: 0.08, growth: 0.4 } : { rate: 0.1, growth: 0.16 };
  const iterations = numberSetting(settings, 'iterations');
  const chosen = rate * exp(growth * log(rowCount / 40_000) + 0.5 * log(1000 / iterations));
  return Math.min(0.3, Math.max(0.01, chosen));
}

/** One tree for each output; `false` when the deadline came first, and the round does not count. */
async function growRound(boosting: Boosting, round: number): Promise<boolean> {
  const { input, settings, kernels, loss, features, maxDepth, random } = boosting;
  const bag = boosting.drawBag();
  for (let k = 0; k < loss.outputCount; k++) {
    derive(boosting, k);
    const noise = noiseAt(boosting, round);
    weigh(kernels.derivatives, bag.weights);
    kernels.rows.set(bag.rows);
    const tree = growObliviousTree({
      kernels,
      features,
      rules: {
        maxDepth,
        l2: numberSetting(settings, 'l2'),
        featureShare: numberSetting(settings, 'featureShare'),
        noise,
      },
      parts: bag.parts,
      isInOrder: bag.parts[0].end === boosting.rowCount,
      random,
    });
    if (bag.weights.length > 0) derive(boosting, k);
    addTree(boosting, tree, k);
    if (k === loss.outputCount - 1) break;
    await input.control.pause();
    if (isLate(input.control)) return false;
  }
  return true;
}

function derive({ kernels, loss }: Boosting, k: number): void {
  if (typeof loss.derive === 'string') kernels.derive(loss.derive, k);
  else loss.derive();
}

/** Empty `weights` weigh all the same. */
function weigh(derivatives: Float32Array, weights: Float64Array): void {
  for (let row = 0; row < weights.length; row++) {
    derivatives[2 * row]! *= weights[row]!;
    derivatives[2 * row + 1]! *= weights[row]!;
  }
}

/** CatBoost's random strength: as large as what chance alone gains, until the model has moved by ln(rows) steps. */
function noiseAt({ settings, kernels, rowCount, learningRate }: Boosting, round: number): number {
  const strength = numberSetting(settings, 'randomStrength');
  const left = exp(log(rowCount) - learningRate * round);
  const share = left / (1 + left);
  if (strength === 0 || share < leastNoiseShare) return 0;
  const { derivatives } = kernels;
  let squares = 0;
  let hessian = 0;
  for (let row = 0; row < rowCount; row++) {
    squares += derivatives[2 * row]! * derivatives[2 * row]!;
    hessian += derivatives[2 * row + 1]!;
  }
  return strength * share * Math.sqrt(squares / hessian);
}

/** Gives the leaves their values, from all rows to learn from, and moves the scores of all rows. */
function addTree(boosting: Boosting, tree: ObliviousTree, k: number): void {
  const { kernels, features, statistics, store, learningRate } = boosting;
  const shaped = shapeTree(tree);
  const values = leafValues(boosting, tree, shaped).map((value) => learningRate * value);
  const ofLeaves = Float64Array.from(shaped.leafOf, (leaf) => values[leaf]!);
  const [drawn, rest, followers] = rangesOf(tree);
  kernels.addToScores(k, [...drawn, ...rest], Float64Array.of(...ofLeaves, ...ofLeaves));
  kernels.addToScores(k, followers, ofLeaves);
  const firstStatistic = features.length - statistics.length;
  const splits = shaped.splits.map((split) =>
    split.feature < firstStatistic
      ? split
      : asCategorySplit(statistics[split.feature - firstStatistic]!, split),
  );
  store.add({ ...shaped, splits }, values);
}

/** Newton steps, or quantiles of residuals where the loss says so. */
function leafValues(
  { settings, kernels, loss }: Boosting,
  tree: ObliviousTree,
  shaped: ShapedTree,
): Float64Array {
  const leafCount = shaped.rowCounts.length;
  const [drawn, rest] = rangesOf(tree);
  const level = loss.leafQuantile;
  if (level !== undefined) {
    const ranges = Array.from({ length: leafCount }, (): RowRange[] => []);
    shaped.leafOf.forEach((leaf, index) => ranges[leaf]!.push(drawn[index]!, rest[index]!));
    return Float64Array.from(ranges, (leaf) => residualQuantile(kernels, leaf, level));
  }
  const gradients = new Float64Array(leafCount);
  const hessians = new Float64Array(leafCount).fill(numberSetting(settings, 'l2'));
  for (const ranges of [drawn, rest])
    kernels.leafSums(ranges).forEach(({ gradient, hessian }, index) => {
      gradients[shaped.leafOf[index]!]! += gradient;
      hessians[shaped.leafOf[index]!]! += hessian;
    });
  return gradients.map((gradient, leaf) => -gradient / hessians[leaf]!);
}

/** Part by part, the ranges of all leaves. */
function rangesOf({ leaves }: ObliviousTree): [RowRange[], RowRange[], RowRange[]] {
  return [leaves.map((parts) => parts[0]), leaves.map((parts) => parts[1]), leaves.map((parts) => parts[2])];
}

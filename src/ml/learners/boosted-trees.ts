// Gradient boosting of histogram trees grown best leaf first: LightGBM's algorithm (Ke et al., NeurIPS 2017) with
// quantised gradients (Shi et al., NeurIPS 2022), missing values and categories split natively, early stopping.
import { seededRandom, type Random } from '../../base/random.ts';
import type { FeatureTable } from '../frame/encoding.ts';
import { openKernels } from '../kernels/open-kernels.ts';
import { binnedTable } from './bins.ts';
import { boostedTreesSpec } from './boosted-trees-spec.ts';
import { positionsOf, runRounds } from './boosting-rounds.ts';
import { lossOf } from './boosting-settings.ts';
import { checkConstraints, fault, type Bounds } from './constraints.ts';
import {
  completeHyperparameters,
  isLate,
  numberSetting,
  type Hyperparameters,
  type Learner,
  type TrainedModel,
  type TrainingControl,
  type TrainingInput,
  type TrainingSize,
} from './learner.ts';
import { residualQuantile, type Loss } from './loss.ts';
import { lossFor, outputCountFor } from './losses.ts';
import { checkTarget } from './regression-losses.ts';
import {
  treeGrower,
  type GrownTree,
  type KernelOpener,
  type Leaf,
  type TreeGrower,
  type TreeRules,
} from './tree-grower.ts';
import { checkEarlier, roundCountOf, writeScores } from './warm-start.ts';
import { treeTrainingBytes } from './tree-memory.ts';
import { storable, treeStore, type TreeStore } from './tree-store.ts';

export const boostedTrees: Learner = boostedTreesOn(openKernels);

/** The learner on given kernels; what it learns does not depend on them. */
export function boostedTreesOn(open: KernelOpener): Learner {
  const trainingBytes = (size: TrainingSize, settings: Hyperparameters): number =>
    // Rounds are not counted: early stopping decides how many there are.
    treeTrainingBytes(size, { leafCount: numberSetting(settings, 'maxLeaves'), treeCount: 1 });
  return { spec: boostedTreesSpec, trainingBytes, train: (input) => trainBoostedTrees(input, open) };
}

export interface Boosting {
  control: TrainingControl;
  /** Whether the last rows are there to find when to stop. */
  hasValidation: boolean;
  /** The first round's order of rows may become their order in memory: not with losses that know rows by their places. */
  mayReorder: boolean;
  /** Writes the scores of an earlier model and returns what its trees add to; absent where there is none. */
  startFromEarlier?: (scores: Float64Array) => Promise<Float64Array>;
  settings: Hyperparameters;
  /** Rows learned from, and with those that stop the training. */
  rowCount: number;
  allCount: number;
  /** Rounds of the earlier model, which this training goes on from. */
  firstRound: number;
  loss: Loss;
  grower: TreeGrower;
  store: TreeStore;
  random: Random;
}

/** With more rows than this, rows are moved in memory once, to the leaf order of the first round. */
const fewestRowsToReorder = 100_000;

async function trainBoostedTrees(input: TrainingInput, open: KernelOpener): Promise<TrainedModel> {
  const boosting = startBoosting(input, open);
  try {
    return await boost(boosting);
  } finally {
    boosting.grower.kernels.close();
  }
}

/** Adds trees until there are enough; the kernels' rows are written. Closes nothing. */
export async function boost(boosting: Boosting): Promise<TrainedModel> {
  const { control, settings, loss, store, rowCount, allCount, firstRound } = boosting;
  await control.pause();
  const base = await startScores(boosting);
  const { kept, curve, endedBy } = await runRounds({
    control,
    iterations: numberSetting(settings, 'iterations'),
    firstRound,
    patience: numberSetting(settings, 'patience'),
    add: async (round) => {
      const isWhole = await growRound(boosting, round);
      const isFirst = round === firstRound;
      if (isWhole && isFirst && boosting.mayReorder && rowCount > fewestRowsToReorder) reorderRows(boosting);
      return isWhole;
    },
    validationScore: boosting.hasValidation ? () => loss.mean(rowCount, allCount) : undefined,
  });
  const model = store.finish({ treeCount: kept * loss.outputCount, link: loss.link, base });
  return { model, iterationCount: kept, curve, endedBy, settled: { iterations: kept } };
}

/** Gives all rows their first scores: those of the earlier model, or the best constant. Returns what trees add to. */
async function startScores({ startFromEarlier, loss, grower, allCount }: Boosting): Promise<Float64Array> {
  const { scores } = grower.kernels;
  if (startFromEarlier) return startFromEarlier(scores);
  const base = loss.start();
  base.forEach((score, k) => scores.fill(score, k * allCount, (k + 1) * allCount));
  return base;
}

function startBoosting(input: TrainingInput, open: KernelOpener): Boosting {
  const { table, task, target, weights, groups, classCount, rows, earlier } = input;
  const settings = completeHyperparameters(boostedTreesSpec, input.hyperparameters);
  checkInput(input, settings);
  const positions = positionsOf(input);
  const binned = binnedTable(table, input.control.threads);
  const rowCount = rows.length;
  const grower = treeGrower(
    {
      table: binned,
      rules: { ...rulesFrom(settings, rowCount), constraints: input.constraints },
      positions,
      rowCount,
      outputCount: outputCountFor(task, classCount),
      target,
      weights,
      threads: input.control.threads,
    },
    open,
  );
  const loss = lossFor(
    task,
    { ...grower.kernels, rowCount, classCount, groups: groups && positions.map((row) => groups[row]!) },
    lossOf(settings),
  );
  const startFromEarlier = async (scores: Float64Array): Promise<Float64Array> => {
    checkEarlier(earlier!, { features: table.features, constraints: input.constraints, loss });
    await writeScores(earlier!.model, { table, positions, scores }, input.control);
    return earlier!.model.base;
  };
  return {
    control: input.control,
    hasValidation: input.validationRows !== undefined,
    mayReorder: groups === undefined,
    ...(earlier && { startFromEarlier }),
    settings,
    rowCount,
    allCount: positions.length,
    firstRound: earlier ? roundCountOf(earlier.model) : 0,
    loss,
    grower,
    store: treeStore(binned, earlier?.model),
    random: seededRandom(input.seed),
  };
}

/** @throws Problem `invalid-request` for constraints and targets that the settings cannot have */
function checkInput(input: TrainingInput, settings: Hyperparameters): void {
  if (input.task === 'regression') checkTarget(lossOf(settings).loss, input);
  checkConstraintsOf(input, settings);
}

/** @throws Problem `invalid-request` for constraints that the table, the task or the settings cannot have */
export function checkConstraintsOf(
  {
    constraints,
    table,
    task,
  }: Pick<TrainingInput, 'constraints' | 'task'> & { table: Pick<FeatureTable, 'features'> },
  settings: Hyperparameters,
): void {
  const { loss } = lossOf(settings);
  if (!constraints) return;
  checkConstraints(constraints, table.features);
  if (!constraints.monotone?.some((direction) => direction !== 0)) return;
  if (task === 'multiclass') throw fault('monotone', 'has no meaning with three or more classes');
  if (task === 'regression' && (loss === 'absolute' || loss === 'quantile'))
    throw fault(
      'monotone',
      `does not go with the ${loss} loss, whose leaves are quantiles: use another loss`,
    );
}

/**
 * One tree for each output; `false` when the deadline came first, and the round does not count. Each round has random
 * numbers of its own, so that trainings which go on from earlier ones draw what a single training would have drawn.
 */
async function growRound(boosting: Boosting, round: number): Promise<boolean> {
  const { loss, grower, control, settings, allCount } = boosting;
  const { kernels } = grower;
  const random = boosting.random.fork(round);
  const bag = drawRows(boosting, numberSetting(settings, 'rowShare'), random);
  for (let k = 0; k < loss.outputCount; k++) {
    if (typeof loss.derive === 'string') kernels.derive(loss.derive, k);
    else loss.derive();
    // The first round's trees refine each other's order of the rows, which then becomes the order in memory.
    const isRefining = round === boosting.firstRound && k > 0 && !bag;
    if (bag) kernels.rows.set(bag.rows);
    else if (!isRefining) kernels.countUp();
    const isInOrder = !bag && !isRefining;
    const learnedCount = bag?.learnedCount ?? boosting.rowCount;
    const tree = grower.grow({ learnedCount, allCount, isInOrder }, random);
    addTree(boosting, tree, k);
    if (k === loss.outputCount - 1) break;
    await control.pause();
    if (isLate(control)) return false;
  }
  return true;
}

/** What grows trees, from settings and the number of rows learned from. */
export function rulesFrom(settings: Hyperparameters, rowCount: number): TreeRules {
  return {
    maxLeaves: numberSetting(settings, 'maxLeaves'),
    maxDepth: numberSetting(settings, 'maxDepth'),
    minRowsPerLeaf: Math.min(
      numberSetting(settings, 'minRowsPerLeaf'),
      Math.max(1, Math.floor(rowCount / 8)),
    ),
    minHessianPerLeaf: 1e-3,
    l2: numberSetting(settings, 'l2'),
    minGain: 0,
    featureShareByTree: numberSetting(settings, 'featureShare'),
    featureShareByNode: 1,
    hasRandomBorders: settings['borders'] === 'random',
    minRowsPerGroup: Math.min(100, Math.max(2, Math.floor(rowCount / 50))),
  };
}

/** The rows of one round, each with the chance `share`, before those that only follow; `undefined` for all in order. */
function drawRows(
  { rowCount, allCount }: Boosting,
  share: number,
  random: Random,
): { rows: Int32Array; learnedCount: number } | undefined {
  if (share >= 1) return undefined;
  const rows = new Int32Array(allCount);
  const rest = new Int32Array(rowCount);
  let learnedCount = 0;
  let restCount = 0;
  for (let row = 0; row < rowCount; row++) {
    if (random.next() < share) rows[learnedCount++] = row;
    else rest[restCount++] = row;
  }
  if (learnedCount < 2) return undefined;
  rows.set(rest.subarray(0, restCount), learnedCount);
  for (let row = rowCount; row < allCount; row++) rows[row] = row;
  return { rows, learnedCount };
}

/** Gives the leaves their values and moves the scores of all rows. */
function addTree(boosting: Boosting, tree: GrownTree, k: number): void {
  const { grower, store } = boosting;
  const learned = tree.leaves.map((leaf) => leaf.learned);
  const values = leafValues(boosting, tree.leaves);
  const followers = tree.leaves.map((leaf) => leaf.followers);
  grower.kernels.addToScores(k, [...learned, ...followers], Float64Array.of(...values, ...values));
  store.add(storable(tree), values);
}

/** Newton steps from the exact sums (the histograms are rounded), or quantiles of residuals where the loss says so. */
function leafValues({ settings, loss, grower }: Boosting, leaves: readonly Leaf[]): Float64Array {
  const { kernels } = grower;
  const learningRate = numberSetting(settings, 'learningRate');
  const level = loss.leafQuantile;
  if (level !== undefined)
    return Float64Array.from(
      leaves,
      (leaf) => learningRate * residualQuantile(kernels, [leaf.learned], level),
    );
  const l2 = numberSetting(settings, 'l2');
  const sums = kernels.leafSums(leaves.map((leaf) => leaf.learned));
  return Float64Array.from(
    sums,
    ({ gradient, hessian }, leaf) => learningRate * within(leaves[leaf]!.bounds, -gradient / (hessian + l2)),
  );
}

function within({ low, high }: Bounds, value: number): number {
  return Math.min(high, Math.max(low, value));
}

/**
 * Rows of a leaf become neighbours in memory: later trees find them in fewer cache lines. The list of rows is written
 * again before the next tree, so its first part can hold the new order.
 */
function reorderRows({ grower, rowCount }: Boosting): void {
  const { rows } = grower.kernels;
  let count = 0;
  for (let index = 0; index < rows.length; index++) if (rows[index]! < rowCount) rows[count++] = rows[index]!;
  grower.kernels.reorder(rows.subarray(0, rowCount));
}

// Forests: many deep trees on random parts of the data, averaged. Random forests (Breiman 2001) draw rows with
// replacement and take the best border; extra trees (Geurts et al. 2006) use all rows and random borders. Trees are
// fitted to the target itself; with three or more classes, each class has its own trees against the rest.
import { seededRandom, type Random } from '../../base/random.ts';
import type { Task } from '../frame/schema.ts';
import type { TreeKernels } from '../kernels/tree-kernels.ts';
import { binnedTable, type BinnedTable } from './bins.ts';
import {
  checkAbilities,
  completeHyperparameters,
  isLate,
  numberSetting,
  type Hyperparameters,
  type HyperparameterSpec,
  type Learner,
  type LearnerSpec,
  type TrainedModel,
  type TrainingInput,
} from './learner.ts';
import { treeGrower, type GrownTree, type TreeGrower, type TreeRules } from './tree-grower.ts';
import { treeTrainingBytes } from './tree-memory.ts';
import { storable, treeStore } from './tree-store.ts';

function settingsOf(defaults: {
  minRowsPerLeaf: number;
  featureShare: number;
}): readonly HyperparameterSpec[] {
  return [
    {
      name: 'trees',
      label: 'Trees',
      plainWords: 'How many trees are averaged; more are steadier and slower.',
      type: 'integer',
      default: 100,
      min: 1,
      max: 5000,
    },
    {
      name: 'maxLeaves',
      label: 'Leaves',
      plainWords: 'How many cases each tree may tell apart.',
      type: 'integer',
      default: 256,
      min: 2,
      max: 4096,
    },
    {
      name: 'minRowsPerLeaf',
      label: 'Rows for each leaf',
      plainWords: 'A case counts only with this many training rows.',
      type: 'integer',
      default: defaults.minRowsPerLeaf,
      min: 1,
      max: 10_000,
      scale: 'log',
      search: { min: 1, max: 20 },
    },
    {
      name: 'featureShare',
      label: 'Columns for each question',
      plainWords: 'The share of columns that each question may choose from.',
      type: 'number',
      default: defaults.featureShare,
      min: 0.01,
      max: 1,
      scale: 'linear',
      search: { min: 0.2, max: 1 },
    },
  ];
}

const abilities = {
  missingValues: true,
  categories: true,
  weights: true,
  earlyStopping: false,
  constraints: false,
  ordersOnly: true,
};

export const randomForest = forest(
  {
    name: 'random-forest',
    label: 'Random forest',
    plainWords:
      'Many deep decision trees on random samples of the rows, averaged. Robust, and good in ensembles.',
    tasks: ['binary', 'multiclass', 'regression'],
    hyperparameters: settingsOf({ minRowsPerLeaf: 3, featureShare: 0.4 }),
    abilities,
  },
  { hasRandomBorders: false },
);

export const extraTrees = forest(
  {
    name: 'extra-trees',
    label: 'Extra trees',
    plainWords:
      'Like a random forest, with random borders: smoother, and different enough to help an ensemble.',
    tasks: ['binary', 'multiclass', 'regression'],
    hyperparameters: settingsOf({ minRowsPerLeaf: 3, featureShare: 0.6 }),
    abilities,
  },
  { hasRandomBorders: true },
);

function forest(spec: LearnerSpec, kind: { hasRandomBorders: boolean }): Learner {
  return {
    spec,
    trainingBytes: (size, settings) =>
      treeTrainingBytes(size, {
        leafCount: Math.min(
          numberSetting(settings, 'maxLeaves'),
          Math.ceil(size.rowCount / numberSetting(settings, 'minRowsPerLeaf')),
        ),
        treeCount: numberSetting(settings, 'trees'),
      }),
    train: async (input) => {
      checkAbilities(spec, input);
      return trainForest(input, completeHyperparameters(spec, input.hyperparameters), kind);
    },
  };
}

async function trainForest(
  input: TrainingInput,
  settings: Hyperparameters,
  { hasRandomBorders }: { hasRandomBorders: boolean },
): Promise<TrainedModel> {
  const random = seededRandom(input.seed);
  const binned = binnedTable(input.table, input.control.threads);
  const grower = treeGrower({
    table: binned,
    rules: rulesFrom(settings, hasRandomBorders),
    positions: input.rows,
    rowCount: input.rows.length,
    outputCount: 0,
    target: input.target,
    weights: input.weights,
    threads: input.control.threads,
  });
  try {
    return await growForest(input, { settings, hasRandomBorders, random, binned, grower });
  } finally {
    grower.kernels.close();
  }
}

async function growForest(
  input: TrainingInput,
  {
    settings,
    hasRandomBorders,
    random,
    binned,
    grower,
  }: {
    settings: Hyperparameters;
    hasRandomBorders: boolean;
    random: Random;
    binned: BinnedTable;
    grower: TreeGrower;
  },
): Promise<TrainedModel> {
  const { task, classCount, control } = input;
  const { kernels } = grower;
  const store = treeStore(binned);
  const outputCount = task === 'multiclass' ? classCount : 1;
  const wanted = numberSetting(settings, 'trees');
  const base = targetMeans(input, outputCount);
  let endedBy: TrainedModel['endedBy'] = 'iterations';
  let treeCount = 0;
  grow: while (treeCount < wanted) {
    const draw = hasRandomBorders ? undefined : drawRows(input.rows.length, random);
    for (let k = 0; k < outputCount; k++) {
      // Those of one output and all rows stay what they were for the first tree.
      if (draw || outputCount > 1 || treeCount === 0)
        writeDerivatives(kernels, draw?.counts, { task, k, mean: base[k]! });
      if (draw) kernels.rows.set(draw.rows);
      else kernels.countUp();
      const learnedCount = draw?.rows.length ?? input.rows.length;
      const tree = grower.grow({ learnedCount, allCount: learnedCount, isInOrder: !draw }, random);
      store.add(storable(tree), leafMeans(kernels, tree));
      await control.pause();
      // A tree for each output, or the round does not count.
      if (k < outputCount - 1 && isLate(control)) {
        endedBy = 'deadline';
        break grow;
      }
    }
    treeCount++;
    if (isLate(control)) {
      endedBy = treeCount < wanted ? 'deadline' : 'iterations';
      break;
    }
  }
  const link = task === 'regression' ? 'identity' : 'share';
  const model = store.finish({ treeCount: treeCount * outputCount, link, base });
  for (let leaf = 0; leaf < model.leafValues.length; leaf++)
    model.leafValues[leaf] = model.leafValues[leaf]! / treeCount;
  return { model, iterationCount: treeCount, curve: [], endedBy };
}

function rulesFrom(settings: Hyperparameters, hasRandomBorders: boolean): TreeRules {
  return {
    maxLeaves: numberSetting(settings, 'maxLeaves'),
    maxDepth: 64,
    minRowsPerLeaf: numberSetting(settings, 'minRowsPerLeaf'),
    minHessianPerLeaf: 1e-9,
    l2: 1e-9,
    minGain: 1e-9,
    featureShareByTree: 1,
    featureShareByNode: numberSetting(settings, 'featureShare'),
    hasRandomBorders,
    minRowsPerGroup: numberSetting(settings, 'minRowsPerLeaf'),
  };
}

/** The rows of one tree, each once, and how often each counts. */
function drawRows(rowCount: number, random: Random): { rows: Int32Array; counts: Float64Array } {
  const counts = new Float64Array(rowCount);
  for (let drawn = 0; drawn < rowCount; drawn++) counts[random.below(rowCount)]!++;
  const rows = new Int32Array(rowCount);
  let count = 0;
  for (let row = 0; row < rowCount; row++) if (counts[row]! > 0) rows[count++] = row;
  return { rows: rows.subarray(0, count), counts };
}

/** Squared loss from the mean: leaf means become differences from it, which keeps the fixed-point sums precise. */
function writeDerivatives(
  { derivatives, target, weights }: TreeKernels,
  counts: Float64Array | undefined,
  { task, k, mean }: { task: Task; k: number; mean: number },
): void {
  for (let row = 0; row < target.length; row++) {
    const weight = (weights ? weights[row]! : 1) * (counts ? counts[row]! : 1);
    derivatives[2 * row] = weight * (mean - outputTarget(task, target[row]!, k));
    derivatives[2 * row + 1] = weight;
  }
}

/** The target of output `k`: itself, or whether the row is of class `k`. */
function outputTarget(task: Task, value: number, k: number): number {
  if (task !== 'multiclass') return value;
  return value === k ? 1 : 0;
}

function targetMeans({ task, target, rows, weights }: TrainingInput, outputCount: number): Float64Array {
  return Float64Array.from({ length: outputCount }, (_, k) => {
    let sum = 0;
    let total = 0;
    for (const row of rows) {
      const weight = weights ? weights[row]! : 1;
      sum += weight * outputTarget(task, target[row]!, k);
      total += weight;
    }
    return sum / total;
  });
}

function leafMeans(kernels: TreeKernels, { leaves }: GrownTree): Float64Array {
  const sums = kernels.leafSums(leaves.map((leaf) => leaf.learned));
  return Float64Array.from(sums, ({ gradient, hessian }) => -gradient / hessian);
}

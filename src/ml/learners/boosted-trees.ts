// Gradient boosting of histogram trees grown best leaf first: LightGBM's algorithm (Ke et al., NeurIPS 2017) with
// quantised gradients (Shi et al., NeurIPS 2022), missing values and categories split natively, early stopping.
import { seededRandom, type Random } from '../../base/random.ts';
import { binnedTable, type BinnedTable } from './bins.ts';
import {
  completeHyperparameters,
  isLate,
  numberSetting,
  type CurvePoint,
  type Hyperparameters,
  type Learner,
  type LearnerSpec,
  type TrainedModel,
  type TrainingInput,
} from './learner.ts';
import { lossFor, weightedMedian, type Loss } from './losses.ts';
import {
  leafOfBinnedRow,
  treeGrower,
  type GrownTree,
  type TreeGrower,
  type TreeRules,
} from './tree-grower.ts';
import { treeStore, type TreeStore } from './tree-store.ts';

const spec: LearnerSpec = {
  name: 'boosted-trees',
  label: 'Boosted trees',
  plainWords:
    'Hundreds of small decision trees, each correcting the errors of those before it. The strongest single method for most tables.',
  tasks: ['binary', 'multiclass', 'regression'],
  hyperparameters: [
    {
      name: 'iterations',
      label: 'Trees',
      plainWords: 'The most rounds of trees; early stopping usually ends sooner.',
      type: 'integer',
      default: 1000,
      min: 1,
      max: 20_000,
    },
    {
      name: 'learningRate',
      label: 'Learning rate',
      plainWords: 'How much of each correction is taken; smaller is more careful and slower.',
      type: 'number',
      default: 0.05,
      min: 0.0001,
      max: 1,
      scale: 'log',
      search: { min: 0.02, max: 0.2 },
    },
    {
      name: 'maxLeaves',
      label: 'Leaves',
      plainWords: 'How many cases each tree may tell apart.',
      type: 'integer',
      default: 31,
      min: 2,
      max: 1024,
      scale: 'log',
      search: { min: 5, max: 160 },
    },
    {
      name: 'maxDepth',
      label: 'Depth',
      plainWords: 'How many questions in a row a tree may ask.',
      type: 'integer',
      default: 64,
      min: 1,
      max: 64,
    },
    {
      name: 'minRowsPerLeaf',
      label: 'Rows for each leaf',
      plainWords: 'A case counts only with this many training rows.',
      type: 'integer',
      default: 20,
      min: 1,
      max: 10_000,
      scale: 'log',
      search: { min: 2, max: 80 },
    },
    {
      name: 'l2',
      label: 'L2 penalty',
      plainWords: 'Pulls the values of small leaves towards zero.',
      type: 'number',
      default: 0.1,
      min: 0,
      max: 1000,
      scale: 'log',
      search: { min: 0.01, max: 30 },
    },
    {
      name: 'rowShare',
      label: 'Rows for each tree',
      plainWords: 'The share of rows drawn anew for each round.',
      type: 'number',
      default: 1,
      min: 0.05,
      max: 1,
      scale: 'linear',
      search: { min: 0.6, max: 1 },
    },
    {
      name: 'featureShare',
      label: 'Columns for each tree',
      plainWords: 'The share of columns drawn anew for each tree.',
      type: 'number',
      default: 0.8,
      min: 0.05,
      max: 1,
      scale: 'linear',
      search: { min: 0.4, max: 1 },
    },
    {
      name: 'borders',
      label: 'Borders',
      plainWords: 'Whether trees take the best border of each column or a random one.',
      type: 'choice',
      choices: ['best', 'random'],
      default: 'best',
      search: { choices: ['best', 'best', 'best', 'random'] },
    },
    {
      name: 'loss',
      label: 'Loss',
      plainWords: 'For numbers: whether large errors count more (squared) or in proportion (absolute).',
      type: 'choice',
      choices: ['squared', 'absolute'],
      default: 'squared',
    },
    {
      name: 'patience',
      label: 'Patience',
      plainWords: 'Rounds without progress on the validation rows after which training stops.',
      type: 'integer',
      default: 40,
      min: 1,
      max: 10_000,
    },
  ],
  abilities: { missingValues: true, categories: true, weights: true, earlyStopping: true },
};

export const boostedTrees: Learner = { spec, train: trainBoostedTrees };

interface Boosting {
  input: TrainingInput;
  settings: Hyperparameters;
  binned: BinnedTable;
  loss: Loss;
  /** Output-major, for every row of the table. */
  scores: Float64Array;
  random: Random;
  gradients: Float64Array;
  hessians: Float64Array;
}

async function trainBoostedTrees(input: TrainingInput): Promise<TrainedModel> {
  const { rows, validationRows, control, table } = input;
  const boosting = startBoosting(input);
  const { settings, binned, loss, scores } = boosting;
  await control.pause();
  const base = loss.start(rows);
  for (let k = 0; k < loss.outputCount; k++)
    scores.fill(base[k]!, k * table.rowCount, (k + 1) * table.rowCount);
  const store = treeStore(binned);
  const grower = treeGrower(binned, rulesFrom(settings, rows.length));
  const curve: CurvePoint[] = [];
  const progress = { best: Infinity, bestIteration: 0 };
  const iterations = numberSetting(settings, 'iterations');
  let endedBy: TrainedModel['endedBy'] = 'iterations';
  let iteration = 0;
  while (iteration < iterations) {
    const bag = drawRows(rows, numberSetting(settings, 'rowShare'), boosting.random);
    const isWhole = await growRound(boosting, grower, store, bag);
    if (!isWhole) {
      endedBy = 'deadline';
      break;
    }
    iteration++;
    if (validationRows) {
      const validationScore = loss.mean(scores, validationRows);
      curve.push({ iteration, validationScore });
      if (validationScore < progress.best - 1e-12)
        Object.assign(progress, { best: validationScore, bestIteration: iteration });
      if (iteration % 20 === 0) control.onCurve?.(curve.slice(-20));
      if (iteration - progress.bestIteration >= numberSetting(settings, 'patience')) {
        endedBy = 'early-stopping';
        break;
      }
    }
    await control.pause();
    if (isLate(control)) {
      endedBy = 'deadline';
      break;
    }
  }
  const kept = validationRows ? progress.bestIteration : iteration;
  const model = store.finish({ treeCount: kept * loss.outputCount, link: loss.link, base });
  return { model, iterationCount: kept, curve, endedBy };
}

/** One tree for each output; `false` when the deadline came first, and the round does not count. */
async function growRound(
  boosting: Boosting,
  grower: TreeGrower,
  store: TreeStore,
  bag: { chosen: Int32Array; rest: Int32Array },
): Promise<boolean> {
  const { loss, scores, random, gradients, hessians, input } = boosting;
  for (let k = 0; k < loss.outputCount; k++) {
    loss.derive(scores, k, bag.chosen, boosting);
    const tree = grower.grow({ rows: bag.chosen, gradients, hessians }, random);
    addTree(boosting, store, { tree, k, restRows: bag.rest });
    if (k === loss.outputCount - 1) break;
    await input.control.pause();
    if (isLate(input.control)) return false;
  }
  return true;
}

function startBoosting(input: TrainingInput): Boosting {
  const settings = completeHyperparameters(spec, input.hyperparameters);
  const loss = lossFor(input.task, input, String(settings['loss']));
  return {
    input,
    settings,
    binned: binnedTable(input.table),
    loss,
    scores: new Float64Array(loss.outputCount * input.table.rowCount),
    random: seededRandom(input.seed),
    gradients: new Float64Array(input.table.rowCount),
    hessians: new Float64Array(input.table.rowCount),
  };
}

function rulesFrom(settings: Hyperparameters, rowCount: number): TreeRules {
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

/** The rows of one round: all, or each with the chance `share`. */
function drawRows(rows: Int32Array, share: number, random: Random): { chosen: Int32Array; rest: Int32Array } {
  if (share >= 1) return { chosen: rows.slice(), rest: new Int32Array(0) };
  const chosen = new Int32Array(rows.length);
  const rest = new Int32Array(rows.length);
  let chosenCount = 0;
  let restCount = 0;
  for (let index = 0; index < rows.length; index++) {
    if (random.next() < share) chosen[chosenCount++] = rows[index]!;
    else rest[restCount++] = rows[index]!;
  }
  return chosenCount > 1
    ? { chosen: chosen.slice(0, chosenCount), rest: rest.slice(0, restCount) }
    : { chosen: rows.slice(), rest: new Int32Array(0) };
}

/** Gives the leaves their values and moves the scores of all rows that training looks at. */
function addTree(
  boosting: Boosting,
  store: TreeStore,
  { tree, k, restRows }: { tree: GrownTree; k: number; restRows: Int32Array },
): void {
  const { scores, binned, input } = boosting;
  const values = leafValues(boosting, tree);
  const offset = k * input.table.rowCount;
  for (let leaf = 0; leaf < tree.leafCount; leaf++) {
    const value = values[leaf]!;
    const end = tree.end[leaf]!;
    for (let index = tree.begin[leaf]!; index < end; index++) {
      const at = offset + tree.rows[index]!;
      scores[at] = scores[at]! + value;
    }
  }
  for (const others of [restRows, input.validationRows]) {
    if (!others) continue;
    for (let index = 0; index < others.length; index++) {
      const row = others[index]!;
      scores[offset + row] = scores[offset + row]! + values[leafOfBinnedRow(tree, binned, row)]!;
    }
  }
  store.add(tree, values);
}

/** Newton steps from the exact sums (the histograms are quantised), or medians of residuals for the absolute loss. */
function leafValues(
  { settings, gradients, hessians, loss, scores, input }: Boosting,
  tree: GrownTree,
): Float64Array {
  const learningRate = numberSetting(settings, 'learningRate');
  const l2 = numberSetting(settings, 'l2');
  const { target, weights } = input;
  return Float64Array.from({ length: tree.leafCount }, (_, leaf) => {
    const rows = tree.rows.subarray(tree.begin[leaf]!, tree.end[leaf]!);
    if (loss.usesMedian) {
      const residuals = Float64Array.from(rows, (row) => target[row]! - scores[row]!);
      return (
        learningRate * weightedMedian(residuals, weights && Float64Array.from(rows, (row) => weights[row]!))
      );
    }
    let gradient = 0;
    let hessian = 0;
    for (let index = 0; index < rows.length; index++) {
      gradient += gradients[rows[index]!]!;
      hessian += hessians[rows[index]!]!;
    }
    return (-learningRate * gradient) / (hessian + l2);
  });
}

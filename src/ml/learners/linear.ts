// Linear models: ridge regression, logistic and softmax regression with an L2 penalty (Hastie, Tibshirani & Friedman,
// "The Elements of Statistical Learning", chapters 3 and 4). Numbers are standardised on the training rows, missing
// ones have a weight of their own, each category has one weight. Solved by L-BFGS.
import { exp, log, sigmoid, softplus } from '../model/arithmetic.ts';
import type { LinearModel } from '../model/linear.ts';
import type { Link } from '../model/row-model.ts';
import {
  checkAbilities,
  completeHyperparameters,
  isLate,
  numberSetting,
  type Learner,
  type LearnerSpec,
  type TrainedModel,
  type TrainingInput,
} from './learner.ts';
import { addScores, designOf, gatherSlopes, momentsOf, type Design } from './linear-design.ts';
import { minimise } from './minimise.ts';

const spec: LearnerSpec = {
  name: 'linear',
  label: 'Linear model',
  plainWords:
    'A weighted sum of the columns. Simple, fast and steady with few rows; it cannot see interplay between columns.',
  tasks: ['binary', 'multiclass', 'regression'],
  hyperparameters: [
    {
      name: 'l2',
      label: 'L2 penalty',
      plainWords: 'Pulls weights towards zero, in rows: as if that many rows said that nothing matters.',
      type: 'number',
      default: 1,
      min: 0,
      max: 1_000_000,
      scale: 'log',
      search: { min: 0.01, max: 1000 },
    },
    {
      name: 'iterations',
      label: 'Steps',
      plainWords: 'The most steps of the solver.',
      type: 'integer',
      default: 200,
      min: 1,
      max: 10_000,
    },
  ],
  abilities: {
    missingValues: false,
    categories: false,
    weights: true,
    earlyStopping: false,
    constraints: false,
  },
};

export const linear: Learner = { spec, train: trainLinear };

async function trainLinear(input: TrainingInput): Promise<TrainedModel> {
  checkAbilities(spec, input);
  const settings = completeHyperparameters(spec, input.hyperparameters);
  await input.control.pause();
  const problem = linearProblem(input, numberSetting(settings, 'l2'));
  let isCut = false;
  const found = await minimise(
    { size: problem.design.weightCount * problem.outputCount, evaluate: problem.evaluate },
    problem.start,
    {
      iterations: numberSetting(settings, 'iterations'),
      tolerance: 1e-6,
      leastProgress: 1e-7,
      goOn: async () => {
        await input.control.pause();
        isCut = isLate(input.control);
        return !isCut;
      },
    },
  );
  const hasAllIterations = found.iterations >= numberSetting(settings, 'iterations');
  const endedBy = isCut ? 'deadline' : hasAllIterations ? 'iterations' : 'early-stopping';
  return { model: problem.modelOf(found.point), iterationCount: found.iterations, curve: [], endedBy };
}

interface LinearProblem {
  design: Design;
  outputCount: number;
  start: Float64Array;
  evaluate: (weights: Float64Array, gradient: Float64Array) => number;
  modelOf: (weights: Float64Array) => LinearModel;
}

function linearProblem(input: TrainingInput, l2: number): LinearProblem {
  const { task, classCount, rows, target, weights } = input;
  const design = designOf(input.table, rows);
  const outputCount = task === 'multiclass' ? classCount : 1;
  const scaling = task === 'regression' ? targetScaling(input) : { centre: 0, spread: 1 };
  const truth = Float64Array.from(rows, (row) => (target[row]! - scaling.centre) / scaling.spread);
  const rowWeights = Float64Array.from(rows, (row) => (weights ? weights[row]! : 1));
  const totalWeight = rowWeights.reduce((sum, weight) => sum + weight, 0);
  const scores = new Float64Array(rows.length * outputCount);
  const slopes = new Float64Array(rows.length * outputCount);
  const derive = task === 'regression' ? squaredSlopes : task === 'binary' ? logisticSlopes : softmaxSlopes;
  return {
    design,
    outputCount,
    start: new Float64Array(design.weightCount * outputCount),
    evaluate: (point, gradient) => {
      gradient.fill(0);
      let loss = 0;
      for (let k = 0; k < outputCount; k++)
        addScores(design, part(point, k, design), part(scores, k, { weightCount: rows.length }));
      loss += derive({ scores, slopes, truth, rowWeights, outputCount });
      for (let k = 0; k < outputCount; k++)
        gatherSlopes(design, part(slopes, k, { weightCount: rows.length }), part(gradient, k, design));
      for (let index = 0; index < gradient.length; index++) {
        const isIntercept = index % design.weightCount === 0;
        const weight = point[index]!;
        loss += isIntercept ? 0 : (l2 * weight * weight) / 2;
        gradient[index] = (gradient[index]! + (isIntercept ? 0 : l2 * weight)) / totalWeight;
      }
      return loss / totalWeight;
    },
    modelOf: (point) => portable(design, point, { outputCount, scaling, link: linkOf(task) }),
  };
}

function linkOf(task: TrainingInput['task']): Link {
  return task === 'regression' ? 'identity' : task === 'binary' ? 'logistic' : 'softmax';
}

/** Part `k` of an output-major array, as a view. */
function part(values: Float64Array, k: number, { weightCount }: { weightCount: number }): Float64Array {
  return values.subarray(k * weightCount, (k + 1) * weightCount);
}

function targetScaling({ target, rows }: TrainingInput): { centre: number; spread: number } {
  const { centre, spread } = momentsOf(target, rows);
  return { centre, spread: spread || 1 };
}

interface Slopes {
  scores: Float64Array;
  slopes: Float64Array;
  truth: Float64Array;
  rowWeights: Float64Array;
  outputCount: number;
}

function squaredSlopes({ scores, slopes, truth, rowWeights }: Slopes): number {
  let loss = 0;
  for (let row = 0; row < truth.length; row++) {
    const error = scores[row]! - truth[row]!;
    slopes[row] = rowWeights[row]! * error;
    loss += (rowWeights[row]! * error * error) / 2;
  }
  return loss;
}

function logisticSlopes({ scores, slopes, truth, rowWeights }: Slopes): number {
  let loss = 0;
  for (let row = 0; row < truth.length; row++) {
    const value = scores[row]!;
    slopes[row] = rowWeights[row]! * (sigmoid(value) - truth[row]!);
    loss += rowWeights[row]! * (softplus(value) - truth[row]! * value);
  }
  return loss;
}

function softmaxSlopes({ scores, slopes, truth, rowWeights, outputCount }: Slopes): number {
  const rowCount = truth.length;
  let loss = 0;
  for (let row = 0; row < rowCount; row++) {
    let highest = -Infinity;
    for (let k = 0; k < outputCount; k++) highest = Math.max(highest, scores[k * rowCount + row]!);
    let sum = 0;
    for (let k = 0; k < outputCount; k++)
      sum += slopes[k * rowCount + row] = exp(scores[k * rowCount + row]! - highest);
    const weight = rowWeights[row]!;
    loss += weight * (highest + log(sum) - scores[truth[row]! * rowCount + row]!);
    for (let k = 0; k < outputCount; k++) {
      const at = k * rowCount + row;
      slopes[at] = weight * (slopes[at]! / sum - (truth[row] === k ? 1 : 0));
    }
  }
  return loss;
}

/** The weights in the portable form, back in units of the target. */
function portable(
  design: Design,
  weights: Float64Array,
  {
    outputCount,
    scaling,
    link,
  }: { outputCount: number; scaling: { centre: number; spread: number }; link: Link },
): LinearModel {
  const at = (index: number, k: number): number => weights[k * design.weightCount + index]! * scaling.spread;
  const forOutputs = (indices: readonly number[]): Float64Array =>
    Float64Array.from(
      indices.flatMap((index) => Array.from({ length: outputCount }, (_, k) => at(index, k))),
    );
  const levelOffsets = new Int32Array(design.categories.length + 1);
  design.categories.forEach(({ levelCount }, term) => {
    levelOffsets[term + 1] = levelOffsets[term]! + levelCount;
  });
  return {
    kind: 'linear',
    link,
    base: Float64Array.from({ length: outputCount }, (_, k) => at(0, k) + scaling.centre),
    numberFeature: Uint16Array.from(design.numbers, (term) => term.feature),
    centre: Float64Array.from(design.numbers, (term) => term.centre),
    inverseSpread: Float64Array.from(design.numbers, (term) => term.inverseSpread),
    numberWeights: forOutputs(design.numbers.map((term) => term.weight)),
    missingWeights: forOutputs(design.numbers.map((term) => term.weight + 1)),
    categoryFeature: Uint16Array.from(design.categories, (term) => term.feature),
    levelOffsets,
    levelWeights: forOutputs(
      design.categories.flatMap((term) =>
        Array.from({ length: term.levelCount }, (_, level) => term.weight + level),
      ),
    ),
  };
}

// Linear models: ridge, lasso and elastic net, logistic and softmax regression, Poisson regression (Hastie, Tibshirani &
// Friedman, "The Elements of Statistical Learning", chapters 3 and 4). Numbers are standardised on the training rows,
// missing ones have a weight of their own, each category has one weight. Solved by L-BFGS, with an L1 penalty by OWL-QN.
import { log } from '../model/arithmetic.ts';
import type { LinearModel } from '../model/linear.ts';
import type { Link } from '../model/row-model.ts';
import {
  checkAbilities,
  completeHyperparameters,
  isLate,
  numberSetting,
  type Hyperparameters,
  type Learner,
  type TrainedModel,
  type TrainingInput,
} from './learner.ts';
import { addScores, designOf, gatherSlopes, momentsOf, type Design } from './linear-design.ts';
import { linearLossFor } from './linear-losses.ts';
import { linearSpec } from './linear-spec.ts';
import { minimise } from './minimise.ts';
import { checkTarget } from './regression-losses.ts';

export const linear: Learner = {
  spec: linearSpec,
  // The columns once more, standardised, and which of their values are missing.
  trainingBytes: ({ rowCount, featureCount, outputCount }) =>
    rowCount * (9 * featureCount + 24 * outputCount),
  train: trainLinear,
};

async function trainLinear(input: TrainingInput): Promise<TrainedModel> {
  checkAbilities(linearSpec, input);
  const settings = completeHyperparameters(linearSpec, input.hyperparameters);
  await input.control.pause();
  const problem = linearProblem(input, settings);
  let isCut = false;
  const found = await minimise(
    { size: problem.design.weightCount * problem.outputCount, evaluate: problem.evaluate },
    problem.start,
    {
      iterations: numberSetting(settings, 'iterations'),
      tolerance: 1e-6,
      leastProgress: 1e-7,
      ...(problem.l1 && { l1: problem.l1 }),
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
  /** Weight of each variable's absolute value, where there is such a penalty. */
  l1: Float64Array | undefined;
  evaluate: (weights: Float64Array, gradient: Float64Array) => number;
  modelOf: (weights: Float64Array) => LinearModel;
}

function linearProblem(input: TrainingInput, settings: Hyperparameters): LinearProblem {
  const { task, classCount, rows, target, weights } = input;
  const l2 = numberSetting(settings, 'l2');
  const l1 = numberSetting(settings, 'l1');
  const regressionLoss = settings['loss'] === 'poisson' ? 'poisson' : 'squared';
  if (task === 'regression') checkTarget(regressionLoss, input);
  const loss = linearLossFor(task, regressionLoss);
  const design = designOf(input.table, rows);
  const outputCount = task === 'multiclass' ? classCount : 1;
  const scaling = loss.link === 'identity' ? targetScaling(input) : { centre: 0, spread: 1 };
  const truth = Float64Array.from(rows, (row) => (target[row]! - scaling.centre) / scaling.spread);
  const rowWeights = Float64Array.from(rows, (row) => (weights ? weights[row]! : 1));
  const totalWeight = rowWeights.reduce((sum, weight) => sum + weight, 0);
  const scores = new Float64Array(rows.length * outputCount);
  const slopes = new Float64Array(rows.length * outputCount);
  const start = new Float64Array(design.weightCount * outputCount);
  if (loss.link === 'exponential')
    start[0] = log(truth.reduce((sum, value, row) => sum + rowWeights[row]! * value, 0) / totalWeight);
  const isIntercept = (index: number): boolean => index % design.weightCount === 0;
  return {
    design,
    outputCount,
    start,
    l1: l1 > 0 ? start.map((_, index) => (isIntercept(index) ? 0 : l1 / totalWeight)) : undefined,
    evaluate: (point, gradient) => {
      gradient.fill(0);
      let total = 0;
      for (let k = 0; k < outputCount; k++)
        addScores(design, part(point, k, design), part(scores, k, { weightCount: rows.length }));
      total += loss.derive({ scores, slopes, truth, rowWeights, outputCount });
      for (let k = 0; k < outputCount; k++)
        gatherSlopes(design, part(slopes, k, { weightCount: rows.length }), part(gradient, k, design));
      for (let index = 0; index < gradient.length; index++) {
        const weight = point[index]!;
        const penalty = isIntercept(index) ? 0 : l2;
        total += (penalty * weight * weight) / 2;
        gradient[index] = (gradient[index]! + penalty * weight) / totalWeight;
      }
      return total / totalWeight;
    },
    modelOf: (point) => portable(design, point, { outputCount, scaling, link: loss.link }),
  };
}

/** Part `k` of an output-major array, as a view. */
function part(values: Float64Array, k: number, { weightCount }: { weightCount: number }): Float64Array {
  return values.subarray(k * weightCount, (k + 1) * weightCount);
}

function targetScaling({ target, rows }: TrainingInput): { centre: number; spread: number } {
  const { centre, spread } = momentsOf(target, rows);
  return { centre, spread: spread || 1 };
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

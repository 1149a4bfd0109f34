// Why this answer: how much each column moved one prediction away from the average. Exact Shapley values for trees
// (interventional-shap.ts where there are rows to compare with, which the model's file holds or the asker gives; else
// tree-shap.ts), exact terms for linear models and naive Bayes, against the mean term of these rows; what has no parts
// is asked twice for each feature (first-and-last.ts). Parts live on each model's raw scores; to
// add up to the ensemble's probability they are rescaled, model by model, to the change of the probability that they
// caused (the rescale rule of DeepLIFT, Shrikumar et al. 2017), averaged as the ensemble averages, and rescaled once more
// for calibration.
import { present } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { featuresOf } from '../frame/encoding.ts';
import { hasClasses } from '../frame/schema.ts';
import { calibrate } from '../model/calibration.ts';
import { standardise, type LinearModel } from '../model/linear.ts';
import type { ModelContent } from '../model/manifest.ts';
import { eachTerm, type NaiveBayesModel } from '../model/naive-bayes.ts';
import { predictorOf, rowEncoder } from '../model/predictor.ts';
import { applyLink, outputCountOf, type RowModel, type ScoreModel } from '../model/row-model.ts';
import type { TreesModel } from '../model/trees.ts';
import { addInterventionalValues, expectedScores, type Background } from './interventional-shap.ts';
import { firstAndLast } from './first-and-last.ts';
import { addShapleyValues, explainable, type ExplainableTrees } from './tree-shap.ts';

export interface Explanation {
  /** The class explained; the target's name for a regression. */
  outcome: string;
  /** What the model says on average: a probability, or a value. */
  base: number;
  /** What it says here: base plus the sum of contributions, but for rounding. */
  prediction: number;
  /** Largest first, by size. */
  contributions: { column: string; value: unknown; contribution: number }[];
}

/** Explains rows for `outcome`: a class; by default the one predicted. */
export type Explainer = (rows: readonly Record<string, unknown>[], outcome?: string) => Explanation[];

/**
 * What answers are compared with: rows of the asker's, the background rows of the file or, where it has none, what is
 * known of the training: how its rows divided in trees, and its averages.
 */
export type Comparison = 'given-rows' | 'background-rows' | 'training-statistics';

/** What {@link explainerOf} compares with. */
export function comparisonOf(
  { background }: Pick<ModelContent, 'background'>,
  compareWith: readonly unknown[],
): Comparison {
  if (compareWith.length > 0) return 'given-rows';
  return background.length > 0 ? 'background-rows' : 'training-statistics';
}

/**
 * An explainer for a model in memory. Its answers throw Problem `prediction-input` as predictions do. Answers are compared
 * with those for `compareWith` (at most 200 rows of them are used), else with those for the background of the model.
 */
export function explainerOf(
  content: ModelContent,
  compareWith: readonly Record<string, unknown>[] = [],
): Explainer {
  const { manifest } = content;
  const encode = rowEncoder(manifest);
  const compared = evenly(compareWith.length > 0 ? compareWith : content.background, mostCompared);
  const background = compared.length > 0 ? { rows: encode(compared), rowCount: compared.length } : undefined;
  const predictor = predictorOf(content);
  const features = featuresOf(manifest.encoding);
  const parts = partsOf(content, background);
  return (rows, outcome) => {
    const encoded = encode(rows);
    const { predictions } = predictor.predictRows(rows);
    return rows.map((row, index) => {
      const wanted = outcome ?? String(predictions[index]!.prediction);
      const output = hasClasses(manifest.task) ? classIndex(manifest.classes, wanted) : 0;
      const moved = attribute(
        parts,
        encoded.subarray(index * features.length, (index + 1) * features.length),
        output,
        content,
      );
      const byColumn = new Map(manifest.schema.map((column) => [column.name, 0]));
      features.forEach(({ column, from }, feature) => {
        // What is made of two columns belongs to both, in halves.
        const columns = from === undefined ? [column] : [column, from];
        for (const one of columns)
          byColumn.set(one, byColumn.get(one)! + moved.values[feature]! / columns.length);
      });
      const contributions = [...byColumn].map(([column, contribution]) => ({
        column,
        value: Object.hasOwn(row, column) ? (row[column] ?? null) : null,
        contribution,
      }));
      contributions.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
      return {
        outcome: hasClasses(manifest.task) ? wanted : manifest.target,
        base: moved.base,
        prediction: moved.prediction,
        contributions,
      };
    });
  };
}

/** Every row is compared with every one of these. */
const mostCompared = 200;

interface Part {
  model: RowModel;
  share: number;
  /** Of models that add up raw scores. */
  scores?: ScoresPart;
}

interface ScoresPart {
  /** Mean raw scores of what is compared with. */
  expected: Float64Array;
  /** Adds to `moves` what features of `row` move each raw score from there. */
  add: (row: Float64Array, moves: Float64Array) => void;
}

interface Moved {
  base: number;
  prediction: number;
  /** One for each feature. */
  values: Float64Array;
}

function evenly<T>(items: readonly T[], most: number): T[] {
  const stride = Math.max(1, Math.ceil(items.length / most));
  return items.filter((_, index) => index % stride === 0);
}

function isScoreModel(model: RowModel): model is ScoreModel {
  return model.kind === 'trees' || model.kind === 'linear' || model.kind === 'naive-bayes';
}

function scoresPart(model: ScoreModel, background: Background | undefined): ScoresPart {
  if (model.kind === 'trees') return treesPart(model, background);
  const addTerms = (row: Float64Array, moves: Float64Array): void =>
    model.kind === 'linear' ? addLinearTerms(model, row, moves) : addBayesTerms(model, row, moves);
  return background ? againstMeanTerms(model, addTerms, background) : { expected: model.base, add: addTerms };
}

/** Where features only add up, a Shapley value is the feature's term less its mean. */
function againstMeanTerms(
  { base }: ScoreModel,
  addTerms: ScoresPart['add'],
  { rows, rowCount }: Background,
): ScoresPart {
  const featureCount = rows.length / rowCount;
  const means = new Float64Array(base.length * featureCount);
  for (let index = 0; index < rowCount; index++)
    addTerms(rows.subarray(index * featureCount, (index + 1) * featureCount), means);
  for (let index = 0; index < means.length; index++) means[index] = means[index]! / rowCount;
  const expected = base.map(
    (value, k) =>
      value + means.subarray(k * featureCount, (k + 1) * featureCount).reduce((sum, term) => sum + term, 0),
  );
  return {
    expected,
    add: (row, moves) => {
      addTerms(row, moves);
      for (let index = 0; index < moves.length; index++) moves[index]! -= means[index]!;
    },
  };
}

function treesPart(model: TreesModel, background: Background | undefined): ScoresPart {
  if (background) {
    return {
      expected: expectedScores(model, background),
      add: (row, moves) => addInterventionalValues(model, row, background, moves),
    };
  }
  const trees: ExplainableTrees = explainable(model);
  return { expected: trees.expected, add: (row, moves) => addShapleyValues(trees, row, moves) };
}

function partsOf(content: ModelContent, background: Background | undefined): Part[] {
  return content.members.flatMap(({ models, weight }) =>
    models.map((model) => ({
      model,
      share: weight / models.length,
      ...(isScoreModel(model) && { scores: scoresPart(model, background) }),
    })),
  );
}

function classIndex(classes: readonly string[], wanted: string): number {
  const index = classes.indexOf(wanted);
  if (index >= 0) return index;
  throw new Problem(
    'invalid-request',
    `There is no class "${wanted.slice(0, 60)}" to explain. Use one of: ${classes.slice(0, 20).join(', ')}.`,
  );
}

function attribute(
  parts: readonly Part[],
  row: Float64Array,
  output: number,
  { manifest }: ModelContent,
): Moved {
  const outputCount = outputCountOf(manifest.task, manifest.classes.length);
  const base = new Float64Array(outputCount);
  const here = new Float64Array(outputCount);
  const values = new Float64Array(row.length);
  for (const part of parts) {
    const moved = attributePart(part, row, output, outputCount);
    for (let index = 0; index < outputCount; index++) {
      base[index]! += part.share * moved.base[index]!;
      here[index]! += part.share * moved.here[index]!;
    }
    for (let feature = 0; feature < row.length; feature++)
      values[feature]! += part.share * moved.values[feature]!;
  }
  if (hasClasses(manifest.task)) {
    const before = here[output]! - base[output]!;
    calibrate(manifest.calibration, base, outputCount);
    calibrate(manifest.calibration, here, outputCount);
    rescale(values, before, here[output]! - base[output]!);
  }
  return {
    base: here[output]! - values.reduce((sum, value) => sum + value, 0),
    prediction: here[output]!,
    values,
  };
}

function attributePart(
  part: Part,
  row: Float64Array,
  output: number,
  outputCount: number,
): { base: Float64Array; here: Float64Array; values: Float64Array } {
  const { model, scores } = part;
  if (model.kind === 'constant')
    return { base: model.values, here: model.values, values: new Float64Array(row.length) };
  if (model.kind === 'neighbours' || model.kind === 'network')
    return firstAndLast(model, row, { output, outputCount });
  const { expected: rawBase, add } = present(scores, 'the part of a model that adds up scores');
  const rawCount = rawBase.length;
  const moves = new Float64Array(rawCount * row.length);
  add(row, moves);
  const rawHere = rawBase.map(
    (value, k) =>
      value + moves.subarray(k * row.length, (k + 1) * row.length).reduce((sum, move) => sum + move, 0),
  );
  const base = new Float64Array(outputCount);
  const here = new Float64Array(outputCount);
  applyLink(model.link, rawBase.slice(), base);
  applyLink(model.link, rawHere.slice(), here);
  const values = movesOfOutput(moves, { rawCount, output, here, isSoftmax: model.link === 'softmax' });
  if (model.link !== 'identity')
    rescale(
      values,
      values.reduce((sum, value) => sum + value, 0),
      here[output]! - base[output]!,
    );
  return { base, here, values };
}

/** Moves of the raw score that decides about `output`; with softmax, against the mean of the others. */
function movesOfOutput(
  moves: Float64Array,
  {
    rawCount,
    output,
    here,
    isSoftmax,
  }: { rawCount: number; output: number; here: Float64Array; isSoftmax: boolean },
): Float64Array {
  const featureCount = moves.length / rawCount;
  if (rawCount === 1) return here.length === 2 && output === 0 ? moves.map((move) => -move) : moves;
  const values = moves.slice(output * featureCount, (output + 1) * featureCount);
  if (!isSoftmax) return values;
  for (let k = 0; k < rawCount; k++) {
    for (let feature = 0; feature < featureCount; feature++)
      values[feature]! -= here[k]! * moves[k * featureCount + feature]!;
  }
  return values;
}

/** Makes values that sum to `from` sum to `to`; where they cancel out there is nothing to scale, and they become zero. */
function rescale(values: Float64Array, from: number, to: number): void {
  const factor = Math.abs(from) > 1e-12 ? to / from : 0;
  for (let index = 0; index < values.length; index++) values[index]! *= factor;
}

/** Terms of naive Bayes, which add up to what it says beyond the shares of the classes. */
function addBayesTerms(model: NaiveBayesModel, row: Float64Array, moves: Float64Array): void {
  eachTerm(model, row, 0, (feature, k, value) => {
    moves[k * row.length + feature]! += value;
  });
}

/** Terms of a linear model, which add up to what it says beyond average numbers and no known category. */
function addLinearTerms(model: LinearModel, row: Float64Array, moves: Float64Array): void {
  const rawCount = model.base.length;
  model.numberFeature.forEach((feature, term) => {
    const value = row[feature]!;
    const isMissing = value !== value;
    const scaled = isMissing ? 1 : standardise(value, model.centre[term]!, model.inverseSpread[term]!);
    const weights = isMissing ? model.missingWeights : model.numberWeights;
    for (let k = 0; k < rawCount; k++)
      moves[k * row.length + feature]! += scaled * weights[term * rawCount + k]!;
  });
  model.categoryFeature.forEach((feature, term) => {
    const code = row[feature]!;
    const last = model.levelOffsets[term + 1]! - 1;
    const level = code !== code ? last : Math.min(last - 1, model.levelOffsets[term]! + code);
    for (let k = 0; k < rawCount; k++)
      moves[k * row.length + feature]! += model.levelWeights[level * rawCount + k]!;
  });
}

// Why this answer: how much each column moved one prediction away from the average. Exact Shapley values for trees
// (tree-shap.ts), exact terms for linear models. They live on each model's raw scores; to add up to the ensemble's
// probability they are rescaled, model by model, to the change of the probability that they caused (the rescale rule of
// DeepLIFT, Shrikumar et al. 2017), averaged as the ensemble averages, and rescaled once more for calibration.
import { Problem } from '../../base/problems.ts';
import { featuresOf } from '../frame/encoding.ts';
import { hasClasses } from '../frame/schema.ts';
import { calibrate } from '../model/calibration.ts';
import { standardise, type LinearModel } from '../model/linear.ts';
import type { ModelContent } from '../model/manifest.ts';
import { predictorOf, rowEncoder } from '../model/predictor.ts';
import { applyLink, outputCountOf, type RowModel } from '../model/row-model.ts';
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

/** An explainer for a model in memory. Its answers throw Problem `prediction-input` as predictions do. */
export function explainerOf(content: ModelContent): Explainer {
  const { manifest } = content;
  const encode = rowEncoder(manifest);
  const predictor = predictorOf(content);
  const features = featuresOf(manifest.encoding);
  const parts = partsOf(content);
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

interface Part {
  model: RowModel;
  share: number;
  trees?: ExplainableTrees;
}

interface Moved {
  base: number;
  prediction: number;
  /** One for each feature. */
  values: Float64Array;
}

function partsOf(content: ModelContent): Part[] {
  return content.members.flatMap(({ models, weight }) =>
    models.map((model) => ({
      model,
      share: weight / models.length,
      ...(model.kind === 'trees' && { trees: explainable(model) }),
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
  const { model, trees } = part;
  if (model.kind === 'constant')
    return { base: model.values, here: model.values, values: new Float64Array(row.length) };
  const rawCount = model.base.length;
  const moves = new Float64Array(rawCount * row.length);
  if (trees) addShapleyValues(trees, row, moves);
  else addLinearTerms(model as LinearModel, row, moves);
  const rawBase = trees ? trees.expected : model.base;
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

/** Terms of a linear model, against average numbers and no known category. */
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

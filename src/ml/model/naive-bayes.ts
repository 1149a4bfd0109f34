// Naive Bayes: the logarithm of each class's share, plus what each column says on its own: a Gaussian for a number, the
// share of a category, the share of each word of a text. A missing number says nothing. Numbers are standardised as
// linear models do it, so that a wild value cannot run away with the answer.
import { standardise } from './linear.ts';

export interface NaiveBayesModel {
  kind: 'naive-bayes';
  link: 'softmax';
  /** Logarithms of the shares of the classes. */
  base: Float64Array;
  /** Numeric terms: feature index, its centre, one over its spread. */
  numberFeature: Uint16Array;
  centre: Float64Array;
  inverseSpread: Float64Array;
  /** For each numeric term and class: the standardised mean, half of one over the variance, and minus half its logarithm. */
  means: Float64Array;
  halfPrecisions: Float64Array;
  heights: Float64Array;
  /** Counted terms: feature index, and for each class the logarithm of the share of the word. */
  countFeature: Uint16Array;
  countWeights: Float64Array;
  /** Categorical terms: feature index, and where its codes begin in `levelWeights`; one more offset ends the last. */
  categoryFeature: Uint16Array;
  levelOffsets: Int32Array;
  /** For each level (codes, then missing) and class, the logarithm of its share. */
  levelWeights: Float64Array;
}

/** Calls `add` with what each term of one encoded row, which begins at `start`, says about each class. */
export function eachTerm(
  model: NaiveBayesModel,
  rows: Float64Array,
  start: number,
  add: (feature: number, classIndex: number, value: number) => void,
): void {
  const classCount = model.base.length;
  for (let term = 0; term < model.numberFeature.length; term++) {
    const feature = model.numberFeature[term]!;
    const value = rows[start + feature]!;
    if (value !== value) continue;
    const scaled = standardise(value, model.centre[term]!, model.inverseSpread[term]!);
    for (let k = 0; k < classCount; k++) {
      const at = term * classCount + k;
      const distance = scaled - model.means[at]!;
      add(feature, k, model.heights[at]! - model.halfPrecisions[at]! * distance * distance);
    }
  }
  for (let term = 0; term < model.countFeature.length; term++) {
    const feature = model.countFeature[term]!;
    const count = rows[start + feature]!;
    if (!(count > 0)) continue;
    for (let k = 0; k < classCount; k++) add(feature, k, count * model.countWeights[term * classCount + k]!);
  }
  for (let term = 0; term < model.categoryFeature.length; term++) {
    const feature = model.categoryFeature[term]!;
    const code = rows[start + feature]!;
    const last = model.levelOffsets[term + 1]! - 1;
    const level = code !== code ? last : Math.min(last - 1, model.levelOffsets[term]! + code);
    for (let k = 0; k < classCount; k++) add(feature, k, model.levelWeights[level * classCount + k]!);
  }
}

/** Adds the terms' values for row-major `rows` to `raw`. */
export function applyNaiveBayes(
  model: NaiveBayesModel,
  input: { rows: Float64Array; rowCount: number; featureCount: number },
  raw: Float64Array,
): void {
  const classCount = model.base.length;
  for (let row = 0; row < input.rowCount; row++)
    eachTerm(model, input.rows, row * input.featureCount, (_, k, value) => {
      raw[row * classCount + k]! += value;
    });
}

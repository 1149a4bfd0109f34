// A small neural network for rows of a table. Each number enters as a vector between those of the two knots that it lies
// between (piecewise-linear embedding: Gorishniy et al., NeurIPS 2022), each category and word as a vector of its own.
// Their sum goes through several heads, which share the large weights and differ in how they scale what goes in and out
// (BatchEnsemble, Wen et al., ICLR 2020; TabM, Gorishniy et al., ICLR 2025). The answer is the mean of the heads'.
// Weights are float32, all arithmetic is float64 in a fixed order.
import { sigmoid, softmaxInPlace } from './arithmetic.ts';

export const networkLinks = ['identity', 'logistic', 'softmax'] as const;
export type NetworkLink = (typeof networkLinks)[number];

export interface NetworkModel {
  kind: 'network';
  link: NetworkLink;
  headCount: number;
  blockCount: number;
  /** Values in a vector. */
  width: number;
  /** Numeric terms: feature index, an average value, where its knots begin; one more offset ends the last. */
  numberFeature: Uint16Array;
  centre: Float64Array;
  knotOffsets: Int32Array;
  /** Strictly rising within a term; the vector of each, and of a missing number. */
  knots: Float64Array;
  knotVectors: Float32Array;
  missingVectors: Float32Array;
  /** Counted terms: the vector of each counts as often as the root of the count. */
  countFeature: Uint16Array;
  countVectors: Float32Array;
  /** Categorical terms: codes, then missing. */
  categoryFeature: Uint16Array;
  levelOffsets: Int32Array;
  levelVectors: Float32Array;
  /** Of each head: rectified (sum of vectors x scale + bias). */
  firstScales: Float32Array;
  firstBiases: Float32Array;
  /** Of each block: weights by input, then output, for all heads; of each block and head: scales in and out, and biases. */
  weights: Float32Array;
  inScales: Float32Array;
  outScales: Float32Array;
  biases: Float32Array;
  /** Of each head: weights by input, then output; in units of the answer. */
  lastWeights: Float64Array;
  lastBiases: Float64Array;
}

/** Writes the answers for row-major `rows`: the shares of classes, or one value. */
export function applyNetwork(
  model: NetworkModel,
  input: { rows: Float64Array; rowCount: number; featureCount: number },
  out: Float64Array,
): void {
  const { width, headCount } = model;
  const outputCount = out.length / input.rowCount;
  const sum = new Float64Array(width);
  const state: HeadState = {
    values: new Float64Array(width),
    scaled: new Float64Array(width),
    places: new Int32Array(width),
    products: new Float64Array(width),
    answer: new Float64Array(model.lastBiases.length / headCount),
  };
  for (let row = 0; row < input.rowCount; row++) {
    sumVectors(model, input.rows, row * input.featureCount, sum);
    const place = out.subarray(row * outputCount, (row + 1) * outputCount).fill(0);
    for (let head = 0; head < headCount; head++) {
      runHead(model, head, sum, state);
      addAnswer(model.link, state.answer, place);
    }
    for (let k = 0; k < outputCount; k++) place[k]! /= headCount;
  }
}

interface HeadState {
  values: Float64Array;
  /** Of the values that are not zero: scaled, and where their weights begin. */
  scaled: Float64Array;
  places: Int32Array;
  products: Float64Array;
  answer: Float64Array;
}

function sumVectors(model: NetworkModel, rows: Float64Array, start: number, sum: Float64Array): void {
  const { numberFeature, knotOffsets, knots, countFeature, categoryFeature, levelOffsets } = model;
  sum.fill(0);
  for (let term = 0; term < numberFeature.length; term++) {
    const value = rows[start + numberFeature[term]!]!;
    if (value !== value) {
      addVector(model.missingVectors, term, 1, sum);
      continue;
    }
    const place = placeOf(value, knots, knotOffsets[term]!, knotOffsets[term + 1]!);
    addVector(model.knotVectors, place.knot, 1 - place.share, sum);
    if (place.share > 0) addVector(model.knotVectors, place.knot + 1, place.share, sum);
  }
  for (let term = 0; term < countFeature.length; term++) {
    const count = rows[start + countFeature[term]!]!;
    if (count > 0) addVector(model.countVectors, term, Math.sqrt(count), sum);
  }
  for (let term = 0; term < categoryFeature.length; term++) {
    const code = rows[start + categoryFeature[term]!]!;
    const last = levelOffsets[term + 1]! - 1;
    const level = code !== code ? last : Math.min(last - 1, levelOffsets[term]! + code);
    addVector(model.levelVectors, level, 1, sum);
  }
}

/** The last knot from `begin` to `end` that is not above `value`, and the share of the way to the next. Ends hold. */
export function placeOf(
  value: number,
  knots: Float64Array,
  begin: number,
  end: number,
): { knot: number; share: number } {
  if (!(value > knots[begin]!)) return { knot: begin, share: 0 };
  if (value >= knots[end - 1]!) return { knot: end - 1, share: 0 };
  let low = begin;
  let high = end - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (knots[middle]! <= value) low = middle;
    else high = middle;
  }
  return { knot: low, share: (value - knots[low]!) / (knots[low + 1]! - knots[low]!) };
}

function addVector(vectors: Float32Array, index: number, share: number, sum: Float64Array): void {
  const start = index * sum.length;
  for (let at = 0; at < sum.length; at++) sum[at]! += share * vectors[start + at]!;
}

function runHead(model: NetworkModel, head: number, sum: Float64Array, state: HeadState): void {
  const { width, headCount, blockCount, firstScales, firstBiases } = model;
  const { values, answer } = state;
  const start = head * width;
  for (let at = 0; at < width; at++) {
    const value = sum[at]! * firstScales[start + at]! + firstBiases[start + at]!;
    values[at] = value > 0 ? value : 0;
  }
  for (let block = 0; block < blockCount; block++)
    addBlock(model, block * width * width, (block * headCount + head) * width, state);
  const outputs = answer.length;
  for (let k = 0; k < outputs; k++) answer[k] = model.lastBiases[head * outputs + k]!;
  for (let at = 0; at < width; at++) {
    const place = (start + at) * outputs;
    for (let k = 0; k < outputs; k++) answer[k]! += values[at]! * model.lastWeights[place + k]!;
  }
}

/** values += rectified ((values x scales in) x weights x scales out + biases) */
function addBlock(
  { width, weights, inScales, outScales, biases }: NetworkModel,
  weightStart: number,
  start: number,
  { values, scaled, places, products }: HeadState,
): void {
  // Half of all values are zero, being rectified: the others move together.
  let count = 0;
  for (let at = 0; at < width; at++) {
    if (values[at] === 0) continue;
    scaled[count] = values[at]! * inScales[start + at]!;
    places[count++] = weightStart + at * width;
  }
  products.fill(0);
  let from = 0;
  // Four at once, so that each product is read and written a fourth as often.
  for (; from + 3 < count; from += 4) {
    const [a, b, c, d] = [scaled[from]!, scaled[from + 1]!, scaled[from + 2]!, scaled[from + 3]!];
    const [p, q, r, s] = [places[from]!, places[from + 1]!, places[from + 2]!, places[from + 3]!];
    for (let to = 0; to < width; to++)
      products[to]! +=
        a * weights[p + to]! + b * weights[q + to]! + c * weights[r + to]! + d * weights[s + to]!;
  }
  for (; from < count; from++) {
    const [value, place] = [scaled[from]!, places[from]!];
    for (let to = 0; to < width; to++) products[to]! += value * weights[place + to]!;
  }
  for (let at = 0; at < width; at++) {
    const value = products[at]! * outScales[start + at]! + biases[start + at]!;
    if (value > 0) values[at]! += value;
  }
}

/** Adds one head's answer to `sum`, as a value or as shares. `raw` is used up. */
export function addAnswer(link: NetworkLink, raw: Float64Array, sum: Float64Array): void {
  switch (link) {
    case 'identity':
      sum[0]! += raw[0]!;
      return;
    case 'logistic': {
      const share = sigmoid(raw[0]!);
      sum[0]! += 1 - share;
      sum[1]! += share;
      return;
    }
    case 'softmax':
      softmaxInPlace(raw, 0, raw.length);
      for (let k = 0; k < raw.length; k++) sum[k]! += raw[k]!;
      return;
    default:
      return link satisfies never;
  }
}

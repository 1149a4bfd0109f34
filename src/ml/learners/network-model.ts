// What training has found, as the model's vectors: the first weights of a number's steps are added up to a vector at each
// knot; what was never seen (a missing number, a rare category) gets the vector of the average.
import { concatenate } from '../../base/numbers.ts';
import { placeOf, type NetworkModel } from '../model/network.ts';
import type { NetworkInputs } from './network-inputs.ts';
import type { NetworkShape, NetworkWeights } from './network-weights.ts';

export interface TaughtNetwork {
  inputs: NetworkInputs;
  shape: NetworkShape;
  /** Answers are raw values times `spread` plus `centre`. */
  scaling: { centre: number; spread: number };
}

/** The portable model of a network with these weights. */
export function networkModel(taught: TaughtNetwork, weights: NetworkWeights): NetworkModel {
  const { inputs, shape, scaling } = taught;
  const { numbers, categories, counts } = inputs;
  const { width, headCount, blockCount, link } = shape;
  const vectorAt = (place: number): Float32Array =>
    weights['first']!.subarray(place * width, (place + 1) * width);
  const ofBlocks = (name: string): Float32Array =>
    concatenate(
      Float32Array,
      Array.from({ length: blockCount }, (_, block) => weights[`${name}${block}`]!),
    );
  const knotVectors = numbers.map(({ knots, place }) => sumsOf(knots.length, place, { vectorAt, width }));
  return {
    kind: 'network',
    link,
    headCount,
    blockCount,
    width,
    numberFeature: Uint16Array.from(numbers, (term) => term.feature),
    centre: Float64Array.from(numbers, (term) => term.centre),
    knotOffsets: offsetsOf(numbers.map((term) => term.knots.length)),
    knots: Float64Array.from(numbers.flatMap((term) => [...term.knots])),
    knotVectors: concatenate(Float32Array, knotVectors),
    missingVectors: concatenate(
      Float32Array,
      numbers.map(({ missingPlace, knots, centre }, term) =>
        missingPlace === undefined ? vectorOf(centre, knots, knotVectors[term]!) : vectorAt(missingPlace),
      ),
    ),
    countFeature: Uint16Array.from(counts, (term) => term.feature),
    countVectors: concatenate(
      Float32Array,
      counts.map((term) => vectorAt(term.place)),
    ),
    categoryFeature: Uint16Array.from(categories, (term) => term.feature),
    levelOffsets: offsetsOf(categories.map((term) => term.rowCounts.length)),
    levelVectors: concatenate(
      Float32Array,
      categories.map((term) => levelVectors(term, { vectorAt, width })),
    ),
    firstScales: weights['firstScales']!,
    firstBiases: weights['firstBiases']!,
    weights: ofBlocks('weights'),
    inScales: ofBlocks('inScales'),
    outScales: ofBlocks('outScales'),
    biases: ofBlocks('biases'),
    lastWeights: Float64Array.from(weights['lastWeights']!, (value) => value * scaling.spread),
    lastBiases: Float64Array.from(weights['lastBiases']!, (value) => value * scaling.spread + scaling.centre),
  };
}

interface Vectors {
  vectorAt: (place: number) => Float32Array;
  width: number;
}

/** The vector at each knot: the sum of the steps up to it. */
function sumsOf(knotCount: number, place: number, { vectorAt, width }: Vectors): Float32Array {
  const sums = new Float32Array(knotCount * width);
  const sum = new Float64Array(width);
  for (let knot = 1; knot < knotCount; knot++) {
    vectorAt(place + knot - 1).forEach((value, at) => (sum[at]! += value));
    sums.set(sum, knot * width);
  }
  return sums;
}

/** The vector of a value that lies between knots. */
function vectorOf(value: number, knots: Float64Array, vectors: Float32Array): Float32Array {
  const width = vectors.length / knots.length;
  const { knot, share } = placeOf(value, knots, 0, knots.length);
  const next = Math.min(knot + 1, knots.length - 1);
  return Float32Array.from(
    { length: width },
    (_, at) => (1 - share) * vectors[knot * width + at]! + share * vectors[next * width + at]!,
  );
}

/** The vectors of the levels; those that no row had are the mean of the others, by rows. */
function levelVectors(
  { rowCounts, place }: NetworkInputs['categories'][number],
  { vectorAt, width }: Vectors,
): Float32Array {
  const mean = new Float64Array(width);
  const total = rowCounts.reduce((sum, count) => sum + count, 0);
  rowCounts.forEach((count, level) =>
    vectorAt(place + level).forEach((value, at) => (mean[at]! += (count / total) * value)),
  );
  return concatenate(
    Float32Array,
    Array.from(rowCounts, (count, level) => (count > 0 ? vectorAt(place + level) : Float32Array.from(mean))),
  );
}

function offsetsOf(counts: readonly number[]): Int32Array {
  const offsets = new Int32Array(counts.length + 1);
  counts.forEach((count, index) => (offsets[index + 1] = offsets[index]! + count));
  return offsets;
}

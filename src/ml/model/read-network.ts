// A neural network out of a model file, checked so that running it is safe and ends.
import { countAt, demand, wordAt, type Fields } from './checks.ts';
import { networkLinks, type NetworkModel } from './network.ts';
import { array, categoryFeatures, doubles, floats, numberFeatures, type ArraySource } from './read-array.ts';

/** Beyond, one answer would take longer than anyone waits for. */
const mostHeads = 256;
const mostBlocks = 32;
const widest = 4096;

/** @throws Problem `model-file-invalid` */
export function readNetwork(
  source: ArraySource,
  fields: Fields,
  { levelCounts, outputCount }: { levelCounts: readonly number[]; outputCount: number },
): NetworkModel {
  const { prefix } = source;
  const sizeAt = (name: string, least: number, most: number): number => {
    const size = countAt(fields[name], `${prefix}.${name}`);
    demand(size >= least && size <= most, `${prefix}.${name} is not from ${least} to ${most}`);
    return size;
  };
  const headCount = sizeAt('headCount', 1, mostHeads);
  const blockCount = sizeAt('blockCount', 0, mostBlocks);
  const width = sizeAt('width', 1, widest);
  const link = wordAt(fields['link'], `${prefix}.link`, networkLinks);
  const suited = outputCount === 1 ? 'identity' : outputCount === 2 ? 'logistic' : 'softmax';
  demand(link === suited, `${prefix}.link does not fit the task`);
  const numberFeature = numberFeatures(source, 'numberFeature', levelCounts);
  const knotOffsets = array(source, 'knotOffsets', Int32Array, numberFeature.length + 1);
  const knots = doubles(source, 'knots', knotOffsets.at(-1)!);
  checkKnots(prefix, knotOffsets, knots);
  const countFeature = numberFeatures(source, 'countFeature', levelCounts);
  const { categoryFeature, levelOffsets } = categoryFeatures(source, levelCounts);
  const perHead = headCount * width;
  const rawCount = outputCount === 2 ? 1 : outputCount;
  return {
    kind: 'network',
    link,
    headCount,
    blockCount,
    width,
    numberFeature,
    centre: doubles(source, 'centre', numberFeature.length),
    knotOffsets,
    knots,
    knotVectors: floats(source, 'knotVectors', knots.length * width),
    missingVectors: floats(source, 'missingVectors', numberFeature.length * width),
    countFeature,
    countVectors: floats(source, 'countVectors', countFeature.length * width),
    categoryFeature,
    levelOffsets,
    levelVectors: floats(source, 'levelVectors', levelOffsets.at(-1)! * width),
    firstScales: floats(source, 'firstScales', perHead),
    firstBiases: floats(source, 'firstBiases', perHead),
    weights: floats(source, 'weights', blockCount * width * width),
    inScales: floats(source, 'inScales', blockCount * perHead),
    outScales: floats(source, 'outScales', blockCount * perHead),
    biases: floats(source, 'biases', blockCount * perHead),
    lastWeights: doubles(source, 'lastWeights', perHead * rawCount),
    lastBiases: doubles(source, 'lastBiases', headCount * rawCount),
  };
}

/** Each number has a knot or more, and they rise. */
function checkKnots(prefix: string, offsets: Int32Array, knots: Float64Array): void {
  demand(offsets[0] === 0, `${prefix} has knots of no number`);
  for (let term = 0; term + 1 < offsets.length; term++) {
    const [begin, end] = [offsets[term]!, offsets[term + 1]!];
    demand(end > begin && end <= knots.length, `${prefix} has a number without knots`);
    for (let knot = begin + 1; knot < end; knot++)
      demand(knots[knot]! > knots[knot - 1]!, `${prefix} has knots that do not rise`);
  }
}

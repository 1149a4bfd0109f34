// The weights of a neural network while it is taught: which there are, and how they lie together in three long arrays.
// Each array costs a step some time of its own, however short it is.
import type { NetworkLink } from '../model/network.ts';

export interface NetworkShape {
  inputCount: number;
  width: number;
  headCount: number;
  blockCount: number;
  /** Raw outputs of each head. */
  rawCount: number;
  /** Rows of one step. */
  batchRows: number;
  link: NetworkLink;
}

export type Floats = Float32Array<ArrayBuffer>;

/** By name, row-major; see {@link weightShapes}. */
export type NetworkWeights = Record<string, Floats>;

/** The weights of a network, and how large each array is. */
export function weightShapes(shape: NetworkShape): Record<string, number[]> {
  const { inputCount, width, headCount, blockCount, rawCount } = shape;
  const shapes: Record<string, number[]> = {
    first: [inputCount, width],
    firstScales: [headCount, 1, width],
    firstBiases: [headCount, 1, width],
    lastWeights: [headCount, width, rawCount],
    lastBiases: [headCount, 1, rawCount],
  };
  for (let block = 0; block < blockCount; block++) {
    shapes[`weights${block}`] = [width, width];
    shapes[`inScales${block}`] = [headCount, 1, width];
    shapes[`outScales${block}`] = [headCount, 1, width];
    shapes[`biases${block}`] = [headCount, 1, width];
  }
  return shapes;
}

/** The first layer, the other matrices, and what is left: scales and biases, which do not decay. */
export const packs = ['first', 'matrices', 'vectors'] as const;
export type Pack = (typeof packs)[number];

/** Where each array of weights lies in its pack. */
export type Packing = Record<string, { pack: Pack; begin: number; end: number; sizes: number[] }>;

export function packingOf(shape: NetworkShape): Packing {
  const lengths = { first: 0, matrices: 0, vectors: 0 };
  return Object.fromEntries(
    Object.entries(weightShapes(shape)).map(([name, sizes]) => {
      const pack = name === 'first' ? 'first' : name.includes('eights') ? 'matrices' : 'vectors';
      const begin = lengths[pack];
      lengths[pack] += sizes.reduce((product, size) => product * size, 1);
      return [name, { pack, begin, end: lengths[pack], sizes }];
    }),
  );
}

export function packed(weights: NetworkWeights, packing: Packing): Record<Pack, Floats> {
  const packOf = (wanted: Pack): Floats => {
    const own = Object.entries(packing).filter(([, { pack }]) => pack === wanted);
    const values = new Float32Array(own.at(-1)![1].end);
    for (const [name, { begin }] of own) values.set(weights[name]!, begin);
    return values;
  };
  return { first: packOf('first'), matrices: packOf('matrices'), vectors: packOf('vectors') };
}

/** Copies of the single arrays. */
export function unpacked(values: Record<Pack, Floats>, packing: Packing): NetworkWeights {
  return Object.fromEntries(
    Object.entries(packing).map(([name, { pack, begin, end }]) => [name, values[pack].slice(begin, end)]),
  );
}

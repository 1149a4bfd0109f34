// The steps of training a neural network: its loss, differentiated, and AdamW (Loshchilov & Hutter, ICLR 2019). The only
// file that knows jax-js, which is loaded when a network is first trained. Its arrays are counted by hand: a function
// owns what it is given, and `.ref` keeps an array for one more use.
import type * as Jax from '@jax-js/jax';
import {
  packed,
  packingOf,
  packs,
  unpacked,
  type Floats,
  type NetworkShape,
  type NetworkWeights,
  type Pack,
  type Packing,
} from './network-weights.ts';

export interface NetworkSteps {
  /** One step; returns the loss of its rows before it. `truth` is one value for each row and raw output, `importance` one for each row. */
  step: (batch: { inputs: Floats; truth: Floats; importance: Floats }) => number;
  /** Raw outputs of one batch: by head, row and output. */
  scores: (inputs: Floats) => Float32Array;
  /** A copy of the weights as they are. */
  weights: () => NetworkWeights;
  /** Gives the memory back. */
  close: () => void;
}

export interface StepRules {
  learningRate: number;
  weightDecay: number;
}

type JaxArray = Jax.Array;
type Arrays = Record<string, JaxArray>;
type Packs = Record<Pack, JaxArray>;
type Library = typeof Jax;

const meanDecay = 0.9;
const squareDecay = 0.999;
const leastDeviation = 1e-8;

/** Ready to step from `start`. */
export async function openSteps(
  shape: NetworkShape,
  start: NetworkWeights,
  rules: StepRules,
): Promise<NetworkSteps> {
  const jax = await import('@jax-js/jax');
  await jax.init('wasm');
  const { numpy: np } = jax;
  const packing = packingOf(shape);
  const starting = packed(start, packing);
  const inputsOf = (values: Floats): JaxArray =>
    np.array(values).reshape([shape.batchRows, shape.inputCount]);
  let state: State = {
    weights: eachPack((pack) => np.array(starting[pack])),
    means: eachPack((pack) => np.zeros([starting[pack].length])),
    squares: eachPack((pack) => np.zeros([starting[pack].length])),
  };
  let stepCount = 0;
  const step = jax.jit(stepOf(jax, { shape, packing, rules }));
  const scores = jax.jit((weights: Packs, inputs: JaxArray) =>
    rawScores(jax, shape, arraysOf(weights, packing), inputs),
  );
  return {
    step: ({ inputs, truth, importance }) => {
      stepCount++;
      const batch = {
        inputs: inputsOf(inputs),
        truth: np.array(truth).reshape([1, shape.batchRows, shape.rawCount]),
        importance: np.array(importance).reshape([1, shape.batchRows, 1]),
      };
      // Makes up for means that began at zero.
      const corrections = {
        means: np.array(1 / (1 - meanDecay ** stepCount)),
        squares: np.array(1 / (1 - squareDecay ** stepCount)),
      };
      const done = step(state, batch, corrections);
      state = done.state;
      // Reading it runs the step; steps that nobody reads from pile up.
      return done.loss.dataSync()[0]!;
    },
    scores: (inputs) => scores(kept(state.weights), inputsOf(inputs)).dataSync() as Float32Array,
    weights: () =>
      unpacked(
        eachPack((pack) => state.weights[pack].ref.dataSync() as Floats),
        packing,
      ),
    close: () => {
      for (const arrays of Object.values(state)) for (const array of Object.values(arrays)) array.dispose();
      step.dispose();
      scores.dispose();
    },
  };
}

type State = { weights: Packs; means: Packs; squares: Packs };
type Corrections = { means: JaxArray; squares: JaxArray };
type Batch = { inputs: JaxArray; truth: JaxArray; importance: JaxArray };

function stepOf(
  jax: Library,
  { shape, packing, rules }: { shape: NetworkShape; packing: Packing; rules: StepRules },
) {
  const { numpy: np } = jax;
  const { learningRate, weightDecay } = rules;
  const differentiate = jax.valueAndGrad((weights: Packs, batch: Batch) =>
    lossOf(jax, shape, arraysOf(weights, packing), batch),
  );
  return ({ weights, means, squares }: State, batch: Batch, corrections: Corrections) => {
    const [loss, slopes] = differentiate(kept(weights), batch) as [JaxArray, Packs];
    const moved = eachPack((pack) => {
      const slope = slopes[pack];
      const mean = means[pack].mul(meanDecay).add(slope.ref.mul(1 - meanDecay));
      const square = squares[pack].mul(squareDecay).add(np.square(slope).mul(1 - squareDecay));
      const deviation = np.sqrt(square.ref.mul(corrections.squares.ref)).add(leastDeviation);
      const direction = mean.ref.mul(corrections.means.ref).div(deviation);
      const decay = pack === 'vectors' ? 0 : learningRate * weightDecay;
      return { weight: weights[pack].mul(1 - decay).sub(direction.mul(learningRate)), mean, square };
    });
    corrections.means.dispose();
    corrections.squares.dispose();
    const state: State = {
      weights: eachPack((pack) => moved[pack].weight),
      means: eachPack((pack) => moved[pack].mean),
      squares: eachPack((pack) => moved[pack].square),
    };
    return { loss, state };
  };
}

/** Mean over heads and rows: each head learns on its own. */
function lossOf(
  jax: Library,
  shape: NetworkShape,
  weights: Arrays,
  { inputs, truth, importance }: Batch,
): JaxArray {
  const { numpy: np, nn } = jax;
  const raw = rawScores(jax, shape, weights, inputs);
  switch (shape.link) {
    case 'identity': {
      const error = raw.sub(truth);
      return np.mean(np.square(error).mul(importance)).mul(0.5);
    }
    case 'logistic':
      return np.mean(nn.softplus(raw.ref).sub(raw.mul(truth)).mul(importance));
    case 'softmax':
      return np.mean(nn.logSoftmax(raw, -1).mul(truth).mul(importance)).mul(-shape.rawCount);
    default:
      return shape.link satisfies never;
  }
}

/** By head, row and output: what model/network.ts computes, before links. */
function rawScores(
  { numpy: np, nn }: Library,
  shape: NetworkShape,
  weights: Arrays,
  inputs: JaxArray,
): JaxArray {
  const { width, headCount, blockCount, batchRows } = shape;
  const sums = np.matmul(inputs, weights['first']!).reshape([1, batchRows, width]);
  let values = nn.relu(sums.mul(weights['firstScales']!).add(weights['firstBiases']!));
  for (let block = 0; block < blockCount; block++) {
    const scaled = values.ref.mul(weights[`inScales${block}`]!).reshape([headCount * batchRows, width]);
    const products = np.matmul(scaled, weights[`weights${block}`]!).reshape([headCount, batchRows, width]);
    const added = products.mul(weights[`outScales${block}`]!).add(weights[`biases${block}`]!);
    values = values.add(nn.relu(added));
  }
  return np.matmul(values, weights['lastWeights']!).add(weights['lastBiases']!);
}

/** The single arrays of weights, as views; the packs are used up. */
function arraysOf(weights: Packs, packing: Packing): Arrays {
  const arrays = Object.fromEntries(
    Object.entries(packing).map(([name, { pack, begin, end, sizes }]) => [
      name,
      weights[pack].ref.slice([begin, end]).reshape(sizes),
    ]),
  );
  for (const pack of packs) weights[pack].dispose();
  return arrays;
}

/** The same arrays, for one more use. */
function kept(arrays: Packs): Packs {
  return eachPack((pack) => arrays[pack].ref);
}

function eachPack<T>(make: (pack: Pack) => T): Record<Pack, T> {
  return { first: make('first'), matrices: make('matrices'), vectors: make('vectors') };
}

// The steps of training a neural network: its loss, differentiated, and AdamW (Loshchilov & Hutter, ICLR 2019). The only
// file that knows jax-js, which is loaded when a network is first trained. Its arrays are counted by hand: a function
// owns what it is given, and `.ref` keeps an array for one more use.
import type * as Jax from '@jax-js/jax';
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

/** By name, row-major; see {@link weightShapes}. */
export type NetworkWeights = Record<string, Floats>;
export type Floats = Float32Array<ArrayBuffer>;

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

type JaxArray = Jax.Array;
type Arrays = Record<string, JaxArray>;
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
  const shapes = weightShapes(shape);
  const names = Object.keys(shapes);
  const arraysOf = (make: (name: string) => JaxArray): Arrays =>
    Object.fromEntries(names.map((name) => [name, make(name)]));
  const inputsOf = (values: Floats): JaxArray =>
    np.array(values).reshape([shape.batchRows, shape.inputCount]);
  let state: State = {
    weights: arraysOf((name) => np.array(start[name]!).reshape(shapes[name]!)),
    means: arraysOf((name) => np.zeros(shapes[name]!)),
    squares: arraysOf((name) => np.zeros(shapes[name]!)),
  };
  let stepCount = 0;
  const step = jax.jit(stepOf(jax, shape, rules));
  const scores = jax.jit((weights: Arrays, inputs: JaxArray) => rawScores(jax, shape, weights, inputs));
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
      Object.fromEntries(
        names.map((name) => [name, (state.weights[name]!.ref.dataSync() as Floats).slice()]),
      ),
    close: () => {
      for (const arrays of Object.values(state)) for (const array of Object.values(arrays)) array.dispose();
      step.dispose();
      scores.dispose();
    },
  };
}

type State = { weights: Arrays; means: Arrays; squares: Arrays };
type Corrections = { means: JaxArray; squares: JaxArray };
type Batch = { inputs: JaxArray; truth: JaxArray; importance: JaxArray };

function stepOf(jax: Library, shape: NetworkShape, { learningRate, weightDecay }: StepRules) {
  const { numpy: np } = jax;
  const differentiate = jax.valueAndGrad((weights: Arrays, batch: Batch) =>
    lossOf(jax, shape, weights, batch),
  );
  return ({ weights, means, squares }: State, batch: Batch, corrections: Corrections) => {
    const [loss, slopes] = differentiate(kept(weights), batch) as [JaxArray, Arrays];
    const state: State = { weights: {}, means: {}, squares: {} };
    for (const [name, slope] of Object.entries(slopes)) {
      const mean = means[name]!.mul(meanDecay).add(slope.ref.mul(1 - meanDecay));
      const square = squares[name]!.mul(squareDecay).add(np.square(slope).mul(1 - squareDecay));
      const deviation = np.sqrt(square.ref.mul(corrections.squares.ref)).add(leastDeviation);
      const direction = mean.ref.mul(corrections.means.ref).div(deviation);
      const decay = learningRate * weightDecay * (isDecayed(name) ? 1 : 0);
      state.weights[name] = weights[name]!.mul(1 - decay).sub(direction.mul(learningRate));
      state.means[name] = mean;
      state.squares[name] = square;
    }
    corrections.means.dispose();
    corrections.squares.dispose();
    return { loss, state };
  };
}

/** Scales and biases are free. */
function isDecayed(name: string): boolean {
  return name === 'first' || name.includes('eights');
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

/** The same arrays, for one more use. */
function kept(arrays: Arrays): Arrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.ref]));
}

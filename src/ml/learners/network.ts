// A neural network for tables: embeddings of columns, then heads that share their large weights (model/network.ts), taught
// by AdamW in small batches. It begins as the average, and ends as it was when validation rows were answered best.
import { seededRandom, shuffle, type Random } from '../../base/random.ts';
import { log, logit } from '../model/arithmetic.ts';
import { addAnswer, type NetworkLink } from '../model/network.ts';
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
import { momentsOf } from './linear-design.ts';
import { networkInputs, writeInputs, type NetworkInputs } from './network-inputs.ts';
import { networkModel } from './network-model.ts';
import { networkSpec } from './network-spec.ts';
import { openSteps, type NetworkSteps } from './network-steps.ts';
import { weightShapes, type Floats, type NetworkShape, type NetworkWeights } from './network-weights.ts';

export const network: Learner = { spec: networkSpec, leastSeconds, train: trainNetwork };

/** Rows of a step: a sixteenth of all, within these. */
const fewestBatchRows = 32;
const mostBatchRows = 256;
/** What a step takes, measured with 20 to 100 columns; and how many steps and epochs it takes to come near the trees. */
const secondsPerStep = 0.018;
const fewestSteps = 300;
const fewestEpochs = 5;

interface Lesson {
  input: TrainingInput;
  settings: Hyperparameters;
  inputs: NetworkInputs;
  shape: NetworkShape;
  /** What a value of the target is learned as: less `centre`, over `spread`. */
  scaling: { centre: number; spread: number };
  /** Mean weight of the rows. */
  meanWeight: number;
  random: Random;
}

async function trainNetwork(input: TrainingInput): Promise<TrainedModel> {
  checkAbilities(networkSpec, input);
  const settings = completeHyperparameters(networkSpec, input.hyperparameters);
  await input.control.pause();
  const lesson = prepareLesson(input, settings);
  const start = startWeights(lesson);
  const found = isLate(input.control)
    ? { weights: start, iterationCount: 0, curve: [], endedBy: 'deadline' as const }
    : await teach(lesson, start);
  const { weights, ...rest } = found;
  return { ...rest, model: networkModel(lesson, weights), settled: { epochs: rest.iterationCount } };
}

function prepareLesson(input: TrainingInput, settings: Hyperparameters): Lesson {
  const { table, task, rows, target, classCount, weights } = input;
  const inputs = networkInputs(table, rows, numberSetting(settings, 'knots'));
  const { centre, spread } = task === 'regression' ? momentsOf(target, rows) : { centre: 0, spread: 1 };
  return {
    input,
    settings,
    inputs,
    shape: {
      // An empty table has one input, which is always zero.
      inputCount: Math.max(1, inputs.count),
      width: numberSetting(settings, 'width'),
      headCount: numberSetting(settings, 'heads'),
      blockCount: numberSetting(settings, 'blocks'),
      rawCount: task === 'multiclass' ? classCount : 1,
      batchRows: batchRowsFor(rows.length),
      link: linkOf(task),
    },
    scaling: { centre, spread: spread || 1 },
    meanWeight: weights ? rows.reduce((sum, row) => sum + weights[row]!, 0) / rows.length : 1,
    random: seededRandom(input.seed),
  };
}

function batchRowsFor(rowCount: number): number {
  let batchRows = fewestBatchRows;
  while (batchRows < mostBatchRows && batchRows * 32 <= rowCount) batchRows *= 2;
  return batchRows;
}

function leastSeconds(rowCount: number): number {
  const stepsPerEpoch = Math.ceil(rowCount / batchRowsFor(rowCount));
  return secondsPerStep * Math.max(fewestSteps, fewestEpochs * stepsPerEpoch);
}

function linkOf(task: TrainingInput['task']): NetworkLink {
  return task === 'regression' ? 'identity' : task === 'binary' ? 'logistic' : 'softmax';
}

/** Random weights, but for the last, which are zero: every row is answered by the average at first. */
function startWeights(lesson: Lesson): NetworkWeights {
  const { shape, inputs, random } = lesson;
  const { width, rawCount } = shape;
  const weights: NetworkWeights = {};
  const average = averageScores(lesson);
  for (const [name, sizes] of Object.entries(weightShapes(shape))) {
    const count = sizes.reduce((product, size) => product * size, 1);
    weights[name] = Float32Array.from({ length: count }, (_, index) => {
      if (name === 'first') return (inputs.startSpreads[Math.floor(index / width)] ?? 0) * normal(random);
      // Signs make the heads differ from the beginning.
      if (name === 'firstScales') return random.next() < 0.5 ? -1 : 1;
      if (name.startsWith('weights')) return normal(random) / Math.sqrt(width);
      if (name.includes('Scales')) return 1;
      return name === 'lastBiases' ? average[index % rawCount]! : 0;
    });
  }
  return weights;
}

/** Approximately normal: the sum of twelve uniform numbers, which takes no functions that differ between engines. */
function normal(random: Random): number {
  let sum = -6;
  for (let index = 0; index < 12; index++) sum += random.next();
  return sum;
}

/** Raw scores that stand for the average: one row more of each class, so that none is impossible. */
function averageScores({ input, shape }: Lesson): number[] {
  if (shape.link === 'identity') return [0];
  const { rows, target, weights, classCount } = input;
  const sums = new Float64Array(classCount).fill(1);
  let total = classCount;
  for (const row of rows) {
    const weight = weights ? weights[row]! : 1;
    sums[target[row]!]! += weight;
    total += weight;
  }
  return shape.link === 'logistic' ? [logit(sums[1]! / total)] : Array.from(sums, (sum) => log(sum / total));
}

type Taught = Omit<TrainedModel, 'model'> & { weights: NetworkWeights };

async function teach(lesson: Lesson, start: NetworkWeights): Promise<Taught> {
  const { input, settings, shape } = lesson;
  const { control, validationRows } = input;
  const steps = await openSteps(shape, start, {
    learningRate: numberSetting(settings, 'learningRate'),
    weightDecay: numberSetting(settings, 'weightDecay'),
  });
  try {
    const taught: Taught = { weights: start, iterationCount: 0, curve: [], endedBy: 'iterations' };
    const patience = numberSetting(settings, 'patience');
    let best = Infinity;
    for (let epoch = 1; epoch <= numberSetting(settings, 'epochs'); epoch++) {
      const isWhole = await teachEpoch(lesson, steps);
      const validationScore = validationRows && (await scoreOf(lesson, steps, validationRows));
      if (validationScore !== undefined && validationScore < best) {
        best = validationScore;
        taught.weights = steps.weights();
        taught.iterationCount = epoch;
      } else if (!validationRows) taught.iterationCount = epoch;
      if (validationScore !== undefined && Number.isFinite(validationScore)) {
        taught.curve.push({ iteration: epoch, validationScore });
        control.onCurve?.(taught.curve.slice(-1));
      }
      if (!isWhole || isLate(control)) {
        taught.endedBy = 'deadline';
        break;
      }
      if (validationRows && epoch - taught.iterationCount >= patience) {
        taught.endedBy = 'early-stopping';
        break;
      }
    }
    if (!validationRows) taught.weights = finiteOr(start, steps.weights());
    return taught;
  } finally {
    steps.close();
  }
}

/** Steps through all rows in a new order; `false` when the deadline came first. */
async function teachEpoch(lesson: Lesson, steps: NetworkSteps): Promise<boolean> {
  const { input, shape } = lesson;
  const { batchRows } = shape;
  const order = shuffle(input.rows.slice(), lesson.random);
  for (let from = 0; from < order.length; from += batchRows) {
    // The last batch is filled up with rows from the beginning.
    const rows = Int32Array.from({ length: batchRows }, (_, index) => order[(from + index) % order.length]!);
    steps.step({
      inputs: inputsFor(lesson, rows),
      truth: truthFor(lesson, rows),
      importance: importanceFor(lesson, rows),
    });
    await input.control.pause();
    if (isLate(input.control)) return false;
  }
  return true;
}

function inputsFor({ input, inputs, shape }: Lesson, rows: Int32Array): Floats {
  const out = new Float32Array(shape.batchRows * shape.inputCount);
  rows.forEach((row, index) =>
    writeInputs(inputs, input.table, row, { out, start: index * shape.inputCount }),
  );
  return out;
}

function truthFor({ input, shape, scaling }: Lesson, rows: Int32Array): Floats {
  const truth = new Float32Array(rows.length * shape.rawCount);
  rows.forEach((row, index) => {
    const value = input.target[row]!;
    if (shape.link === 'softmax') truth[index * shape.rawCount + value] = 1;
    else truth[index] = (value - scaling.centre) / scaling.spread;
  });
  return truth;
}

function importanceFor({ input: { weights }, meanWeight }: Lesson, rows: Int32Array): Floats {
  return Float32Array.from(rows, (row) => (weights ? weights[row]! / meanWeight : 1));
}

/** Mean log loss, or root mean squared error in units of the target. */
async function scoreOf(lesson: Lesson, steps: NetworkSteps, rows: Int32Array): Promise<number> {
  const { input, shape, scaling } = lesson;
  const { batchRows, headCount, rawCount, link } = shape;
  const raw = new Float64Array(rawCount);
  const answer = new Float64Array(link === 'logistic' ? 2 : rawCount);
  let loss = 0;
  for (let from = 0; from < rows.length; from += batchRows) {
    const batch = rows.subarray(from, from + batchRows);
    const scores = steps.scores(inputsFor(lesson, batch));
    batch.forEach((row, index) => {
      answer.fill(0);
      for (let head = 0; head < headCount; head++) {
        const place = (head * batchRows + index) * rawCount;
        for (let k = 0; k < rawCount; k++) raw[k] = scores[place + k]!;
        addAnswer(link, raw, answer);
      }
      const truth = input.target[row]!;
      loss +=
        link === 'identity'
          ? (answer[0]! / headCount - (truth - scaling.centre) / scaling.spread) ** 2
          : -log(Math.max(1e-15, answer[truth]! / headCount));
    });
    await input.control.pause();
  }
  const mean = loss / rows.length;
  return link === 'identity' ? scaling.spread * Math.sqrt(mean) : mean;
}

/** Steps that were too large may have left the numbers. */
function finiteOr(fallback: NetworkWeights, weights: NetworkWeights): NetworkWeights {
  return Object.values(weights).every((values) => values.every(Number.isFinite)) ? weights : fallback;
}

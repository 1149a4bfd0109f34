// Boosted trees on rows that are too many to be in memory as numbers. The stream is read twice: first to learn how each
// column is spread (quantile-sketch.ts), then to write the bin of each value, a byte, where the kernels read it, and
// nowhere else. From there on it is the boosting of boosted-trees.ts: equal bins give equal bits. Decision 0011.
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { featuresOf, type Encoding } from '../frame/encoding.ts';
import {
  streamEncoder,
  type Draws,
  type RowStream,
  type StreamColumn,
  type StreamEncoder,
  type StreamFeature,
} from '../frame/row-stream.ts';
import { openBinKernel, type BinKernel } from '../kernels/bin-kernel.ts';
import { separateLayout } from '../kernels/layout.ts';
import { streamedBytes, streamedKernels, type StreamedKernels } from '../kernels/streamed-kernels.ts';
import { boundsBetween, type BinnedFeature } from './bins.ts';
import { boostedTreesSpec } from './boosted-trees-spec.ts';
import { boost, checkConstraintsOf, rulesFrom } from './boosted-trees.ts';
import { lossOf } from './boosting-settings.ts';
import type { Constraints } from './constraints.ts';
import {
  completeHyperparameters,
  isLate,
  numberSetting,
  type Hyperparameters,
  type LearnedTask,
  type TrainedModel,
  type TrainingControl,
} from './learner.ts';
import { lossFor, outputCountFor } from './losses.ts';
import { quantileSketch, type QuantileSketch } from './quantile-sketch.ts';
import { checkTarget } from './regression-losses.ts';
import { growerOn, mostLeaves, slotsFor } from './tree-grower.ts';
import { treeStore } from './tree-store.ts';

/** What is to be predicted. */
export interface StreamTarget {
  column: StreamColumn;
  /** The class or number that a value of the column stands for; NaN of rows to leave out. */
  valueOf: (value: number) => number;
}

export interface StreamedTraining {
  stream: RowStream;
  encoding: Encoding;
  target: StreamTarget;
  task: LearnedTask;
  classCount: number;
  /** Rows to learn from, and rows to stop by: apart, and between them all that this training sees. */
  learned: Draws;
  stopping: Draws;
  /** Of boosted trees. Every round sees all rows, whatever `rowShare` says: lists of some would take memory. */
  hyperparameters: Hyperparameters;
  constraints?: Constraints;
  seed: number;
  control: TrainingControl & {
    /** Told of the two readings, with the share of the rows that are read. */
    onRead?: (reading: 1 | 2, share: number) => void;
  };
}

export interface StreamedModel extends TrainedModel {
  rows: { learned: number; stopping: number; withoutTarget: number };
  /** Columns of texts, which were not used. */
  leftOut: string[];
}

/** Losses whose leaves or derivatives need quantiles over all rows. */
const wholeLosses = new Set<unknown>(['absolute', 'huber', 'quantile', 'ranking']);

/** Whether these settings of boosted trees can be learned from a stream. */
export function canStream(hyperparameters: Hyperparameters): boolean {
  return !wholeLosses.has(hyperparameters['loss']);
}

/**
 * Trains in two readings of the stream. Same rows, settings and seed, same bytes, on any number of threads.
 * @throws Problem `invalid-request` for settings and constraints that cannot be had, `target-unusable` and `too-few-rows`
 * for targets that cannot be learned, `training-failed` where rows do not fit the memory of WebAssembly or the deadline
 * passed before the first tree, `cancelled`
 */
export async function trainStreamedTrees(input: StreamedTraining): Promise<StreamedModel> {
  const settings = completeHyperparameters(boostedTreesSpec, { ...input.hyperparameters, rowShare: 1 });
  const encoder = streamEncoder(input.encoding);
  checkSettings(input, settings);
  const survey = await surveyRows(input, encoder);
  checkRows(input, survey, settings);
  const features = survey.features.filter((feature) => feature.binCount > 1);
  const { learned: rowCount, stopping: stoppingCount } = survey.rows;
  const rules = rulesFrom(settings, rowCount);
  const { cellCount } = separateLayout(features);
  const maxLeaves = mostLeaves(cellCount, { maxLeaves: rules.maxLeaves, rowCount });
  const kernels = streamedKernels(
    {
      features,
      rowCount,
      allCount: rowCount + stoppingCount,
      outputCount: outputCountFor(input.task, input.classCount),
      slotCount: slotsFor(maxLeaves),
      leafCount: maxLeaves,
    },
    input.control.threads,
  );
  if (!kernels) throw tooLarge(rowCount + stoppingCount);
  try {
    await writeRows({ input, encoder, survey, features, kernels });
    const data = { ...kernels, rowCount, classCount: input.classCount };
    const trained = await boost({
      control: input.control,
      hasValidation: stoppingCount > 0,
      mayReorder: true,
      settings,
      rowCount,
      allCount: rowCount + stoppingCount,
      firstRound: 0,
      loss: lossFor(input.task, data, lossOf(settings)),
      grower: growerOn(kernels, features, { ...rules, maxLeaves, constraints: input.constraints }),
      store: treeStore({ rowCount: rowCount + stoppingCount, features }),
      random: seededRandom(input.seed),
    });
    return { ...trained, rows: survey.rows, leftOut: encoder.leftOut };
  } finally {
    kernels.close();
  }
}

/**
 * The most rows, of both kinds, whose training stays below `memoryBytes` and the bounds of WebAssembly, what the two
 * readings take not counted.
 */
export function mostStreamedRows(
  memoryBytes: number,
  { encoding, task, classCount, threadCount, hyperparameters }: SizedTraining,
): number {
  const { features } = streamEncoder(encoding);
  const plan = {
    features: features.map(({ kind }) => ({ binCount: 255, missingBin: 254, kind })),
    outputCount: outputCountFor(task, classCount),
  };
  const { cellCount } = separateLayout(plan.features);
  const settings = completeHyperparameters(boostedTreesSpec, hyperparameters);
  const leafCount = mostLeaves(cellCount, { maxLeaves: numberSetting(settings, 'maxLeaves'), rowCount: 1e6 });
  const bytesFor = (rowCount: number): number =>
    streamedBytes(
      { ...plan, rowCount, allCount: rowCount, slotCount: slotsFor(leafCount), leafCount },
      threadCount,
    );
  const fixed = bytesFor(0);
  const bytesPerRow = (bytesFor(1e6) - fixed) / 1e6;
  return Math.max(0, Math.floor((Math.min(memoryBytes, largestMemoryBytes) - fixed) / bytesPerRow));
}

type SizedTraining = Pick<StreamedTraining, 'encoding' | 'task' | 'classCount' | 'hyperparameters'> & {
  threadCount: number;
};

/** Of WebAssembly's 4 GiB, less what rounding to pages takes. */
const largestMemoryBytes = 4_294_000_000;
const fewestRows = 10;

function checkSettings(input: StreamedTraining, settings: Hyperparameters): void {
  const { loss } = lossOf(settings);
  if (input.task === 'regression' && !canStream(settings))
    throw new Problem(
      'invalid-request',
      `The ${loss} loss needs all rows in memory at once. Use another loss, such as squared, or fewer rows.`,
      { errors: [{ field: 'loss', message: 'cannot be learned from a stream' }] },
    );
  checkConstraintsOf({ ...input, table: { features: featuresOf(input.encoding) } }, settings);
}

function checkRows({ task }: StreamedTraining, { rows, targets }: Survey, settings: Hyperparameters): void {
  if (rows.learned < fewestRows)
    throw new Problem(
      'too-few-rows',
      `Only ${rows.learned} rows to learn from have a usable target; at least ${fewestRows} are needed.`,
    );
  const target = Float64Array.of(targets.least, targets.most);
  if (task === 'regression') checkTarget(lossOf(settings).loss, { target, rows: Int32Array.of(0, 1) });
}

function tooLarge(rowCount: number): Problem {
  return new Problem(
    'training-failed',
    `${rowCount} rows do not fit the memory that trees can be grown in, or the machine has too little. Use fewer rows or columns.`,
  );
}

/** What the first reading teaches. */
interface Survey {
  /** All that the encoder makes, in its order, also those of one bin. */
  features: BinnedFeature[];
  rows: StreamedModel['rows'];
  /** Least and largest target. */
  targets: { least: number; most: number };
}

async function surveyRows(input: StreamedTraining, encoder: StreamEncoder): Promise<Survey> {
  const random = seededRandom(input.seed).fork(1);
  const kernel = openBinKernel();
  const rows = { learned: 0, stopping: 0, withoutTarget: 0 };
  const targets = { least: Infinity, most: -Infinity };
  const sketches = encoder.features.map(({ kind, feature }) =>
    kind === 'number' ? quantileSketch(random.fork(feature), { kernel }) : undefined,
  );
  const missing = new Float64Array(encoder.features.length);
  const gathered = gatherer();
  await eachBatch(input, encoder, 1, ({ learned, stopping, withoutTarget, target, values }) => {
    rows.learned += learned.length;
    rows.stopping += stopping.length;
    rows.withoutTarget += withoutTarget;
    for (const chosen of [learned, stopping]) {
      for (const row of chosen) {
        targets.least = Math.min(targets.least, target[row]!);
        targets.most = Math.max(targets.most, target[row]!);
      }
      sketches.forEach((sketch, index) => {
        const own = gathered(values[index]!, chosen);
        if (sketch) sketch.add(own);
        else for (const code of own) if (code !== code) missing[index]!++;
      });
    }
  });
  const rowCount = rows.learned + rows.stopping;
  const features = encoder.features.map((feature, index) =>
    binsOf(feature, { rowCount, sketch: sketches[index], missing: missing[index]! }),
  );
  return { features, rows, targets };
}

function binsOf(
  { feature, kind, levelCount }: StreamFeature,
  { rowCount, sketch, missing }: { rowCount: number; sketch: QuantileSketch | undefined; missing: number },
): BinnedFeature {
  const bounds = sketch ? boundsBetween(sketch.levels(), rowCount) : new Float64Array(0);
  const presentBins = sketch ? bounds.length : levelCount;
  const hasMissing = sketch ? sketch.count < rowCount : missing > 0;
  return {
    feature,
    kind,
    bins: new Uint8Array(0),
    binCount: presentBins + Number(hasMissing),
    missingBin: hasMissing ? presentBins : -1,
    bounds,
  };
}

/** The second reading: each row's bins and target to its place, rows learned from before the others. */
async function writeRows({
  input,
  encoder,
  survey,
  features,
  kernels,
}: {
  input: StreamedTraining;
  encoder: StreamEncoder;
  survey: Survey;
  features: readonly BinnedFeature[];
  kernels: StreamedKernels;
}): Promise<void> {
  const kernel = openBinKernel();
  const gathered = gatherer();
  const places = features.map((feature) => survey.features.indexOf(feature));
  const next = { learned: 0, stopping: survey.rows.learned };
  await eachBatch(input, encoder, 2, ({ learned, stopping, target, values }) => {
    const write = (at: number, chosen: Int32Array): number => {
      const bins = features.map((feature, index) =>
        toBins(gathered(values[places[index]!]!, chosen), feature, kernel),
      );
      kernels.write(at, bins, gathered(target, chosen));
      return at + chosen.length;
    };
    next.learned = write(next.learned, learned);
    next.stopping = write(next.stopping, stopping);
  });
  const isWhole =
    next.learned === survey.rows.learned && next.stopping === survey.rows.learned + survey.rows.stopping;
  assert(isWhole, 'a stream gives the same rows each time');
}

function toBins(
  values: Float64Array,
  { kind, bounds, missingBin }: BinnedFeature,
  kernel: BinKernel,
): Uint8Array {
  const bins = new Uint8Array(values.length);
  if (kind === 'number') kernel.map({ values, bounds, missingBin: Math.max(0, missingBin) }, bins);
  else
    for (let row = 0; row < values.length; row++)
      bins[row] = values[row]! === values[row]! ? values[row]! : missingBin;
  return bins;
}

interface ChosenRows {
  /** Rows of the batch. */
  learned: Int32Array;
  stopping: Int32Array;
  /** Rows of either kind that cannot be used. */
  withoutTarget: number;
  /** Of all rows of the batch. */
  target: Float64Array;
  /** Features, of all rows of the batch. */
  values: Float64Array[];
}

async function eachBatch(
  { stream, target, learned, stopping, control }: StreamedTraining,
  encoder: StreamEncoder,
  reading: 1 | 2,
  use: (rows: ChosenRows) => void,
): Promise<void> {
  let read = 0;
  let values = new Float64Array(0);
  const isIn = ({ from, to }: Draws, draw: number): boolean => draw >= from && draw < to;
  for await (const { draws, columns } of stream.batches([target.column, ...encoder.columns])) {
    const [raw, ...inputs] = columns;
    if (values.length < draws.length) values = new Float64Array(draws.length);
    for (let row = 0; row < draws.length; row++) values[row] = target.valueOf(raw![row]!);
    const kept = { learned: new Int32Array(draws.length), stopping: new Int32Array(draws.length) };
    const counts = { learned: 0, stopping: 0, withoutTarget: 0 };
    for (let row = 0; row < draws.length; row++) {
      const kind = isIn(learned, draws[row]!)
        ? 'learned'
        : isIn(stopping, draws[row]!)
          ? 'stopping'
          : undefined;
      if (!kind) continue;
      if (Number.isFinite(values[row])) kept[kind][counts[kind]++] = row;
      else counts.withoutTarget++;
    }
    use({
      learned: kept.learned.subarray(0, counts.learned),
      stopping: kept.stopping.subarray(0, counts.stopping),
      withoutTarget: counts.withoutTarget,
      target: values,
      values: encoder.encode(inputs),
    });
    read += draws.length;
    control.onRead?.(reading, read / stream.rowCount);
    await control.pause();
    if (isLate(control))
      throw new Problem('training-failed', 'The time was over before all rows were read. Allow more time.');
  }
}

/** Takes some rows of a column; good until the next call. */
function gatherer(): (values: Float64Array, rows: Int32Array) => Float64Array {
  let scratch = new Float64Array(0);
  return (values, rows) => {
    if (scratch.length < rows.length) scratch = new Float64Array(rows.length);
    for (let index = 0; index < rows.length; index++) scratch[index] = values[rows[index]!]!;
    return scratch.subarray(0, rows.length);
  };
}

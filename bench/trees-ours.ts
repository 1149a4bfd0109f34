// One timed training of Pilvi's boosted trees, for bench/trees.ts. Usage: node bench/trees-ours.ts FOLDER SHAPE KERNELS THREADS
// Prints {seconds, cpuSeconds, metric, peakMiB, addedMiB} as JSON; the metric is the AUC, or the log loss with more than
// two classes. addedMiB is what the peak adds to what the process, with its data, held before it trained.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/base/time.ts';
import type { Feature, FeatureTable } from '../src/ml/frame/encoding.ts';
import { openKernels } from '../src/ml/kernels/open-kernels.ts';
import { plainKernels } from '../src/ml/kernels/plain-kernels.ts';
import { boostedTreesOn } from '../src/ml/learners/boosted-trees.ts';
import { pauseBy, type TrainingInput } from '../src/ml/learners/learner.ts';
import { areaUnderRoc } from '../src/ml/metrics/ranking.ts';
import { applyModel, type RowModel } from '../src/ml/model/row-model.ts';
import { openTrainingThreads } from '../src/platform/drivers/training-threads.ts';
import { categoryLevels, shapes, type Shape } from './trees-data.ts';

const [folder, shapeName, kernels, threadCount] = process.argv.slice(2) as [string, string, string, string];
const threads = openTrainingThreads(Number(threadCount ?? 1) - 1);
const shape = shapes.find((one) => one.name === shapeName)!;
const columnCount = shape.numberCount + shape.oneHotCount + shape.categoryCount;
const count = shape.rowCount + shape.testRowCount;
const columns = columnsOf('columns.bin', columnCount);
const [target] = columnsOf('target.bin', 1);

const table: FeatureTable = {
  rowCount: shape.rowCount,
  features: columns.map((_, index): Feature => {
    const isCategory = index >= columnCount - shape.categoryCount;
    const name = `column ${index}`;
    return {
      name,
      column: name,
      kind: isCategory ? 'category' : 'number',
      levelCount: isCategory ? categoryLevels : 0,
    };
  }),
  columns: columns.map((column) => column.subarray(0, shape.rowCount)),
};
const learner = boostedTreesOn(kernels === 'plain' ? plainKernels : openKernels);
const heldMiB = statusMiB('VmRSS');
const runs: { seconds: number; cpuSeconds: number }[] = [];
let model: RowModel | undefined;
for (let repeat = 0; repeat < shape.repeats; repeat++) {
  const begun = performance.now();
  const begunCpu = process.cpuUsage();
  // A new object each time, because bins are remembered with their table.
  model = (await learner.train(inputOf({ ...table }))).model;
  const used = process.cpuUsage(begunCpu);
  runs.push({
    seconds: (performance.now() - begun) / 1000,
    cpuSeconds: (used.user + used.system) / 1e6,
  });
}
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const seconds = median(runs.map((run) => run.seconds));
const cpuSeconds = median(runs.map((run) => run.cpuSeconds));
// Not getrusage's figure, which begins with what the parent process held.
const peakMiB = statusMiB('VmHWM');
const addedMiB = peakMiB - heldMiB;
await threads.close();
console.log(JSON.stringify({ seconds, cpuSeconds, metric: metricOf(model!, shape), peakMiB, addedMiB }));

function inputOf(data: FeatureTable): TrainingInput {
  return {
    table: data,
    task: shape.classCount > 2 ? 'multiclass' : 'binary',
    target: target!.subarray(0, shape.rowCount),
    classCount: shape.classCount,
    rows: Int32Array.from({ length: shape.rowCount }, (_, row) => row),
    hyperparameters: {
      iterations: 100,
      learningRate: 0.1,
      maxLeaves: shape.leaves,
      minRowsPerLeaf: 20,
      l2: 0,
      featureShare: 1,
    },
    seed: 1,
    control: { clock: systemClock, pause: pauseBy(systemClock), threads },
  };
}

function statusMiB(field: string): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]) / 1024;
}

function columnsOf(name: string, howMany: number): Float64Array[] {
  const bytes = readFileSync(join(folder, name));
  const values = new Float64Array(bytes.buffer, bytes.byteOffset, howMany * count);
  return Array.from({ length: howMany }, (_, index) => values.subarray(index * count, (index + 1) * count));
}

function metricOf(trained: RowModel, { rowCount, testRowCount, classCount }: Shape): number {
  const rows = new Float64Array(testRowCount * columnCount);
  for (let row = 0; row < testRowCount; row++)
    for (let index = 0; index < columnCount; index++)
      rows[row * columnCount + index] = columns[index]![rowCount + row]!;
  const answers = new Float64Array(testRowCount * classCount);
  applyModel(trained, { rows, rowCount: testRowCount, featureCount: columnCount }, answers);
  const truth = target!.subarray(rowCount);
  if (classCount === 2) {
    const scores = Float64Array.from(truth, (_, row) => answers[2 * row + 1]!);
    return areaUnderRoc({ scores, isPositive: Uint8Array.from(truth) });
  }
  let loss = 0;
  truth.forEach((actual, row) => (loss -= Math.log(Math.max(1e-15, answers[row * classCount + actual]!))));
  return loss / testRowCount;
}

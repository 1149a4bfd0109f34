// One training of Pilvi's boosted trees on all rows of a Parquet file, streamed, for bench/large.ts.
// Usage: node bench/large-ours.ts PARQUET SETTINGS, the settings as JSON.
// Prints {rows, heldOutRows, sampleSeconds, readingSeconds, binningSeconds, boostingSeconds, seconds, area, peakMiB} as JSON.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/time.ts';
import { copyFeatureRow, encodeFrame } from '../src/ml/frame/encoding.ts';
import { fitEncoding } from '../src/ml/frame/fit-encoding.ts';
import type { Frame } from '../src/ml/frame/frame.ts';
import { pauseBy } from '../src/ml/learners/learner.ts';
import { trainStreamedTrees } from '../src/ml/learners/streamed-trees.ts';
import { areaUnderRoc } from '../src/ml/metrics/ranking.ts';
import { applyModel, type RowModel } from '../src/ml/model/row-model.ts';
import { readColumns } from '../src/pipeline/data/read-columns.ts';
import { openRowStream } from '../src/pipeline/data/row-stream.ts';
import { frameOf } from '../src/pipeline/train/frame.ts';
import { openTrainingThreads } from '../src/platform/drivers/training-threads.ts';
import { drawSeed, mostHeldOutRows, target, type LargeSettings } from './large-data.ts';

const [path, settingsText] = process.argv.slice(2) as [string, string];
const { threads: threadCount, rounds, leaves } = JSON.parse(settingsText) as LargeSettings;
const workFolder = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));
const threads = openTrainingThreads(threadCount - 1);
try {
  const begunMs = performance.now();
  const stream = await openRowStream(path, { workFolder, seed: drawSeed });
  const heldOut = mostHeldOutRows / stream.rowCount;
  const readDrawn = async (from: number, rowCount: number): Promise<Frame> =>
    frameOf(
      await readColumns(path, {
        workFolder,
        drawn: { from, to: from + rowCount / stream.rowCount, seed: drawSeed },
      }),
    );
  // Categories and calendar parts are those of a sample, as in the product.
  const sample = await readDrawn(heldOut, 100_000);
  const { encoding } = fitEncoding(withoutTarget(sample));
  const sampledMs = performance.now();
  let readMs = sampledMs;
  let binnedMs = sampledMs;
  const { model, rows } = await trainStreamedTrees({
    stream,
    encoding,
    target: { column: { name: target }, valueOf: (value) => value },
    task: 'binary',
    classCount: 2,
    learned: { from: heldOut, to: 1 },
    stopping: { from: 1, to: 1 },
    hyperparameters: {
      iterations: rounds,
      learningRate: 0.1,
      maxLeaves: leaves,
      minRowsPerLeaf: 20,
      l2: 0,
      featureShare: 1,
    },
    seed: 1,
    control: {
      clock: systemClock,
      pause: pauseBy(systemClock),
      threads,
      onRead: (reading) => {
        if (reading === 1) readMs = performance.now();
        else binnedMs = performance.now();
      },
    },
  });
  const trainedMs = performance.now();
  stream.close();
  const peakMiB = statusMiB('VmHWM');
  const test = await readDrawn(0, mostHeldOutRows);
  const seconds = (fromMs: number, toMs: number): number => (toMs - fromMs) / 1000;
  console.log(
    JSON.stringify({
      rows: rows.learned,
      heldOutRows: test.rowCount,
      sampleSeconds: seconds(begunMs, sampledMs),
      readingSeconds: seconds(sampledMs, readMs),
      binningSeconds: seconds(readMs, binnedMs),
      boostingSeconds: seconds(binnedMs, trainedMs),
      seconds: seconds(begunMs, trainedMs),
      area: areaOn(test, model),
      peakMiB,
    }),
  );

  function areaOn(frame: Frame, trained: RowModel): number {
    const table = encodeFrame(withoutTarget(frame), encoding);
    const featureCount = table.features.length;
    const encoded = new Float64Array(frame.rowCount * featureCount);
    for (let row = 0; row < frame.rowCount; row++)
      copyFeatureRow(table, row, encoded.subarray(row * featureCount, (row + 1) * featureCount));
    const answers = new Float64Array(frame.rowCount * 2);
    applyModel(trained, { rows: encoded, rowCount: frame.rowCount, featureCount }, answers);
    const truth = frame.columns.find((column) => column.name === target) as { values: Float64Array };
    return areaUnderRoc({
      scores: Float64Array.from({ length: frame.rowCount }, (_, row) => answers[2 * row + 1]!),
      isPositive: Uint8Array.from(truth.values),
    });
  }
} finally {
  await threads.close();
  await rm(workFolder, { recursive: true, force: true });
}

function withoutTarget({ rowCount, columns }: Frame): Frame {
  return { rowCount, columns: columns.filter((column) => column.name !== target) };
}

function statusMiB(field: string): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]) / 1024;
}

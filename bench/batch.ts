// Batches: rows of a Parquet file through a model of 100 trees into a Parquet file, as a job runs them. It makes its table:
// 14 columns of numbers, or "mixed": two hold texts and one has gaps, which the walk through the trees is slower for. Prints rows a second, processor time, and the most memory.
// Goals: 1,000,000 rows a second on two cores, and less than 1 GiB at any size.
// Usage: node bench/batch.ts [ROWS, 4000000] [RUNS, 3] [KEPT COLUMNS, 1] [mixed]
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../src/base/random.ts';
import { systemClock } from '../src/base/time.ts';
import type { Encoding } from '../src/ml/frame/encoding.ts';
import { boostedTrees } from '../src/ml/learners/boosted-trees.ts';
import { pauseBy } from '../src/ml/learners/learner.ts';
import type { ModelContent } from '../src/ml/model/manifest.ts';
import { writeModel } from '../src/ml/model/model.ts';
import { transform } from '../src/pipeline/batch/transform.ts';
import { openDataEngine } from '../src/platform/drivers/duckdb.ts';
import { identifier, joined, sql } from '../src/platform/ports/data-engine.ts';

const [rowCount = 4_000_000, runs = 3, keptCount = 1] = process.argv.slice(2, 5).map(Number);
const isMixed = process.argv[5] === 'mixed';
const mebibyte = 1_048_576;
const learnedRows = 20_000;
const categories = Array.from({ length: 20 }, (_, index) => `category ${index}`);
const names = Array.from({ length: 14 }, (_, index) => `column ${index + 1}`);
const isText = (index: number): boolean => isMixed && index >= 12;

const folder = mkdtempSync(join(tmpdir(), 'pilvi-batch-'));
try {
  const contentPath = join(folder, 'table.parquet');
  await writeTable(contentPath);
  const modelPath = join(folder, 'model.pilvi');
  writeFileSync(modelPath, await writeModel(await learn()));
  console.log(
    `machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, load average ${loadavg()[0]!.toFixed(1)}`,
  );
  console.log(
    `${rowCount} rows of ${names.length} ${isMixed ? 'mixed columns' : 'columns of numbers'}, ${Math.round(statSync(contentPath).size / mebibyte)} MiB`,
  );
  for (let run = 1; run <= runs; run++) await measure(run, { contentPath, modelPath });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(run: number, paths: { contentPath: string; modelPath: string }): Promise<void> {
  const workFolder = mkdtempSync(join(folder, 'work-'));
  let mostBytes = 0;
  const timer = setInterval(() => (mostBytes = Math.max(mostBytes, process.memoryUsage.rss())), 50);
  const begun = process.cpuUsage();
  const startMs = performance.now();
  let answeredMs = 0;
  let answering = begun;
  const { answeredRowCount, files } = await transform(
    {
      ...paths,
      model: { task: 'binary', classes: ['no', 'yes'], hasIntervals: false },
      rowCount,
      keptColumns: names.slice(0, keptCount),
      badRows: 'mark',
      formats: ['parquet'],
    },
    {
      keptFolder: join(workFolder, 'kept'),
      workFolder,
      signal: new AbortController().signal,
      onRows: () => {},
      onAssembling: () => {
        answeredMs = performance.now();
        answering = process.cpuUsage(begun);
      },
    },
  );
  clearInterval(timer);
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(begun);
  const processorSeconds = (user + system) / 1e6;
  const answeringMicroseconds = (answering.user + answering.system) / rowCount;
  console.log(
    [
      `run ${run}: ${Math.round(rowCount / seconds).toLocaleString('en')} rows/s in ${seconds.toFixed(1)} s`,
      `(answers ${((answeredMs - startMs) / 1000).toFixed(1)} s)`,
      `${((processorSeconds * 1e6) / rowCount).toFixed(2)} processor microseconds a row (${answeringMicroseconds.toFixed(2)} until they are answered):`,
      `${Math.round((2 * rowCount) / processorSeconds).toLocaleString('en')} rows/s on two free cores`,
      `most memory ${Math.round(mostBytes / mebibyte)} MiB`,
      `${answeredRowCount} answered, ${Math.round(files[0]!.sizeBytes / mebibyte)} MiB written`,
    ].join(', '),
  );
  rmSync(workFolder, { recursive: true, force: true });
}

/** The table, by the engine: random numbers, whole numbers, texts; every tenth value of one column is missing. */
async function writeTable(path: string): Promise<void> {
  const engine = await openDataEngine({
    memoryBytes: 512 * mebibyte,
    threads: 2,
    workFolder: folder,
    maxSpillBytes: 1024 * mebibyte,
    readablePaths: [],
  });
  const values = names.map((_, index) => {
    if (isText(index)) return sql`'category ' || CAST(floor(random() * 20) AS INTEGER)`;
    if (index >= 8) return sql`CAST(floor(random() * 1000) AS BIGINT)`;
    return isMixed && index === 7 ? sql`CASE WHEN random() > 0.1 THEN random() END` : sql`random()`;
  });
  const columns = values.map((value, index) => sql`${value} AS ${identifier(names[index]!)}`);
  await engine.run(
    sql`COPY (SELECT ${joined(columns)} FROM range(${rowCount})) TO ${path} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`,
  );
  engine.close();
}

/** 100 trees of 31 leaves that have learned something from such rows. */
async function learn(): Promise<ModelContent> {
  const random = seededRandom(1);
  const columns = names.map((_, index) =>
    Float64Array.from({ length: learnedRows }, () =>
      isText(index) ? random.below(20) : index >= 8 ? random.below(1000) : random.next(),
    ),
  );
  const target = Float64Array.from({ length: learnedRows }, (_, row) =>
    columns.reduce((sum, column, index) => sum + Math.sin(index + column[row]! * (index < 8 ? 6 : 1)), 0) > 0
      ? 1
      : 0,
  );
  const { model } = await boostedTrees.train({
    table: {
      rowCount: learnedRows,
      features: names.map((name, index) => ({
        name,
        column: name,
        kind: isText(index) ? 'category' : 'number',
        levelCount: isText(index) ? categories.length + 1 : 0,
      })),
      columns,
    },
    task: 'binary',
    target,
    classCount: 2,
    rows: Int32Array.from({ length: learnedRows }, (_, row) => row),
    hyperparameters: { iterations: 100, maxLeaves: 31, learningRate: 0.1 },
    seed: 1,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  });
  const encoding: Encoding = names.map((column, index) =>
    isText(index) ? { kind: 'category', column, categories } : { kind: 'number', column },
  );
  return {
    manifest: {
      engineVersion: 'bench',
      task: 'binary',
      target: 'answer',
      classes: ['no', 'yes'],
      positiveClass: 'yes',
      schema: names.map((name, index) =>
        isText(index) ? { name, kind: 'categorical', categories } : { name, kind: 'numeric' },
      ),
      ignoredColumns: [],
      encoding,
      calibration: { kind: 'none' },
      decisionWeights: [1, 1],
      quality: { metric: 'log-loss', crossValidationScore: 0, holdoutRowCount: 0, holdout: {} },
      importance: [],
      warnings: [],
      training: { rowCount: learnedRows, foldCount: 1, seed: 1, trialCount: 1 },
    },
    members: [{ learner: 'boosted-trees', label: 'Trees', hyperparameters: {}, weight: 1, models: [model] }],
    background: [],
    goldenRows: [
      Object.fromEntries(names.map((name, index) => [name, isText(index) ? categories[0]! : 0.5])),
    ],
  };
}

// How fast a CSV becomes a dataset version, beside DuckDB's own CSV -> Parquet COPY with its defaults.
// Usage: node bench/import.ts [megabytes] [runs]
// Both run in turns, each in a process of its own with two threads; prints medians of wall clock and CPU, their ratio
// (goal: at least 0.6 of DuckDB's speed until the version can be used) and the peak resident memory. The profile, which
// is made after that, is measured too.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { run } from '../src/pipeline/data/import-task.ts';
import { run as describe } from '../src/pipeline/data/profile-task.ts';
import { writeOrders } from './orders.ts';

interface Cost {
  seconds: number;
  cpuSeconds: number;
}

interface Measured {
  /** Until the Parquet file is there. */
  written: Cost;
  /** Until it is described too; DuckDB does not describe. */
  described: Cost;
  peakMiB: number;
}

const [mode = '500', second = '3'] = process.argv.slice(2);
if (mode === 'pilvi' || mode === 'duckdb') console.log(JSON.stringify(await measure(mode, second)));
else await compare(Number(mode), Number(second));

async function compare(megabytes: number, runs: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));
  try {
    const path = join(folder, 'orders.csv');
    await writeOrders(path, megabytes * 1e6);
    const results: Record<'pilvi' | 'duckdb', Measured[]> = { pilvi: [], duckdb: [] };
    for (let turn = 0; turn < runs; turn++)
      for (const engine of ['duckdb', 'pilvi'] as const) {
        const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, engine, path]);
        results[engine].push(JSON.parse(stdout) as Measured);
      }
    console.log(
      `machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, ${megabytes} MB`,
    );
    const median = (engine: 'pilvi' | 'duckdb', figure: (result: Measured) => number): number =>
      results[engine].map(figure).toSorted((a, b) => a - b)[Math.floor(runs / 2)]!;
    for (const engine of ['duckdb', 'pilvi'] as const)
      for (const stage of engine === 'duckdb'
        ? (['written'] as const)
        : (['written', 'described'] as const)) {
        const seconds = median(engine, (result) => result[stage].seconds);
        const cpuSeconds = median(engine, (result) => result[stage].cpuSeconds);
        const speed = median('duckdb', (result) => result.written.seconds) / seconds;
        const byCpu = median('duckdb', (result) => result.written.cpuSeconds) / cpuSeconds;
        console.log(
          `${engine.padEnd(7)} ${stage.padEnd(10)} ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of CPU; ` +
            `speed of DuckDB's: ${speed.toFixed(2)} by the clock, ${byCpu.toFixed(2)} by CPU`,
        );
      }
    const peaks = (['duckdb', 'pilvi'] as const).map((engine) => median(engine, ({ peakMiB }) => peakMiB));
    console.log(
      `peak memory ${peaks.map((peak) => peak.toFixed(0)).join(' and ')} MiB; medians of ${runs}; goal 0.60`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(engine: 'pilvi' | 'duckdb', path: string): Promise<Measured> {
  const workFolder = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));
  try {
    const work =
      engine === 'pilvi' ? await preparePilvi(path, workFolder) : await prepareDuckDb(path, workFolder);
    const cost = costMeter();
    const after = await work();
    const written = cost();
    await after?.();
    return { written, described: cost(), peakMiB: process.resourceUsage().maxRSS / 1024 };
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** Tells what was spent since it was made. */
function costMeter(): () => Cost {
  const begun = performance.now();
  const used = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
}

/** The import; what it returns describes the version. */
async function preparePilvi(
  path: string,
  workFolder: string,
): Promise<() => Promise<() => Promise<unknown>>> {
  const limits = {
    maxUploadBytes: 64e9,
    maxColumns: 4096,
    maxFieldBytes: 1_048_576,
    maxDecompressionRatio: 200,
  };
  const context = {
    jobId: 'bench',
    attempt: 1,
    workFolder,
    signal: new AbortController().signal,
    report: () => undefined,
    progress: () => undefined,
  };
  return async () => {
    const { contentFileName, columns, rowCount } = await run(
      { sourcePaths: [path], options: {}, limits },
      context,
    );
    const content = { path: join(workFolder, contentFileName), columns, rowCount };
    return () => describe({ ...content, maxSpillBytes: limits.maxUploadBytes }, context);
  };
}

async function prepareDuckDb(path: string, workFolder: string): Promise<() => Promise<undefined>> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  return async () => {
    await connection.run(
      `COPY (FROM read_csv('${path}')) TO '${join(workFolder, 'out.parquet')}' (FORMAT parquet)`,
    );
  };
}

// How fast a CSV becomes a dataset version, beside DuckDB's own CSV -> Parquet COPY with its defaults.
// Usage: node bench/import.ts [megabytes] [runs]
// Both run in turns, each in a process of its own with two threads; prints medians of wall clock and CPU, their ratio
// (goal: at least 0.6 of DuckDB's speed, profile included) and the peak resident memory.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { run } from '../src/pipeline/data/import-task.ts';
import { writeOrders } from './orders.ts';

interface Measured {
  seconds: number;
  cpuSeconds: number;
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
    const median = (engine: 'pilvi' | 'duckdb', field: keyof Measured): number =>
      results[engine].map((result) => result[field]).toSorted((a, b) => a - b)[Math.floor(runs / 2)]!;
    for (const engine of ['duckdb', 'pilvi'] as const)
      console.log(
        `${engine.padEnd(7)} ${median(engine, 'seconds').toFixed(2)} s, ${median(engine, 'cpuSeconds').toFixed(2)} s of CPU, peak ${median(engine, 'peakMiB').toFixed(0)} MiB (median of ${runs})`,
      );
    const ratio = (field: keyof Measured): string =>
      (median('duckdb', field) / median('pilvi', field)).toFixed(2);
    console.log(
      `speed of DuckDB's: ${ratio('seconds')} by the clock, ${ratio('cpuSeconds')} by CPU; goal 0.60`,
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
    const begun = performance.now();
    const used = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(used);
    return {
      seconds: (performance.now() - begun) / 1000,
      cpuSeconds: (user + system) / 1e6,
      peakMiB: process.resourceUsage().maxRSS / 1024,
    };
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

async function preparePilvi(path: string, workFolder: string): Promise<() => Promise<unknown>> {
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
  return () => run({ sourcePaths: [path], options: {}, limits }, context);
}

async function prepareDuckDb(path: string, workFolder: string): Promise<() => Promise<unknown>> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  return () =>
    connection.run(
      `COPY (FROM read_csv('${path}')) TO '${join(workFolder, 'out.parquet')}' (FORMAT parquet)`,
    );
}

// Training boosted trees on more rows than would fit into memory as numbers, straight from Parquet, in a process that may
// hold so much; against LightGBM on the same rows where these fit into its memory.
// Usage: node bench/large.ts [millions of rows, 2 unless said] [memory in MiB, 6144] [rounds of boosting, 100] [--peer]
// Goal: 50 million rows x 30 columns within 6 GiB of resident memory.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  columnCount,
  drawSeed,
  mostHeldOutRows,
  target,
  writeLarge,
  type LargeSettings,
} from './large-data.ts';
import { pythonWith } from './python.ts';

const [millions = '2', memoryMiB = '6144', rounds = '100'] = process.argv
  .slice(2)
  .filter((word) => !word.startsWith('--'));
const isCompared = process.argv.includes('--peer');
const rowCount = Math.round(Number(millions) * 1e6);
const settings: LargeSettings = { threads: 2, rounds: Number(rounds), leaves: 31 };
/** Of the Parquet file, measured. */
const bytesPerRow = 175;

interface Outcome {
  rows: number;
  seconds: number;
  area: number;
  peakMiB: number;
  [part: string]: number;
}

const { bavail, bsize } = await statfs(tmpdir());
if (bavail * bsize < 2 * rowCount * bytesPerRow)
  throw new Error(`${tmpdir()} has no room for ${rowCount} rows of about ${bytesPerRow} bytes, twice.`);
const folder = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));
try {
  const path = join(folder, 'content.parquet');
  await writeLarge(folder, rowCount);
  const { size } = await stat(path);
  console.log(
    `machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, load ${loadavg()[0]!.toFixed(1)}`,
  );
  console.log(
    `${rowCount} rows x ${columnCount} columns, ${(size / 2 ** 20).toFixed(0)} MiB of Parquet; ${JSON.stringify(settings)}`,
  );
  const ours = fileURLToPath(new URL('large-ours.ts', import.meta.url));
  tell('streamed', await measured(process.execPath, [ours, path, JSON.stringify(settings)]));
  if (isCompared) {
    const script = fileURLToPath(new URL('large-lightgbm.py', import.meta.url));
    const python = pythonWith(['lightgbm', 'numpy', 'pyarrow']);
    const given = { ...settings, target, seed: drawSeed, heldOutRows: mostHeldOutRows };
    tell('LightGBM', await measured(python, [script, path, JSON.stringify(given)]));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function tell(name: string, { rows, seconds, area, peakMiB, ...parts }: Outcome): void {
  console.log(
    `${name}: ${rows} rows in ${seconds.toFixed(1)} s, peak ${peakMiB.toFixed(0)} MiB of ${memoryMiB}, AUC ${area.toFixed(5)}; ${JSON.stringify(parts)}`,
  );
}

/** Runs a program that prints its outcome; ended when it, or a process it starts, holds more than it may. */
async function measured(program: string, words: string[]): Promise<Outcome> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  let mostMiB = 0;
  child.stdout.on('data', (text: Buffer) => (printed += String(text)));
  const watching = setInterval(() => {
    mostMiB = Math.max(mostMiB, residentMiB(child.pid!));
    if (mostMiB > Number(memoryMiB)) child.kill('SIGKILL');
  }, 200);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(watching);
  if (mostMiB > Number(memoryMiB))
    throw new Error(`${program} held ${mostMiB.toFixed(0)} MiB and was ended.`);
  if (code !== 0) throw new Error(`${program} ended with ${code}.`);
  return JSON.parse(printed) as Outcome;
}

/** Of a process and those that it started. */
function residentMiB(processId: number): number {
  try {
    const status = readFileSync(`/proc/${processId}/status`, 'utf8');
    const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
    const children = execFileSync('pgrep', ['-P', String(processId)], { encoding: 'utf8' })
      .trim()
      .split('\n');
    return own + children.reduce((sum, child) => sum + residentMiB(Number(child)), 0);
  } catch {
    // Gone, or without children.
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readOr(processId))?.[1] ?? 0) / 1024;
  }
}

function readOr(processId: number): string {
  try {
    return readFileSync(`/proc/${processId}/status`, 'utf8');
  } catch {
    return '';
  }
}

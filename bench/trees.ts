// Boosted trees against LightGBM and XGBoost: time of binning and 100 trees on data in memory, quality on rows that were not seen,
// peak memory. Every run is a process of its own; the engines take turns, so that a busy machine slows all of them.
// Usage: node bench/trees.ts [runs = 3] [shapes = all, or names with commas] [engines with commas] [threads = 1]
// Engines: ours, plain (the twin without WebAssembly), lightgbm, quantised (LightGBM with rounded gradients), xgboost.
// The peers are installed into node_modules/.cache by pip the first time; Python 3 must be there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './averages.ts';
import { pythonWith } from './python.ts';
import { makeTable, shapes, writeTable, type Shape } from './trees-data.ts';

interface Run {
  seconds: number;
  /** Processor time: on a busy machine the fairer measure of work on one thread. */
  cpuSeconds: number;
  metric: number;
  peakMiB: number;
  /** What of it was added by training: libraries and data were there before. */
  addedMiB: number;
}

const [runsText, shapesText, enginesText, threadsText] = process.argv.slice(2);
const runCount = Number(runsText ?? 3);
const threads = Number(threadsText ?? 1);
const wanted = shapesText && shapesText !== 'all' ? shapesText.split(',') : shapes.map((shape) => shape.name);
const engines = enginesText ? enginesText.split(',') : ['ours', 'plain', 'lightgbm', 'quantised', 'xgboost'];
const python = pythonWith(['lightgbm', 'xgboost-cpu', 'scikit-learn']);

console.log(
  `machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, ${threads} thread(s)`,
);
for (const shape of shapes.filter((one) => wanted.includes(one.name))) measure(shape);

function measure(shape: Shape): void {
  const folder = mkdtempSync(join(tmpdir(), 'pilvi-trees-'));
  try {
    writeTable(folder, makeTable(shape));
    const results = new Map<string, Run[]>(engines.map((engine) => [engine, []]));
    for (let run = 0; run < runCount; run++)
      for (const engine of engines) results.get(engine)!.push(runOnce(engine, folder, shape));
    report(shape, results);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runOnce(engine: string, folder: string, shape: Shape): Run {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const [program, ...args] =
    engine === 'ours' || engine === 'plain'
      ? [process.execPath, here('trees-ours.ts'), folder, shape.name, engine, String(threads)]
      : [python, here('trees-peers.py'), folder, JSON.stringify(shape), engine, String(threads)];
  const output = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(output.trim().split('\n').at(-1)!) as Run;
}

function report({ name }: Shape, results: Map<string, Run[]>): void {
  console.log(`\n${name} (load average ${loadavg()[0]!.toFixed(1)})`);
  const base = results.get('lightgbm');
  for (const [engine, runs] of results) {
    const seconds = median(runs.map((run) => run.seconds));
    // Ratios of neighbours in time, so that a slow minute counts on both sides.
    const ratios = (of: 'seconds' | 'cpuSeconds'): string =>
      base ? median(runs.map((run, index) => run[of] / base[index]![of])).toFixed(2) : '-';
    console.log(
      [
        engine.padEnd(10),
        `${seconds.toFixed(3)} s`,
        `best ${Math.min(...runs.map((run) => run.seconds)).toFixed(3)} s`,
        `processor ${median(runs.map((run) => run.cpuSeconds)).toFixed(3)} s`,
        `ratio ${ratios('seconds')} (processor ${ratios('cpuSeconds')})`,
        `metric ${median(runs.map((run) => run.metric)).toFixed(5)}`,
        `peak ${median(runs.map((run) => run.peakMiB)).toFixed(0)} MiB, added ${median(runs.map((run) => run.addedMiB)).toFixed(0)} MiB`,
      ].join('  '),
    );
  }
}

// How long a large model file takes to open, and how much memory: a forest of so many trees, written once, then opened
// in processes of their own. What counts is the time on the processor and the peak of resident memory above that of a
// process that only reads the file.
//   node bench/model-file.ts [TREES, 20000] [RUNS, 5]
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openModel, writeModel } from '../src/ml/model/model.ts';
import { forest, leavesOfTree } from './forest.ts';

const script = fileURLToPath(import.meta.url);
const mebibyte = 1_048_576;

interface Cost {
  cpuMs: number;
  peakMiB: number;
  /** Bytes that stay: of objects and of arrays. */
  keptMiB: number;
}

const [first, second] = process.argv.slice(2);
if (first === 'open' || first === 'read') await measure(first, second!);
else await compare(Number(first ?? 20_000), Number(second ?? 5));

async function compare(treeCount: number, runs: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));
  try {
    const path = join(folder, 'forest.pilvi');
    const file = await writeModel(forest(treeCount));
    await writeFile(path, file);
    console.log(`${treeCount} trees of ${leavesOfTree} leaves: ${(file.length / mebibyte).toFixed(1)} MiB`);
    for (const what of ['read', 'open']) {
      const costs = Array.from({ length: runs }, () => inProcess(what, path));
      const { cpuMs, peakMiB, keptMiB } = median(costs);
      console.log(`${what}: ${cpuMs} ms of CPU, peak ${peakMiB} MiB, kept ${keptMiB} MiB`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inProcess(what: string, path: string): Cost {
  const said = execFileSync(process.execPath, ['--expose-gc', script, what, path], { encoding: 'utf8' });
  return JSON.parse(said) as Cost;
}

function median(costs: Cost[]): Cost {
  const of = (field: keyof Cost): number =>
    costs.map((cost) => cost[field]).sort((a, b) => a - b)[costs.length >> 1]!;
  return { cpuMs: of('cpuMs'), peakMiB: of('peakMiB'), keptMiB: of('keptMiB') };
}

async function measure(what: 'open' | 'read', path: string): Promise<void> {
  const begun = process.cpuUsage();
  const bytes = readFileSync(path);
  const opened = what === 'open' ? await openModel(bytes) : bytes;
  const { user, system } = process.cpuUsage(begun);
  const peakMiB = Math.round(peakOfProcess() / 1024);
  globalThis.gc!();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const cost: Cost = {
    cpuMs: Math.round((user + system) / 1000),
    peakMiB,
    keptMiB: Math.round((heapUsed + arrayBuffers) / mebibyte),
  };
  if (opened === undefined) throw new Error('nothing was opened');
  console.log(JSON.stringify(cost));
}

/** In KiB. Not `resourceUsage`, which begins with the memory of the process that started this one. */
function peakOfProcess(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
}

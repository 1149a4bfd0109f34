// The memory that importing a large CSV takes: the whole task, profile included, in a process of its own.
// Usage: node bench/import-memory.ts [megabytes]
// Prints the peak resident memory of the process; goal: under 600 MiB for 2 GiB.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { writeOrders } from './orders.ts';

const megabytes = Number(process.argv[2] ?? 2147);
const folder = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));
try {
  const path = join(folder, 'orders.csv');
  await writeOrders(path, megabytes * 1e6);
  const bench = new URL('./import.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [bench, 'pilvi', path]);
  const { seconds, peakMiB } = JSON.parse(stdout) as { seconds: number; peakMiB: number };
  console.log(
    `${megabytes} MB imported in ${seconds.toFixed(1)} s, peak ${peakMiB.toFixed(0)} MiB; goal < 600 MiB`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

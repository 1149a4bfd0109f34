// How long `pilvi up` takes on an initialised home until /readyz answers 200, and what it holds in memory when idle.
// Measures what people start, so build it first. Usage: npm run build && node bench/startup.ts [runs]
// Prints the median over the runs, and the resident memory of the server process (VmRSS) after ten idle seconds.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './averages.ts';

const runs = Number(process.argv[2] ?? 7);
const entry = new URL('../dist/pilvi.js', import.meta.url).pathname;
const home = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));

const port = await freePort();
const firstMs = await start(0);
const readyMs: number[] = [];
for (let run = 0; run < runs; run++) readyMs.push(await start(0));
let residentMiB = 0;
await start(10_000, async (server) => {
  residentMiB = await residentMemoryMiB(server.pid!);
});
await rm(home, { recursive: true, force: true });

console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
console.log(`first start (makes the home):       ${(firstMs / 1000).toFixed(2)} s`);
console.log(
  `start on an initialised home:       ${(median(readyMs) / 1000).toFixed(2)} s median of ${runs} (${readyMs.map((ms) => (ms / 1000).toFixed(2)).join(', ')}); goal < 1.5 s`,
);
console.log(`resident memory, idle for 10 s:     ${residentMiB.toFixed(0)} MiB; goal < 450 MiB`);

/** Starts the server, waits until it is ready, idles, looks, stops it. Returns the milliseconds until ready. */
async function start(idleMs: number, look?: (server: ChildProcess) => Promise<void>): Promise<number> {
  const begun = performance.now();
  const server = spawn(process.execPath, [entry, 'up'], {
    env: { PATH: process.env.PATH, PILVI_HOME: home, PILVI_PORT: String(port), PILVI_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(server, 'exit');
  try {
    for (;;) {
      if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`);
      const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready) break;
      if (performance.now() - begun > 120_000) throw new Error('the server was not ready within 120 s');
      await sleep(5);
    }
    const readyAfterMs = performance.now() - begun;
    await sleep(idleMs);
    await look?.(server);
    return readyAfterMs;
  } finally {
    server.kill('SIGTERM');
    await exited;
  }
}

async function residentMemoryMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

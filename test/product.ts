// The product as its users start it: `pilvi up` in a process of its own, with a home folder of its own.
// Tests and benches drive it from outside, and may kill it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../src/sdk/client.ts';
import type { Client } from '../src/sdk/types.ts';

const entry = new URL('../src/programs/cli/pilvi.ts', import.meta.url).pathname;
const bootstrapToken = 'a-token-of-the-test-that-nobody-else-knows';

/** A home with a server that can be started and ended many times. */
export interface Product {
  home: string;
  url: string;
  /** Signed in as the owner by the bootstrap token. */
  client: Client;
  token: string;
  /** What the running server printed so far. */
  output(): string;
  processId(): number;
  start(): Promise<void>;
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>;
  /** SIGKILL: nothing of its own runs any more. */
  kill(): Promise<void>;
  /** Stops it and removes the home. */
  close(): Promise<void>;
}

/** Starts the product in a fresh home. */
export async function startProduct(environment: Record<string, string> = {}): Promise<Product> {
  const home = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let server: ChildProcess | undefined;
  let printed = '';

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  }

  const product: Product = {
    home,
    url,
    token: bootstrapToken,
    client: createClient({ baseUrl: url, token: bootstrapToken }),
    output: () => printed,
    processId: () => server!.pid!,
    async start() {
      printed = '';
      server = spawn(process.execPath, [entry, 'up'], {
        env: {
          PATH: process.env.PATH,
          HOME: home,
          PILVI_HOME: home,
          PILVI_PORT: String(port),
          PILVI_BOOTSTRAP_TOKEN: bootstrapToken,
          PILVI_LOG_LEVEL: 'warn',
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [server.stdout!, server.stderr!])
        stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      await untilReady(url, server, () => printed);
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async close() {
      await end('SIGTERM');
      await rm(home, { recursive: true, force: true });
    },
  };
  await product.start();
  return product;
}

/** The command lines of living processes that mention `text`, such as a home folder. */
export async function processesMentioning(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const [commandLine, environment] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')),
    );
    if (`${commandLine}${environment}`.includes(text))
      found.push(`${name}: ${commandLine!.replaceAll('\0', ' ')}`);
  }
  return found;
}

/** Waits until `condition` holds, at most `limitMs`; then throws with `what`. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const giveUpAtMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAtMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await sleep(50);
  }
}

async function untilReady(url: string, server: ChildProcess, output: () => string): Promise<void> {
  for (const begun = performance.now(); performance.now() - begun < 90_000;) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}:\n${output()}`);
    if (
      await fetch(`${url}/readyz`).then(
        (response) => response.ok,
        () => false,
      )
    )
      return;
    await sleep(20);
  }
  throw new Error(`the server was not ready in time:\n${output()}`);
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

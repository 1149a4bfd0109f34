// Runs the real command line as a process, for tests. Not part of the program.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The home of every run that names none; it goes when the tests end. */
const home = mkdtempSync(join(tmpdir(), 'pilvi-test-home-'));
process.once('exit', () => rmSync(home, { recursive: true, force: true }));

const entry = fileURLToPath(new URL('./pilvi.ts', import.meta.url));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  environment?: Record<string, string>;
  /** Sends Ctrl-C when this text has appeared on stderr. */
  interruptAt?: string;
}

/** Runs `pilvi ARGS` to its end. */
export async function runPilvi(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: options.cwd,
    env: {
      PATH: process.env.PATH,
      HOME: options.cwd ?? tmpdir(),
      TMPDIR: options.cwd ?? tmpdir(),
      PILVI_HOME: home,
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let isInterrupted = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (!isInterrupted && options.interruptAt !== undefined && stderr.includes(options.interruptAt)) {
      isInterrupted = child.kill('SIGINT');
    }
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** A temporary folder, removed when disposed. */
export async function temporaryFolder(): Promise<
  AsyncDisposable & { path: string; at: (name: string) => string }
> {
  const path = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  return {
    path,
    at: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

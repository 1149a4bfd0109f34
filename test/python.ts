// Python with packages of other people's, for tests that meet them: a virtual environment below node_modules/.cache, made
// once. Nothing of it is part of the product.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Packages by the name of their environment: one that is there is taken as it is, so other packages take another name. */
const environments = {
  /** An S3 server, and AWS's own client. */
  'moto-5.2.5': ['moto[s3]==5.2.5', 'flask', 'flask-cors'],
  /** Triton's client over HTTP. */
  'tritonclient-2.73.0': ['tritonclient[http]==2.73.0'],
};
export type PythonEnvironment = keyof typeof environments;

/** The folder of an environment's programs, installed if need be; undefined where Python or a package is missing. */
export function pythonPrograms(name: PythonEnvironment): string | undefined {
  const folder = fileURLToPath(new URL(`../node_modules/.cache/pilvi/${name}`, import.meta.url));
  const programs = join(folder, 'bin');
  // Written last: an installation that was cut off is made anew.
  const isWhole = join(folder, 'whole');
  if (existsSync(isWhole)) return programs;
  try {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
    const install = ['install', '--quiet', '--disable-pip-version-check', ...environments[name]];
    execFileSync(join(programs, 'pip'), install, { stdio: ['ignore', 'ignore', 'inherit'] });
    writeFileSync(isWhole, '');
    return programs;
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
}

/** Runs a script, which gets `given` as its one argument and prints JSON. Throws with what it wrote when it fails. */
export async function runPython(programs: string, script: string, given: unknown): Promise<unknown> {
  const child = spawn(join(programs, 'python'), ['-c', script, JSON.stringify(given)], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the script ended with ${code}: ${errors}`);
  return JSON.parse(output);
}

// Python with the peers that a benchmark compares with: a virtual environment in node_modules/.cache, which is made
// unless it is there.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The interpreter of an environment that has these packages of PyPI; those that it lacks are installed by pip. */
export function pythonWith(packages: readonly string[], environment = 'peers'): string {
  const folder = fileURLToPath(new URL(`../node_modules/.cache/python-${environment}`, import.meta.url));
  const program = join(folder, 'bin', 'python');
  if (!existsSync(program)) execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  if (!hasPackages(program, packages))
    execFileSync(program, ['-m', 'pip', 'install', '--quiet', ...packages], { stdio: 'inherit' });
  return program;
}

function hasPackages(program: string, packages: readonly string[]): boolean {
  const script =
    'import sys; from importlib.metadata import version; [version(name) for name in sys.argv[1:]]';
  try {
    execFileSync(program, ['-c', script, ...packages], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

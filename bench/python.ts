// Python with LightGBM and scikit-learn, for the benchmarks that compare with them.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The Python of a virtual environment in node_modules/.cache, which is made unless it is there. */
export function pythonWithLightgbm(): string {
  const folder = fileURLToPath(new URL('../node_modules/.cache/trees-bench', import.meta.url));
  const program = join(folder, 'bin', 'python');
  if (!existsSync(program)) {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(program, ['-m', 'pip', 'install', '--quiet', 'lightgbm', 'numpy', 'scikit-learn'], {
      stdio: 'inherit',
    });
  }
  return program;
}

// The Python environment of the benches that compare trees with other libraries.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = [
  'lightgbm',
  'xgboost-cpu',
  'numpy',
  'scikit-learn',
  'onnxmltools',
  'skl2onnx',
  'onnxruntime',
];

/** The interpreter of a virtual environment with all peers, which is made unless it is there. */
export function pythonWithPeers(): string {
  const folder = fileURLToPath(new URL('../node_modules/.cache/trees-bench', import.meta.url));
  const program = join(folder, 'bin', 'python');
  if (!existsSync(program)) execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  try {
    execFileSync(program, ['-c', 'import lightgbm, xgboost, sklearn, onnxmltools, onnxruntime'], {
      stdio: 'ignore',
    });
  } catch {
    execFileSync(program, ['-m', 'pip', 'install', '--quiet', ...packages], { stdio: 'inherit' });
  }
  return program;
}

// Batch prediction of boosted trees: microseconds a row for 100 trees of 31 leaves over 28 numbers, by the walk in
// WebAssembly and by its plain twin, beside LightGBM's own prediction and onnxruntime's. Goal: at most 2.
// Usage: node bench/trees-predict.ts [peers, which installs them by pip the first time]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../src/base/random.ts';
import { systemClock } from '../src/base/time.ts';
import { boostedTrees } from '../src/ml/learners/boosted-trees.ts';
import { pauseBy } from '../src/ml/learners/learner.ts';
import { applyTrees, type TreesModel } from '../src/ml/model/trees.ts';
import { walkTrees } from '../src/ml/model/walk.ts';
import { pythonWith } from './python.ts';

const rowCount = 20_000;
const featureCount = 28;
const random = seededRandom(1);
const rows = Float64Array.from({ length: rowCount * featureCount }, () => random.next());
const at = (row: number, feature: number): number => rows[row * featureCount + feature]!;
const columns = Array.from({ length: featureCount }, (_, feature) =>
  Float64Array.from({ length: rowCount }, (_row, row) => at(row, feature)),
);
const target = Float64Array.from({ length: rowCount }, (_, row) =>
  columns.reduce(
    (sum, column, index) => sum + Math.sin(index + 6 * column[row]!) * at(row, (index * 5) % 28),
    0,
  ),
);
const { model } = await boostedTrees.train({
  table: {
    rowCount,
    features: columns.map((_, index) => ({
      name: `${index}`,
      column: `${index}`,
      kind: 'number',
      levelCount: 0,
    })),
    columns,
  },
  task: 'regression',
  target,
  classCount: 0,
  rows: Int32Array.from({ length: rowCount }, (_, row) => row),
  hyperparameters: { iterations: 100, maxLeaves: 31, learningRate: 0.1 },
  seed: 1,
  control: { clock: systemClock, pause: pauseBy(systemClock) },
});
const trees = model as TreesModel;
console.log(
  `machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, load average ${loadavg()[0]!.toFixed(1)}`,
);
console.log(`${trees.roots.length} trees, ${trees.leafValues.length / trees.roots.length} leaves each`);
for (const [name, run] of [
  ['walk', walkTrees],
  ['plain', applyTrees],
] as const) {
  const times: number[] = [];
  for (let repeat = 0; repeat < 15; repeat++) {
    const begun = process.cpuUsage();
    run(trees, { rows, rowCount, featureCount }, new Float64Array(rowCount));
    const used = process.cpuUsage(begun);
    times.push((used.user + used.system) / rowCount);
  }
  times.sort((a, b) => a - b);
  console.log(
    `${name.padEnd(12)} median ${times[7]!.toFixed(2)}, best ${times[0]!.toFixed(2)} processor microseconds a row`,
  );
}

if (process.argv[2] === 'peers') {
  const folder = mkdtempSync(join(tmpdir(), 'pilvi-predict-'));
  try {
    writeFileSync(join(folder, 'rows.bin'), rows);
    writeFileSync(join(folder, 'target.bin'), target);
    const script = fileURLToPath(new URL('trees-predict-peers.py', import.meta.url));
    execFileSync(
      pythonWith(['lightgbm', 'onnxmltools', 'skl2onnx', 'onnxruntime']),
      [script, folder, `${featureCount}`],
      { stdio: 'inherit' },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

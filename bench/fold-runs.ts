// Learners on the folds of a public data set, ours and those of a Python peer, and what each scored on the rows that it
// did not see.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/base/time.ts';
import { copyFeatureRows } from '../src/ml/frame/encoding.ts';
import { pauseBy, type Hyperparameters, type Learner } from '../src/ml/learners/learner.ts';
import { metricFor } from '../src/ml/metrics/metrics.ts';
import { applyModel, outputCountOf } from '../src/ml/model/row-model.ts';
import { mean } from './averages.ts';
import type { DataSet, LoadedSet } from './categorical-data.ts';

/** One fold: class shares or values for its validation rows, and what learning took. */
export interface FoldRun {
  cpuSeconds: number;
  predictions: ArrayLike<number>;
}

/** What one fold learns from, and what stops it. */
type FoldRows = (training: Int32Array) => { rows: Int32Array; validationRows?: Int32Array };

/** One of our learners on every fold, without early stopping unless `rowsOf` says from which rows. */
export async function ourRuns(
  { train }: Learner,
  { set: { task }, data }: { set: DataSet; data: LoadedSet },
  hyperparameters: Hyperparameters,
  rowsOf: FoldRows = (rows) => ({ rows }),
): Promise<FoldRun[]> {
  const { table, target, classCount, folds } = data;
  const runs: FoldRun[] = [];
  for (const { training, validation } of folds) {
    const begun = process.cpuUsage();
    const { model } = await train({
      // A new object each time, because bins are remembered with their table.
      table: { ...table },
      task,
      target,
      classCount,
      ...rowsOf(training),
      hyperparameters,
      seed: 1,
      control: { clock: systemClock, pause: pauseBy(systemClock) },
    });
    const used = process.cpuUsage(begun);
    const featureCount = table.features.length;
    const rows = new Float64Array(validation.length * featureCount);
    copyFeatureRows(table, validation, rows);
    const predictions = new Float64Array(validation.length * outputCountOf(task, classCount));
    applyModel(model, { rows, rowCount: validation.length, featureCount }, predictions);
    runs.push({ cpuSeconds: (used.user + used.system) / 1e6, predictions });
  }
  return runs;
}

/** Runs a Python script of this folder on the folds; returns what its last line says, as JSON. */
export function peerRuns(
  { python, script, words = [] }: { python: string; script: string; words?: readonly string[] },
  { set: { task }, data }: { set: DataSet; data: LoadedSet },
  features: readonly { kind: string; values: ArrayLike<unknown> }[],
): unknown {
  const temporary = mkdtempSync(join(tmpdir(), 'pilvi-bench-'));
  try {
    const file = join(temporary, 'data.json');
    const folds = data.folds.map(({ training, validation }) => ({
      training: [...training],
      validation: [...validation],
    }));
    writeFileSync(file, JSON.stringify({ task, target: [...data.target], folds, features }));
    const path = fileURLToPath(new URL(script, import.meta.url));
    const output = execFileSync(python, [path, file, ...words], {
      encoding: 'utf8',
      maxBuffer: 1e9,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
    });
    return JSON.parse(output.trim().split('\n').at(-1)!);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Prints means over the folds. */
export function report(
  name: string,
  { set: { task }, data }: { set: DataSet; data: LoadedSet },
  runs: readonly FoldRun[],
): void {
  const { target, classCount, folds } = data;
  const metrics = task === 'regression' ? ['rmse'] : task === 'binary' ? ['auc', 'log-loss'] : ['log-loss'];
  const scores = metrics.map((metric) => {
    const values = runs.map(({ predictions }, fold) => {
      const actual = Float64Array.from(folds[fold]!.validation, (row) => target[row]!);
      const probabilities = Float64Array.from(predictions);
      const scored = { task, actual, predicted: probabilities, probabilities, classCount, positiveClass: 1 };
      return metricFor(metric, task).compute(scored);
    });
    return `${metric} ${mean(values).toPrecision(6)}`;
  });
  const seconds = mean(runs.map((run) => run.cpuSeconds));
  console.log([name.padEnd(22), ...scores, `processor ${seconds.toFixed(2)} s`].join('  '));
}

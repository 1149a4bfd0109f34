// Categorical boosting against CatBoost, and against Pilvi's boosted trees: public data sets with categories, the same
// folds, the same number of iterations, each with its own settings, one thread, no early stopping.
// Usage: node bench/categorical-boosting.ts FOLDER [iterations = 300] [sets = all, or names with commas] [folds = 3] [seed = 11]
// FOLDER holds the data sets as bench/categorical-data.ts names them. CatBoost is installed into node_modules/.cache by
// pip the first time; Python 3 must be there. CatBoost gets the categories themselves, Pilvi its own encoding of them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/base/time.ts';
import { copyFeatureRow } from '../src/ml/frame/encoding.ts';
import { boostedTrees } from '../src/ml/learners/boosted-trees.ts';
import { categoricalBoosting } from '../src/ml/learners/categorical-boosting.ts';
import { pauseBy, type Learner } from '../src/ml/learners/learner.ts';
import { metricFor } from '../src/ml/metrics/metrics.ts';
import { applyModel, outputCountOf } from '../src/ml/model/row-model.ts';
import { dataSets, loadSet, type DataSet, type LoadedSet } from './categorical-data.ts';
import { pythonWith } from './python.ts';

/** One fold: class shares or values for its validation rows, and what learning took. */
interface Run {
  cpuSeconds: number;
  predictions: ArrayLike<number>;
}

const [folder, iterationsText, setsText, foldsText, seedText] = process.argv.slice(2);
if (!folder)
  throw new Error('Usage: node bench/categorical-boosting.ts FOLDER [iterations] [sets] [folds] [seed]');
const iterations = Number(iterationsText ?? 300);
const wanted = setsText && setsText !== 'all' ? setsText.split(',') : dataSets.map((set) => set.name);
const foldCount = Number(foldsText ?? 3);
const seed = Number(seedText ?? 11);
const python = pythonWith(['catboost']);

console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
for (const set of dataSets.filter((one) => wanted.includes(one.name))) {
  const data = loadSet(folder, set, { foldCount, seed });
  console.log(
    `\n${set.name}: ${data.table.rowCount} rows, ${data.table.features.length} features, ${data.texts.size} of them categories (load average ${loadavg()[0]!.toFixed(1)})`,
  );
  report('catboost', set, data, catboostRuns(set, data));
  report('categorical-boosting', set, data, await ourRuns(categoricalBoosting, set, data));
  report('boosted-trees', set, data, await ourRuns(boostedTrees, set, data));
}

async function ourRuns(learner: Learner, { task }: DataSet, data: LoadedSet): Promise<Run[]> {
  const { table, target, classCount, folds } = data;
  const runs: Run[] = [];
  for (const { training, validation } of folds) {
    const begun = process.cpuUsage();
    const { model } = await learner.train({
      // A new object each time, because bins are remembered with their table.
      table: { ...table },
      task,
      target,
      classCount,
      rows: training,
      hyperparameters: { iterations },
      seed: 1,
      control: { clock: systemClock, pause: pauseBy(systemClock) },
    });
    const used = process.cpuUsage(begun);
    const featureCount = table.features.length;
    const rows = new Float64Array(validation.length * featureCount);
    validation.forEach((row, index) =>
      copyFeatureRow(table, row, rows.subarray(index * featureCount, (index + 1) * featureCount)),
    );
    const predictions = new Float64Array(validation.length * outputCountOf(task, classCount));
    applyModel(model, { rows, rowCount: validation.length, featureCount }, predictions);
    runs.push({ cpuSeconds: (used.user + used.system) / 1e6, predictions });
  }
  return runs;
}

function catboostRuns({ task }: DataSet, { table, texts, target, folds }: LoadedSet): Run[] {
  const temporary = mkdtempSync(join(tmpdir(), 'pilvi-categorical-'));
  try {
    const file = join(temporary, 'data.json');
    const features = table.features.map(({ kind }, index) => ({
      kind,
      values: texts.get(index) ?? Array.from(table.columns[index]!),
    }));
    const indices = folds.map(({ training, validation }) => ({
      training: [...training],
      validation: [...validation],
    }));
    writeFileSync(file, JSON.stringify({ task, target: [...target], folds: indices, features }));
    const script = fileURLToPath(new URL('categorical-catboost.py', import.meta.url));
    const output = execFileSync(python, [script, file, String(iterations)], {
      encoding: 'utf8',
      maxBuffer: 1e9,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return JSON.parse(output.trim().split('\n').at(-1)!) as Run[];
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Means over the folds. */
function report(
  engine: string,
  { task }: DataSet,
  { target, classCount, folds }: LoadedSet,
  runs: Run[],
): void {
  const names = task === 'regression' ? ['rmse'] : task === 'binary' ? ['auc', 'log-loss'] : ['log-loss'];
  const scores = names.map((name) => {
    const scored = runs.map(({ predictions }, fold) => {
      const actual = Float64Array.from(folds[fold]!.validation, (row) => target[row]!);
      const probabilities = Float64Array.from(predictions);
      return { task, actual, predicted: probabilities, probabilities, classCount, positiveClass: 1 };
    });
    return `${name} ${mean(scored.map((one) => metricFor(name, task).compute(one))).toPrecision(6)}`;
  });
  const seconds = mean(runs.map((run) => run.cpuSeconds));
  console.log([engine.padEnd(22), ...scores, `processor ${seconds.toFixed(2)} s`].join('  '));
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

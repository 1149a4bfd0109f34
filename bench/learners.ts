// The learners that are not trees beside scikit-learn's: public data sets, the same folds, each with its own defaults
// (penalties and neighbours alike). Networks stop early by a tenth of their training rows, as scikit-learn's do.
// Usage: node bench/learners.ts FOLDER [sets = all, or names with commas] [folds = 3] [seed = 11]
// FOLDER holds the data sets by name. scikit-learn is installed into node_modules/.cache by pip the first time; Python 3
// must be there. Both get Pilvi's encoding; scikit-learn's is then standardised, filled and one-hot.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seededRandom, shuffle } from '../src/base/random.ts';
import { systemClock } from '../src/base/time.ts';
import { copyFeatureRow } from '../src/ml/frame/encoding.ts';
import { pauseBy, type Hyperparameters } from '../src/ml/learners/learner.ts';
import { learnerNamed } from '../src/ml/learners/learners.ts';
import { metricFor } from '../src/ml/metrics/metrics.ts';
import { applyModel, outputCountOf } from '../src/ml/model/row-model.ts';
import { loadSet, type DataSet, type LoadedSet } from './categorical-data.ts';
import { pythonWith } from './python.ts';

/** One fold: class shares or values for its validation rows, and what learning took. */
interface Run {
  cpuSeconds: number;
  predictions: ArrayLike<number>;
}

const set = (name: string, target: string, task: DataSet['task'], without: string[] = []): DataSet => ({
  name,
  file: `${name}/data.csv`,
  target,
  task,
  without,
});
const sets: readonly DataSet[] = [
  set('german_credit', 'default', 'binary'),
  set('titanic', 'Survived', 'binary', ['PassengerId', 'Name']),
  set('breast_cancer_wdbc', 'diagnosis', 'binary'),
  set('telco_churn', 'churn', 'binary'),
  set('wine_cultivar', 'cultivar', 'multiclass'),
  set('penguins', 'species', 'multiclass'),
  set('insurance_charges', 'charges', 'regression'),
  set('energy_efficiency', 'Heating Load', 'regression', ['Cooling Load']),
  set('wine_quality', 'quality', 'regression'),
  set('california_housing', 'target', 'regression'),
];
/** Settings where they differ from the defaults, by the name that scikit-learn's script knows. */
const contestants: Record<string, { learner: string; hyperparameters: Hyperparameters }> = {
  linear: { learner: 'linear', hyperparameters: {} },
  'linear, L1': { learner: 'linear', hyperparameters: { l1: 3, l2: 0 } },
  'naive-bayes': { learner: 'naive-bayes', hyperparameters: {} },
  neighbours: { learner: 'neighbours', hyperparameters: {} },
  network: { learner: 'network', hyperparameters: {} },
  'boosted-trees': { learner: 'boosted-trees', hyperparameters: {} },
};

const [folder, setsText, foldsText, seedText] = process.argv.slice(2);
if (!folder) throw new Error('Usage: node bench/learners.ts FOLDER [sets] [folds] [seed]');
const wanted = setsText && setsText !== 'all' ? setsText.split(',') : sets.map(({ name }) => name);
const foldCount = Number(foldsText ?? 3);
const seed = Number(seedText ?? 11);
const python = pythonWith(['scikit-learn']);

console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
for (const one of sets.filter(({ name }) => wanted.includes(name))) {
  const data = loadSet(folder, one, { foldCount, seed });
  const { rowCount, features } = data.table;
  console.log(
    `\n${one.name}: ${rowCount} rows, ${features.length} features (load average ${loadavg()[0]!.toFixed(1)})`,
  );
  const peers = peerRuns(one, data);
  for (const name of Object.keys(contestants)) {
    const { learner } = contestants[name]!;
    if (!learnerNamed(learner).spec.tasks.includes(one.task)) continue;
    report(`${name}`, one, data, await ourRuns(name, one, data));
    if (peers[name]) report('  scikit-learn', one, data, peers[name]);
  }
}

async function ourRuns(name: string, { task }: DataSet, data: LoadedSet): Promise<Run[]> {
  const { table, target, classCount, folds } = data;
  const { learner, hyperparameters } = contestants[name]!;
  const { spec, train } = learnerNamed(learner);
  const runs: Run[] = [];
  for (const { training, validation } of folds) {
    const begun = process.cpuUsage();
    const stopping = spec.abilities.earlyStopping ? Math.ceil(training.length / 10) : 0;
    const order = shuffle(training.slice(), seededRandom(seed));
    const { model } = await train({
      // A new object each time, because bins are remembered with their table.
      table: { ...table },
      task,
      target,
      classCount,
      rows: order.slice(stopping),
      ...(stopping > 0 && { validationRows: order.slice(0, stopping) }),
      hyperparameters,
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

/** By contestant. */
function peerRuns({ task }: DataSet, { table, target, folds }: LoadedSet): Record<string, Run[]> {
  const temporary = mkdtempSync(join(tmpdir(), 'pilvi-learners-'));
  try {
    const file = join(temporary, 'data.json');
    const features = table.features.map(({ kind }, index) => ({
      kind,
      values: Array.from(table.columns[index]!),
    }));
    const indices = folds.map(({ training, validation }) => ({
      training: [...training],
      validation: [...validation],
    }));
    writeFileSync(file, JSON.stringify({ task, target: [...target], folds: indices, features }));
    const script = fileURLToPath(new URL('learners-sklearn.py', import.meta.url));
    const output = execFileSync(python, [script, file], {
      encoding: 'utf8',
      maxBuffer: 1e9,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
    });
    return JSON.parse(output.trim().split('\n').at(-1)!) as Record<string, Run[]>;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Means over the folds. */
function report(
  name: string,
  { task }: DataSet,
  { target, classCount, folds }: LoadedSet,
  runs: Run[],
): void {
  const metrics = task === 'regression' ? ['rmse'] : task === 'binary' ? ['auc', 'log-loss'] : ['log-loss'];
  const scores = metrics.map((metric) => {
    const values = runs.map(({ predictions }, fold) => {
      const actual = Float64Array.from(folds[fold]!.validation, (row) => target[row]!);
      const probabilities = Float64Array.from(predictions);
      const scored = { task, actual, predicted: probabilities, probabilities, classCount, positiveClass: 1 };
      return metricFor(metric, task).compute(scored);
    });
    return `${metric} ${mean(values).toPrecision(4)}`;
  });
  const seconds = mean(runs.map((run) => run.cpuSeconds));
  console.log([name.padEnd(16), ...scores, `processor ${seconds.toFixed(2)} s`].join('  '));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

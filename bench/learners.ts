// The learners that are not trees beside scikit-learn's: public data sets, the same folds, each with its own defaults
// (penalties and neighbours alike). Networks stop early by a tenth of their training rows, as scikit-learn's do.
// Usage: node bench/learners.ts FOLDER [sets = all, or names with commas] [folds = 3] [seed = 11]
// FOLDER holds the data sets by name. scikit-learn is installed into node_modules/.cache by pip the first time; Python 3
// must be there. Both get Pilvi's encoding; scikit-learn's is then standardised, filled and one-hot.
import { cpus, loadavg } from 'node:os';
import { seededRandom, shuffle } from '../src/base/random.ts';
import type { Hyperparameters } from '../src/ml/learners/learner.ts';
import { learnerNamed } from '../src/ml/learners/learners.ts';
import { loadSet, type DataSet } from './categorical-data.ts';
import { ourRuns, peerRuns, report, type FoldRun } from './fold-runs.ts';
import { pythonWith } from './python.ts';

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
  const on = { set: one, data };
  const plain = features.map(({ kind }, index) => ({ kind, values: Array.from(data.table.columns[index]!) }));
  const sklearn = { python, script: 'learners-sklearn.py' };
  const peers = peerRuns(sklearn, on, plain) as Record<string, FoldRun[]>;
  for (const [name, contestant] of Object.entries(contestants)) {
    const learner = learnerNamed(contestant.learner);
    const { tasks, abilities } = learner.spec;
    if (!tasks.includes(one.task)) continue;
    const rowsOf = abilities.earlyStopping ? withTenth : undefined;
    report(name, on, await ourRuns(learner, on, contestant.hyperparameters, rowsOf));
    if (peers[name]) report('  scikit-learn', on, peers[name]);
  }
}

/** A tenth of the rows stops the training. */
function withTenth(training: Int32Array): { rows: Int32Array; validationRows: Int32Array } {
  const order = shuffle(training.slice(), seededRandom(seed));
  const stopping = Math.ceil(training.length / 10);
  return { rows: order.slice(stopping), validationRows: order.slice(0, stopping) };
}

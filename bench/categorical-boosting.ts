// Categorical boosting against CatBoost, and against Pilvi's boosted trees: public data sets with categories, the same
// folds, the same number of iterations, each with its own settings, one thread, no early stopping.
// Usage: node bench/categorical-boosting.ts FOLDER [iterations = 300] [sets = all, or names with commas] [folds = 3] [seed = 11]
// FOLDER holds the data sets as bench/categorical-data.ts names them. CatBoost is installed into node_modules/.cache by
// pip the first time; Python 3 must be there. CatBoost gets the categories themselves, Pilvi its own encoding of them.
import { cpus, loadavg } from 'node:os';
import { boostedTrees } from '../src/ml/learners/boosted-trees.ts';
import { categoricalBoosting } from '../src/ml/learners/categorical-boosting.ts';
import { dataSets, loadSet } from './categorical-data.ts';
import { ourRuns, peerRuns, report, type FoldRun } from './fold-runs.ts';
import { pythonWith } from './python.ts';

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
  const on = { set, data };
  const features = data.table.features.map(({ kind }, index) => ({
    kind,
    values: data.texts.get(index) ?? Array.from(data.table.columns[index]!),
  }));
  const catboost = { python, script: 'categorical-catboost.py', words: [String(iterations)] };
  report('catboost', on, peerRuns(catboost, on, features) as FoldRun[]);
  for (const learner of [categoricalBoosting, boostedTrees])
    report(learner.spec.name, on, await ourRuns(learner, on, { iterations }));
}

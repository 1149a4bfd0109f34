// Whether rounded gradients cost quality: boosted trees against LightGBM, by default and with its own rounding, on public
// data sets, the same features, folds and settings. Prints medians over the folds, and the differences fold by fold.
// Usage: node bench/trees-quality.ts FOLDER [sets = all, or names with commas] [folds = 5] [seeds of folds = 11, with commas]
// FOLDER holds the data sets as listed below. LightGBM is installed into node_modules/.cache by pip the first time;
// Python 3 must be there. It gets Pilvi's encoding of the columns, with codes of categories told apart from numbers.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boostedTrees } from '../src/ml/learners/boosted-trees.ts';
import { metricFor } from '../src/ml/metrics/metrics.ts';
import { mean, median } from './averages.ts';
import { dataSets, loadSet, type DataSet, type LoadedSet } from './categorical-data.ts';
import { ourRuns } from './fold-runs.ts';
import { pythonWith } from './python.ts';

const settings = { iterations: 100, learningRate: 0.1, maxLeaves: 31, minRowsPerLeaf: 20, l2: 0 };
const engines = ['ours', 'lightgbm', 'quantised'] as const;
const numbers = { task: 'regression' as const, without: [] };
const sets: readonly DataSet[] = [
  ...dataSets.filter(({ name }) =>
    [
      'adult',
      'bank_marketing',
      'telco_churn',
      'hotel_rates',
      'diamonds',
      'diamonds cut',
      'adult occupation',
    ].includes(name),
  ),
  {
    name: 'ai4i2020',
    file: 'ai4i2020/data.csv',
    target: 'Machine failure',
    task: 'binary',
    without: ['UDI', 'Product ID', 'TWF', 'HDF', 'PWF', 'OSF', 'RNF'],
  },
  { ...numbers, name: 'california_housing', file: 'california_housing/data.csv', target: 'target' },
  { ...numbers, name: 'bike_sharing_hour', file: 'bike_sharing_hour/data.csv', target: 'cnt' },
  { ...numbers, name: 'wine_quality', file: 'wine_quality/data.csv', target: 'quality' },
  {
    ...numbers,
    name: 'wine_quality classes',
    file: 'wine_quality/data.csv',
    target: 'quality',
    task: 'multiclass',
  },
  { ...numbers, name: 'nyc_taxis', file: 'nyc_taxis/data.csv', target: 'fare', without: ['tip', 'total'] },
];

type Predictions = ArrayLike<number>;

const [folder, setsText, foldsText, seedsText] = process.argv.slice(2);
if (!folder) throw new Error('Usage: node bench/trees-quality.ts FOLDER [sets] [folds] [seeds]');
const wanted = setsText && setsText !== 'all' ? setsText.split(',') : sets.map((set) => set.name);
const seeds = (seedsText ?? '11').split(',').map(Number);
const python = pythonWith(['lightgbm']);

console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
console.log(
  'differences: Pilvi minus LightGBM, mean over the folds and its standard error; above zero is better\n',
);
/** Differences from each peer, of all folds of all sets. */
const all = new Map<string, number[]>();
for (const set of sets.filter((one) => wanted.includes(one.name))) {
  const scores = new Map<string, number[]>();
  for (const seed of seeds)
    await addScores(set, loadSet(folder, set, { foldCount: Number(foldsText ?? 5), seed }), scores);
  report(set, scores);
}
for (const [name, values] of all) {
  const better = values.filter((value) => value > 0).length;
  console.log(
    `all folds, ${name}: median ${signed(median(values))}, better in ${better} of ${values.length}`,
  );
}

/** Adds each fold's scores, by measure and engine. */
async function addScores(set: DataSet, data: LoadedSet, scores: Map<string, number[]>): Promise<void> {
  const peers = peerPredictions(set, data);
  const ours = await ourRuns(boostedTrees, { set, data }, { ...settings, featureShare: 1 });
  for (const [fold, rows] of data.folds.entries()) {
    const byEngine = {
      ours: ours[fold]!.predictions,
      lightgbm: peers.lightgbm[fold]!,
      quantised: peers.quantised[fold]!,
    };
    const actual = Float64Array.from(rows.validation, (row) => data.target[row]!);
    for (const engine of engines)
      for (const [name, score] of measured(set, actual, byEngine[engine], data.classCount)) {
        const key = `${name} ${engine}`;
        scores.set(key, [...(scores.get(key) ?? []), score]);
      }
  }
}

/** Measures of one fold. Errors of numbers are in standard deviations of the truth; losses and errors carry a minus. */
function measured(
  { task }: DataSet,
  actual: Float64Array,
  predictions: Predictions,
  classCount: number,
): [string, number][] {
  const predicted = Float64Array.from(predictions);
  const scored = { task, actual, predicted, probabilities: predicted, classCount, positiveClass: 1 };
  const of = (name: string): number => metricFor(name, task).compute(scored);
  if (task === 'regression') return [['error', -of('rmse') / deviation(actual)]];
  return [
    ...(task === 'binary' ? [['auc', of('auc')] as [string, number]] : []),
    ['log loss', -of('log-loss')],
  ];
}

function peerPredictions(
  { task }: DataSet,
  data: LoadedSet,
): Record<'lightgbm' | 'quantised', Predictions[]> {
  const { table, target, classCount, folds } = data;
  const temporary = mkdtempSync(join(tmpdir(), 'pilvi-quality-'));
  try {
    table.columns.forEach((column, index) =>
      writeFileSync(join(temporary, `${index}.bin`), Float64Array.from(column)),
    );
    const categories = table.features.flatMap(({ kind }, index) => (kind === 'category' ? [index] : []));
    const indices = folds.map(({ training, validation }) => ({
      training: [...training],
      validation: [...validation],
    }));
    const featureCount = table.features.length;
    const description = {
      task,
      settings,
      classCount,
      target: [...target],
      folds: indices,
      categories,
      featureCount,
    };
    writeFileSync(join(temporary, 'data.json'), JSON.stringify(description));
    const script = fileURLToPath(new URL('trees-quality-peers.py', import.meta.url));
    const output = execFileSync(python, [script, temporary], {
      encoding: 'utf8',
      maxBuffer: 1e9,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return JSON.parse(output.trim().split('\n').at(-1)!) as Record<'lightgbm' | 'quantised', Predictions[]>;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function report({ name }: DataSet, scores: Map<string, number[]>): void {
  for (const measure of ['auc', 'log loss', 'error']) {
    const ours = scores.get(`${measure} ours`);
    if (!ours) continue;
    const parts = engines.map(
      (engine) => `${engine} ${median(scores.get(`${measure} ${engine}`)!).toFixed(5)}`,
    );
    const differences = engines.slice(1).map((engine) => {
      const values = ours.map((score, fold) => score - scores.get(`${measure} ${engine}`)![fold]!);
      const key = `${measure} against ${engine}`;
      all.set(key, [...(all.get(key) ?? []), ...values]);
      return meanAndError(values);
    });
    console.log([name.padEnd(22), measure.padEnd(8), ...parts, 'differences', ...differences].join('  '));
  }
}

function meanAndError(values: number[]): string {
  return `${signed(mean(values))} (${(deviation(values) / Math.sqrt(values.length - 1)).toFixed(5)})`;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(5)}`;
}

function deviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  return Math.sqrt(mean(Array.from(values, (value) => (value - centre) ** 2)));
}

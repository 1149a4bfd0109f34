// What each group of features is worth: public data sets with dates, texts, many categories or skewed numbers, the same
// 5 folds, all groups and then all but one, for boosted trees and for the linear model, each with its defaults.
// Usage: node bench/features.ts FOLDER [sets = all, or names with commas] [learners = boosted-trees,linear] [most rows = 12000]
// FOLDER holds the data sets as NAME/data.csv. Statistics of categories are fitted in each fold, as in trainings.
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { systemClock } from '../src/base/time.ts';
import { seededRandom, shuffle } from '../src/base/random.ts';
import { copyFeatureRow, type ColumnEncoding, type Encoding } from '../src/ml/frame/encoding.ts';
import { fitEncoding } from '../src/ml/frame/fit-encoding.ts';
import { encodeWithStatistics } from '../src/ml/frame/fit-statistics.ts';
import { frameFromColumns, type Frame } from '../src/ml/frame/frame.ts';
import { inferSchema } from '../src/ml/frame/infer-schema.ts';
import { foldRows } from '../src/ml/frame/split.ts';
import { viewOf } from '../src/ml/frame/views.ts';
import { pauseBy, type LearnedTask } from '../src/ml/learners/learner.ts';
import { learnerNamed } from '../src/ml/learners/learners.ts';
import { metricFor } from '../src/ml/metrics/metrics.ts';
import { applyModel, outputCountOf } from '../src/ml/model/row-model.ts';

interface DataSet {
  name: string;
  target: string;
  task: LearnedTask;
  /** Columns that are not inputs. */
  without: readonly string[];
}

const dataSets: readonly DataSet[] = [
  { name: 'titanic', target: 'Survived', task: 'binary', without: [] },
  { name: 'bank_marketing', target: 'y', task: 'binary', without: ['duration'] },
  { name: 'hotel_rates', target: 'avg_price_per_room', task: 'regression', without: [] },
  { name: 'nyc_taxis', target: 'fare', task: 'regression', without: ['total', 'tip', 'tolls', 'distance'] },
  { name: 'vic_electricity', target: 'Demand', task: 'regression', without: [] },
  { name: 'sms_spam', target: 'label', task: 'binary', without: [] },
  { name: 'http_params', target: 'label', task: 'binary', without: ['attack_type', 'split', 'length'] },
  { name: 'banking77', target: 'label', task: 'multiclass', without: ['split'] },
];

/** All groups but one, as an encoding; undefined when that changes nothing. */
const groups: Readonly<Record<string, (entry: ColumnEncoding) => ColumnEncoding | undefined>> = {
  'calendar parts': (entry) => (entry.kind === 'date' ? { ...entry, parts: ['epochDays'] } : entry),
  'dates at all': (entry) => (entry.kind === 'date' || entry.kind === 'difference' ? undefined : entry),
  'distances of dates': (entry) => (entry.kind === 'difference' ? undefined : entry),
  'pairs and parts of words': (entry) =>
    entry.kind === 'text' ? { ...entry, pairs: noTerms, grams: noTerms } : entry,
  'texts at all': (entry) => (entry.kind === 'text' ? undefined : entry),
  logarithms: (entry) => (entry.kind === 'number' ? { kind: entry.kind, column: entry.column } : entry),
};
const noTerms = { hashes: [], weights: [] };

const [folder, setsText, learnersText, mostRowsText] = process.argv.slice(2);
if (!folder) throw new Error('Usage: node bench/features.ts FOLDER [sets] [learners] [most rows]');
const wanted = setsText && setsText !== 'all' ? setsText.split(',') : dataSets.map(({ name }) => name);
const learners = (learnersText ?? 'boosted-trees,linear').split(',');
const mostRows = Number(mostRowsText ?? 12_000);

console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
for (const set of dataSets.filter(({ name }) => wanted.includes(name))) {
  const data = load(set);
  const { encoding } = fitEncoding(data.frame);
  console.log(
    `\n${set.name}: ${data.frame.rowCount} rows, ${encoding.length} entries (load average ${loadavg()[0]!.toFixed(1)})`,
  );
  await report(set, data, { label: 'all groups', encoding, hasStatistics: true });
  const { encoding: withStatistics } = encodeWithStatistics({ ...data, encoding, seed: 1 });
  if (withStatistics.some((entry) => entry.kind === 'category' && entry.statistics))
    await report(set, data, { label: 'without statistics of categories', encoding, hasStatistics: false });
  for (const [name, change] of Object.entries(groups)) {
    const changed = encoding.flatMap((entry) => change(entry) ?? []);
    if (changed.length > 0 && JSON.stringify(changed) !== JSON.stringify(encoding))
      await report(set, data, { label: `without ${name}`, encoding: changed, hasStatistics: true });
  }
}

interface Loaded {
  frame: Frame;
  actual: Float64Array;
  classes: string[];
  folds: { training: Int32Array; validation: Int32Array }[];
}

/** At most `mostRows` rows with a target, drawn at random. */
function load({ name, target, task, without }: DataSet): Loaded {
  const records: Record<string, string>[] = parse(readFileSync(join(folder!, name, 'data.csv')), {
    columns: true,
  });
  const usable = records.filter((record) => record[target] !== '');
  const order = shuffle(
    Int32Array.from(usable, (_, row) => row),
    seededRandom(7),
  );
  const rows = Array.from(order.slice(0, mostRows).sort(), (row) => usable[row]!);
  const names = Object.keys(rows[0]!).filter((column) => column !== target && !without.includes(column));
  const columns = Object.fromEntries(names.map((column) => [column, rows.map((row) => row[column]!)]));
  const classes = task === 'regression' ? [] : [...new Set(rows.map((row) => row[target]!))].sort();
  const actual = Float64Array.from(rows, (row) =>
    task === 'regression' ? Number(row[target]) : classes.indexOf(row[target]!),
  );
  const strata = task === 'regression' ? {} : { strata: Int32Array.from(actual) };
  return {
    frame: frameFromColumns(columns, inferSchema(columns), 'text'),
    actual,
    classes,
    folds: foldRows({ rowCount: rows.length, foldCount: 5, seed: 11, ...strata }),
  };
}

interface Variant {
  label: string;
  encoding: Encoding;
  hasStatistics: boolean;
}

async function report(set: DataSet, data: Loaded, variant: Variant): Promise<void> {
  const { encoding, hasStatistics } = variant;
  const input = { ...data, encoding, seed: 1 };
  const { table } = hasStatistics
    ? encodeWithStatistics(input)
    : encodeWithStatistics({ ...input, folds: [] });
  const cells: string[] = [];
  for (const name of learners) {
    const learner = learnerNamed(name);
    const begun = process.cpuUsage();
    const scores: number[] = [];
    for (const [fold, { training, validation }] of data.folds.entries()) {
      const view = viewOf(table, { fold, ordersOnly: learner.spec.abilities.ordersOnly ?? false });
      const { model } = await learner.train({
        table: view,
        task: set.task,
        target: data.actual,
        classCount: data.classes.length,
        rows: training,
        hyperparameters: name === 'boosted-trees' ? { iterations: 150 } : {},
        seed: 1,
        control: { clock: systemClock, pause: pauseBy(systemClock) },
      });
      const outputCount = outputCountOf(set.task, data.classes.length);
      const predictions = new Float64Array(validation.length * outputCount);
      const featureCount = table.features.length;
      const row = new Float64Array(featureCount);
      validation.forEach((at, index) => {
        copyFeatureRow(view, at, row);
        const out = predictions.subarray(index * outputCount, (index + 1) * outputCount);
        applyModel(model, { rows: row, rowCount: 1, featureCount }, out);
      });
      const actual = Float64Array.from(validation, (at) => data.actual[at]!);
      const metric = metricFor('auto', set.task);
      scores.push(
        metric.compute({
          task: set.task,
          actual,
          predicted: predictions,
          probabilities: predictions,
          classCount: data.classes.length,
          positiveClass: 1,
        }),
      );
    }
    const used = process.cpuUsage(begun);
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    const seconds = (used.user + used.system) / 1e6;
    cells.push(
      `${name} ${metricFor('auto', set.task).name} ${mean.toPrecision(5)} (${seconds.toFixed(1)} s)`,
    );
  }
  console.log([variant.label.padEnd(36), ...cells].join('  '));
}

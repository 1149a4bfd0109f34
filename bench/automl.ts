// AutoML against its peers: the same rows to learn from, the same time, the same two threads; judged on rows that none has
// seen. Prints each engine's score for each table (medians over the folds) and how often Pilvi was better.
// Usage: node bench/automl.ts FOLDER [seconds = 10] [engines = ours,lightgbm] [tables = all, or names with commas] [folds to run = 1] [log]
// FOLDER holds INDEX.json and the tables it names; results are added to the file `log` as they come, and those that are
// there are not run again. Engines: ours (`pilvi fit` and `pilvi predict`, nothing but target and time), lightgbm, xgboost
// and catboost with their defaults, flaml, autogluon-medium and autogluon-best, which get the same seconds. A fold is a
// fifth of the rows. Python packages are installed into node_modules/.cache by pip the first time; Python 3 must be there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { foldRows } from '../src/ml/frame/split.ts';
import { metricFor } from '../src/ml/metrics/metrics.ts';
import { median } from './averages.ts';
import { pythonWith } from './python.ts';
import { dataFileOf, ResultLog, tablesIn, tellingColumnsOf, type ListedTable } from './tables.ts';

type Task = 'binary' | 'multiclass' | 'regression';

interface Split {
  table: string;
  target: string;
  task: Task;
  classes: string[];
  header: string[];
  training: string[][];
  test: string[][];
}

interface Result {
  table: string;
  fold: number;
  engine: string;
  budgetSeconds: number;
  /** More is better: AUC, or log loss or RMSE with a minus. */
  score: number;
  wallSeconds: number;
  load: number;
}

const threads = 2;
const foldCount = 5;
const packages = [
  'flaml',
  'lightgbm',
  'xgboost-cpu',
  'catboost',
  'scikit-learn',
  'pandas',
  'autogluon.tabular',
];

const [folder, secondsText, enginesText, tablesText, foldsText, logFile] = process.argv.slice(2);
if (!folder) throw new Error('Usage: node bench/automl.ts FOLDER [seconds] [engines] [tables] [folds] [log]');
const seconds = Number(secondsText ?? 10);
const engines = (enginesText ?? 'ours,lightgbm').split(',');
const python = engines.every((engine) => engine === 'ours') ? '' : pythonWith(packages, 'automl');
const tables = tablesIn(folder, tablesText);
const log = new ResultLog<Result>(logFile);

console.log(
  `machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}; ${seconds} s on ${threads} threads`,
);
for (const table of tables) {
  for (let fold = 0; fold < Number(foldsText ?? 1); fold++) {
    const split = splitOf(table, fold);
    for (const engine of engines) if (!known(table.name, fold, engine)) run(split, fold, engine);
  }
  reportTable(table.name);
}
reportAll();

function known(table: string, fold: number, engine: string): Result | undefined {
  return log.results.find(
    (one) =>
      one.table === table && one.fold === fold && one.engine === engine && one.budgetSeconds === seconds,
  );
}

/** Fold `fold` of five is the test; classes are divided evenly. */
function splitOf(table: ListedTable, fold: number): Split {
  const { name, target, task } = table;
  const path = dataFileOf(folder!, table);
  const telling = tellingColumnsOf(table);
  const content = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(content) : content).toString('utf8');
  const [header, ...all] = parse(text, { relaxColumnCount: true }) as string[][];
  const kept = header!.flatMap((column, at) => (telling.includes(column) ? [] : [at]));
  const targetAt = header!.indexOf(target);
  const rows = all.filter((row) => row[targetAt] !== '');
  const values = rows.map((row) => row[targetAt]!);
  const classes = task === 'tabular_regression' ? [] : [...new Set(values)].sort();
  const strata =
    classes.length > 0 ? { strata: Int32Array.from(values, (value) => classes.indexOf(value)) } : {};
  const folds = foldRows({ rowCount: rows.length, seed: 11, foldCount, ...strata });
  const taken = (indices: Int32Array): string[][] =>
    [...indices].map((index) => kept.map((at) => rows[index]![at]!));
  return {
    table: name,
    target,
    task: classes.length === 0 ? 'regression' : classes.length === 2 ? 'binary' : 'multiclass',
    classes,
    header: kept.map((at) => header![at]!),
    training: taken(folds[fold]!.training),
    test: taken(folds[fold]!.validation),
  };
}

function run(split: Split, fold: number, engine: string): void {
  const temporary = mkdtempSync(join(tmpdir(), 'pilvi-automl-'));
  try {
    const targetAt = split.header.indexOf(split.target);
    const withoutTarget = (row: string[]): string[] => row.filter((_, at) => at !== targetAt);
    writeFileSync(join(temporary, 'training.csv'), csvOf([split.header, ...split.training]));
    writeFileSync(join(temporary, 'test.csv'), csvOf([split.header, ...split.test].map(withoutTarget)));
    const startMs = performance.now();
    const answers = engine === 'ours' ? ourAnswers(temporary, split) : peerAnswers(temporary, split, engine);
    log.add({
      table: split.table,
      fold,
      engine,
      budgetSeconds: seconds,
      score: scoreOf(split, answers),
      wallSeconds: (performance.now() - startMs) / 1000,
      load: loadavg()[0]!,
    });
  } catch (error) {
    console.log(`${split.table} ${engine}: ${String(error).split('\n')[0]}`);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** As a newcomer would: target and time, nothing else. */
function ourAnswers(temporary: string, { target, task, classes }: Split): number[][] {
  const pilvi = (words: string[]): void => {
    const program = fileURLToPath(new URL('../bin/pilvi.js', import.meta.url));
    execFileSync(process.execPath, [program, ...words], {
      cwd: temporary,
      stdio: 'ignore',
    });
  };
  pilvi(['fit', 'training.csv', '--target', target, '--budget', `${seconds}s`]);
  pilvi(['predict', 'model.pilvi', 'test.csv', '--out', 'answers.csv']);
  const answers = parse(readFileSync(join(temporary, 'answers.csv'), 'utf8'), { columns: true }) as Record<
    string,
    string
  >[];
  return answers.map((row) =>
    task === 'regression'
      ? [Number(row['prediction'])]
      : classes.map((name) => Number(row[`probability_${name}`])),
  );
}

function peerAnswers(temporary: string, { target, task, classes }: Split, engine: string): number[][] {
  writeFileSync(join(temporary, 'split.json'), JSON.stringify({ target, task, classes }));
  const script = fileURLToPath(new URL('automl-peers.py', import.meta.url));
  execFileSync(python, [script, temporary, engine, String(seconds), String(threads)], {
    // Some peers write where they are started.
    cwd: temporary,
    stdio: ['ignore', 'ignore', 'ignore'],
    // A peer that does not keep to its time is not waited for longer than this.
    timeout: (seconds * 3 + 300) * 1000,
  });
  const answers = JSON.parse(readFileSync(join(temporary, 'answers.json'), 'utf8')) as (number | number[])[];
  return answers.map((answer) => (Array.isArray(answer) ? answer : [answer]));
}

function scoreOf({ task, classes, header, target, test }: Split, answers: number[][]): number {
  const targetAt = header.indexOf(target);
  const flat = Float64Array.from(answers.flat());
  if (flat.length !== test.length * Math.max(1, classes.length) || flat.some(Number.isNaN))
    throw new Error('answers are missing');
  const actual = Float64Array.from(test, (row) =>
    task === 'regression' ? Number(row[targetAt]) : classes.indexOf(row[targetAt]!),
  );
  const scored = {
    task,
    actual,
    predicted: flat,
    probabilities: flat,
    classCount: classes.length,
    positiveClass: 1,
  };
  const name = { binary: 'auc', multiclass: 'log-loss', regression: 'rmse' }[task];
  return metricFor(name, task).compute(scored) * (task === 'binary' ? 1 : -1);
}

function reportTable(table: string): void {
  const cells = engines.map((engine) => {
    const own = log.results.filter(
      (one) => one.table === table && one.engine === engine && one.budgetSeconds === seconds,
    );
    if (own.length === 0) return `${engine} -`;
    const score = median(own.map((one) => one.score));
    return `${engine} ${score.toPrecision(5)} (${median(own.map((one) => one.wallSeconds)).toFixed(0)} s)`;
  });
  console.log(`${table.padEnd(26)} ${cells.join('  ')}  load ${loadavg()[0]!.toFixed(1)}`);
}

/** Fold by fold, where both have answered; equal scores count half. */
function reportAll(): void {
  for (const engine of engines.filter((one) => one !== 'ours')) {
    const points = tables.flatMap(({ name }) =>
      Array.from({ length: foldCount }, (_, fold) => fold).flatMap((fold) => {
        const ours = known(name, fold, 'ours');
        const theirs = known(name, fold, engine);
        if (!ours || !theirs) return [];
        return [ours.score === theirs.score ? 0.5 : Number(ours.score > theirs.score)];
      }),
    );
    const won = points.reduce((sum, point) => sum + point, 0);
    console.log(
      `better than ${engine}: ${won} of ${points.length} (${((100 * won) / points.length).toFixed(0)} %)`,
    );
  }
}

function csvOf(rows: readonly string[][]): string {
  const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return `${rows.map((row) => row.map(quoted).join(',')).join('\n')}\n`;
}

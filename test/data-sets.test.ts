// `pilvi fit` and `pilvi predict` on every public table of ../shared/data, from the files as they are: no option but the
// target and how many trials: seconds would make another model on a busy machine. Few trials make no good models; what
// is checked is that each file is read, that answers come in the order of the rows, and that the model has learned
// something.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { FitResult } from '../src/programs/cli/local/fit.ts';
import { runPilvi, temporaryFolder } from '../src/programs/cli/testing.ts';

interface DataSet {
  name: string;
  task: string;
  target: string;
  files: { path: string; role: string }[];
}

const folder = fileURLToPath(new URL('../../shared/data/', import.meta.url));
const isThere = existsSync(`${folder}INDEX.json`);
const { datasets } = isThere
  ? (JSON.parse(readFileSync(`${folder}INDEX.json`, 'utf8')) as { datasets: DataSet[] })
  : { datasets: [] };
const tables = datasets.filter(({ task }) => task.startsWith('tabular'));

if (!isThere)
  test('the public data sets', { skip: 'the folder ../shared/data is not on this machine' }, () => {});

for (const { name, task, target, files } of tables) {
  test(`${name}: fit and predict`, async () => {
    await using temporary = await temporaryFolder();
    const file = folder + files.find(({ role }) => role === 'data')!.path;
    const model = temporary.at('model.pilvi');
    const answers = temporary.at('answers.csv');
    const fitted = await runPilvi([
      'fit',
      file,
      '--target',
      target,
      '--trials',
      '3',
      '--budget',
      '120s',
      '--out',
      model,
      '--json',
    ]);
    assert.equal(fitted.code, 0, fitted.stdout + fitted.stderr);
    const fit = JSON.parse(fitted.stdout) as FitResult;
    assert.equal(fit.task === 'regression', task === 'tabular_regression', fit.taskReason);
    assert.ok(isBetterThanGuessing(fit), JSON.stringify(fit.evaluation.metrics));
    checkCoverage(fit);

    const predicted = await runPilvi(['predict', model, file, '--out', answers, '--json']);
    assert.equal(predicted.code, 0, predicted.stdout + predicted.stderr);
    const rows = await readTable(file);
    const lines = await readTable(answers);
    assert.equal(lines.length, rows.length);
    checkAnswers(
      fit,
      lines,
      rows.map((row) => row[target]!),
    );

    // The same rows in another order get the same answers in that order.
    const some = temporary.at('some.csv');
    const order = Array.from({ length: 40 }, (_, index) => (index * 97 + 13) % rows.length);
    await writeFile(some, csvOf(order.map((row) => rows[row]!)));
    const again = await runPilvi(['predict', model, some, '--json']);
    assert.equal(again.code, 0, again.stdout + again.stderr);
    const { predictions } = JSON.parse(again.stdout) as { predictions: { prediction: string | number }[] };
    assert.deepEqual(
      predictions.map(({ prediction }) => String(prediction)),
      order.map((row) => lines[row]!['prediction']),
    );
  });
}

/**
 * Intervals and sets hold nine of ten truths, within two points and the standard error of a share of so many rows, where
 * there are rows enough to tell. A model that is right more often than that holds more: a set is never empty.
 */
function checkCoverage({ evaluation }: FitResult): void {
  const { rowCount, intervalCoverage, sets, metrics } = evaluation;
  if (rowCount < 1000) return;
  const held = intervalCoverage ?? sets?.held;
  const margin = 0.02 + Math.sqrt((0.9 * 0.1) / rowCount);
  assert.ok(held !== undefined && held >= 0.9 - margin, `${held} of the truths are held`);
  if ((metrics['accuracy'] ?? 0) < 0.9) assert.ok(held <= 0.9 + margin, `${held} of the truths are held`);
}

/** On the rows that training never saw. */
function isBetterThanGuessing({ task, evaluation: { metrics } }: FitResult): boolean {
  return task === 'regression' ? metrics['r2']! > 0.1 : metrics['auc']! > 0.6;
}

/** Columns as they should be, and answers that follow the truth row by row, which they would not if the order were lost. */
function checkAnswers(fit: FitResult, lines: Record<string, string>[], actual: string[]): void {
  const columns = Object.keys(lines[0]!);
  if (fit.task === 'regression') {
    assert.deepEqual(columns, ['prediction', 'lower', 'upper']);
    const known = actual.flatMap((text, row) => (text === '' ? [] : [row]));
    const mean = known.reduce((sum, row) => sum + Number(actual[row]), 0) / known.length;
    const squared = (valueOf: (row: number) => number): number =>
      known.reduce((sum, row) => sum + (Number(actual[row]) - valueOf(row)) ** 2, 0);
    assert.ok(squared((row) => Number(lines[row]!['prediction'])) < 0.9 * squared(() => mean));
    for (const { prediction, lower, upper } of lines) {
      assert.ok(Number(lower) <= Number(prediction) && Number(prediction) <= Number(upper));
    }
    return;
  }
  const classes = [...new Set(actual)].filter((name) => name !== '').sort();
  assert.deepEqual(
    columns.toSorted(),
    ['prediction', ...classes.map((name) => `probability_${name}`)].sort(),
  );
  const hits = actual.filter((name, row) => lines[row]!['prediction'] === name).length;
  const largestClass = Math.max(...classes.map((name) => actual.filter((other) => other === name).length));
  assert.ok(hits >= largestClass, `${hits} hits; always the largest class: ${largestClass}`);
  for (const line of lines) {
    const sum = classes.reduce((total, name) => total + Number(line[`probability_${name}`]), 0);
    assert.ok(Math.abs(sum - 1) < 1e-6);
  }
}

async function readTable(path: string): Promise<Record<string, string>[]> {
  const bytes = await readFile(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const [heading, ...records] = recordsOf(text.replace(/^\ufeff/, ''));
  return records.map((record) =>
    Object.fromEntries(heading!.map((name, column) => [name, record[column] ?? ''])),
  );
}

/** RFC 4180, independent of the reader that is tested. */
function recordsOf(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r?\n|$)/g)) {
    if (end === '' && record.length === 0 && quoted === undefined && plain === '') break;
    record.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === ',') continue;
    records.push(record);
    record = [];
    if (end === '') break;
  }
  return records;
}

function csvOf(rows: Record<string, string>[]): string {
  const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))];
  return lines.map((line) => `${line.map(field).join(',')}\n`).join('');
}

// Public data sets with categories for bench/categorical-boosting.ts: the files of a folder as the product reads them
// (kinds inferred, encoding fitted), and folds.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { encodeFrame, type FeatureTable } from '../src/ml/frame/encoding.ts';
import { fitEncoding } from '../src/ml/frame/fit-encoding.ts';
import { frameFromColumns } from '../src/ml/frame/frame.ts';
import { inferSchema } from '../src/ml/frame/infer-schema.ts';
import type { LearnedTask } from '../src/ml/learners/learner.ts';
import { foldRows } from '../src/ml/frame/split.ts';

export interface DataSet {
  name: string;
  file: string;
  target: string;
  task: LearnedTask;
  /** Columns that are not inputs. */
  without: readonly string[];
}

export const dataSets: readonly DataSet[] = [
  { name: 'adult', file: 'adult/data.csv.gz', target: 'income', task: 'binary', without: ['split'] },
  { name: 'bank_marketing', file: 'bank_marketing/data.csv', target: 'y', task: 'binary', without: [] },
  { name: 'telco_churn', file: 'telco_churn/data.csv', target: 'churn', task: 'binary', without: [] },
  { name: 'hr_attrition', file: 'hr_attrition/data.csv', target: 'Attrition', task: 'binary', without: [] },
  { name: 'german_credit', file: 'german_credit/data.csv', target: 'default', task: 'binary', without: [] },
  {
    name: 'titanic',
    file: 'titanic/data.csv',
    target: 'Survived',
    task: 'binary',
    without: ['PassengerId', 'Name'],
  },
  {
    name: 'hotel_rates',
    file: 'hotel_rates/data.csv',
    target: 'avg_price_per_room',
    task: 'regression',
    without: [],
  },
  { name: 'diamonds', file: 'diamonds/data.csv', target: 'price', task: 'regression', without: [] },
  {
    name: 'insurance_charges',
    file: 'insurance_charges/data.csv',
    target: 'charges',
    task: 'regression',
    without: [],
  },
  { name: 'diamonds cut', file: 'diamonds/data.csv', target: 'cut', task: 'multiclass', without: [] },
  {
    name: 'adult occupation',
    file: 'adult/data.csv.gz',
    target: 'occupation',
    task: 'multiclass',
    without: ['split'],
  },
];

export interface LoadedSet {
  table: FeatureTable;
  /** The categories of each categorical feature of the table, before the rare ones were put together; '' is missing. */
  texts: ReadonlyMap<number, readonly string[]>;
  target: Float64Array;
  classCount: number;
  folds: { training: Int32Array; validation: Int32Array }[];
}

/** Reads a data set; rows without a target are left out. */
export function loadSet(
  folder: string,
  { file, target, task, without }: DataSet,
  { foldCount, seed }: { foldCount: number; seed: number },
): LoadedSet {
  const bytes = readFileSync(join(folder, file));
  const records: Record<string, string>[] = parse(file.endsWith('.gz') ? gunzipSync(bytes) : bytes, {
    columns: true,
  });
  const rows = records.filter((record) => record[target] !== '');
  const names = Object.keys(rows[0]!).filter((name) => name !== target && !without.includes(name));
  const columns = Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name]!)]));
  const frame = frameFromColumns(columns, inferSchema(columns), 'text');
  const classes = [...new Set(rows.map((row) => row[target]!))].sort();
  const truth = Float64Array.from(rows, (row) =>
    task === 'regression' ? Number(row[target]) : classes.indexOf(row[target]!),
  );
  const table = encodeFrame(frame, fitEncoding(frame).encoding);
  const texts = table.features.flatMap(({ kind, column }, index): [number, string[]][] =>
    kind === 'category' ? [[index, columns[column]!]] : [],
  );
  return {
    table,
    texts: new Map(texts),
    target: truth,
    classCount: task === 'regression' ? 0 : classes.length,
    folds: foldRows({
      rowCount: rows.length,
      foldCount,
      seed,
      ...(task !== 'regression' && { strata: Int32Array.from(truth) }),
    }),
  };
}

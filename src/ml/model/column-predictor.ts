// Answers for columns of numbers and codes as a data engine reads them, some thousand rows at a time: what predictor.ts
// answers, to the bit, without a value of JavaScript for each field. For many rows; checks nothing but what it is told to
// skip. Texts of categories come as codes of the category list that this file asks for.
import { assert, present } from '../../base/assert.ts';
import { valueEncoders, type ColumnEncoding, type ValueEncoder } from '../frame/encoding.ts';
import { hasClasses, type ColumnKind } from '../frame/schema.ts';
import { decide } from './calibration.ts';
import { intervalOf } from './intervals.ts';
import type { ModelContent } from './manifest.ts';
import { applyEnsemble } from './predictor.ts';

/** A column that the model reads. */
export interface ReadColumn {
  name: string;
  kind: ColumnKind;
  /** Categorical columns: position i is the code i, any other category has the code after the last; NaN is missing. */
  categories?: readonly string[];
}

/** Numbers, truth values (0, 1), dates (milliseconds since 1970) and codes as doubles, NaN for missing; texts as they are. */
export type ReadValues = Float64Array | readonly (string | null)[];

export interface ColumnAnswers {
  /** Position in the model's classes, or the value. */
  prediction: Float64Array;
  /** One for each class, in the model's order; none for a number. */
  probabilities: Float64Array[];
  /** Regression with intervals. */
  interval?: { lower: Float64Array; upper: Float64Array };
  /** Rows whose answer is not finite: the model's numbers are too large for them. */
  unanswered: number[];
}

export interface ColumnPredictor {
  /** What {@link ColumnPredictor.predict} wants, each once; a column that is left out is missing in every row. */
  columns: readonly ReadColumn[];
  /** Numbers that an answer has: the prediction, one for each class, the two ends of an interval. */
  numberCount: number;
  predict: (values: ReadonlyMap<string, ReadValues>, rowCount: number) => ColumnAnswers;
}

/** A predictor by columns for a model in memory. */
export function columnPredictorOf(content: ModelContent): ColumnPredictor {
  const { manifest } = content;
  const columns = manifest.schema
    .filter(({ name }) => manifest.encoding.some(({ column }) => column === name))
    .map(({ name, kind }) => readColumn(name, kind, manifest.encoding));
  const byName = new Map(columns.map((column) => [column.name, column]));
  let start = 0;
  const entries = valueEncoders(manifest.encoding).map(({ column, width, encode }, index) => {
    const { kind, categories } = present(byName.get(column), `the column ${column} of the encoding`);
    const isPlain = manifest.encoding[index]!.kind === 'number' && width === 1;
    const others = isPlain ? plainWriter : valueWriter(encode, kind === 'text' ? null : NaN);
    const write = categories ? codeWriter(encode, width, categories) : others;
    const entry = { column, start, write };
    start += width;
    return entry;
  });
  const featureCount = start;
  let rows = new Float64Array(0);
  const { task, classes, intervals } = manifest;
  return {
    columns,
    numberCount: 1 + (hasClasses(task) ? classes.length : intervals ? 2 : 0),
    predict: (values, rowCount) => {
      if (rows.length < rowCount * featureCount) rows = new Float64Array(rowCount * featureCount);
      for (let from = 0; from < rowCount; from += writtenRows) {
        const to = Math.min(rowCount, from + writtenRows);
        for (const { column, start: at, write } of entries)
          write(values.get(column), { rows, from, to, featureCount, at });
      }
      return answersOf(content, rows.subarray(0, rowCount * featureCount), rowCount);
    },
  };
}

/** So few rows at a time that they stay in the first-level cache until all their features are there. */
const writtenRows = 128;

/** Where the features of one entry go: row-major rows, of which those from `from` to before `to` are written, from `at` in each. */
interface Place {
  rows: Float64Array;
  from: number;
  to: number;
  featureCount: number;
  at: number;
}

type Writer = (values: ReadValues | undefined, place: Place) => void;

function plainWriter(
  values: ReadValues | undefined,
  { rows, from, to, featureCount, at: start }: Place,
): void {
  assert(values === undefined || values instanceof Float64Array, 'a column of numbers came as texts');
  let at = from * featureCount + start;
  for (let row = from; row < to; row++, at += featureCount)
    rows[at] = values === undefined ? NaN : values[row]!;
}

function valueWriter(encode: ValueEncoder, missing: number | null): Writer {
  return (values, { rows, from, to, featureCount, at: start }) => {
    for (let row = from, at = from * featureCount + start; row < to; row++, at += featureCount)
      encode(values === undefined ? missing : values[row]!, rows, at);
  };
}

/** Each category is encoded once, and copied from then on. */
function codeWriter(encode: ValueEncoder, width: number, categories: readonly string[]): Writer {
  const unseen = categories.length;
  const missing = unseen + 1;
  const encoded = new Float64Array((missing + 1) * width);
  categories.forEach((category, code) => encode(category, encoded, code * width));
  encode('\u0000unseen', encoded, unseen * width);
  encode(null, encoded, missing * width);
  return (values, { rows, from, to, featureCount, at: start }) => {
    assert(values === undefined || values instanceof Float64Array, 'a column of codes came as texts');
    for (let row = from, at = from * featureCount + start; row < to; row++, at += featureCount) {
      const code = values === undefined ? NaN : values[row]!;
      const first = (code === code ? code : missing) * width;
      for (let index = 0; index < width; index++) rows[at + index] = encoded[first + index]!;
    }
  };
}

function readColumn(name: string, kind: ColumnKind, encoding: readonly ColumnEncoding[]): ReadColumn {
  if (kind !== 'categorical') return { name, kind };
  const categories = new Set<string>();
  for (const entry of encoding) {
    if (entry.kind !== 'category' || entry.column !== name) continue;
    for (const category of entry.categories) categories.add(category);
    for (const category of entry.statistics?.categories ?? []) categories.add(category);
  }
  return { name, kind, categories: [...categories] };
}

function answersOf(content: ModelContent, rows: Float64Array, rowCount: number): ColumnAnswers {
  const { manifest } = content;
  const values = applyEnsemble(content, rows, rowCount);
  const outputCount = rowCount === 0 ? 1 : values.length / rowCount;
  const unanswered = unansweredOf(values, outputCount);
  if (hasClasses(manifest.task)) {
    const probabilities = manifest.classes.map(() => new Float64Array(rowCount));
    for (const [index, column] of probabilities.entries())
      for (let row = 0, at = index; row < rowCount; row++, at += outputCount) column[row] = values[at]!;
    return {
      prediction: decide(values, manifest.decisionWeights, manifest.costs?.matrix),
      probabilities,
      unanswered,
    };
  }
  const answers = { prediction: values, probabilities: [], unanswered };
  const { intervals } = manifest;
  if (!intervals) return answers;
  const interval = { lower: new Float64Array(rowCount), upper: new Float64Array(rowCount) };
  for (let row = 0; row < rowCount; row++) {
    const { lower, upper } = intervalOf(intervals, values[row]!);
    interval.lower[row] = lower;
    interval.upper[row] = upper;
  }
  return { ...answers, interval };
}

function unansweredOf(values: Float64Array, outputCount: number): number[] {
  // The sum of finite numbers may overflow, and is looked at more closely then; it never hides one that is not finite.
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]!;
  if (Number.isFinite(sum)) return [];
  const rows = new Set<number>();
  for (let index = 0; index < values.length; index++)
    if (!Number.isFinite(values[index])) rows.add(Math.floor(index / outputCount));
  return [...rows];
}

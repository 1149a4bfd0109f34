// From columns, as people see them, to features, as learners see them. An encoding is data; applying it to a row is
// pure and the same in training and prediction. Fitting it is in fit-encoding.ts.
//
// Missing values become NaN (the terms of a text: all zero). A category that the encoding does not list, because it is
// rare or was never seen in training, becomes the feature's last code, "other". Some features are only for some: the
// statistics of a fold for the models of that fold, other scales of numbers for learners that weigh them (views.ts).
import { assert } from '../../base/assert.ts';
import { log } from '../model/arithmetic.ts';
import {
  statisticsEncoder,
  statisticsFeatures,
  statisticsWidth,
  type CategoryStatistics,
} from './category-statistics.ts';
import { datePart, epochMs, isCyclic, type DatePart, type EpochUnit } from './date-features.ts';
import { columnNamed, missingCode, type Column, type Frame } from './frame.ts';
import {
  mostWordsForTrees,
  textEncoder,
  textReader,
  textShapes,
  textWidth,
  type TextEncoding,
} from './text-features.ts';
import { termKinds } from './text-terms.ts';

export type ColumnEncoding =
  /** With `logScale`, also sign(x) log(1 + |x| / logScale): skewed numbers for learners that weigh them. */
  | { kind: 'number'; column: string; logScale?: number }
  | { kind: 'category'; column: string; categories: readonly string[]; statistics?: CategoryStatistics }
  /** With `unit`, the column holds numbers that count time since 1970. */
  | { kind: 'date'; column: string; parts: readonly DatePart[]; unit?: EpochUnit }
  /** Days from the column `from` to this one; both have a date entry before. */
  | { kind: 'difference'; column: string; from: string }
  | TextEncoding;

export type Encoding = readonly ColumnEncoding[];

/** One input of a learner. `levelCount` is there for categories: codes 0 to levelCount - 1, the last is "other". */
export interface Feature {
  name: string;
  /** The column that it is made of. */
  column: string;
  /** The second column that it is made of. */
  from?: string;
  kind: 'number' | 'category';
  levelCount: number;
  /** Made of the targets of this fold's training rows: only for the models of this fold. */
  fold?: number;
  /** Tells nothing to learners that see only the order of numbers, or too little for what it costs them. */
  isForScales?: boolean;
}

/** Encoded columns. Numbers and category codes are float64 with NaN for missing; weights of terms are bytes. */
export interface FeatureTable {
  rowCount: number;
  features: readonly Feature[];
  columns: readonly (Float64Array | Uint8Array)[];
  /** Of a view (views.ts): the table that it is of. */
  source?: FeatureTable;
}

/** The features an encoding makes, in the order of an encoded row. */
export function featuresOf(encoding: Encoding): Feature[] {
  return encoding.flatMap((entry): Feature[] => {
    const { column } = entry;
    const number = (name: string, isForScales = false): Feature => ({
      name,
      column,
      kind: 'number',
      levelCount: 0,
      ...(isForScales && { isForScales }),
    });
    switch (entry.kind) {
      case 'number':
        return entry.logScale === undefined
          ? [number(column)]
          : [number(column), number(`${column} (log)`, true)];
      case 'category': {
        const code: Feature = {
          name: column,
          column,
          kind: 'category',
          levelCount: entry.categories.length + 1,
        };
        const statistics = entry.statistics ? statisticsFeatures(column, entry.statistics) : [];
        return [
          code,
          ...statistics.map(({ name, fold }) => ({ ...number(name), ...(fold !== undefined && { fold }) })),
        ];
      }
      case 'date':
        return entry.parts.map((part) => number(`${column} (${part})`, isCyclic(part)));
      case 'difference':
        return [{ ...number(`${column} (days since ${entry.from})`), from: entry.from }];
      case 'text':
        return [
          ...textShapes.map((shape) => number(`${column} (${shape})`)),
          ...termKinds.flatMap((kind) =>
            entry[kind].hashes.map((_, index) =>
              number(`${column} (${kind} ${index + 1})`, kind !== 'words' || index >= mostWordsForTrees),
            ),
          ),
        ];
      default:
        return entry satisfies never;
    }
  });
}

/** How many features an entry makes. */
export function widthOf(entry: ColumnEncoding): number {
  switch (entry.kind) {
    case 'number':
      return entry.logScale === undefined ? 1 : 2;
    case 'category':
      return 1 + (entry.statistics ? statisticsWidth(entry.statistics) : 0);
    case 'date':
      return entry.parts.length;
    case 'difference':
      return 1;
    case 'text':
      return textWidth(entry);
    default:
      return entry satisfies never;
  }
}

/**
 * Writes the features of one value into `out` from `start`. Values are as frame/values.ts reads them. `out` holds the
 * features of the columns before already: differences are made of them.
 */
export type ValueEncoder = (value: number | string | null, out: Float64Array, start: number) => void;

/** The encoder of each entry of the encoding, and how many features it writes, in the order they are to be called. */
export function valueEncoders(encoding: Encoding): { column: string; width: number; encode: ValueEncoder }[] {
  let start = 0;
  const dateStarts = new Map<string, number>();
  return encoding.map((entry) => {
    const width = widthOf(entry);
    if (entry.kind === 'date') dateStarts.set(entry.column, start);
    const encode =
      entry.kind === 'difference'
        ? differenceEncoder(dateStarts.get(entry.column)! - start, dateStarts.get(entry.from)! - start)
        : valueEncoder(entry);
    start += width;
    return { column: entry.column, width, encode };
  });
}

/** Encodes a whole frame. @throws Problem `column-unknown` when it lacks a column of the encoding */
export function encodeFrame(frame: Frame, encoding: Encoding): FeatureTable {
  const columns: (Float64Array | Uint8Array)[] = [];
  const dateStarts = new Map<string, number>();
  for (const entry of encoding) {
    if (entry.kind === 'date') dateStarts.set(entry.column, columns.length);
    if (entry.kind === 'difference') {
      const later = columns[dateStarts.get(entry.column)!]!;
      const earlier = columns[dateStarts.get(entry.from)!]!;
      columns.push(Float64Array.from(later, (value, row) => value - earlier[row]!));
    } else columns.push(...encodeColumn(columnNamed(frame, entry.column), entry, frame.rowCount));
  }
  return { rowCount: frame.rowCount, features: featuresOf(encoding), columns };
}

/** Copies row `row` of a table into `out`. */
export function copyFeatureRow(table: FeatureTable, row: number, out: Float64Array): void {
  const { columns } = table;
  for (let feature = 0; feature < columns.length; feature++) out[feature] = columns[feature]![row]!;
}

/** Copies `rows` of a table into `out`, row after row; column by column, which is three times as fast for many. */
export function copyFeatureRows({ columns }: FeatureTable, rows: Int32Array, out: Float64Array): void {
  columns.forEach((column, feature) => copyColumn(column, rows, out.subarray(feature), columns.length));
}

function copyColumn(
  column: FeatureTable['columns'][number],
  rows: Int32Array,
  out: Float64Array,
  featureCount: number,
): void {
  for (let index = 0; index < rows.length; index++) out[index * featureCount] = column[rows[index]!]!;
}

type OwnEncoding = Exclude<ColumnEncoding, { kind: 'difference' }>;

function valueEncoder(entry: OwnEncoding): ValueEncoder {
  switch (entry.kind) {
    case 'number':
      return (value, out, start) => {
        out[start] = value as number;
        if (entry.logScale !== undefined) out[start + 1] = signedLog(value as number, entry.logScale);
      };
    case 'category':
      return categoryEncoder(entry);
    case 'date':
      return (value, out, start) => {
        const date = new Date(epochMs(value as number, entry.unit));
        for (let index = 0; index < entry.parts.length; index++)
          out[start + index] = datePart(date, entry.parts[index]!);
      };
    case 'text':
      return textEncoder(entry) as ValueEncoder;
    default:
      return entry satisfies never;
  }
}

function categoryEncoder({
  categories,
  statistics,
}: Extract<ColumnEncoding, { kind: 'category' }>): ValueEncoder {
  const codes = new Map(categories.map((category, code) => [category, code]));
  const encodeStatistics = statistics && statisticsEncoder(statistics);
  return (value, out, start) => {
    out[start] = value === null ? NaN : (codes.get(value as string) ?? categories.length);
    encodeStatistics?.(value as string | null, out, start + 1);
  };
}

function differenceEncoder(later: number, earlier: number): ValueEncoder {
  return (_, out, start) => {
    out[start] = out[start + later]! - out[start + earlier]!;
  };
}

/** Odd, and about linear up to `scale`. */
export function signedLog(value: number, scale: number): number {
  const size = log(1 + Math.min(1e300, Math.abs(value) / scale));
  return value < 0 ? -size : size;
}

function encodeColumn(column: Column, entry: OwnEncoding, rowCount: number): (Float64Array | Uint8Array)[] {
  if (entry.kind === 'number') {
    assert(column.kind !== 'categorical' && column.kind !== 'text', `column "${column.name}" is not numeric`);
    const { logScale } = entry;
    if (logScale === undefined) return [column.values];
    return [column.values, column.values.map((value) => signedLog(value, logScale))];
  }
  const encode = valueEncoder(entry);
  const width = widthOf(entry);
  if (entry.kind === 'category') return encodeCategories(column, encode, { rowCount, width });
  if (entry.kind === 'text') return encodeTexts(column, entry, rowCount);
  assert(column.kind !== 'categorical' && column.kind !== 'text', `column "${column.name}" holds no dates`);
  const columns = Array.from({ length: width }, () => new Float64Array(rowCount));
  const scratch = new Float64Array(width);
  for (let row = 0; row < rowCount; row++) {
    encode(column.values[row]!, scratch, 0);
    for (let index = 0; index < width; index++) columns[index]![row] = scratch[index]!;
  }
  return columns;
}

function encodeTexts(column: Column, entry: TextEncoding, rowCount: number): (Float64Array | Uint8Array)[] {
  assert(column.kind === 'text', `column "${column.name}" holds no texts`);
  const columns = Array.from({ length: textWidth(entry) }, (_, index) =>
    index < textShapes.length ? new Float64Array(rowCount) : new Uint8Array(rowCount),
  );
  const read = textReader(entry);
  for (let row = 0; row < rowCount; row++)
    read(column.values[row] ?? null, (feature, value) => (columns[feature]![row] = value));
  return columns;
}

/** Each category is encoded once. */
function encodeCategories(
  column: Column,
  encode: ValueEncoder,
  { rowCount, width }: { rowCount: number; width: number },
): Float64Array[] {
  assert(column.kind === 'categorical', `column "${column.name}" is not categorical`);
  const { codes, categories } = column;
  const unseen = categories.length;
  const missing = unseen + 1;
  const encoded = new Float64Array((missing + 1) * width);
  categories.forEach((category, code) => encode(category, encoded, code * width));
  encode('\u0000unseen', encoded, unseen * width);
  encode(null, encoded, missing * width);
  return Array.from({ length: width }, (_, index) =>
    Float64Array.from({ length: rowCount }, (_unused, row) => {
      const code = codes[row]!;
      return encoded[(code >= 0 ? code : code === missingCode ? missing : unseen) * width + index]!;
    }),
  );
}

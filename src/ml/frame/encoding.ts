// From columns, as people see them, to features, as learners see them. An encoding is data; applying it to a row is
// pure and the same in training and prediction. Fitting it is in fit-encoding.ts.
//
// Missing values become NaN (text: all counts zero). A category that the encoding does not list, because it is rare or
// was never seen in training, becomes the feature's last code, "other". Dates become calendar parts in UTC.
// Text becomes counts of hashed tokens (Weinberger et al., "Feature hashing", ICML 2009).
import { assert } from '../../base/assert.ts';
import { missingCode, type Column, type Frame } from './frame.ts';
import { columnNamed } from './frame.ts';

export const dateParts = ['epochDays', 'year', 'month', 'day', 'weekday', 'hour'] as const;
export type DatePart = (typeof dateParts)[number];

export type ColumnEncoding =
  | { kind: 'number'; column: string }
  | { kind: 'category'; column: string; categories: readonly string[] }
  | { kind: 'date'; column: string; parts: readonly DatePart[] }
  /** The number of characters, of tokens, then a count for each of `bucketCount` hash buckets. */
  | { kind: 'text'; column: string; bucketCount: number };

export type Encoding = readonly ColumnEncoding[];

/** One input of a learner. `levelCount` is there for categories: codes 0 to levelCount - 1, the last is "other". */
export interface Feature {
  name: string;
  column: string;
  kind: 'number' | 'category';
  levelCount: number;
}

/** Encoded columns. Numbers and category codes are float64 with NaN for missing; token counts are bytes. */
export interface FeatureTable {
  rowCount: number;
  features: readonly Feature[];
  columns: readonly (Float64Array | Uint8Array)[];
}

/** The features an encoding makes, in the order of an encoded row. */
export function featuresOf(encoding: Encoding): Feature[] {
  return encoding.flatMap((entry): Feature[] => {
    const number = (name: string): Feature => ({ name, column: entry.column, kind: 'number', levelCount: 0 });
    switch (entry.kind) {
      case 'number':
        return [number(entry.column)];
      case 'category':
        return [
          {
            name: entry.column,
            column: entry.column,
            kind: 'category',
            levelCount: entry.categories.length + 1,
          },
        ];
      case 'date':
        return entry.parts.map((part) => number(`${entry.column} (${part})`));
      case 'text':
        return Array.from({ length: entry.bucketCount + 2 }, (_, index) =>
          number(textFeatureName(entry.column, index)),
        );
      default:
        return entry satisfies never;
    }
  });
}

/** Writes the features of one value into `out` from `start`. Values are as frame/values.ts reads them. */
export type ValueEncoder = (value: number | string | null, out: Float64Array, start: number) => void;

/** The encoder of each column of the encoding, and how many features it writes. */
export function valueEncoders(encoding: Encoding): { column: string; width: number; encode: ValueEncoder }[] {
  return encoding.map((entry) => ({
    column: entry.column,
    width: featuresOf([entry]).length,
    encode: valueEncoder(entry),
  }));
}

/** Encodes a whole frame. @throws Problem `column-unknown` when it lacks a column of the encoding */
export function encodeFrame(frame: Frame, encoding: Encoding): FeatureTable {
  const columns = encoding.flatMap((entry) =>
    encodeColumn(columnNamed(frame, entry.column), entry, frame.rowCount),
  );
  return { rowCount: frame.rowCount, features: featuresOf(encoding), columns };
}

/** Copies row `row` of a table into `out`. */
export function copyFeatureRow(table: FeatureTable, row: number, out: Float64Array): void {
  const { columns } = table;
  for (let feature = 0; feature < columns.length; feature++) out[feature] = columns[feature]![row]!;
}

function valueEncoder(entry: ColumnEncoding): ValueEncoder {
  switch (entry.kind) {
    case 'number':
      return (value, out, start) => {
        out[start] = value as number;
      };
    case 'category': {
      const codes = new Map(entry.categories.map((category, code) => [category, code]));
      return (value, out, start) => {
        out[start] = value === null ? NaN : (codes.get(value as string) ?? entry.categories.length);
      };
    }
    case 'date':
      return (value, out, start) => {
        const date = new Date(value as number);
        for (let index = 0; index < entry.parts.length; index++)
          out[start + index] = datePart(date, entry.parts[index]!);
      };
    case 'text':
      return (value, out, start) => countTokens(value as string | null, entry.bucketCount, out, start);
    default:
      return entry satisfies never;
  }
}

function encodeColumn(
  column: Column,
  entry: ColumnEncoding,
  rowCount: number,
): (Float64Array | Uint8Array)[] {
  if (entry.kind === 'number') {
    assert(column.kind !== 'categorical' && column.kind !== 'text', `column "${column.name}" is not numeric`);
    return [column.values];
  }
  const encode = valueEncoder(entry);
  if (entry.kind === 'category') return [encodeCategories(column, encode, rowCount)];
  const width = featuresOf([entry]).length;
  assert(column.kind !== 'categorical', `column "${column.name}" is neither date nor text`);
  // The two lengths of a text may exceed a byte; its token counts may not (countTokens saturates).
  const columns = Array.from({ length: width }, (_, index) =>
    entry.kind === 'text' && index >= 2 ? new Uint8Array(rowCount) : new Float64Array(rowCount),
  );
  const scratch = new Float64Array(width);
  for (let row = 0; row < rowCount; row++) {
    encode(column.values[row] ?? null, scratch, 0);
    for (let index = 0; index < width; index++) columns[index]![row] = scratch[index]!;
  }
  return columns;
}

function encodeCategories(column: Column, encode: ValueEncoder, rowCount: number): Float64Array {
  assert(column.kind === 'categorical', `column "${column.name}" is not categorical`);
  const codeOfCategory = new Float64Array(column.categories.length);
  column.categories.forEach((category, code) => encode(category, codeOfCategory, code));
  const other = new Float64Array(1);
  encode('\u0000unseen', other, 0);
  const codes = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const code = column.codes[row]!;
    codes[row] = code >= 0 ? codeOfCategory[code]! : code === missingCode ? NaN : other[0]!;
  }
  return codes;
}

function textFeatureName(column: string, index: number): string {
  if (index === 0) return `${column} (characters)`;
  return index === 1 ? `${column} (tokens)` : `${column} (token bucket ${index - 2})`;
}

function datePart(date: Date, part: DatePart): number {
  switch (part) {
    case 'epochDays':
      return date.getTime() / 86_400_000;
    case 'year':
      return date.getUTCFullYear();
    case 'month':
      return date.getUTCMonth() + 1;
    case 'day':
      return date.getUTCDate();
    case 'weekday':
      return date.getUTCDay();
    case 'hour':
      return date.getUTCHours();
    default:
      return part satisfies never;
  }
}

const maximumTextCharacters = 20_000;
const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

/**
 * Tokens are runs of letters and digits; A-Z count as a-z, everything beyond ASCII is a letter as it stands (Unicode
 * tables differ between runtimes), and characters of scripts without spaces are tokens of their own.
 */
function countTokens(text: string | null, bucketCount: number, out: Float64Array, start: number): void {
  out.fill(0, start, start + bucketCount + 2);
  if (text === null) {
    out[start] = out[start + 1] = NaN;
    return;
  }
  const length = Math.min(text.length, maximumTextCharacters);
  out[start] = length;
  let hash = fnvOffset;
  let isInside = false;
  const endToken = (): void => {
    if (!isInside) return;
    const bucket = start + 2 + (((hash ^ (hash >>> 15)) >>> 0) % bucketCount);
    out[bucket] = Math.min(255, out[bucket]! + 1);
    out[start + 1] = out[start + 1]! + 1;
    hash = fnvOffset;
    isInside = false;
  };
  for (let index = 0; index < length; index++) {
    const unit = lowerCase(text.charCodeAt(index));
    const isAlone = unit >= 0x2e80 && unit < 0xd800;
    if (isAlone) endToken();
    if (isLetterOrDigit(unit)) {
      hash = Math.imul(hash ^ unit, fnvPrime);
      isInside = true;
    } else endToken();
    if (isAlone) endToken();
  }
  endToken();
}

function lowerCase(unit: number): number {
  return unit >= 65 && unit <= 90 ? unit + 32 : unit;
}

function isLetterOrDigit(unit: number): boolean {
  return (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57) || unit >= 128;
}

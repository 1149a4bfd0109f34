// Chooses how each column becomes features, and which columns cannot help. It looks at the inputs of the training
// rows only, never at the target, so nothing can leak into validation; whatever is estimated from the target or from
// the scale of values (bins, means, weights) is the learners' work, inside each fold.
import type { Column, Frame } from './frame.ts';
import { dateParts, type ColumnEncoding, type Encoding } from './encoding.ts';

/** A column that is left out of the model, and why, in words for people. */
export interface DroppedColumn {
  column: string;
  reason: string;
}

/** Most categories a column keeps by name; the rest become "other". A byte holds them with "other" and missing. */
export const maximumCategories = 250;

const maximumTextBuckets = 1024;
const maximumTextBytes = 96 * 1024 * 1024;
const fewestRowsForIds = 20;

/** Fits the encoding of `frame`, which holds the training rows and no target column. */
export function fitEncoding(frame: Frame): { encoding: Encoding; dropped: DroppedColumn[] } {
  const encoding: ColumnEncoding[] = [];
  const dropped: DroppedColumn[] = [];
  const textColumnCount = frame.columns.filter((column) => column.kind === 'text').length;
  for (const column of frame.columns) {
    const entry = encodeColumn(column, frame.rowCount, textColumnCount);
    if (typeof entry === 'string') dropped.push({ column: column.name, reason: entry });
    else encoding.push(entry);
  }
  return { encoding, dropped };
}

/** The encoding of a column, or the reason to drop it. */
function encodeColumn(column: Column, rowCount: number, textColumnCount: number): ColumnEncoding | string {
  switch (column.kind) {
    case 'numeric':
    case 'boolean':
      return dropReasonOfNumbers(column.values, column.name) ?? { kind: 'number', column: column.name };
    case 'date':
      return encodeDates(column.values, column.name);
    case 'categorical':
      return encodeCategories(column.name, column.codes, column.categories);
    case 'text':
      return encodeText(column.name, column.values, rowCount, textColumnCount);
    default:
      return column satisfies never;
  }
}

function dropReasonOfNumbers(values: Float64Array, name: string): string | undefined {
  const present = values.filter((value) => value === value);
  if (present.length === 0) return 'every value is missing';
  const isConstant = present.every((value) => value === present[0]);
  if (isConstant && present.length === values.length) return 'every value is the same';
  return isCounter(present, name)
    ? 'it looks like an identifier: whole numbers, all different, that only count the rows'
    : undefined;
}

/** Distinct whole numbers that rise or fall with the row, nearly without gaps, or whose name says that they are an id. */
function isCounter(present: Float64Array, name: string): boolean {
  if (present.length < fewestRowsForIds || !present.every(Number.isInteger)) return false;
  const sorted = present.slice().sort();
  for (let index = 1; index < sorted.length; index++) if (sorted[index] === sorted[index - 1]) return false;
  const range = sorted.at(-1)! - sorted[0]!;
  // From about 1, so that years and other rising amounts stay.
  const isDense = sorted[0]! >= 0 && sorted[0]! <= 10 && range <= 3 * present.length;
  if (/(^|[^a-z])(id|uid|uuid|guid|index|key|nr|number|no)$/i.test(name) || /[a-z](Id|ID)$/.test(name))
    return true;
  const isRising = present.every((value, index) => index === 0 || value > present[index - 1]!);
  return isDense && isRising;
}

function encodeDates(values: Float64Array, column: string): ColumnEncoding | string {
  const present = values.filter((value) => value === value);
  if (present.length === 0) return 'every value is missing';
  const distinct = (of: (date: Date) => number): boolean => {
    const first = of(new Date(present[0]!));
    return present.some((value) => of(new Date(value)) !== first);
  };
  const varying = new Set<string>([
    ...(distinct((date) => date.getTime()) ? ['epochDays', 'weekday', 'day'] : []),
    ...(distinct((date) => date.getUTCFullYear()) ? ['year'] : []),
    ...(distinct((date) => date.getUTCMonth()) ? ['month'] : []),
    ...(distinct((date) => date.getUTCHours()) ? ['hour'] : []),
  ]);
  const parts = dateParts.filter((part) => varying.has(part));
  return parts.length === 0 ? 'every value is the same' : { kind: 'date', column, parts };
}

function encodeCategories(
  column: string,
  codes: Int32Array,
  categories: readonly string[],
): ColumnEncoding | string {
  const counts = new Int32Array(categories.length);
  let presentCount = 0;
  for (const code of codes) {
    if (code < 0) continue;
    counts[code]!++;
    presentCount++;
  }
  const seen = [...counts.keys()].filter((code) => counts[code]! > 0);
  if (presentCount === 0) return 'every value is missing';
  if (seen.length === 1 && presentCount === codes.length) return 'every value is the same';
  if (seen.length === presentCount && presentCount >= fewestRowsForIds) {
    return 'it looks like an identifier: every row has a value of its own';
  }
  // The most frequent are kept. A value seen once tells nothing about other rows once there are many values.
  const least = seen.length > 30 ? 2 : 1;
  const kept = seen.filter((code) => counts[code]! >= least).sort((a, b) => counts[b]! - counts[a]! || a - b);
  if (kept.length === 0) return 'it looks like an identifier: nearly every row has a value of its own';
  const names = kept
    .slice(0, maximumCategories)
    .sort((a, b) => a - b)
    .map((code) => categories[code]!);
  return { kind: 'category', column, categories: names };
}

function encodeText(
  column: string,
  values: readonly (string | null)[],
  rowCount: number,
  textColumnCount: number,
): ColumnEncoding | string {
  const present = values.filter((value): value is string => value !== null);
  if (present.length === 0) return 'every value is missing';
  const distinct = new Set(present);
  if (distinct.size === 1 && present.length === rowCount) return 'every value is the same';
  const areSingleWords = present.slice(0, 1000).every((value) => !/\s/.test(value.trim()));
  if (areSingleWords && distinct.size === present.length && present.length >= fewestRowsForIds) {
    return 'it looks like an identifier: every row has a single word of its own';
  }
  const share = Math.floor(maximumTextBytes / Math.max(1, rowCount) / textColumnCount);
  const wanted = Math.min(maximumTextBuckets / textColumnCount, share, Math.max(64, rowCount / 4));
  let bucketCount = 16;
  while (bucketCount * 2 <= wanted) bucketCount *= 2;
  return { kind: 'text', column, bucketCount };
}

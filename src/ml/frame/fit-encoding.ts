// Chooses how each column becomes features, and which columns cannot help. It looks at the inputs of the training
// rows only, never at the target, so nothing can leak into validation; whatever is estimated from the target is fitted
// inside each fold: statistics of categories (fit-statistics.ts), and all that learners do (bins, means, weights).
import type { Column, Frame } from './frame.ts';
import { signedLog, type ColumnEncoding, type Encoding } from './encoding.ts';
import { epochUnitOf, fitDates, fitDifferences } from './fit-dates.ts';
import { fitText } from './fit-text.ts';
import { isCode } from './infer-schema.ts';

/** A column that is left out of the model, and why, in words for people. */
export interface DroppedColumn {
  column: string;
  reason: string;
}

/** Most categories a column keeps by name; the rest become "other". A byte holds them with "other" and missing. */
export const maximumCategories = 250;

/** Longer ones are no names, and count as "other". */
export const maximumNameCharacters = 1000;

const fewestRowsForIds = 20;
const fewestRowsForNearIds = 100;
/** Of so many rows of a kind of their own, nothing can be learned about other rows. */
const nearIdShare = 0.95;
/** Fewer rows than this, of more than so many, cannot be told from chance. */
const fewestOtherRows = 3;
const rowsForNearConstants = 2000;

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
  const dates = encoding.flatMap((entry) => {
    if (entry.kind !== 'date') return [];
    const { values } = frame.columns.find((column) => column.name === entry.column)! as {
      values: Float64Array;
    };
    return [{ column: entry.column, values, ...(entry.unit && { unit: entry.unit }) }];
  });
  return { encoding: [...encoding, ...fitDifferences(dates)], dropped };
}

/** The encoding of a column, or the reason to drop it. */
function encodeColumn(column: Column, rowCount: number, textColumnCount: number): ColumnEncoding | string {
  switch (column.kind) {
    case 'numeric':
    case 'boolean':
      return encodeNumbers(column.name, column.values);
    case 'date':
      return encodeDates(column.values, column.name);
    case 'categorical':
      return encodeCategories(column.name, column.codes, column.categories);
    case 'text':
      return encodeText(column.name, column.values, { rowCount, textColumnCount });
    default:
      return column satisfies never;
  }
}

function encodeNumbers(column: string, values: Float64Array): ColumnEncoding | string {
  const present = values.filter((value) => value === value);
  const reason = constantReason(countValues(present), present.length, values.length);
  if (reason) return reason;
  if (isCounter(present, column))
    return 'it looks like an identifier: whole numbers, all different, that only count or name the rows';
  const unit = epochUnitOf(present, column);
  const dates = unit && fitDates(values, column, unit);
  if (dates) return dates;
  const logScale = skewScale(present);
  return { kind: 'number', column, ...(logScale !== undefined && { logScale }) };
}

/** How often the most frequent value occurs, and how many values there are. */
interface ValueCounts {
  most: number;
  distinct: number;
}

function countValues(present: Float64Array): ValueCounts {
  const sorted = present.slice().sort();
  const counts = { most: 0, distinct: 0 };
  let run = 0;
  for (let index = 0; index < sorted.length; index++) {
    run = index > 0 && sorted[index] === sorted[index - 1] ? run + 1 : 1;
    if (run === 1) counts.distinct++;
    counts.most = Math.max(counts.most, run);
  }
  return counts;
}

/** Why a column of these values cannot tell rows apart, if so. Whether a value is missing tells them apart too. */
function constantReason(
  { most, distinct }: ValueCounts,
  present: number,
  rowCount: number,
): string | undefined {
  if (present === 0) return 'every value is missing';
  if (distinct === 1 && present === rowCount) return 'every value is the same';
  const others = rowCount - Math.max(most, rowCount - present);
  if (rowCount < rowsForNearConstants || others >= fewestOtherRows) return undefined;
  return most >= rowCount - present
    ? `nearly every value is the same: only ${others} of ${rowCount} rows differ`
    : `nearly every value is missing: only ${others} of ${rowCount} rows have one`;
}

/** Distinct whole numbers that rise with the row, nearly without gaps, or whose name says that they are an id. */
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

/** What a signed logarithm is to be scaled by, where numbers lean to one side and it sets most of that right. */
function skewScale(present: Float64Array): number | undefined {
  const sizes = present
    .filter((value) => value !== 0)
    .map((value) => Math.abs(value))
    .sort();
  if (sizes.length < fewestRowsForIds) return undefined;
  const scale = Number(sizes[sizes.length >> 1]!.toPrecision(3));
  const skew = skewness(present);
  if (!(scale > 0 && Math.abs(skew) > 2)) return undefined;
  return Math.abs(skewness(present.map((value) => signedLog(value, scale)))) < Math.abs(skew) / 2
    ? scale
    : undefined;
}

/** The third standardised moment; NaN of equal or immense numbers. */
function skewness(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    const distance = value - mean;
    squares += distance * distance;
    cubes += distance * distance * distance;
  }
  const variance = squares / values.length;
  return cubes / values.length / (variance * Math.sqrt(variance));
}

function encodeDates(values: Float64Array, column: string): ColumnEncoding | string {
  const present = values.filter((value) => value === value);
  return (
    constantReason(countValues(present), present.length, values.length) ??
    fitDates(values, column) ?? { kind: 'date', column, parts: ['epochDays'] }
  );
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
  const most = seen.reduce((largest, code) => Math.max(largest, counts[code]!), 0);
  const reason = constantReason({ most, distinct: seen.length }, presentCount, codes.length);
  if (reason) return reason;
  if (seen.length === presentCount && presentCount >= fewestRowsForIds)
    return 'it looks like an identifier: every row has a value of its own';
  // The most frequent are kept. A value seen once tells nothing about other rows once there are many values.
  const least = seen.length > 30 ? 2 : 1;
  const kept = seen
    .filter((code) => counts[code]! >= least && categories[code]!.length <= maximumNameCharacters)
    .sort((a, b) => counts[b]! - counts[a]! || a - b);
  const isNearlyUnique = presentCount >= fewestRowsForNearIds && seen.length >= nearIdShare * presentCount;
  if (kept.length === 0 || isNearlyUnique)
    return 'it looks like an identifier: nearly every row has a value of its own';
  const names = kept
    .slice(0, maximumCategories)
    .sort((a, b) => a - b)
    .map((code) => categories[code]!);
  return { kind: 'category', column, categories: names };
}

function encodeText(
  column: string,
  values: readonly (string | null)[],
  { rowCount, textColumnCount }: { rowCount: number; textColumnCount: number },
): ColumnEncoding | string {
  const present = values.filter((value): value is string => value !== null);
  if (present.length === 0) return 'every value is missing';
  const distinct = new Set(present);
  if (distinct.size === 1 && present.length === rowCount) return 'every value is the same';
  const areCodes = present.every(isCode);
  if (areCodes && distinct.size === present.length && present.length >= fewestRowsForIds)
    return 'it looks like an identifier: every row has a single word of its own';
  return fitText(column, values, textColumnCount);
}

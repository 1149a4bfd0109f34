// Decides from a sample of rows how each column of texts is read. A decision is a proposal: the import converts every
// value strictly (conversions.ts), brings rows that did not fit back here as further evidence, and so widens a column
// rather than losing a value.
import { Problem } from '../../../base/problems.ts';
import type { ColumnType, ImportOptions } from '../../../contract/dataset.ts';
import { listed } from './column-names.ts';
import { detectDates, type DateReading, type DayOrder } from './date-formats.ts';
import { givenDateFormat } from './given-date-format.ts';
import {
  acceptedBooleanWords,
  detectedBooleanWords,
  hasLeadingZero,
  isCommaDecimal,
  isInteger,
  isNumber,
  isPerhapsGrouped,
  likelyNullWords,
  sureNullWords,
} from './value-forms.ts';

/** How the texts of one column become values. */
export type Reading =
  | { type: 'integer' }
  | { type: 'number'; decimalSeparator: '.' | ',' }
  | { type: 'boolean'; words: readonly (readonly [string, string])[] }
  | DateReading
  /** `expectsNothing`: the sample had no value, so that the first one is evidence. */
  | { type: 'text'; expectsNothing: boolean };

export interface Readings {
  readings: Reading[];
  /** Words that mean "missing", besides the empty text. */
  nullValues: string[];
  decimalSeparator: '.' | ',';
  /** The one format of dates that is not year-month-day, if there is one. */
  dateFormat: string | undefined;
  warnings: string[];
}

export interface SampleColumn {
  name: string;
  /** The different values that are not empty, as they are in the file. */
  values: readonly string[];
}

/** Looks at every column of a sample. `detectsNullWords` is off for formats that have a null of their own. */
export function detectReadings(
  columns: readonly SampleColumn[],
  options: ImportOptions,
  detectsNullWords: boolean,
): Readings {
  const wordsFor = nullWordsFor(options, detectsNullWords);
  const given = options.dateFormat === undefined ? undefined : givenDateFormat(options.dateFormat);
  const decimalSeparator = options.decimalSeparator ?? detectDecimalSeparator(columns, wordsFor.typed);
  const look = (preferred: DayOrder | null): Reading[] =>
    columns.map((column) => readingOf(column, { decimalSeparator, given, preferred, wordsFor, options }));
  const first = look(null);
  const order = first.some((reading) => 'order' in reading && reading.isAmbiguous) ? clearOrder(first) : null;
  const readings = order === null ? first : look(order);
  const nullValues = options.nullValues ?? foundNullWords(columns, readings, wordsFor);
  return {
    readings,
    nullValues,
    decimalSeparator,
    dateFormat: options.dateFormat ?? onlyFormat(readings),
    warnings: warningsOf(columns, readings, { options, nullValues, decimalSeparator }),
  };
}

interface NullWords {
  /** Left out of account when the type of a column is decided. */
  typed: ReadonlySet<string>;
  /** Missing in columns of text too. */
  text: ReadonlySet<string>;
}

interface Look {
  decimalSeparator: '.' | ',';
  given: ReturnType<typeof givenDateFormat> | undefined;
  preferred: DayOrder | null;
  wordsFor: NullWords;
  options: ImportOptions;
}

function nullWordsFor({ nullValues }: ImportOptions, detects: boolean): NullWords {
  if (nullValues !== undefined) return { typed: new Set(nullValues), text: new Set(nullValues) };
  return detects ? { typed: likelyNullWords, text: sureNullWords } : { typed: new Set(), text: new Set() };
}

function readingOf(column: SampleColumn, look: Look): Reading {
  const asked = typeAsked(look.options, column.name);
  const values = presentValues(column, look.wordsFor.typed);
  if (asked !== undefined) return readingAs(asked, values, look);
  if (values.length === 0) {
    const hasWords = column.values.some((value) => !look.wordsFor.text.has(value));
    return { type: 'text', expectsNothing: !hasWords };
  }
  return detectReading(values, look) ?? { type: 'text', expectsNothing: false };
}

function detectReading(values: readonly string[], look: Look): Reading | undefined {
  if (values.every(isInteger)) return { type: 'integer' };
  if (values.every(isNumber) && (look.decimalSeparator === '.' || values.every(isInteger)))
    return { type: 'number', decimalSeparator: '.' };
  if (look.decimalSeparator === ',' && values.every((value) => isCommaDecimal(value) || isInteger(value)))
    return { type: 'number', decimalSeparator: ',' };
  const words = detectedBooleans(values);
  if (words) return { type: 'boolean', words: [words] };
  if (look.given && values.every((value) => look.given!.pattern.test(value))) return look.given.reading;
  return detectDates(values, look.preferred);
}

function detectedBooleans(values: readonly string[]): readonly [string, string] | undefined {
  const distinct = new Set<string>();
  for (const value of values) {
    if (value.length > 5) return undefined;
    distinct.add(value.toLowerCase());
    if (distinct.size > 2) return undefined;
  }
  // A single letter may be a code: it takes both of a pair to say yes and no.
  return detectedBooleanWords.find(
    (pair) =>
      [...distinct].every((word) => pair.includes(word)) && (distinct.size === 2 || pair[0].length > 1),
  );
}

/** The reading for a type that the user asked for; what does not fit it is refused by the import. */
function readingAs(type: ColumnType, values: readonly string[], look: Look): Reading {
  switch (type) {
    case 'integer':
      return { type };
    case 'number':
      return { type, decimalSeparator: look.decimalSeparator };
    case 'boolean':
      return { type, words: acceptedBooleanWords };
    case 'date':
    case 'datetime': {
      const found = look.given?.reading ?? detectDates(values, look.preferred);
      const iso: DateReading = { ...isoDates, type };
      return found ? { ...found, type } : iso;
    }
    case 'text':
      return { type, expectsNothing: false };
    default:
      return type satisfies never;
  }
}

const isoDates: DateReading = {
  type: 'date',
  formats: ['%Y-%m-%d', '%Y-%m-%d %H:%M:%S', '%Y-%m-%dT%H:%M:%S', '%Y-%m-%dT%H:%M:%SZ'],
  isIso: true,
  order: null,
  isAmbiguous: false,
  hasShortYear: false,
};

function typeAsked(options: ImportOptions, name: string): ColumnType | undefined {
  return options.columns && Object.hasOwn(options.columns, name) ? options.columns[name]!.type : undefined;
}

function presentValues({ values }: SampleColumn, words: ReadonlySet<string>): string[] {
  return values.map((value) => value.trim()).filter((value) => value !== '' && !words.has(value));
}

/** A comma where more columns have decimals with commas than with points. */
function detectDecimalSeparator(columns: readonly SampleColumn[], words: ReadonlySet<string>): '.' | ',' {
  let commas = 0;
  let points = 0;
  for (const column of columns) {
    const values = presentValues(column, words);
    if (values.every(isInteger)) continue;
    if (values.every(isNumber)) points++;
    else if (
      values.every((value) => isCommaDecimal(value) || isInteger(value)) &&
      !values.every((value) => isPerhapsGrouped(value) || isInteger(value))
    )
      commas++;
  }
  return commas > points ? ',' : '.';
}

/** The order of day and month that the columns agree on which leave no doubt. */
function clearOrder(readings: readonly Reading[]): DayOrder | null {
  const orders = new Set<DayOrder>();
  for (const reading of readings)
    if ('order' in reading && reading.order !== null && !reading.isAmbiguous) orders.add(reading.order);
  const [order] = orders;
  return orders.size === 1 ? order! : null;
}

function foundNullWords(
  columns: readonly SampleColumn[],
  readings: readonly Reading[],
  wordsFor: NullWords,
): string[] {
  const found = new Set<string>();
  for (const [index, column] of columns.entries()) {
    const words = readings[index]!.type === 'text' ? wordsFor.text : wordsFor.typed;
    for (const value of column.values) {
      const word = value.trim();
      if (words.has(word)) found.add(word);
    }
  }
  return [...found].sort();
}

function onlyFormat(readings: readonly Reading[]): string | undefined {
  const formats = new Set<string>();
  for (const reading of readings)
    if ('formats' in reading && reading.formats.length === 1 && !reading.isIso)
      formats.add(reading.formats[0]!);
  return formats.size === 1 ? [...formats][0] : undefined;
}

function warningsOf(
  columns: readonly SampleColumn[],
  readings: readonly Reading[],
  decided: { options: ImportOptions; nullValues: readonly string[]; decimalSeparator: '.' | ',' },
): string[] {
  const warnings: string[] = [];
  const named = (matches: (reading: Reading, column: SampleColumn) => boolean): string[] =>
    columns.filter((column, index) => matches(readings[index]!, column)).map(({ name }) => `"${name}"`);
  const tell = (names: readonly string[], text: (list: string) => string): void => {
    if (names.length > 0) warnings.push(text(listed(names)));
  };
  if (decided.options.nullValues === undefined && decided.nullValues.length > 0)
    warnings.push(
      `Read as missing: ${listed(
        decided.nullValues.map((word) => `"${word}"`),
        12,
      )}. Name the null values yourself to change that.`,
    );
  tell(
    named((reading) => 'isAmbiguous' in reading && reading.isAmbiguous),
    (list) =>
      `Dates in ${list} could be day or month first; ${orderWords(readings)} was taken. Name the date format to change that.`,
  );
  tell(
    named((reading) => 'hasShortYear' in reading && reading.hasShortYear),
    (list) => `Years of two digits in ${list} are read as 1969 to 2068.`,
  );
  const isText = (reading: Reading): boolean => reading.type === 'text' && !('formats' in reading);
  tell(
    named(
      (reading, { values }) => isText(reading) && values.length > 0 && values.every(looksNumericWithComma),
    ),
    (list) =>
      `Commas in ${list} may be decimal or group digits, so they stay text. Name the decimal separator to read numbers.`,
  );
  tell(
    named((reading, column) => isText(reading) && isDigitsWithZeros(column)),
    (list) => `Digits in ${list} begin with zeros, so they stay text.`,
  );
  return warnings;
}

function orderWords(readings: readonly Reading[]): string {
  const first = readings.find((reading) => 'isAmbiguous' in reading && reading.isAmbiguous) as DateReading;
  return first.order === 'day-first' ? 'day first' : 'month first';
}

function looksNumericWithComma(value: string): boolean {
  return isCommaDecimal(value.trim()) || isInteger(value.trim());
}

function isDigitsWithZeros({ values }: SampleColumn): boolean {
  return values.some(hasLeadingZero) && values.every((value) => /^[+-]?[0-9]+$/.test(value));
}

/** @throws Problem `column-unknown` when types were asked for columns that are not there */
export function refuseUnknownColumns(options: ImportOptions, names: readonly string[]): void {
  const known = new Set(names);
  const unknown = Object.keys(options.columns ?? {}).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new Problem(
    'column-unknown',
    `Types are given for columns that the file does not have: ${listed(unknown.map((name) => `"${name}"`))}. It has: ${listed(names, 20)}.`,
    {
      errors: unknown
        .slice(0, 20)
        .map((name) => ({ field: 'options.columns', message: `no column "${name}"` })),
    },
  );
}

// What the head of a delimited text file tells: dialect, header, names, and rows to look at for types.
import { Problem } from '../../../base/problems.ts';
import type { ImportOptions } from '../../../contract/dataset.ts';
import { numberedNames, uniqueNames } from './column-names.ts';
import { detectDates } from './date-formats.ts';
import { detectDialect } from './dialect.ts';
import { splitRecords, type Dialect } from './records.ts';
import { formatBytes, type ImportLimits } from './source-limits.ts';
import { isCommaDecimal, isNumber, likelyNullWords } from './value-forms.ts';

export interface CsvHead {
  dialect: Dialect;
  hasHeader: boolean;
  names: string[];
  /** Data rows that have as many fields as there are columns. */
  rows: string[][];
  /** Where the last whole record of the head ends. */
  end: number;
  warnings: string[];
}

/** Cells that are looked at. */
const maxSampleCells = 120_000;
const minSampleRows = 100;

/** Looks at `head`, the text from the start of the file. @throws Problem naming what is wrong with it */
export function examineCsv(
  head: string,
  isWhole: boolean,
  options: ImportOptions,
  limits: ImportLimits,
): CsvHead {
  if (head.trim() === '') throw new Problem('file-empty', 'The file is empty.');
  const dialect = detectDialect(head, isWhole, options);
  const { records, end } = splitRecords(head, dialect, isWhole);
  const [first] = records;
  if (first === undefined) throw firstRowTooLong(head);
  const hasHeader = options.hasHeader ?? looksLikeHeader(first, records.slice(1, 200));
  const body = hasHeader ? records.slice(1) : records;
  if (body.length === 0 && isWhole)
    throw new Problem('file-empty', `The file has a header of ${first.length} columns but no rows.`);
  const columnCount = countColumns(first, body, hasHeader, options);
  if (columnCount > limits.maxColumns)
    throw new Problem(
      'too-many-columns',
      `The file has ${columnCount} columns; at most ${limits.maxColumns} are taken.`,
    );
  const padded = Array.from({ length: columnCount }, (_, index) => first[index] ?? '');
  const { names, warnings } = hasHeader
    ? uniqueNames(padded)
    : { names: numberedNames(columnCount), warnings: [] };
  return { dialect, hasHeader, names, warnings, rows: sampleRows(body, columnCount), end };
}

function countColumns(
  first: readonly string[],
  body: readonly string[][],
  hasHeader: boolean,
  options: ImportOptions,
): number {
  if (!hasHeader) return usualLength(body);
  const usual = body.length === 0 ? first.length : usualLength(body);
  if (usual <= first.length) return first.length;
  if (options.raggedRows === 'fill') return usual;
  throw new Problem(
    'row-ragged',
    `The header names ${first.length} columns, but most rows have ${usual} fields. Name the delimiter, say that there is no header, or allow short rows to be filled.`,
  );
}

function usualLength(records: readonly string[][]): number {
  const counts = new Map<number, number>();
  for (const { length } of records) counts.set(length, (counts.get(length) ?? 0) + 1);
  let usual = records[0]!.length;
  for (const [length, count] of counts) if (count > counts.get(usual)!) usual = length;
  return usual;
}

/** A first row is a header unless it has values of the kind that its columns have below. */
function looksLikeHeader(first: readonly string[], body: readonly string[][]): boolean {
  if (numbersInARow(first)) return true;
  return !first.some((text, column) => {
    const value = text.trim();
    if (value === '' || !isTyped(value)) return false;
    const below = body.map((record) => record[column]?.trim() ?? '').filter(isValue);
    return below.length === 0 ? body.length === 0 : below.every(isTyped);
  });
}

/** Whether all numbers of the row count upwards: years or positions as column names. */
function numbersInARow(first: readonly string[]): boolean {
  const numbers = first.filter((text) => /^\d+$/.test(text.trim())).map(Number);
  const texts = first.filter((text) => text.trim() !== '' && !isTyped(text.trim()));
  const counts = numbers.every((value, index) => index === 0 || value === numbers[index - 1]! + 1);
  return numbers.length >= 3 && counts && numbers.length + texts.length >= first.length - 1;
}

function isValue(text: string): boolean {
  return text !== '' && !likelyNullWords.has(text);
}

function isTyped(text: string): boolean {
  return isNumber(text) || isCommaDecimal(text) || detectDates([text], null) !== undefined;
}

function sampleRows(body: readonly string[][], columnCount: number): string[][] {
  const fitting = body.filter((record) => record.length === columnCount);
  const most = Math.max(minSampleRows, Math.floor(maxSampleCells / columnCount));
  if (fitting.length <= most) return fitting;
  const step = fitting.length / most;
  return Array.from({ length: most }, (_, index) => fitting[Math.floor(index * step)]!);
}

function firstRowTooLong(head: string): Problem {
  return new Problem('field-too-large', `The first row does not end within ${formatBytes(head.length)}.`);
}

// A Parquet file as a relation. Its columns have types; those that are wider than ours become text unless every value
// fits, lists and structures become JSON text.
import { open } from 'node:fs/promises';
import { Problem } from '../../../base/problems.ts';
import { joined, sql, type DataEngine, type Sql } from '../../../platform/ports/data-engine.ts';
import type { Reading } from './column-readings.ts';
import type { DateReading } from './date-formats.ts';
import { positional, type SourceColumn } from './conversions.ts';

const magic = 'PAR1';
const footerBytes = 8;

/** What the file says it holds: names and types of its columns, in order. */
export type ParquetColumns = { name: string; type: string }[];

/** Looks at both ends of the file. @throws Problem `file-unreadable` saying what is wrong with it */
export async function checkParquetFrame(path: string): Promise<void> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const ends = Buffer.alloc(footerBytes);
    if (size < 4 + footerBytes) throw unreadable('it is too short to be one');
    await file.read(ends, 0, footerBytes, size - footerBytes);
    if (ends.toString('latin1', 4) !== magic)
      throw unreadable('its end is missing: it was cut short, or never finished');
    if (ends.readUInt32LE(0) > size - 4 - footerBytes)
      throw unreadable('its footer claims to be larger than the file');
  } finally {
    await file.close();
  }
}

/** The columns that the footer names. */
export async function readParquetColumns(engine: DataEngine, path: string): Promise<ParquetColumns> {
  const rows = await engine.rows(sql`DESCRIBE SELECT * FROM read_parquet(${path})`);
  return rows.map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** The relation of the file's rows, columns c0, c1 and so on. */
export function parquetRelation(path: string, columnCount: number): Sql {
  const names = joined(Array.from({ length: columnCount }, (_, index) => positional(index)));
  return sql`(SELECT * FROM read_parquet(${path}) AS source(${names}))`;
}

/** The columns as the import takes them, and how each would be read. */
export function parquetColumns(
  columns: ParquetColumns,
  names: readonly string[],
): { columns: SourceColumn[]; readings: Reading[] } {
  const taken = columns.map(({ type }, index) => takeColumn(names[index]!, type, positional(index)));
  return { columns: taken.map(({ column }) => column), readings: taken.map(({ reading }) => reading) };
}

/** An error of the engine about a Parquet file, in words. */
export function unreadableParquet(reason: string): Problem {
  return unreadable(reason);
}

const plainText: Reading = { type: 'text', expectsNothing: false };
type TypedReading = Exclude<Reading, { type: 'text' }>;
type Taken = { column: SourceColumn; reading: Reading };

function takeColumn(name: string, type: string, value: Sql): Taken {
  const typed = (reading: TypedReading, converted: Sql, fits?: Sql): Taken => ({
    column: {
      name,
      text: sql`CAST(${value} AS VARCHAR)`,
      typed: {
        type: reading.type,
        value: converted,
        ...(fits && { fits: sql`${value} IS NULL OR ${fits}` }),
      },
    },
    reading,
  });
  const asText = (text: Sql): Taken => ({ column: { name, text }, reading: plainText });
  switch (baseOf(type)) {
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'UTINYINT':
    case 'USMALLINT':
    case 'UINTEGER':
      return typed(integers, sql`CAST(${value} AS BIGINT)`);
    case 'UBIGINT':
    case 'HUGEINT':
    case 'UHUGEINT':
      return typed(integers, sql`CAST(${value} AS BIGINT)`, sql`TRY_CAST(${value} AS BIGINT) IS NOT NULL`);
    case 'FLOAT':
    case 'DOUBLE':
      return typed(numbers, sql`CASE WHEN isnan(${value}) THEN NULL ELSE CAST(${value} AS DOUBLE) END`);
    case 'DECIMAL': {
      const [, digits, scale] = /\((\d+),(\d+)\)/.exec(type) ?? [];
      if (Number(scale) === 0)
        return typed(integers, sql`CAST(${value} AS BIGINT)`, sql`TRY_CAST(${value} AS BIGINT) IS NOT NULL`);
      const double = sql`CAST(${value} AS DOUBLE)`;
      if (Number(digits) <= exactDigits) return typed(numbers, double);
      return typed(numbers, double, sql`abs(${value}) < ${10 ** (exactDigits - Number(scale))}`);
    }
    case 'BOOLEAN':
      return typed({ type: 'boolean', words: [] }, value);
    case 'DATE':
      return typed({ ...times, type: 'date' }, value);
    case 'TIMESTAMP':
    case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS':
    case 'TIMESTAMP WITH TIME ZONE':
      return typed(times, sql`CAST(${value} AS TIMESTAMP)`);
    case 'TIMESTAMP_NS': {
      const micros = sql`CAST(${value} AS TIMESTAMP)`;
      return typed(times, micros, sql`CAST(${micros} AS TIMESTAMP_NS) = ${value}`);
    }
    case 'nested':
      return asText(sql`CAST(to_json(${value}) AS VARCHAR)`);
    case 'VARCHAR':
      return asText(sql`CASE WHEN ${value} = '' THEN NULL ELSE ${value} END`);
    default:
      return asText(sql`CAST(${value} AS VARCHAR)`);
  }
}

/** Decimals of up to so many digits come back from a double as they went in. */
const exactDigits = 15;
const integers: TypedReading = { type: 'integer' };
const numbers: TypedReading = { type: 'number', decimalSeparator: '.' };
const times: DateReading = {
  type: 'datetime',
  formats: [],
  isIso: true,
  order: null,
  isAmbiguous: false,
  hasShortYear: false,
};

function baseOf(type: string): string {
  if (/\]$|^(STRUCT|MAP|UNION)\(/.test(type)) return 'nested';
  return type.replace(/\(.*$/, '').trim();
}

function unreadable(reason: string): Problem {
  return new Problem('file-unreadable', `The file is not readable as Parquet: ${reason}.`);
}

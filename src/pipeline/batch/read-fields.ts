// What a model reads, out of the columns of a Parquet file: statements for the data engine, and what is left to do with
// their values. Typed values are taken as they are; a value of another type is read from its text, as that of a CSV file.
// A value that does not fit is told by row, never guessed.
import type { ColumnType } from '../../contract/dataset.ts';
import { readValue, RefusedValue } from '../../ml/frame/values.ts';
import type { ReadColumn, ReadValues } from '../../ml/model/column-predictor.ts';
import {
  identifier,
  joined,
  sql,
  type ColumnPart,
  type DataEngine,
  type Sql,
} from '../../platform/ports/data-engine.ts';
import { doubleOf, type ColumnTypes } from '../data/column-types.ts';

/** What is wrong, by the place of the row. */
export type RowProblems = Map<number, string>;

export interface FieldReading {
  name: string;
  /** A double that is never null, or a text. */
  value: Sql;
  /** Turns what the engine gave into what the model takes; what does not fit becomes missing and is told. */
  finish(part: ColumnPart, problems: RowProblems): ReadValues;
}

/** Readings of the columns that are there; makes the dictionaries that they need in `engine`. */
export async function fieldReadings(
  engine: DataEngine,
  columns: readonly ReadColumn[],
  types: ColumnTypes,
): Promise<FieldReading[]> {
  const readings: FieldReading[] = [];
  for (const [index, column] of columns.entries()) {
    const type = types.get(column.name);
    if (type === undefined) continue;
    if (column.kind === 'categorical') {
      const dictionary = identifier(`categories_${index}`);
      // oxlint-disable-next-line no-await-in-loop -- statements run one at a time
      const value = await codeOf(engine, { column, text: textOf(column.name, type), dictionary });
      readings.push({ name: column.name, value, finish: asItIs });
    } else readings.push(readingOf(column, type));
  }
  return readings;
}

function readingOf({ name, kind }: ReadColumn, type: ColumnType): FieldReading {
  if (kind === 'text') return { name, value: textOf(name, type), finish: asItIs };
  const isNumber = type === 'integer' || type === 'number';
  const isDate = type === 'date' || type === 'datetime';
  const fits =
    (kind === 'numeric' && isNumber) ||
    (kind === 'boolean' && type === 'boolean') ||
    // Numbers are milliseconds since 1970, as they are in JSON.
    (kind === 'date' && (isDate || isNumber));
  if (fits) {
    const value = sql`coalesce(${doubleOf(identifier(name), type)}, CAST('nan' AS DOUBLE))`;
    const mayBeTooLarge = type === 'number' || (kind === 'date' && isNumber);
    return { name, value, finish: mayBeTooLarge ? withinRange(name, kind) : asItIs };
  }
  return {
    name,
    value: textOf(name, type),
    finish: (part, problems) => {
      const texts = part as (string | null)[];
      const values = new Float64Array(texts.length);
      for (const [row, text] of texts.entries()) {
        const value = readValue(text, kind, 'text');
        if (value instanceof RefusedValue) tell(problems, row, name, value.message);
        values[row] = typeof value === 'number' ? value : NaN;
      }
      return values;
    },
  };
}

/** The range of dates in JavaScript. */
const largestDateMs = 8.64e15;

function asItIs(part: ColumnPart): ReadValues {
  return part;
}

function withinRange(name: string, kind: ReadColumn['kind']): FieldReading['finish'] {
  const [largest, expected] =
    kind === 'date' ? [largestDateMs, 'a date'] : [Number.MAX_VALUE, 'a finite number'];
  return (part, problems) => {
    const values = part as Float64Array;
    for (let row = 0; row < values.length; row++) {
      const value = values[row]!;
      if (value > largest || value < -largest) {
        tell(problems, row, name, `must be ${expected}, got ${value}`);
        values[row] = NaN;
      }
    }
    return values;
  };
}

function tell(problems: RowProblems, row: number, field: string, message: string): void {
  const before = problems.get(row);
  const own = `${field} ${message}`;
  problems.set(row, before === undefined ? own : `${before}; ${own}`);
}

/** A value as text, as JSON would show it. */
function textOf(name: string, type: ColumnType): Sql {
  const value = identifier(name);
  if (type === 'text') return value;
  if (type !== 'number') return sql`CAST(${value} AS VARCHAR)`;
  const whole = sql`${value} = floor(${value}) AND abs(${value}) < 9007199254740992`;
  return sql`CASE WHEN ${whole} THEN CAST(CAST(${value} AS BIGINT) AS VARCHAR) ELSE CAST(${value} AS VARCHAR) END`;
}

async function codeOf(
  engine: DataEngine,
  { column, text, dictionary }: { column: ReadColumn; text: Sql; dictionary: Sql },
): Promise<Sql> {
  const categories = column.categories ?? [];
  const others = sql`CAST(${categories.length} AS DOUBLE)`;
  const missing = sql`WHEN ${identifier(column.name)} IS NULL THEN CAST('nan' AS DOUBLE)`;
  // A type without values cannot exist.
  if (categories.length === 0) return sql`CASE ${missing} ELSE ${others} END`;
  const literals = joined(categories.map((category) => sql`${category}`));
  await engine.run(sql`CREATE TYPE ${dictionary} AS ENUM (${literals})`);
  const code = sql`CAST(enum_code(TRY_CAST(${text} AS ${dictionary})) AS DOUBLE)`;
  return sql`CASE ${missing} ELSE coalesce(${code}, ${others}) END`;
}

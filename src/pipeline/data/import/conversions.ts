// How the text of a field becomes a value, in SQL: strict, so that nothing is lost. The engine's own casts are lenient
// (1.5 to a whole number gives 2, 0x1F gives 31, a time zone is dropped), so each is guarded: the common form by a
// cheap test or by casting back, the rest by a pattern. value-forms.ts says the same for samples.
import { identifier, joined, sql, type Sql } from '../../../platform/ports/data-engine.ts';
import type { DateReading } from './date-formats.ts';
import type { Reading } from './column-readings.ts';

/** Stands in an engine error that says that a value did not fit its reading; the number of the column follows. */
export const misfitMark = 'pilvi-misfit:';

/** A column of the source: its texts, or values that have a type already (Parquet). */
export interface SourceColumn {
  name: string;
  text: Sql;
  /** The values themselves, where they have a type that needs no reading; `fits` where not every value keeps it. */
  typed?: { type: Exclude<Reading['type'], 'text'>; value: Sql; fits?: Sql };
}

/** What the texts of a source may have. */
export interface TextSuspicion {
  zeroBytes: boolean;
  /** That some are too long. */
  length: boolean;
}

/** What holds for every column of an import. */
export interface ConversionRules {
  /** Words that mean "missing". */
  nullValues: readonly string[];
  maxFieldBytes: number;
  suspicion: TextSuspicion;
  /**
   * `common`: short statements, for tables of thousands of columns, whose plans would take minutes otherwise. What is
   * written in a rarer way does not fit then.
   */
  spellings: 'all' | 'common';
}

/**
 * The converted columns of `rows`, by their names; a text that does not fit makes the statement fail with
 * {@link misfitMark}. The engine's own cast of each text is made once, below, and looked at above.
 */
export function selectValues(
  columns: readonly SourceColumn[],
  readings: readonly Reading[],
  rows: Sql,
  rules: ConversionRules,
): Sql {
  const casts: Sql[] = [];
  const values = columns.map((column, index) => {
    const reading = readings[index]!;
    const cast = column.typed?.type === reading.type ? undefined : castOf(column.text, reading);
    if (cast) casts.push(sql`${cast} AS ${castName(index)}`);
    return sql`${valueOf(column, { index, reading, cast: cast && castName(index) }, rules)} AS ${identifier(column.name)}`;
  });
  const source = casts.length === 0 ? rows : sql`(SELECT *, ${joined(casts)} FROM ${rows})`;
  return sql`SELECT ${joined(values)} FROM ${source}`;
}

function valueOf(
  column: SourceColumn,
  { index, reading, cast }: { index: number; reading: Reading; cast: Sql | undefined },
  rules: ConversionRules,
): Sql {
  const misfit = sql`error(${misfitMark + String(index)})`;
  const { text, typed } = column;
  if (typed?.type !== reading.type) {
    const field = { text, cast: cast ?? text };
    const isCommon = rules.spellings === 'common' ? isCommonlyWritten(field, reading) : undefined;
    if (isCommon === undefined) return convert(field, reading, misfit, rules);
    return sql`CASE WHEN ${isCommon} THEN ${field.cast} WHEN ${text} IS NOT NULL THEN ${misfit} END`;
  }
  return typed.fits ? sql`CASE WHEN ${typed.fits} THEN ${typed.value} ELSE ${misfit} END` : typed.value;
}

function castName(index: number): Sql {
  return identifier(`cast_${index}`);
}

/** Whether the text of a column does not fit. */
export function misfits(column: SourceColumn, reading: Reading, rules: ConversionRules): Sql {
  const { text, typed } = column;
  if (typed?.type === reading.type) return typed.fits ? sql`(NOT (${typed.fits}))` : sql`false`;
  if (reading.type === 'text') {
    if (reading.expectsNothing) return sql`(${text} IS NOT NULL)`;
    return sql`coalesce(${isUnusableText(text, rules)}, false)`;
  }
  const value = convert({ text, cast: castOf(text, reading) ?? text }, reading, sql`NULL`, rules);
  return sql`(NOT (${isMissing(text, rules)}) AND (${value}) IS NULL)`;
}

/** Whether a text is too long, or holds a NUL, which databases and JSON tools choke on. */
export function isUnusableText(text: Sql, { maxFieldBytes, suspicion }: ConversionRules): Sql {
  const tests = [
    ...(suspicion.length ? [sql`strlen(${text}) > ${maxFieldBytes}`] : []),
    ...(suspicion.zeroBytes ? [sql`contains(${text}, chr(0))`] : []),
  ];
  return tests.length === 0 ? sql`false` : sql`(${joined(tests, sql` OR `)})`;
}

/** A text, and what the engine's own cast makes of it. */
interface Field {
  text: Sql;
  cast: Sql;
}

/** The engine's cast of a text, for readings that look at it. */
function castOf(text: Sql, reading: Reading): Sql | undefined {
  switch (reading.type) {
    case 'integer':
      return sql`TRY_CAST(${text} AS BIGINT)`;
    case 'number':
      return sql`TRY_CAST(${reading.decimalSeparator === '.' ? text : pointed(text)} AS DOUBLE)`;
    case 'date':
      return reading.isIso ? sql`TRY_CAST(${text} AS DATE)` : undefined;
    case 'datetime':
      return reading.isIso ? sql`TRY_CAST(${spaced(text, reading)} AS TIMESTAMP)` : undefined;
    case 'boolean':
    case 'text':
      return undefined;
    default:
      return reading satisfies never;
  }
}

/** A cheap test for the way that nearly all values are written: what passes is what the engine's cast says. */
function isCommonlyWritten({ text, cast }: Field, reading: Reading): Sql | undefined {
  const isSame = sql`CAST(${cast} AS VARCHAR) = ${text}`;
  switch (reading.type) {
    case 'integer':
      return isSame;
    case 'number':
      return reading.decimalSeparator === '.' ? isPlainNumber({ text, cast }) : undefined;
    case 'date':
      return reading.isIso ? sql`strlen(${text}) = 10 AND ${isSame}` : undefined;
    case 'datetime':
      return reading.isIso
        ? sql`strlen(${text}) >= 19 AND CAST(${cast} AS VARCHAR) = ${spaced(text, reading)}`
        : undefined;
    case 'boolean':
    case 'text':
      return undefined;
    default:
      return reading satisfies never;
  }
}

/** Digits, perhaps with a minus, a point or an exponent, that begin with no more than one zero. */
function isPlainNumber({ text, cast }: Field): Sql {
  return sql`${cast} BETWEEN -999999999999999 AND 999999999999999 AND ${text} >= '-' AND ${text} < ':'
      AND NOT (${text} >= '00' AND ${text} < '0:') AND NOT (${text} >= '-00' AND ${text} < '-0:')
      AND NOT contains(${text}, '_')`;
}

function convert(field: Field, reading: Reading, otherwise: Sql, rules: ConversionRules): Sql {
  const { text } = field;
  const missing = isMissing(text, rules);
  switch (reading.type) {
    case 'integer':
      return integer(field, missing, otherwise);
    case 'number':
      return reading.decimalSeparator === '.'
        ? number(field, missing, otherwise)
        : commaNumber(field, missing, otherwise);
    case 'boolean':
      return boolean(text, reading.words, sql`WHEN ${missing} THEN NULL`, otherwise);
    case 'date':
      return date(field, reading, missing, otherwise);
    case 'datetime':
      return datetime(field, reading, missing, otherwise);
    case 'text':
      if (reading.expectsNothing)
        return sql`CASE WHEN ${text} IS NULL THEN CAST(NULL AS VARCHAR) ELSE ${otherwise} END`;
      if (!rules.suspicion.length && !rules.suspicion.zeroBytes) return text;
      return sql`CASE WHEN ${isUnusableText(text, rules)} THEN ${otherwise} ELSE ${text} END`;
    default:
      return reading satisfies never;
  }
}

/** Missing: no text, blanks, or one of the words with blanks around it. */
function isMissing(text: Sql, { nullValues }: ConversionRules): Sql {
  const words = joined(['', ...nullValues].map((word) => sql`${word}`));
  return sql`${text} IS NULL OR trim(${text}) IN (${words})`;
}

function integer({ text, cast }: Field, missing: Sql, otherwise: Sql): Sql {
  const trimmed = sql`trim(${text})`;
  return sql`CASE
    WHEN CAST(${cast} AS VARCHAR) = ${text} THEN ${cast}
    WHEN ${missing} THEN NULL
    WHEN regexp_full_match(${trimmed}, '[+-]?(0|[1-9][0-9]{0,18})') AND TRY_CAST(${trimmed} AS BIGINT) IS NOT NULL
      THEN CAST(${trimmed} AS BIGINT)
    ELSE ${otherwise} END`;
}

/** Whole numbers must be exact; decimals become the nearest double, as everywhere. */
function number({ text, cast }: Field, missing: Sql, otherwise: Sql): Sql {
  const trimmed = sql`trim(${text})`;
  const slow = sql`TRY_CAST(${trimmed} AS DOUBLE)`;
  return sql`CASE
    WHEN ${isPlainNumber({ text, cast })} THEN ${cast}
    WHEN ${missing} THEN NULL
    WHEN regexp_full_match(lower(${trimmed}), '[+-]?inf(inity)?') THEN ${slow}
    WHEN regexp_full_match(${trimmed}, '[+-]?((0|[1-9][0-9]*)(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?')
      AND isfinite(${slow}) AND (NOT regexp_full_match(${trimmed}, '[+-]?[0-9]+')
        OR CAST(TRY_CAST(${slow} AS HUGEINT) AS VARCHAR) = ltrim(${trimmed}, '+')
        OR abs(${slow}) <= 999999999999999) THEN ${slow}
    ELSE ${otherwise} END`;
}

/** The comma is the decimal point; a point has no meaning. */
function commaNumber({ text, cast }: Field, missing: Sql, otherwise: Sql): Sql {
  const point = { text: pointed(text), cast };
  return sql`CASE WHEN ${missing} THEN NULL WHEN contains(${text}, '.') THEN ${otherwise}
    ELSE ${number(point, sql`false`, otherwise)} END`;
}

function pointed(text: Sql): Sql {
  return sql`replace(${text}, ',', '.')`;
}

function boolean(
  text: Sql,
  words: readonly (readonly [string, string])[],
  whenMissing: Sql,
  otherwise: Sql,
): Sql {
  const spellings = (side: 0 | 1): Sql =>
    joined(
      words
        .map((pair) => pair[side])
        .flatMap((word) => [word, word.toUpperCase(), word[0]!.toUpperCase() + word.slice(1)])
        .map((word) => sql`${word}`),
    );
  const lowered = sql`lower(trim(${text}))`;
  return sql`CASE
    WHEN ${text} IN (${spellings(0)}) THEN true
    WHEN ${text} IN (${spellings(1)}) THEN false
    ${whenMissing}
    WHEN ${lowered} IN (${spellings(0)}) THEN true
    WHEN ${lowered} IN (${spellings(1)}) THEN false
    ELSE ${otherwise} END`;
}

function date({ text, cast }: Field, reading: DateReading, missing: Sql, otherwise: Sql): Sql {
  const parsed = parsedTime(text, reading);
  // A time that is not midnight would be lost.
  const slow = sql`CASE
    WHEN ${missing} THEN NULL
    WHEN year(${parsed}) >= 1000 AND CAST(CAST(${parsed} AS DATE) AS TIMESTAMP) = ${parsed}
      THEN CAST(${parsed} AS DATE)
    ELSE ${otherwise} END`;
  const isCommon = isCommonlyWritten({ text, cast }, reading);
  return isCommon ? sql`CASE WHEN ${isCommon} THEN ${cast} ELSE ${slow} END` : slow;
}

function datetime({ text, cast }: Field, reading: DateReading, missing: Sql, otherwise: Sql): Sql {
  const parsed = parsedTime(text, reading);
  const slow = sql`CASE
    WHEN ${missing} THEN NULL
    WHEN year(${parsed}) >= 1000 THEN ${parsed}
    ELSE ${otherwise} END`;
  const isCommon = isCommonlyWritten({ text, cast }, reading);
  return isCommon ? sql`CASE WHEN ${isCommon} THEN ${cast} ELSE ${slow} END` : slow;
}

/** An ISO time in the engine's spelling: a space for the T, and no Z, because it is UTC anyway. */
function spaced(text: Sql, { formats }: DateReading): Sql {
  const hasMarks = formats.some((format) => /T|Z$/.test(format));
  return hasMarks ? sql`rtrim(replace(${text}, 'T', ' '), 'Z')` : text;
}

/**
 * Times with a zone are brought to UTC; times without one are taken as UTC. Words without a digit are kept away from
 * the engine, which takes "infinity" for the first of January 1900.
 */
function parsedTime(text: Sql, reading: DateReading): Sql {
  const digits = sql`CASE WHEN regexp_matches(${text}, '[0-9]') THEN trim(${text}) END`;
  return sql`CAST(try_strptime(${digits}, ${reading.formats}) AS TIMESTAMP)`;
}

/** The columns of a relation whose columns are called c0, c1 and so on. */
export function positionalColumns(names: readonly string[]): SourceColumn[] {
  return names.map((name, index) => ({ name, text: positional(index) }));
}

/** The name of the column at `index` in such a relation. */
export function positional(index: number): Sql {
  return identifier(`c${index}`);
}

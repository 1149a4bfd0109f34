// Writes a table as Parquet, every value converted strictly. The readings of the columns are a guess from a sample; when
// a value does not fit, rows that did not fit are taken as further evidence and the file is written again. So a clean
// file is parsed once, and no value is ever lost to a wrong guess.
import { rm } from 'node:fs/promises';
import { Problem } from '../../../base/problems.ts';
import type { ImportOptions } from '../../../contract/dataset.ts';
import { joined, sql, type DataEngine, type Sql } from '../../../platform/ports/data-engine.ts';
import { listed } from './column-names.ts';
import { detectReadings, type Reading, type Readings } from './column-readings.ts';
import { isUnusableText, misfits, selectValues, type ConversionRules } from './conversions.ts';
import { failureOf } from './engine-problems.ts';
import type { Table } from './open-table.ts';
import { formatBytes, type ImportLimits } from './source-limits.ts';

/** After so many rounds of evidence, columns that still do not fit become text. */
const maxRounds = 4;
const evidenceRows = 2000;
/** With more columns than these, a statement that allows for every spelling takes long to plan. */
const manyColumns = 500;
/** A row group is held in memory by each thread. */
const rowGroup = { maxRows: 122_880, minRows: 2048, cells: 2_457_600 };

export interface Written {
  readings: Readings;
  rowCount: number;
}

export interface Writing {
  options: ImportOptions;
  limits: ImportLimits;
  target: string;
  /** Where the first rows are enough. */
  maxRows?: number | undefined;
}

/** Writes the table to `target`, and says how its columns were read. */
export async function writeTable(engine: DataEngine, table: Table, writing: Writing): Promise<Written> {
  let sample = table.sample;
  let decided = readingsOf(table, sample, writing.options);
  for (let round = 1; ; round++) {
    try {
      return { readings: decided, rowCount: await copyTable(engine, table, decided, writing) };
    } catch (error) {
      await rm(writing.target, { force: true });
      if (failureOf(error) !== 'misfit') throw error;
    }
    const rules = rulesOf(table, decided, writing.limits);
    await refuseMisfits(engine, table, decided, { ...writing, rules });
    const evidence = await misfitRows(engine, table, decided, rules);
    sample = [...sample, ...evidence];
    const next = readingsOf(table, sample, writing.options);
    const isNews = JSON.stringify(next.readings) !== JSON.stringify(decided.readings);
    decided = isNews && round < maxRounds ? next : await misfitsAsText(engine, table, next, rules);
  }
}

/** How the columns would be read, by the rows of `sample`. */
function readingsOf(
  table: Table,
  sample: readonly (readonly (string | null)[])[],
  options: ImportOptions,
): Readings {
  const columns = table.columns.map(({ name }, index) => ({
    name,
    values: [...new Set(sample.map((row) => row[index] ?? ''))].filter((value) => value.trim() !== ''),
  }));
  const found = detectReadings(columns, options, table.detectsNullWords);
  if (table.readings === undefined) return found;
  const isAsked = (name: string): boolean => Object.hasOwn(options.columns ?? {}, name);
  return {
    ...found,
    nullValues: [],
    dateFormat: undefined,
    warnings: [],
    readings: table.readings.map((reading, index) =>
      isAsked(columns[index]!.name) ? found.readings[index]! : reading,
    ),
  };
}

function selectConverted(
  table: Table,
  decided: Readings,
  { limits, maxRows, spellings = 'all' }: Writing & { spellings?: ConversionRules['spellings'] },
): Sql {
  const rows = selectValues(table.columns, decided.readings, table.relation(decided.nullValues), {
    ...rulesOf(table, decided, limits),
    spellings,
  });
  return maxRows === undefined ? rows : sql`${rows} LIMIT ${maxRows}`;
}

async function copyTable(
  engine: DataEngine,
  table: Table,
  decided: Readings,
  writing: Writing,
): Promise<number> {
  const copy = (spellings: ConversionRules['spellings']): Promise<number> =>
    writeRows(engine, selectConverted(table, decided, { ...writing, spellings }), {
      target: writing.target,
      columnCount: table.columns.length,
    });
  if (table.columns.length > manyColumns) {
    try {
      return await copy('common');
    } catch (error) {
      if (failureOf(error) !== 'misfit') throw error;
    }
  }
  return await copy('all');
}

async function writeRows(
  engine: DataEngine,
  rows: Sql,
  { target, columnCount }: { target: string; columnCount: number },
): Promise<number> {
  const mostRows = Math.floor(rowGroup.cells / columnCount);
  const groupRows = Math.max(rowGroup.minRows, Math.min(rowGroup.maxRows, mostRows));
  const [[count]] = (await engine.rows(
    sql`COPY (${rows}) TO ${target}
      (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${groupRows})`,
  )) as [[number]];
  return count;
}

function rulesOf(
  { suspicion }: Table,
  { nullValues }: Readings,
  { maxFieldBytes }: ImportLimits,
): ConversionRules {
  return { nullValues, maxFieldBytes, suspicion, spellings: 'all' };
}

function anyMisfit(table: Table, readings: readonly Reading[], rules: ConversionRules): Sql {
  return joined(
    table.columns.map((column, index) => misfits(column, readings[index]!, rules)),
    sql` OR `,
  );
}

async function misfitRows(
  engine: DataEngine,
  table: Table,
  decided: Readings,
  rules: ConversionRules,
): Promise<(string | null)[][]> {
  const texts = joined(table.columns.map(({ text }) => text));
  return (await engine.rows(
    sql`SELECT ${texts} FROM ${table.relation(decided.nullValues)}
      WHERE ${anyMisfit(table, decided.readings, rules)} LIMIT ${evidenceRows}`,
  )) as (string | null)[][];
}

async function misfitsAsText(
  engine: DataEngine,
  table: Table,
  decided: Readings,
  rules: ConversionRules,
): Promise<Readings> {
  const flags = table.columns.map(
    (column, index) => sql`bool_or(${misfits(column, decided.readings[index]!, rules)})`,
  );
  const [found = []] = await engine.rows(
    sql`SELECT ${joined(flags)} FROM ${table.relation(decided.nullValues)}`,
  );
  const text: Reading = { type: 'text', expectsNothing: false };
  return {
    ...decided,
    readings: decided.readings.map((reading, index) => (found[index] === true ? text : reading)),
  };
}

/** Values that no wider type would help: of a type that was asked for, or no usable text. */
async function refuseMisfits(
  engine: DataEngine,
  table: Table,
  decided: Readings,
  { options, rules, limits }: Writing & { rules: ConversionRules },
): Promise<void> {
  const numbered = sql`(SELECT row_number() OVER () AS row_number, * FROM ${table.relation(decided.nullValues)})`;
  for (const [index, column] of table.columns.entries()) {
    const reading = decided.readings[index]!;
    const isAsked = Object.hasOwn(options.columns ?? {}, column.name);
    const isText = reading.type === 'text' && !reading.expectsNothing;
    if (!isAsked && !isText) continue;
    const condition = isText ? isUnusableText(column.text, rules) : misfits(column, reading, rules);
    const rows = await engine.rows(
      sql`SELECT row_number, left(${column.text}, 60), strlen(${column.text}) FROM ${numbered} WHERE ${condition} LIMIT 3`,
    );
    const [first] = rows;
    if (first === undefined) continue;
    if (isText) throw unusable(column.name, Number(first[0]), Number(first[2]), limits);
    const values = rows.map(([row, value]) => `"${value}" in row ${row}`);
    throw new Problem(
      'conversion-failed',
      `Column "${column.name}" cannot be read as ${reading.type}: ${listed(values)}.`,
      { errors: [{ field: column.name, message: `does not fit ${reading.type}: ${listed(values)}` }] },
    );
  }
}

function unusable(name: string, row: number, sizeBytes: number, { maxFieldBytes }: ImportLimits): Problem {
  if (sizeBytes > maxFieldBytes) {
    return new Problem(
      'field-too-large',
      `Column "${name}" has ${formatBytes(sizeBytes)} in row ${row}; at most ${formatBytes(maxFieldBytes)} are taken.`,
    );
  }
  return new Problem('file-unreadable', `Column "${name}" holds a zero byte in row ${row}: that is no text.`);
}

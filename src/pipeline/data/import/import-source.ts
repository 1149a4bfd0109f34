// The whole of an import but the profile: a stored source, opened, read and written as Parquet. Imports and previews
// differ only in how much of the source they take.
import { Problem } from '../../../base/problems.ts';
import type { ColumnType, ImportOptions } from '../../../contract/dataset.ts';
import type { DataEngine } from '../../../platform/ports/data-engine.ts';
import type { Readings } from './column-readings.ts';
import { findRaggedRows, raggedWarning, skippedRows } from './csv-table.ts';
import { type OpenSource, type Table } from './open-table.ts';
import { readTable } from './read-table.ts';
import type { ImportLimits } from './source-limits.ts';
import { writeTable } from './write-table.ts';

export interface Imported {
  rowCount: number;
  columns: { name: string; type: ColumnType }[];
  /** Options that read the source the same way again. */
  options: ImportOptions;
  warnings: string[];
}

/**
 * Writes the source to `target` as Parquet, rows in order.
 * @param maxRows where the first rows are enough
 * @throws Problem naming what is wrong with the source, and where
 */
export async function importSource(
  engine: DataEngine,
  source: OpenSource,
  { target, maxRows }: { target: string; maxRows?: number },
): Promise<Imported> {
  const { options, limits } = source;
  const { table, result } = await readTable(engine, source, async (opened) => ({
    written: await writeTable(engine, opened, { options, limits, target, maxRows }),
    ragged: await raggedWarnings(engine, opened, limits),
  }));
  const { readings, rowCount } = result.written;
  if (rowCount === 0)
    throw new Problem('file-empty', `The file has ${table.columns.length} columns but no rows.`);
  return {
    rowCount,
    columns: table.columns.map(({ name }, index) => ({ name, type: readings.readings[index]!.type })),
    options: foundOptions(table, readings, options),
    warnings: [...table.warnings, ...readings.warnings, ...result.ragged],
  };
}

function foundOptions(
  table: Table,
  { dateFormat, decimalSeparator, nullValues }: Readings,
  given: ImportOptions,
): ImportOptions {
  const isText = table.format !== 'parquet';
  return {
    ...table.found,
    ...(isText && { decimalSeparator, nullValues }),
    ...(isText && dateFormat !== undefined && { dateFormat }),
    ...(given.columns && { columns: given.columns }),
  };
}

async function raggedWarnings(engine: DataEngine, { csv }: Table, limits: ImportLimits): Promise<string[]> {
  if (csv === undefined || csv.raggedRows === 'refuse') return [];
  const rows =
    csv.raggedRows === 'skip' ? await skippedRows(engine, csv) : await findRaggedRows(engine, csv, limits);
  return rows.count === 0 ? [] : [raggedWarning(csv, rows)];
}

// Reads a source as a table and hands it to `use`; a source that is not what its head promised (a byte that is no
// UTF-8 far down, line ends of two kinds) is opened once more with what was learned.
import { Problem } from '../../../base/problems.ts';
import type { DataEngine } from '../../../platform/ports/data-engine.ts';
import { refuseUnknownColumns } from './column-readings.ts';
import { findRaggedRows, raggedProblem } from './csv-table.ts';
import { asImportProblem, failureOf, lineOf } from './engine-problems.ts';
import { findLongField } from './long-field.ts';
import { openTable, type OpenSource, type SecondLook, type Table } from './open-table.ts';
import { formatBytes } from './source-limits.ts';

/** Opens `source` and runs `use` on it. @throws Problem naming what is wrong with the file, and where */
export async function readTable<T>(
  engine: DataEngine,
  source: OpenSource,
  use: (table: Table) => Promise<T>,
): Promise<{ table: Table; result: T }> {
  const look: SecondLook = {};
  for (;;) {
    const table = await openTable(engine, source, look);
    refuseUnknownColumns(
      source.options,
      table.columns.map(({ name }) => name),
    );
    try {
      return { table, result: await use(table) };
    } catch (error) {
      if (learn(error, look, source, table)) continue;
      throw await explain(engine, error, source, table);
    }
  }
}

/** Whether the failure is one that a second look mends; what is to be done differently goes into `look`. */
function learn(error: unknown, look: SecondLook, source: OpenSource, table: Table): boolean {
  const failure = failureOf(error);
  if (table.format === 'parquet') return false;
  if (failure === 'encoding' && look.encoding === undefined && source.options.encoding === undefined) {
    look.encoding = 'windows-1252';
    return true;
  }
  if (failure === 'structure' && look.normalisesLineEnds === undefined) {
    look.normalisesLineEnds = true;
    return true;
  }
  return false;
}

async function explain(
  engine: DataEngine,
  error: unknown,
  { limits }: OpenSource,
  table: Table,
): Promise<unknown> {
  const failure = failureOf(error);
  const { csv } = table;
  if (csv && failure === 'ragged') {
    const rows = await findRaggedRows(engine, csv, limits);
    return rows.count > 0 ? raggedProblem(csv, rows) : asImportProblem(error, 'csv');
  }
  if (csv && failure === 'too-long') {
    const found = await findLongField(csv.path, csv.dialect, limits.maxFieldBytes);
    const where = found
      ? `The field in line ${found.line}, column "${table.columns[found.field - 1]?.name ?? found.field}"`
      : `Line ${lineOf(error) ?? '?'}`;
    return new Problem(
      'field-too-large',
      `${where} is too long: at most ${formatBytes(limits.maxFieldBytes)} are taken.`,
    );
  }
  if (failure === 'too-long') {
    return new Problem(
      'field-too-large',
      `An object is larger than ${formatBytes(limits.maxFieldBytes)}, the most that is taken.`,
    );
  }
  if (failure === 'encoding')
    return new Problem(
      'file-unreadable',
      `The file has bytes that are no ${table.found.encoding ?? 'utf-8'}${lineOf(error) === undefined ? '' : ` in line ${lineOf(error)}`}.`,
    );
  return asImportProblem(error, table.format);
}

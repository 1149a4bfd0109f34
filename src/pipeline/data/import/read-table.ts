// Reads a source as a table and hands it to `use`; a source that is not what its head promised (a byte that is no
// UTF-8 far down, line ends of two kinds) is opened once more with what was learned.
import { Problem } from '../../../base/problems.ts';
import type { DataEngine } from '../../../platform/ports/data-engine.ts';
import { refuseUnknownColumns } from './column-readings.ts';
import { findRaggedRows, maxRowBytes, raggedProblem } from './csv-table.ts';
import { asImportProblem, failureOf, lineOf } from './engine-problems.ts';
import { findLongField, hasLongLine } from './long-field.ts';
import { openTable, type OpenSource, type SecondLook, type Table } from './open-table.ts';
import { formatBytes, type ImportLimits } from './source-limits.ts';

/** Opens `source` and runs `use` on it. @throws Problem naming what is wrong with the file, and where */
export async function readTable<T>(
  engine: DataEngine,
  source: OpenSource,
  use: (table: Table) => Promise<T>,
): Promise<{ table: Table; result: T }> {
  const look: SecondLook = {};
  for (;;) {
    let table: Table | undefined;
    try {
      table = await openTable(engine, source, look);
      refuseUnknownColumns(
        source.options,
        table.columns.map(({ name }) => name),
      );
      await refuseLongLines(source, table);
      return { table, result: await use(table) };
    } catch (error) {
      if (!learn(error, look, source)) throw await explain(engine, error, source, table);
    }
  }
}

/** Whether the failure is one that a second look mends; what is to be done differently goes into `look`. */
function learn(error: unknown, look: SecondLook, { format, options }: OpenSource): boolean {
  const failure = failureOf(error);
  if (format === 'parquet') return false;
  if (failure === 'encoding' && look.encoding === undefined && options.encoding === undefined) {
    look.encoding = 'windows-1252';
    return true;
  }
  if (format === 'csv' && failure === 'structure' && look.normalisesLineEnds === undefined) {
    look.normalisesLineEnds = true;
    return true;
  }
  return false;
}

async function explain(
  engine: DataEngine,
  error: unknown,
  source: OpenSource,
  table: Table | undefined,
): Promise<unknown> {
  const { limits, options, format } = source;
  const failure = failureOf(error);
  const line = lineOf(error);
  const csv = table?.csv;
  if (csv && failure === 'ragged') {
    const rows = await findRaggedRows(engine, csv, limits);
    if (rows.count > 0) return raggedProblem(csv, rows);
  }
  if (table && csv && (failure === 'too-long' || failure === 'structure')) {
    const found = await findLongField(csv.path, csv.dialect, limits.maxFieldBytes);
    if (found || failure === 'too-long') return tooLong(table, limits, { ...found, at: line });
  }
  if (failure === 'too-long') {
    return new Problem(
      'field-too-large',
      `An object has a text longer than ${formatBytes(limits.maxFieldBytes)}, the most that is taken.`,
    );
  }
  if (failure === 'encoding')
    return new Problem(
      'file-unreadable',
      `The file has bytes that are no ${options.encoding ?? 'utf-8'}${line === undefined ? '' : `, the first in line ${line}`}.`,
    );
  return asImportProblem(error, format);
}

async function refuseLongLines({ limits }: OpenSource, table: Table): Promise<void> {
  const { csv } = table;
  if (!csv || !(await hasLongLine(csv.path, maxRowBytes(limits)))) return;
  throw tooLong(table, limits, { ...(await findLongField(csv.path, csv.dialect, limits.maxFieldBytes)) });
}

function tooLong(
  table: Table,
  { maxFieldBytes }: ImportLimits,
  { line, field, at }: { line?: number; field?: number; at?: number | undefined },
): Problem {
  const where =
    field === undefined
      ? `A row${at === undefined ? '' : ` at line ${at}`}`
      : `The field in line ${line}, column "${table.columns[field - 1]?.name ?? field}"`;
  return new Problem(
    'field-too-large',
    `${where} is too long: at most ${formatBytes(maxFieldBytes)} are taken.`,
  );
}

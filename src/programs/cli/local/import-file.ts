// Files into columns, by the import of the data stage: the same detection, the same strictness as on a server.
import { join } from 'node:path';
import type { ColumnType } from '../../../contract/dataset.ts';
import type { ColumnKind } from '../../../ml/frame/schema.ts';
import { run as importFile, type ImportTaskInput } from '../../../pipeline/data/import-task.ts';
import { run as previewFile } from '../../../pipeline/data/preview-task.ts';
import { readColumns, type DataColumn } from '../../../pipeline/data/read-columns.ts';
import type { TaskContext } from '../../../platform/ports/jobs.ts';
import type { GivenImportOptions } from '../import-options.ts';

/** The file is the reader's own and so is the memory: bounds against accidents, not against people. */
const limits: ImportTaskInput['limits'] = {
  maxUploadBytes: 1024 ** 4,
  maxColumns: 10_000,
  maxFieldBytes: 16 * 1024 ** 2,
  maxDecompressionRatio: 1_000,
};

/** A file as Parquet content in the work folder. */
export interface ImportedFile {
  contentPath: string;
  rowCount: number;
  warnings: string[];
}

/** Imports the file at `path`. @throws Problem what is wrong with it, and where */
export async function importLocally(
  path: string,
  options: GivenImportOptions,
  context: TaskContext,
): Promise<ImportedFile> {
  const { contentFileName, rowCount, warnings } = await importFile(inputOf(path, options), context);
  return { contentPath: join(context.workFolder, contentFileName), rowCount, warnings };
}

/** Some rows, by column: values as JSON has them, dates as milliseconds since 1970; NaN and null are missing. */
export interface RowBlock {
  columns: Readonly<Record<string, readonly unknown[]>>;
  rowCount: number;
}

/** The rows of a file, read for a model. */
export interface Rows {
  rowCount: number;
  warnings: string[];
  /** The rows from `start` to before `end`. */
  block(start: number, end: number): RowBlock;
}

/** Reads the columns that a model takes from the file at `path`, each as the kind that the model knows it as. */
export async function readRows(
  path: string,
  model: {
    fields: readonly { name: string; kind: ColumnKind }[];
    options: GivenImportOptions;
    context: TaskContext;
  },
): Promise<Rows> {
  const { fields, options, context } = model;
  const head = await previewFile(inputOf(path, options), context);
  const present = new Set(head.columns.map(({ name }) => name));
  const wanted = fields.filter(({ name }) => present.has(name));
  const types = Object.fromEntries(wanted.map(({ name, kind }) => [name, { type: typeFor(kind) }]));
  const imported = await importLocally(
    path,
    { ...options, columns: { ...types, ...options.columns } },
    context,
  );
  const columns = await readColumns(imported.contentPath, {
    workFolder: context.workFolder,
    columns: wanted.map(({ name }) => name),
  });
  return {
    rowCount: imported.rowCount,
    warnings: [...imported.warnings, ...missingWarning(fields, present)],
    block: (start, end) => ({
      rowCount: end - start,
      columns: Object.fromEntries(columns.map((column) => [column.name, valuesOf(column, start, end)])),
    }),
  };
}

function inputOf(path: string, options: GivenImportOptions): ImportTaskInput {
  return { sourcePaths: [path], options, limits };
}

function typeFor(kind: ColumnKind): ColumnType {
  switch (kind) {
    case 'numeric':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'date':
      return 'datetime';
    case 'categorical':
    case 'text':
      return 'text';
    default:
      return kind satisfies never;
  }
}

function valuesOf(column: DataColumn, start: number, end: number): unknown[] {
  if (column.type === 'text') {
    const { codes, categories } = column;
    return Array.from(codes.subarray(start, end), (code) => (code < 0 ? null : categories[code]!));
  }
  const values = Array.from(column.values.subarray(start, end));
  if (column.type !== 'boolean') return values;
  return values.map((value) => (Number.isNaN(value) ? null : value !== 0));
}

/** A column that is not there counts as missing throughout, which is allowed but seldom meant. */
function missingWarning(fields: readonly { name: string }[], present: ReadonlySet<string>): string[] {
  const missing = fields.filter(({ name }) => !present.has(name)).map(({ name }) => `"${name}"`);
  if (missing.length === 0) return [];
  const shown = missing.slice(0, 10).join(', ');
  const more = missing.length > 10 ? ` and ${missing.length - 10} more` : '';
  return [`The file lacks columns that the model knows; they count as missing: ${shown}${more}.`];
}

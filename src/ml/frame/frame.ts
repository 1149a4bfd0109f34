// A table in memory, column by column in typed arrays: what learning works on. Not a database: no types beyond the
// five column kinds, no strings where a code will do. Frames are never changed after they are built.
import { Problem, type FieldError } from '../../base/problems.ts';
import { assert } from '../../base/assert.ts';
import type { ColumnSchema } from './schema.ts';
import { readValue, RefusedValue, type ValueForm } from './values.ts';

/** Code of a missing value in a categorical column. */
export const missingCode = -1;
/** Code of a value that is not among the categories the schema gave. */
export const unseenCode = -2;

/** Numbers; NaN is missing. Booleans are 0 and 1, dates milliseconds since 1970 (UTC). */
export interface NumberColumn {
  name: string;
  kind: 'numeric' | 'boolean' | 'date';
  values: Float64Array;
}

/** Positions in `categories`; {@link missingCode} and {@link unseenCode} stand for the rest. */
export interface CategoryColumn {
  name: string;
  kind: 'categorical';
  codes: Int32Array;
  categories: readonly string[];
}

export interface TextColumn {
  name: string;
  kind: 'text';
  values: readonly (string | null)[];
}

export type Column = NumberColumn | CategoryColumn | TextColumn;

export interface Frame {
  rowCount: number;
  columns: readonly Column[];
}

/** One frame from row objects; an absent field is missing. @throws Problem `prediction-input` naming fields */
export function frameFromRows(
  rows: readonly Record<string, unknown>[],
  schema: readonly ColumnSchema[],
  form: ValueForm = 'json',
): Frame {
  return build(
    rows.length,
    schema,
    (name) => rows.map((row) => (Object.hasOwn(row, name) ? row[name] : null)),
    form,
  );
}

/**
 * One frame from arrays of values by column name; an absent column is missing throughout.
 * With `form` `text` the values are raw CSV fields, converted by the schema alone.
 * @throws Problem `prediction-input` naming fields
 */
export function frameFromColumns(
  columns: Readonly<Record<string, readonly unknown[]>>,
  schema: readonly ColumnSchema[],
  form: ValueForm = 'json',
): Frame {
  const lengths = Object.values(columns).map((values) => values.length);
  const rowCount = lengths[0] ?? 0;
  if (lengths.some((length) => length !== rowCount)) {
    throw new Problem(
      'prediction-input',
      'The columns have different numbers of values; all must be equally long.',
      {
        errors: Object.entries(columns)
          .filter(([, values]) => values.length !== rowCount)
          .slice(0, maximumErrors)
          .map(([field, values]) => ({
            field,
            message: `has ${values.length} values, the first column has ${rowCount}`,
          })),
      },
    );
  }
  const absent: readonly unknown[] = Array.from({ length: rowCount }, () => null);
  return build(rowCount, schema, (name) => (Object.hasOwn(columns, name) ? columns[name]! : absent), form);
}

/** The rows at `indices`, in that order. */
export function selectRows(frame: Frame, indices: Int32Array): Frame {
  return {
    rowCount: indices.length,
    columns: frame.columns.map((column) => selectColumnRows(column, indices)),
  };
}

/** The column called `name`. @throws Problem `column-unknown` */
export function columnNamed(frame: Frame, name: string): Column {
  const column = frame.columns.find((candidate) => candidate.name === name);
  if (!column) {
    const names = frame.columns.slice(0, 20).map((candidate) => candidate.name);
    throw new Problem(
      'column-unknown',
      `There is no column "${name}". The columns are: ${names.join(', ')}${frame.columns.length > 20 ? ', ...' : ''}.`,
    );
  }
  return column;
}

/** How callers see the columns of a frame. */
export function schemaOf(frame: Frame): ColumnSchema[] {
  return frame.columns.map((column) =>
    column.kind === 'categorical'
      ? { name: column.name, kind: column.kind, categories: column.categories }
      : { name: column.name, kind: column.kind },
  );
}

/** One value as JSON: null for missing, ISO text for dates. */
export function valueAt(column: Column, row: number): string | number | boolean | null {
  switch (column.kind) {
    case 'categorical':
      return column.categories[column.codes[row]!] ?? null;
    case 'text':
      return column.values[row] ?? null;
    default: {
      const value = column.values[row]!;
      if (value !== value) return null;
      if (column.kind === 'boolean') return value !== 0;
      return column.kind === 'date' ? new Date(value).toISOString() : value;
    }
  }
}

/** One row as a JSON object. */
export function rowAt(frame: Frame, row: number): Record<string, string | number | boolean | null> {
  return Object.fromEntries(frame.columns.map((column) => [column.name, valueAt(column, row)]));
}

const maximumErrors = 20;

function build(
  rowCount: number,
  schema: readonly ColumnSchema[],
  valuesOf: (name: string) => readonly unknown[],
  form: ValueForm,
): Frame {
  const errors: FieldError[] = [];
  const columns = schema.map((column) => buildColumn(column, valuesOf(column.name), form, errors));
  if (errors.length > 0) {
    const first = errors[0]!;
    const fields = new Set(errors.map((error) => error.field));
    throw new Problem(
      'prediction-input',
      `"${first.field}" ${first.message}${fields.size > 1 ? `, and ${fields.size - 1} more fields are wrong` : ''}.`,
      {
        errors: errors.slice(0, maximumErrors),
      },
    );
  }
  return { rowCount, columns };
}

function buildColumn(
  schema: ColumnSchema,
  raw: readonly unknown[],
  form: ValueForm,
  errors: FieldError[],
): Column {
  const { name, kind } = schema;
  const read = (row: number): number | string | null => {
    const value = readValue(raw[row], kind, form);
    if (!(value instanceof RefusedValue)) return value;
    if (errors.length < maximumErrors)
      errors.push({ field: name, message: `${value.message} (row ${row + 1})` });
    return null;
  };
  if (kind === 'categorical') return buildCategories(schema, raw.length, (row) => read(row) as string | null);
  if (kind === 'text') return { name, kind, values: raw.map((_, row) => read(row) as string | null) };
  const values = new Float64Array(raw.length);
  for (let row = 0; row < raw.length; row++) values[row] = (read(row) as number | null) ?? NaN;
  return { name, kind, values };
}

/** Known categories keep their order; collected ones are sorted, so that the order of rows does not matter. */
function buildCategories(
  schema: ColumnSchema,
  rowCount: number,
  read: (row: number) => string | null,
): CategoryColumn {
  const values = Array.from({ length: rowCount }, (_, row) => read(row));
  const categories =
    schema.categories ?? [...new Set(values.filter((value) => value !== null))].sort(byCodeUnits);
  const codeOf = new Map(categories.map((category, code) => [category, code]));
  assert(codeOf.size === categories.length, `column "${schema.name}" names a category twice`);
  const codes = Int32Array.from(values, (value) =>
    value === null ? missingCode : (codeOf.get(value) ?? unseenCode),
  );
  return { name: schema.name, kind: 'categorical', codes, categories };
}

function selectColumnRows(column: Column, indices: Int32Array): Column {
  if (column.kind === 'categorical')
    return { ...column, codes: Int32Array.from(indices, (row) => column.codes[row]!) };
  if (column.kind === 'text') return { ...column, values: Array.from(indices, (row) => column.values[row]!) };
  const values = new Float64Array(indices.length);
  for (let index = 0; index < indices.length; index++) values[index] = column.values[indices[index]!]!;
  return { ...column, values };
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

// Rows for forms and snippets, made from what is known of a model's fields.
import type { ModelField } from '../../api/types.ts';

export type FieldValue = string | number | boolean | null;
export type Row = Readonly<Record<string, FieldValue>>;

/** A typical row; a field without an example is left out. */
export function exampleRow(fields: readonly ModelField[]): Row {
  return Object.fromEntries(
    fields.flatMap((field) => {
      const value = exampleOf(field);
      return value === null ? [] : [[field.name, value]];
    }),
  );
}

/** A row of the names of all fields, where no value is known of any: missing ones may be left out of a row. */
export function namesAlone(fields: readonly ModelField[]): Row {
  if (Object.keys(exampleRow(fields)).length > 0) return {};
  return Object.fromEntries(fields.map(({ name }) => [name, null]));
}

function exampleOf({ kind, example, categories }: ModelField): FieldValue {
  if (example === null) return categories?.[0] ?? null;
  if (kind === 'boolean') return typeof example === 'boolean' ? example : Number(example) === 1;
  if (kind === 'date') return typeof example === 'number' ? new Date(example).toISOString() : String(example);
  // Single-precision columns would show digits that mean nothing.
  if (kind === 'numeric') return Number(Number(example).toPrecision(7));
  return String(example);
}

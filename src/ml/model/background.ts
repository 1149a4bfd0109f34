// The background of a model: rows that it learned from, kept in its file so that explanations have something to compare
// an answer with ("background" is what SHAP calls it). Fields as callers send them, of the columns that the model looks
// at and no others; a file need not have any. Not the golden rows, which are nobody's record.
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { readValue, RefusedValue } from '../frame/values.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import { demand, listAt } from './checks.ts';

/** More than are written; each answer is compared with each of them. */
const maximumRows = 200;

/** As they lie in the file: each row a list of values in the order of the schema. */
export function writeBackground(rows: readonly JsonObject[], schema: readonly ColumnSchema[]): JsonValue[][] {
  return rows.map((row) => schema.map(({ name }) => row[name] ?? null));
}

/** The rows out of a model file. @throws Problem `model-file-invalid` for a row that its own schema refuses */
export function readBackground(value: unknown, schema: readonly ColumnSchema[]): JsonObject[] {
  if (value === undefined) return [];
  return listAt(value, 'background', maximumRows, (item, place) => {
    const values = listAt(item, place, schema.length, (cell) => cell as JsonValue);
    demand(values.length === schema.length, `${place} does not fit the schema`);
    return Object.fromEntries(
      schema.map(({ name, kind }, index) => {
        const cell = values[index]!;
        demand(!(readValue(cell, kind, 'json') instanceof RefusedValue), `${place} does not fit the schema`);
        return [name, cell];
      }),
    );
  });
}

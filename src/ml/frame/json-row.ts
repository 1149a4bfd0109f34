// A row of CSV texts as the row of JSON that means the same.
import type { ColumnSchema } from './schema.ts';
import { readValue } from './values.ts';

/** What `fields` say of the texts decides what they become; what they do not name is left out. */
export function asJsonRow(
  given: Readonly<Record<string, unknown>>,
  fields: readonly Pick<ColumnSchema, 'name' | 'kind'>[],
): Record<string, unknown> {
  return Object.fromEntries(
    fields
      .filter(({ name }) => Object.hasOwn(given, name))
      .map(({ name, kind }) => {
        const value = readValue(given[name], kind, 'text');
        if (typeof value !== 'number') return [name, value];
        return [name, value !== value ? null : kind === 'boolean' ? value === 1 : value];
      }),
  );
}

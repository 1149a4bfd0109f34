// Input rows for the golden vectors of a model file. They exercise every column, and are nobody's record: numbers are
// means of two random rows, categories are drawn one by one, texts are fixed phrases.
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { seededRandom, type Random } from '../../base/random.ts';
import type { Column, Frame } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';

const rowCount = 32;
const missingChance = 0.1;
const phrases = ['A short text.', 'Two words', 'Numbers 12 and 345, twice: 12', 'ÄÖ ß 雲 and more 🙂', ''];

/** Up to 32 rows for the columns of `schema`, drawn from the ranges seen in `frame`. */
export function goldenRows(frame: Frame, schema: readonly ColumnSchema[], seed: number): JsonObject[] {
  const random = seededRandom(seed);
  const columns = new Map(frame.columns.map((column) => [column.name, column]));
  return Array.from({ length: rowCount }, () =>
    Object.fromEntries(
      schema.map((column) => [
        column.name,
        random.next() < missingChance ? null : drawValue(columns.get(column.name)!, column, random),
      ]),
    ),
  );
}

function drawValue(column: Column, schema: ColumnSchema, random: Random): JsonValue {
  switch (column.kind) {
    case 'text':
      return phrases[random.below(phrases.length)]!;
    case 'categorical': {
      const categories = [...(schema.categories ?? []), 'a value never seen'];
      return categories[random.below(categories.length)]!;
    }
    case 'boolean':
      return random.next() < 0.5;
    default: {
      const { values } = column;
      const mean = values[random.below(values.length)]! / 2 + values[random.below(values.length)]! / 2;
      if (!Number.isFinite(mean)) return null;
      return column.kind === 'date' ? new Date(mean).toISOString() : mean;
    }
  }
}

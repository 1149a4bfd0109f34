// Which rows of the training a model file keeps as its background (model/background.ts): few, the same for the same seed,
// and like all of them. They are taken evenly from the rows in the order of what the model says of them, so that its
// mean answer for them is close to that for all rows: systematic sampling, whose error is far below that of chance.
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { valueAt, type Column, type Frame } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import { writeBackground } from '../model/background.ts';

/** What SHAP's authors find enough, and what is left of fewer would tell little. */
const mostRows = 100;
const fewestRows = 10;
/** Of the rows as JSON, in UTF-16 code units. */
const mostLength = 262_144;
const longestText = 300;

/** A row of the frame, and where it stands among all. */
export interface Scored {
  row: number;
  /** Position of its class; 0 for a regression. */
  classIndex: number;
  /** What the model says of it: the probability of its class, or the value. */
  score: number;
}

/** At most 100 rows in 256 KiB, with values for the columns of `schema` alone; none where ten of them take more. */
export function backgroundRows(
  frame: Frame,
  schema: readonly ColumnSchema[],
  scored: readonly Scored[],
): JsonObject[] {
  const columns = new Map(frame.columns.map((column) => [column.name, column]));
  const ordered = scored.toSorted(
    (a, b) => a.classIndex - b.classIndex || a.score - b.score || a.row - b.row,
  );
  const rowAt = (row: number): JsonObject =>
    Object.fromEntries(schema.map(({ name }) => [name, shortValue(columns.get(name)!, row)]));
  let count = Math.min(mostRows, ordered.length);
  while (count > 0) {
    const rows = Array.from({ length: count }, (_, index) =>
      rowAt(ordered[Math.floor(((index + 0.5) * ordered.length) / count)]!.row),
    );
    const { length } = JSON.stringify(writeBackground(rows, schema));
    if (length <= mostLength) return rows;
    count = Math.min(count - 1, Math.floor((count * mostLength) / length));
    if (count < fewestRows) break;
  }
  return [];
}

/** Texts count by their words: the beginning of one is a text like any other. */
function shortValue(column: Column, row: number): JsonValue {
  const value = valueAt(column, row);
  return typeof value === 'string' && column.kind === 'text'
    ? value.slice(0, longestText).toWellFormed()
    : value;
}

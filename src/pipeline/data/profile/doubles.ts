// Columns of a file as arrays of doubles, the one form in which all their figures are computed.
import type { ColumnType } from '../../../contract/dataset.ts';
import { identifier, sql, type DataEngine, type Sql } from '../../../platform/ports/data-engine.ts';

/** The rows of `statement`, whose columns are made by {@link doubleOf}: one array for each column. */
export async function readDoubles(
  engine: DataEngine,
  statement: Sql,
  size: { columns: number; rows: number },
): Promise<Float64Array[]> {
  const arrays = Array.from({ length: size.columns }, () => new Float64Array(size.rows));
  let filled = 0;
  for await (const batch of engine.numbers(statement)) {
    for (const [index, values] of batch.entries()) arrays[index]!.set(values, filled);
    filled += batch[0]!.length;
  }
  return arrays.map((values) => values.subarray(0, filled));
}

/** A column as doubles, NaN where it is missing; texts by a hash of 53 bits. */
export function doubleOf(name: string, type: ColumnType): Sql {
  return sql`coalesce(${rawDouble(identifier(name), type)}, CAST('nan' AS DOUBLE))`;
}

/** A value as a double, or nothing where it is missing; times are milliseconds since 1970. */
export function rawDouble(value: Sql, type: ColumnType): Sql {
  switch (type) {
    case 'date':
    case 'datetime':
      return sql`CAST(epoch_ms(CAST(${value} AS TIMESTAMP)) AS DOUBLE)`;
    case 'text':
      return sql`CAST(CASE WHEN ${value} IS NOT NULL THEN hash(${value}) >> 11 END AS DOUBLE)`;
    default:
      return sql`CAST(${value} AS DOUBLE)`;
  }
}

/** `items`, so many at a time. */
export function* groupsOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

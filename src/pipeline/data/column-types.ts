// The types of the columns of a dataset version's Parquet content, and their values as doubles.
import { Problem } from '../../base/problems.ts';
import type { ColumnType } from '../../contract/dataset.ts';
import { sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';

export type ColumnTypes = ReadonlyMap<string, ColumnType>;

/** A value of this type as a double: dates as milliseconds since 1970. */
export function doubleOf(value: Sql, type: Exclude<ColumnType, 'text'>): Sql {
  return type === 'date' || type === 'datetime'
    ? sql`CAST(epoch_ms(CAST(${value} AS TIMESTAMP)) AS DOUBLE)`
    : sql`CAST(${value} AS DOUBLE)`;
}

/** By name, in the file's order. */
export async function typesOf(engine: DataEngine, path: string): Promise<ColumnTypes> {
  const described = await engine.rows(sql`DESCRIBE SELECT * FROM read_parquet(${path})`);
  return new Map(described.map(([name, type]) => [String(name), typeOf(String(type))]));
}

/** The types that imports write. */
function typeOf(engineType: string): ColumnType {
  const types: Record<string, ColumnType> = {
    BIGINT: 'integer',
    DOUBLE: 'number',
    BOOLEAN: 'boolean',
    DATE: 'date',
    TIMESTAMP: 'datetime',
    VARCHAR: 'text',
  };
  const type = types[engineType];
  if (type === undefined)
    throw new Problem(
      'file-unreadable',
      `The content was not written by an import: it has a column of type ${engineType}.`,
    );
  return type;
}

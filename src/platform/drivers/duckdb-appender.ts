// Appends columns of JavaScript to a table of DuckDB, a vector at a time, without a call for each value.
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import type { Appender } from '../ports/data-engine.ts';
import type { DuckDb } from './duckdb-cells.ts';

/** Rows of one vector of DuckDB. */
const vectorRows = 2_048;

type Column = Float64Array | readonly (string | null)[] | undefined;

/** Opens an appender to `table`, whose columns are doubles and texts in this order; it closes the connection at its end. */
export async function openAppender(
  duckDb: DuckDb,
  connection: DuckDBConnection,
  { table, columns }: { table: string; columns: readonly ('double' | 'text')[] },
): Promise<Appender> {
  const appender = await connection.createAppender(table);
  const types = columns.map((type) => (type === 'double' ? duckDb.DOUBLE : duckDb.VARCHAR));
  const noTexts: null[] = Array.from({ length: vectorRows }, () => null);
  let chunk: DuckDBDataChunk | undefined;
  /** Columns of texts that are all null in the chunk as it is: setting them again takes longer than all the rest. */
  let empty = new Set<number>();
  const fresh = (rowCount: number): DuckDBDataChunk => {
    if (chunk?.rowCount === rowCount) return chunk;
    empty = new Set();
    return (chunk = duckDb.DuckDBDataChunk.create(types, rowCount));
  };
  const fill = (into: DuckDBDataChunk, index: number, values: Column, from: number): void => {
    const { rowCount } = into;
    if (values instanceof Float64Array) {
      const vector = into.getColumnVector(index) as unknown as { items: Float64Array; flush(): void };
      vector.items.set(values.subarray(from, from + rowCount));
      vector.flush();
    } else if (values !== undefined) {
      into.setColumnValues(index, values.slice(from, from + rowCount));
      empty.delete(index);
    } else if (!empty.has(index)) {
      into.setColumnValues(index, noTexts.slice(0, rowCount));
      empty.add(index);
    }
  };
  return {
    append: (values, rowCount) => {
      for (let from = 0; from < rowCount; from += vectorRows) {
        const into = fresh(Math.min(vectorRows, rowCount - from));
        for (const index of types.keys()) fill(into, index, values[index], from);
        appender.appendDataChunk(into);
      }
    },
    close: () => {
      appender.closeSync();
      connection.closeSync();
    },
  };
}

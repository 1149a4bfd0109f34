// Which rows the costlier figures of a profile are computed from: all of them, or blocks spread evenly over the file.
// Blocks and not single rows, because a column file is decoded some thousand rows at a time.
import { sql, type Sql } from '../../../platform/ports/data-engine.ts';

export interface RowSample {
  /** The condition that picks the rows; undefined: all. */
  condition: Sql | undefined;
  rowCount: number;
}

/** Rows of a block: what the engine decodes at once. */
const blockRows = 2048;

/** At most about `mostRows` of `rowCount` rows. */
export function sampleRows(rowCount: number, mostRows: number): RowSample {
  if (rowCount <= mostRows) return { condition: undefined, rowCount };
  const block = Math.min(blockRows, mostRows);
  const period = Math.ceil((rowCount / mostRows) * block);
  const sampled = Math.floor(rowCount / period) * block + Math.min(block, rowCount % period);
  return { condition: sql`file_row_number % ${period} < ${block}`, rowCount: sampled };
}

/** The sampled rows of the Parquet file at `path`. */
export function sampledFrom(path: string, sample: RowSample): Sql {
  const rows = sql`read_parquet(${path}, file_row_number = true)`;
  return sample.condition ? sql`${rows} WHERE ${sample.condition}` : rows;
}

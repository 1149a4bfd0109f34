// Some rows of a dataset version, as they are shown. The worker's half.
import type { z } from 'zod';
import type { table } from '../../contract/dataset.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { sql } from '../../platform/ports/data-engine.ts';
import type { Task } from '../../platform/ports/jobs.ts';

export type RowsTaskInput = { contentPath: string; offset: number; limit: number };
export type RowsTaskOutput = z.infer<typeof table>;

const engineMemoryBytes = 512 * 1_048_576;
/** A page of long texts ends early. */
const maxBytes = 4 * 1_048_576;

export const run: Task<RowsTaskInput, RowsTaskOutput> = async ({ contentPath, offset, limit }, context) => {
  const engine = await openDataEngine({
    memoryBytes: engineMemoryBytes,
    threads: 1,
    workFolder: context.workFolder,
    maxSpillBytes: engineMemoryBytes,
    readablePaths: [contentPath],
  });
  context.signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    // The row's number lets the engine leap over what comes before.
    const rows = sql`SELECT * EXCLUDE (file_row_number) FROM read_parquet(${contentPath}, file_row_number = true)
      WHERE file_row_number >= ${offset} AND file_row_number < ${offset + limit}`;
    const { columns, rows: found } = await engine.query(rows.text, { maxRows: limit, maxBytes });
    return { columns, rows: found };
  } finally {
    engine.close();
  }
};

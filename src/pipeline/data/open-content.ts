// The data engine for reading the Parquet content of one dataset version beside a task that needs the memory itself.
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import type { DataEngine } from '../../platform/ports/data-engine.ts';

const memoryBytes = 256 * 1_048_576;
const maxSpillBytes = 64 * 1024 ** 3;

/** An engine that may read the file at `path`, and write what does not fit into its memory to `workFolder`. */
export async function openContent(path: string, workFolder: string): Promise<DataEngine> {
  return await openDataEngine({ memoryBytes, threads: 2, workFolder, maxSpillBytes, readablePaths: [path] });
}

// The data engine port on DuckDB: in process, in memory, locked down. Loaded on first use, because most processes never
// touch data and the library is 60 MB.
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance, DuckDBResult } from '@duckdb/node-api';
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import {
  DataEngineError,
  sql,
  type Cell,
  type DataEngine,
  type ColumnPart,
  type DataEngineOptions,
  type QueryRows,
  type Sql,
} from '../ports/data-engine.ts';
import { openAppender } from './duckdb-appender.ts';
import { cellReader, type DuckDb } from './duckdb-cells.ts';

/** Opens an empty engine within `options`. @throws Problem `feature-not-installed` where DuckDB has no build */
export async function openDataEngine(options: DataEngineOptions): Promise<DataEngine> {
  const duckDb = await load();
  const instance = await duckDb.DuckDBInstance.create(':memory:', {
    memory_limit: mebibytes(options.memoryBytes),
    threads: String(options.threads),
    temp_directory: options.workFolder,
    max_temp_directory_size: mebibytes(options.maxSpillBytes),
    preserve_insertion_order: 'true',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
    enable_external_file_cache: 'false',
    // Its time grows with the square of the number of columns: minutes for some thousand.
    disabled_optimizers: 'common_subexpressions',
  });
  const connection = await instance.connect();
  for (const statement of [
    sql`SET TimeZone = 'UTC'`,
    sql`SET allowed_directories = ${[options.workFolder]}`,
    sql`SET allowed_paths = ${options.readablePaths}`,
    sql`SET enable_external_access = false`,
    sql`SET lock_configuration = true`,
  ])
    await connection.run(statement.text);
  return engineOn(duckDb, instance, connection);
}

async function load(): Promise<DuckDb> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new Problem(
      'feature-not-installed',
      'Data sets need the package @duckdb/node-api with its binaries for this system.',
      { cause },
    );
  }
}

function engineOn(duckDb: DuckDb, instance: DuckDBInstance, connection: DuckDBConnection): DataEngine {
  async function* batches(statement: Sql): AsyncGenerator<Cell[][]> {
    const result = await streamed(connection, statement.text);
    const readers = readersOf(duckDb, result);
    for await (const chunk of chunksOf(result))
      yield chunk.getRows().map((row) => row.map((value, column) => readers[column]!(value)));
  }

  return {
    run: async (statement) => {
      await guarded(() => connection.run(statement.text));
    },
    rows: async (statement) => {
      const all: Cell[][] = [];
      for await (const batch of batches(statement)) all.push(...batch);
      return all;
    },
    batches,
    numbers: async function* (statement) {
      for await (const chunk of chunksOf(await streamed(connection, statement.text))) yield doublesOf(chunk);
    },
    parts: async function* (statement) {
      for await (const chunk of chunksOf(await streamed(connection, statement.text))) yield partsOf(chunk);
    },
    // On a connection of its own: what the other one is reading would end.
    appender: (table, columns) =>
      guarded(async () => openAppender(duckDb, await instance.connect(), { table, columns })),
    query: async (text, { maxRows, maxBytes }) => {
      const result = await streamed(connection, text);
      const readers = readersOf(duckDb, result);
      const found: QueryRows = { columns: columnsOf(result), rows: [], truncated: false };
      let sizeBytes = 0;
      for await (const chunk of chunksOf(result)) {
        // Row by row, because a chunk of long texts may be far larger than what is wanted.
        for (let index = 0; index < chunk.rowCount; index++) {
          const row = chunk.getRowValues(index).map((value, column) => readers[column]!(value));
          sizeBytes += Buffer.byteLength(JSON.stringify(row)) + 1;
          found.truncated = found.rows.length === maxRows || sizeBytes > maxBytes;
          if (found.truncated) return found;
          found.rows.push(row);
        }
      }
      return found;
    },
    interrupt: () => connection.interrupt(),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function readersOf(duckDb: DuckDb, result: DuckDBResult): ReturnType<typeof cellReader>[] {
  return result.columnTypes().map((type) => cellReader(duckDb, type));
}

function columnsOf(result: DuckDBResult): QueryRows['columns'] {
  const types = result.columnTypes();
  return result
    .deduplicatedColumnNames()
    .map((name, index) => ({ name, type: String(types[index]).toLowerCase() }));
}

async function streamed(connection: DuckDBConnection, text: string): Promise<DuckDBResult> {
  return guarded(() => connection.stream(text));
}

async function* chunksOf(result: DuckDBResult): AsyncGenerator<DuckDBDataChunk> {
  for (;;) {
    const chunk = await guarded(() => result.fetchChunk());
    if (chunk === null || chunk.rowCount === 0) return;
    yield chunk;
  }
}

/** The vectors' own memory: it is good until the next chunk is fetched. */
function doublesOf(chunk: DuckDBDataChunk): Float64Array[] {
  return Array.from({ length: chunk.columnCount }, (_, index) => {
    const { items } = chunk.getColumnVector(index) as unknown as { items: unknown };
    assert(items instanceof Float64Array, `column ${index} of the statement is no double`);
    return items;
  });
}

function partsOf(chunk: DuckDBDataChunk): ColumnPart[] {
  return Array.from({ length: chunk.columnCount }, (_, index) => {
    const { items } = chunk.getColumnVector(index) as unknown as { items: unknown };
    return items instanceof Float64Array ? items : (chunk.getColumnValues(index) as (string | null)[]);
  });
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Error ? asEngineError(error) : error;
  }
}

function asEngineError(error: Error): DataEngineError {
  const { message } = error;
  const options = { cause: error };
  if (/No space left on device|max_temp_directory_size|failed to offload/i.test(message))
    return new DataEngineError('disk-full', message, options);
  if (/^Out of Memory Error|could not allocate|bad allocation/i.test(message))
    return new DataEngineError('memory', message, options);
  if (/^INTERRUPT/i.test(message)) return new DataEngineError('interrupted', message, options);
  if (/^Permission Error|has been locked|disabled by configuration/i.test(message))
    return new DataEngineError('forbidden', message, options);
  return new DataEngineError('input', message, options);
}

function mebibytes(bytes: number): string {
  return `${Math.max(1, Math.floor(bytes / 1_048_576))}MiB`;
}

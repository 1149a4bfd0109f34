// Runs one SELECT that somebody wrote over dataset versions, within bounds of time, rows, bytes and memory. The
// worker's half: the query is checked (query/check-query.ts), then runs in an engine that can reach nothing but the
// contents of the datasets it names.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type { queryResult } from '../../contract/dataset.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { DataEngineError, identifier, sql, Sql, type DataEngine } from '../../platform/ports/data-engine.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import { checkQuery } from './query/check-query.ts';

/** A table for queries. */
export interface QueryTable {
  name: string;
  /** Local paths of its files. */
  contentPaths: string[];
  /** A SELECT over these files, of our own making; left out, all that is in the one file. */
  definition?: string;
}

export type QueryTaskInput = {
  /** What may be read, by name. */
  tables: QueryTable[];
  sql: string;
  maxRows: number;
  maxSeconds: number;
  /** Of the whole process. */
  memoryBytes: number;
};
export type QueryTaskOutput = z.infer<typeof queryResult>;

/** What the process takes besides the engine's own share. */
const processBytes = 256 * 1_048_576;
const minEngineBytes = 64 * 1_048_576;
const maxSpillBytes = 4 * 1024 ** 3;
/** Of the rows as JSON: results of tasks go through messages of at most 8 MiB. */
const maxResultBytes = 6 * 1_048_576;

export const run: Task<QueryTaskInput, QueryTaskOutput> = async (input, context) => {
  const engine = await openDataEngine({
    memoryBytes: Math.max(minEngineBytes, input.memoryBytes - processBytes),
    threads: 2,
    workFolder: context.workFolder,
    maxSpillBytes,
    readablePaths: input.tables.flatMap(({ contentPaths }) => contentPaths),
  });
  context.signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  let isOverTime = false;
  const timer = setTimeout(() => {
    isOverTime = true;
    engine.interrupt();
  }, input.maxSeconds * secondMs);
  const startMs = performance.now();
  try {
    const names = await checkQuery(
      engine,
      input.sql,
      input.tables.map(({ name }) => name),
    );
    await makeViews(engine, input.tables, names);
    const { columns, rows, truncated } = await engine.query(input.sql, {
      maxRows: input.maxRows,
      maxBytes: maxResultBytes,
    });
    return {
      table: { columns, rows },
      rowCount: rows.length,
      truncated,
      elapsedMs: Math.round(performance.now() - startMs),
    };
  } catch (error) {
    context.signal.throwIfAborted();
    if (isOverTime)
      throw new Problem('query-limit', `The query took longer than ${input.maxSeconds} seconds.`, {
        cause: error,
      });
    const paths = input.tables.flatMap(({ contentPaths }) => contentPaths);
    throw asQueryProblem(error, [...paths, context.workFolder]);
  } finally {
    clearTimeout(timer);
    engine.close();
  }
};

/** Names are compared without regard to case, as SQL does; the first of two that differ by case only is meant. */
async function makeViews(
  engine: DataEngine,
  tables: QueryTaskInput['tables'],
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const { contentPaths, definition } = tables.find((table) => table.name === name)!;
    const rows =
      definition === undefined ? sql`SELECT * FROM read_parquet(${contentPaths})` : new Sql(definition);
    await engine.run(sql`CREATE TEMP VIEW ${identifier(name)} AS ${rows}`);
  }
}

function asQueryProblem(error: unknown, paths: readonly string[]): unknown {
  if (!(error instanceof DataEngineError)) return error;
  const options = { cause: error };
  switch (error.kind) {
    case 'memory':
      return new Problem('query-limit', 'The query needs more memory than it may use.', options);
    case 'disk-full':
      return new Problem(
        'query-limit',
        'The query needs more space for intermediate results than it may use.',
        options,
      );
    case 'interrupted':
      return new Problem('query-limit', 'The query was stopped.', options);
    case 'forbidden':
      return new Problem(
        'query-forbidden',
        'The query is refused because it reaches beyond the datasets.',
        options,
      );
    case 'input':
      return new Problem('query-invalid', inPlainWords(error.message, paths), options);
    default:
      return error.kind satisfies never;
  }
}

/** The engine's message about a query is what its writer needs; only paths are taken out, and the excerpt of the SQL. */
function inPlainWords(message: string, paths: readonly string[]): string {
  let [text = ''] = message.split(/\n\s*LINE \d+:/);
  for (const path of paths) text = text.replaceAll(path, 'the dataset');
  return text
    .trim()
    .replace(/^[A-Z][\w ]* Error: /, '')
    .replace(/\s+/g, ' ')
    .slice(0, 1000);
}

// A file of somebody's as Parquet, or only counted: for tasks of other stages that read a file without making a dataset of
// it. Read as an import reads it, with the same problems where it cannot be.
import type { DataEngine } from '../../platform/ports/data-engine.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { sql } from '../../platform/ports/data-engine.ts';
import { engineShareOf } from './engine-share.ts';
import { asImportProblem } from './import/engine-problems.ts';
import { importSource, type Imported } from './import/import-source.ts';
import { estimateColumns, openSource, type OpenSource } from './import/open-table.ts';
import { readTable } from './import/read-table.ts';
import type { ImportLimits, TaskOptions } from './import/source-limits.ts';

export type FileSource = {
  /** Local paths of the file's parts, in order. */
  sourcePaths: string[];
  options: TaskOptions;
  limits: ImportLimits;
};

export type CountedFile = { format: 'csv' | 'json-lines' | 'parquet'; rowCount: number; columns: string[] };

/** Writes the file to `target`, which lies in the work folder. @throws Problem naming what is wrong with it, and where */
export async function convertFile(
  file: FileSource,
  { target, ...task }: { target: string; workFolder: string; signal: AbortSignal },
): Promise<Imported> {
  return await withSource(file, task, (engine, source) => importSource(engine, source, { target }));
}

/** Its columns, and how many rows it has. @throws Problem naming what is wrong with it, and where */
export async function countFile(
  file: FileSource,
  task: { workFolder: string; signal: AbortSignal },
): Promise<CountedFile> {
  return await withSource(file, task, async (engine, source) => {
    const { table, result } = await readTable(engine, source, async (opened) => {
      const [[rowCount]] = (await engine.rows(sql`SELECT count(*) FROM ${opened.relation([])}`)) as [
        [number],
      ];
      return rowCount;
    });
    return { format: table.format, rowCount: result, columns: table.columns.map(({ name }) => name) };
  });
}

async function withSource<T>(
  { sourcePaths, options, limits }: FileSource,
  { workFolder, signal }: { workFolder: string; signal: AbortSignal },
  use: (engine: DataEngine, source: OpenSource) => Promise<T>,
): Promise<T> {
  const source = await openSource({ paths: sourcePaths, options, limits, workFolder, headOnly: false });
  const engine = await openDataEngine({
    ...engineShareOf(estimateColumns(source)),
    workFolder,
    maxSpillBytes: limits.maxUploadBytes * 2,
    readablePaths: sourcePaths,
  });
  signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    return await use(engine, source);
  } catch (error) {
    signal.throwIfAborted();
    throw asImportProblem(error, 'csv');
  } finally {
    engine.close();
  }
}

// The worker's half of an import: a stored source becomes Parquet, every value converted strictly. What the table holds
// is described afterwards (profile-task.ts), when it can be used already.
// No database, no network; reads the source's parts and writes into the work folder only.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ColumnType, ImportOptions } from '../../contract/dataset.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import { engineShareOf } from './engine-share.ts';
import { asImportProblem } from './import/engine-problems.ts';
import { importSource } from './import/import-source.ts';
import { estimateColumns, openSource } from './import/open-table.ts';
import type { ImportLimits, TaskOptions } from './import/source-limits.ts';

export type ImportTaskInput = {
  /** Local paths of the stored source's parts, in order. */
  sourcePaths: string[];
  options: TaskOptions;
  limits: ImportLimits;
};

export type ImportTaskOutput = {
  /** The Parquet file in the work folder. */
  contentFileName: string;
  rowCount: number;
  sizeBytes: number;
  columns: { name: string; type: ColumnType }[];
  /** What the source was read with, given or found: with these it is read the same way again. */
  options: ImportOptions;
  warnings: string[];
};

const contentFileName = 'content.parquet';

export const run: Task<ImportTaskInput, ImportTaskOutput> = async (input, context) => {
  const { sourcePaths, options, limits } = input;
  const { workFolder, signal, progress } = context;
  progress(0, 'reading the rows');
  const source = await openSource({ paths: sourcePaths, options, limits, workFolder, headOnly: false });
  const engine = await openDataEngine({
    ...engineShareOf(estimateColumns(source)),
    workFolder,
    maxSpillBytes: limits.maxUploadBytes * 2,
    readablePaths: sourcePaths,
  });
  signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    const path = join(workFolder, contentFileName);
    const imported = await importSource(engine, source, { target: path });
    return { contentFileName, sizeBytes: (await stat(path)).size, ...imported };
  } catch (error) {
    signal.throwIfAborted();
    throw asImportProblem(error, 'csv');
  } finally {
    engine.close();
  }
};

// How a file would be imported: what was found out, the types, the first rows. The worker's half.
// It is an import of the first few megabytes, so that both see the same.
import { join } from 'node:path';
import type { z } from 'zod';
import type { importPreview } from '../../contract/dataset.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { sql } from '../../platform/ports/data-engine.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import { engineShareOf } from './engine-share.ts';
import { asImportProblem } from './import/engine-problems.ts';
import { importSource } from './import/import-source.ts';
import { estimateColumns, openSource } from './import/open-table.ts';
import type { ImportLimits, TaskOptions } from './import/source-limits.ts';

export type PreviewTaskInput = {
  /** Local paths of the source's parts, in order. */
  sourcePaths: string[];
  options: TaskOptions;
  limits: ImportLimits;
};
export type PreviewTaskOutput = z.infer<typeof importPreview>;

const shownRows = 50;
const shownBytes = 4 * 1_048_576;
const readRows = 20_000;

export const run: Task<PreviewTaskInput, PreviewTaskOutput> = async (input, context) => {
  const { sourcePaths, options, limits } = input;
  const { workFolder, signal } = context;
  const source = await openSource({ paths: sourcePaths, options, limits, workFolder, headOnly: true });
  const engine = await openDataEngine({
    ...engineShareOf(estimateColumns(source)),
    workFolder,
    maxSpillBytes: limits.maxUploadBytes,
    readablePaths: sourcePaths,
  });
  signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    const target = join(workFolder, 'preview.parquet');
    const imported = await importSource(engine, source, { target, maxRows: readRows });
    const { rows } = await engine.query(sql`SELECT * FROM read_parquet(${target}) LIMIT ${shownRows}`.text, {
      maxRows: shownRows,
      maxBytes: shownBytes,
    });
    return { options: imported.options, columns: imported.columns, rows, warnings: imported.warnings };
  } catch (error) {
    signal.throwIfAborted();
    throw asImportProblem(error, 'csv');
  } finally {
    engine.close();
  }
};

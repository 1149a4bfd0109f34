// The worker's half of an import: a stored source becomes Parquet, every value converted strictly. What the table holds
// is described afterwards (profile-task.ts), when it can be used already.
// No database, no network; reads the source's parts and writes into the work folder only.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ColumnType, ImportOptions } from '../../contract/dataset.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import { convertFile, type FileSource } from './convert-file.ts';

export type ImportTaskInput = FileSource;

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
  const { workFolder, signal, progress } = context;
  progress(0, 'reading the rows');
  const target = join(workFolder, contentFileName);
  const imported = await convertFile(input, { target, workFolder, signal });
  return { contentFileName, sizeBytes: (await stat(target)).size, ...imported };
};

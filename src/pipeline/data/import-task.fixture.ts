// Runs the import task on bytes, as a worker process would, and reads back what it wrote.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatasetProfile, ImportOptions } from '../../contract/dataset.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { sql, type Cell } from '../../platform/ports/data-engine.ts';
import type { TaskContext } from '../../platform/ports/jobs.ts';
import { taskOptions, type ImportLimits } from './import/source-limits.ts';
import { run, type ImportTaskOutput } from './import-task.ts';
import { run as runPreview, type PreviewTaskOutput } from './preview-task.ts';
import { run as runProfile } from './profile-task.ts';

const mib = 1_048_576;

export const testLimits: ImportLimits = {
  maxUploadBytes: 256 * mib,
  maxColumns: 4096,
  maxFieldBytes: mib,
  maxDecompressionRatio: 200,
};

export interface ImportedBytes extends ImportTaskOutput {
  rows: Cell[][];
  contentSha256: string;
}

interface Given {
  options?: ImportOptions;
  limits?: Partial<ImportLimits>;
}

/** A folder for one test, gone afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-import-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a task gets, with an empty work folder at `workFolder`. */
export function taskContext(workFolder: string, signal?: AbortSignal): TaskContext {
  return {
    jobId: 'job_test',
    attempt: 1,
    workFolder,
    signal: signal ?? new AbortController().signal,
    report: () => undefined,
    progress: () => undefined,
  };
}

/** Imports `content` (parts of it, where it is a list) and reads all rows back. */
export async function importBytes(
  content: string | Uint8Array | readonly Uint8Array[],
  { options = {}, limits = {} }: Given = {},
): Promise<ImportedBytes> {
  return await withSource(content, async (sourcePaths, workFolder) => {
    const output = await run(
      { sourcePaths, options: taskOptions(options), limits: { ...testLimits, ...limits } },
      taskContext(workFolder),
    );
    const path = join(workFolder, output.contentFileName);
    return {
      ...output,
      rows: await rowsOf(path, workFolder),
      contentSha256: createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    };
  });
}

/** Imports `content` and describes it. */
export async function profileBytes(
  content: string | Uint8Array,
): Promise<ImportTaskOutput & { profile: DatasetProfile }> {
  return await withSource(content, async (sourcePaths, workFolder) => {
    const context = taskContext(workFolder);
    const imported = await run({ sourcePaths, options: taskOptions({}), limits: testLimits }, context);
    const { columns, rowCount, contentFileName } = imported;
    const path = join(workFolder, contentFileName);
    const maxSpillBytes = testLimits.maxUploadBytes * 2;
    return { ...imported, ...(await runProfile({ path, columns, rowCount, maxSpillBytes }, context)) };
  });
}

/** Previews `content`. */
export async function previewBytes(
  content: string | Uint8Array,
  { options = {}, limits = {} }: Given = {},
): Promise<PreviewTaskOutput> {
  return await withSource(content, (sourcePaths, workFolder) =>
    runPreview(
      { sourcePaths, options: taskOptions(options), limits: { ...testLimits, ...limits } },
      taskContext(workFolder),
    ),
  );
}

/** All rows of a Parquet file. */
export async function rowsOf(path: string, workFolder: string): Promise<Cell[][]> {
  const engine = await openDataEngine({
    memoryBytes: 256 * mib,
    threads: 1,
    workFolder,
    maxSpillBytes: 1024 * mib,
    readablePaths: [path],
  });
  try {
    return await engine.rows(sql`SELECT * FROM read_parquet(${path})`);
  } finally {
    engine.close();
  }
}

/** Makes a Parquet file of a SELECT, and returns its bytes. */
export async function parquetOf(select: string): Promise<Buffer> {
  return await withFolder(async (folder) => {
    const path = join(folder, 'made.parquet');
    const engine = await openDataEngine({
      memoryBytes: 256 * mib,
      threads: 1,
      workFolder: folder,
      maxSpillBytes: 1024 * mib,
      readablePaths: [],
    });
    try {
      await engine.query(`COPY (${select}) TO '${path}' (FORMAT parquet)`, { maxRows: 1, maxBytes: 1000 });
      return await readFile(path);
    } finally {
      engine.close();
    }
  });
}

async function withSource<T>(
  content: string | Uint8Array | readonly Uint8Array[],
  work: (sourcePaths: string[], workFolder: string) => Promise<T>,
): Promise<T> {
  const parts = typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
  return await withFolder(async (sourceFolder) => {
    const sourcePaths = parts.map((_, index) => join(sourceFolder, `part-${index}`));
    for (const [index, part] of parts.entries()) await writeFile(sourcePaths[index]!, part);
    return await withFolder((workFolder) => work(sourcePaths, workFolder));
  });
}

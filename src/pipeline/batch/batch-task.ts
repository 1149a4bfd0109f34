// The worker's half of a batch: an uploaded file becomes Parquet first, then its rows go through the model (transform.ts).
// A next try finds both the Parquet file and the parts that were finished.
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ColumnType } from '../../contract/dataset.ts';
import { readModel } from '../../ml/model/model.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { sql } from '../../platform/ports/data-engine.ts';
import type { Task, TaskContext } from '../../platform/ports/jobs.ts';
import { typesOf } from '../data/column-types.ts';
import { convertFile, type FileSource } from '../data/convert-file.ts';
import { asEngineProblem } from './engine-problem.ts';
import {
  answerColumns,
  transform,
  type FileFormat,
  type TransformInput,
  type TransformOutput,
} from './transform.ts';

export type BatchTaskInput = Pick<TransformInput, 'modelPath' | 'keptColumns' | 'badRows' | 'formats'> & {
  source: { kind: 'table'; path: string } | ({ kind: 'file' } & FileSource);
};

export type BatchTaskOutput = TransformOutput & {
  /** Of the result. */
  columns: { name: string; type: ColumnType }[];
  warnings: string[];
};

/** Shares of the work, as progress tells it. */
const readingShare = 0.1;
const answeringShare = 0.8;
const mebibyte = 1_048_576;

export type { FileFormat };

export const run: Task<BatchTaskInput, BatchTaskOutput> = async (input, context) => {
  const { workFolder, signal, progress } = context;
  const keptFolder = join(context.keptFolder ?? workFolder, 'batch');
  await mkdir(keptFolder, { recursive: true, mode: 0o700 });
  progress(0, 'reading the rows');
  try {
    const { contentPath, warnings } = await contentOf(input, keptFolder, context);
    const { rowCount, types } = await lookAt(contentPath, workFolder);
    const { manifest } = await readModel(await readFile(input.modelPath));
    const { task, classes, intervals } = manifest;
    const model = { task, classes, hasIntervals: intervals !== undefined };
    const { source: _source, ...options } = input;
    const startMs = performance.now();
    let firstRows: number | undefined;
    const output = await transform(
      { ...options, contentPath, model, rowCount },
      {
        keptFolder,
        workFolder,
        signal,
        onRows: (answered) => {
          firstRows ??= answered;
          const seconds = (performance.now() - startMs) / 1000;
          const share = readingShare + (answeringShare * answered) / rowCount;
          progress(share, rowsInWords({ answered, rowCount, perSecond: (answered - firstRows) / seconds }));
        },
        onAssembling: () => progress(readingShare + answeringShare, 'writing the result'),
      },
    );
    const kept = input.keptColumns.map((name) => ({ name, type: types.get(name)! }));
    return { ...output, columns: [...kept, ...answerColumns({ model, badRows: input.badRows })], warnings };
  } catch (error) {
    signal.throwIfAborted();
    throw asEngineProblem(error);
  }
};

/** The rows as Parquet; of an uploaded file made once for all tries. */
async function contentOf(
  { source }: BatchTaskInput,
  keptFolder: string,
  { workFolder, signal }: TaskContext,
): Promise<{ contentPath: string; warnings: string[] }> {
  if (source.kind === 'table') return { contentPath: source.path, warnings: [] };
  const contentPath = join(keptFolder, 'content.parquet');
  const isThere = await access(contentPath).then(
    () => true,
    () => false,
  );
  if (isThere) return { contentPath, warnings: [] };
  const draft = join(workFolder, 'content.parquet');
  const { warnings } = await convertFile(source, { target: draft, workFolder, signal });
  await rename(draft, contentPath);
  return { contentPath, warnings };
}

async function lookAt(
  path: string,
  workFolder: string,
): Promise<{ rowCount: number; types: ReadonlyMap<string, ColumnType> }> {
  const engine = await openDataEngine({
    memoryBytes: 128 * mebibyte,
    threads: 1,
    workFolder,
    maxSpillBytes: mebibyte,
    readablePaths: [path],
  });
  try {
    const [[rowCount]] = (await engine.rows(sql`SELECT count(*) FROM read_parquet(${path})`)) as [[number]];
    return { rowCount, types: await typesOf(engine, path) };
  } finally {
    engine.close();
  }
}

function rowsInWords({
  answered,
  rowCount,
  perSecond,
}: {
  answered: number;
  rowCount: number;
  perSecond: number;
}): string {
  const rows = `${answered.toLocaleString('en')} of ${rowCount.toLocaleString('en')} rows`;
  if (!(perSecond > 0)) return rows;
  return `${rows}, about ${Math.ceil((rowCount - answered) / perSecond)} s left`;
}

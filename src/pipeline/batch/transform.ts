// A batch on files: the rows of a Parquet file through a model, into one file of chosen columns and answers. Parts are
// written by threads (part-writer.ts), each a range of rows; what a try has finished the next one finds. The answers are
// then put beside the chosen columns, which never pass through JavaScript and keep their types.
// No database, no network; memory does not grow with the number of rows.
import { access, mkdir, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../base/assert.ts';
import { hasClasses } from '../../ml/frame/schema.ts';
import type { ModelManifest } from '../../ml/model/manifest.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { identifier, joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import type { ColumnType } from '../../contract/dataset.ts';
import { mostProblemsTold, partColumns, partPath, type RowProblem, type RowRange } from './part-writer.ts';
import { writeParts } from './part-threads.ts';

export type FileFormat = 'csv' | 'parquet';

export type TransformInput = {
  contentPath: string;
  modelPath: string;
  /** What the model says of itself that its answers depend on. */
  model: Pick<ModelManifest, 'task' | 'classes'> & { hasIntervals: boolean };
  rowCount: number;
  /** Of the content, in the order they are to have. */
  keptColumns: string[];
  /** `mark`: a row that does not fit has no answer, and a column says why. `refuse`: it ends the batch. */
  badRows: 'mark' | 'refuse';
  formats: FileFormat[];
};

export type TransformOutput = {
  rowCount: number;
  answeredRowCount: number;
  /** The first of them. */
  problems: RowProblem[];
  /** Names in the work folder. */
  files: { format: FileFormat; fileName: string; sizeBytes: number }[];
};

export interface TransformSurroundings {
  /** Where parts stay for a next try. */
  keptFolder: string;
  workFolder: string;
  signal: AbortSignal;
  /** Rows that have been answered, in all tries. */
  onRows: (rowCount: number) => void;
  onAssembling: () => void;
}

/** Beyond these, threads wait for the disk. */
const mostThreads = 8;
const partValues = 4_000_000;
const leastPartRows = 20_000;
const mostPartRows = 500_000;
/** Parts for each thread where there are few rows: so that none waits long for the last. */
const partsPerThread = 4;
const engineMemoryBytes = 384 * 1_048_576;
const maxSpillBytes = 64 * 1024 ** 3;
const groupRows = 122_880;

/** Answers all rows. @throws Problem `prediction-input` where bad rows are refused, `disk-full`, `memory-limit` */
export async function transform(
  input: TransformInput,
  surroundings: TransformSurroundings,
): Promise<TransformOutput> {
  const { keptFolder, signal } = surroundings;
  const partsFolder = join(keptFolder, 'parts');
  await mkdir(partsFolder, { recursive: true, mode: 0o700 });
  const threadCount = Math.min(mostThreads, availableParallelism());
  const ranges = rangesOf(input, threadCount);
  const missing = await missingOf(ranges, partsFolder);
  let answered = input.rowCount - missing.reduce((sum, { from, to }) => sum + to - from, 0);
  surroundings.onRows(answered);
  await writeParts(
    missing,
    Array.from({ length: threadCount }, (_, index) => ({
      contentPath: input.contentPath,
      modelPath: input.modelPath,
      workFolder: join(keptFolder, `thread-${index + 1}`),
      partsFolder,
      refusesProblems: input.badRows === 'refuse',
    })),
    { signal, onRows: (rowCount) => surroundings.onRows((answered += rowCount)) },
  );
  surroundings.onAssembling();
  const partPaths = ranges.map((range) => partPath(partsFolder, range));
  return await assemble(input, partPaths, surroundings);
}

/** The columns that answers add, with their types, in their order. */
export function answerColumns({
  model,
  badRows,
}: Pick<TransformInput, 'model' | 'badRows'>): { name: string; type: ColumnType }[] {
  const { task, classes } = model;
  const number = (name: string) => ({ name, type: 'number' as const });
  return [
    { name: 'prediction', type: hasClasses(task) ? 'text' : 'number' },
    ...(hasClasses(task)
      ? classes.map((name) => number(`probability_${name}`))
      : [number('lower'), number('upper')]),
    ...(badRows === 'mark' ? [{ name: 'problem', type: 'text' as const }] : []),
  ];
}

/** The same on every machine of as many threads, so that a next try finds the parts of the one before. */
function rangesOf({ rowCount, model }: TransformInput, threadCount: number): RowRange[] {
  const width = model.classes.length + 4;
  const share = Math.ceil(rowCount / (threadCount * partsPerThread));
  const wanted = Math.max(leastPartRows, Math.min(mostPartRows, Math.floor(partValues / width), share));
  // Whole groups of rows where these files have such, because the engine reads a group for every part that has rows of it.
  const size = wanted > groupRows ? wanted - (wanted % groupRows) : wanted;
  const ranges: RowRange[] = [];
  for (let from = 0; from < rowCount; from += size)
    ranges.push({ from, to: Math.min(rowCount, from + size) });
  return ranges;
}

async function missingOf(ranges: readonly RowRange[], partsFolder: string): Promise<RowRange[]> {
  const isThere = await Promise.all(
    ranges.map((range) =>
      access(partPath(partsFolder, range)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return ranges.filter((_, index) => !isThere[index]);
}

async function assemble(
  input: TransformInput,
  partPaths: readonly string[],
  { workFolder, signal }: TransformSurroundings,
): Promise<TransformOutput> {
  const engine = await openDataEngine({
    memoryBytes: engineMemoryBytes,
    threads: Math.min(4, availableParallelism()),
    workFolder,
    maxSpillBytes,
    readablePaths: [input.contentPath, ...partPaths],
  });
  const interrupt = (): void => engine.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    signal.throwIfAborted();
    const counted = await countRows(engine, partPaths);
    assert(counted.rowCount === input.rowCount, 'the parts hold as many rows as the file');
    const rows = rowsOf(input, partPaths, counted.answeredRowCount < counted.rowCount);
    const files: TransformOutput['files'] = [];
    for (const format of input.formats) {
      const fileName = `predictions.${format}`;
      const target = join(workFolder, fileName);
      // oxlint-disable-next-line no-await-in-loop -- statements run one at a time
      await engine.run(sql`COPY (${rows}) TO ${target} (${formatOptions[format]})`);
      // oxlint-disable-next-line no-await-in-loop -- of the file just written
      files.push({ format, fileName, sizeBytes: (await stat(target)).size });
    }
    return { ...counted, files };
  } finally {
    signal.removeEventListener('abort', interrupt);
    engine.close();
  }
}

const formatOptions: Record<FileFormat, Sql> = {
  parquet: sql`FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE ${groupRows}`,
  csv: sql`FORMAT csv, HEADER true`,
};

async function countRows(
  engine: DataEngine,
  partPaths: readonly string[],
): Promise<Pick<TransformOutput, 'rowCount' | 'answeredRowCount' | 'problems'>> {
  const parts = sql`read_parquet(${partPaths})`;
  const [[rowCount, problemCount]] = (await engine.rows(
    sql`SELECT count(*), count(problem) FROM ${parts}`,
  )) as [[number, number]];
  if (problemCount === 0) return { rowCount, answeredRowCount: rowCount, problems: [] };
  const numbered = sql`SELECT row_number() OVER () AS row, problem FROM ${parts}`;
  const found = await engine.rows(
    sql`SELECT row, problem FROM (${numbered}) WHERE problem IS NOT NULL ORDER BY row LIMIT ${mostProblemsTold}`,
  );
  return {
    rowCount,
    answeredRowCount: rowCount - problemCount,
    problems: found.map(([row, message]) => ({ row: Number(row), message: String(message) })),
  };
}

/** The kept columns and the answers side by side: both are in the order of the rows. */
function rowsOf(input: TransformInput, partPaths: readonly string[], hasProblems: boolean): Sql {
  const { keptColumns, contentPath } = input;
  const kept = keptColumns.map((name) => sql`source.${identifier(name)}`);
  const answers = sql`read_parquet(${partPaths}) AS answer`;
  const from =
    kept.length === 0 ? answers : sql`read_parquet(${contentPath}) AS source POSITIONAL JOIN ${answers}`;
  return sql`SELECT ${joined([...kept, ...answerValues(input, hasProblems)])} FROM ${from}`;
}

function answerValues({ model, badRows }: TransformInput, hasProblems: boolean): Sql[] {
  const { task, classes, hasIntervals } = model;
  const { numbers, problem } = partColumns(1 + (hasClasses(task) ? classes.length : hasIntervals ? 2 : 0));
  const [first, ...others] = numbers.map((name) => sql`answer.${identifier(name)}`);
  const whyNot = hasProblems ? sql`answer.${identifier(problem)}` : sql`CAST(NULL AS VARCHAR)`;
  // A row with a problem has no answer; without such rows there is nothing to look at.
  const answered = (value: Sql): Sql =>
    hasProblems ? sql`CASE WHEN ${whyNot} IS NULL THEN ${value} END` : value;
  const decided = hasClasses(task) ? classNamed(first!, classes) : first!;
  const numbersBehind =
    others.length > 0 || hasClasses(task)
      ? others.map(answered)
      : [sql`CAST(NULL AS DOUBLE)`, sql`CAST(NULL AS DOUBLE)`];
  const values = [answered(decided), ...numbersBehind, ...(badRows === 'mark' ? [whyNot] : [])];
  return answerColumns({ model, badRows }).map(
    ({ name }, index) => sql`${values[index]!} AS ${identifier(name)}`,
  );
}

function classNamed(code: Sql, classes: readonly string[]): Sql {
  if (classes.length > 8) return sql`list_extract(${classes}, CAST(${code} AS INTEGER) + 1)`;
  const cases = classes.map((name, index) => sql`WHEN ${index} THEN ${name}`);
  return sql`CASE ${code} ${joined(cases, sql` `)} END`;
}

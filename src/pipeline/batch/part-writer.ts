// Answers ranges of rows of a Parquet file and writes each as a part: a small Parquet file of answers alone, in the order of
// the rows. A part is written under another name and then renamed, so that it is there whole or not at all; what is
// there is never written again. Runs in a thread of a batch (part-thread.ts).
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../base/problems.ts';
import {
  columnPredictorOf,
  type ColumnAnswers,
  type ColumnPredictor,
} from '../../ml/model/column-predictor.ts';
import { readModel } from '../../ml/model/model.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { identifier, joined, sql, type Appender, type DataEngine } from '../../platform/ports/data-engine.ts';
import { typesOf } from '../data/column-types.ts';
import { fieldReadings, type FieldReading, type RowProblems } from './read-fields.ts';

/** Where a part begins, and the first row behind it. */
export type RowRange = { from: number; to: number };

/** A row that could not be answered; the first of the file is 1. */
export type RowProblem = { row: number; message: string };

export type PartWriterOptions = {
  contentPath: string;
  modelPath: string;
  /** For the writer alone; parts lie in `partsFolder`. */
  workFolder: string;
  partsFolder: string;
  /** Whether a row that does not fit ends everything. */
  refusesProblems: boolean;
};

export interface PartWriter {
  /** @param onRows called with rows as they are answered. @throws Problem `prediction-input` where problems are refused */
  write(range: RowRange, onRows: (rowCount: number) => void): Promise<void>;
  close(): void;
}

const engineMemoryBytes = 192 * 1_048_576;
const maxSpillBytes = 16 * 1024 ** 3;
/** Problems that are told of in words; all are counted, and each stands in its row. */
export const mostProblemsTold = 20;

/** Opens the model and the file. @throws what opening a model throws */
export async function openPartWriter(options: PartWriterOptions): Promise<PartWriter> {
  const { contentPath, modelPath, workFolder } = options;
  await mkdir(workFolder, { recursive: true, mode: 0o700 });
  const content = await readModel(await readFile(modelPath));
  const predictor = columnPredictorOf(content);
  const engine = await openDataEngine({
    memoryBytes: engineMemoryBytes,
    threads: 1,
    workFolder,
    maxSpillBytes,
    readablePaths: [contentPath],
  });
  const readings = await fieldReadings(engine, predictor.columns, await typesOf(engine, contentPath));
  return {
    write: (range, onRows) => writePart({ engine, readings, predictor, options }, range, onRows),
    close: () => engine.close(),
  };
}

/** Where the part of a range lies; its name says which rows it holds. */
export function partPath(partsFolder: string, { from, to }: RowRange): string {
  return join(partsFolder, `rows-${from}-${to}.parquet`);
}

/** Names of the columns of a part: of an answer's numbers, then what is wrong with the row. */
export function partColumns(numberCount: number): { numbers: string[]; problem: string } {
  return {
    numbers: Array.from({ length: numberCount }, (_, index) => `number_${index}`),
    problem: 'problem',
  };
}

interface OpenWriter {
  engine: DataEngine;
  readings: FieldReading[];
  predictor: ColumnPredictor;
  options: PartWriterOptions;
}

async function writePart(
  writer: OpenWriter,
  range: RowRange,
  onRows: (rowCount: number) => void,
): Promise<void> {
  const { engine, readings, options } = writer;
  const path = options.contentPath;
  // The first says how many rows there are, also where the model reads none of the columns.
  const values = [sql`CAST(0 AS DOUBLE)`, ...readings.map(({ value }) => value)];
  const rows = engine.parts(
    sql`SELECT ${joined(values)} FROM read_parquet(${path}, file_row_number = true)
      WHERE file_row_number >= ${range.from} AND file_row_number < ${range.to}`,
  );
  const appender = await openTable(engine, writer.predictor.numberCount);
  let answeredTo = range.from;
  for await (const [first, ...parts] of rows) {
    const rowCount = first!.length;
    const problems: RowProblems = new Map();
    const fields = new Map(
      readings.map(({ name, finish }, index) => [name, finish(parts[index]!, problems)]),
    );
    const answers = writer.predictor.predict(fields, rowCount);
    for (const row of answers.unanswered) if (!problems.has(row)) problems.set(row, 'has no finite answer');
    if (problems.size > 0 && options.refusesProblems) throw refusal(problems, answeredTo);
    const whyNot = problems.size === 0 ? undefined : columnOf(problems, rowCount);
    appender.append([...numbersOf(answers), whyNot], rowCount);
    answeredTo += rowCount;
    onRows(rowCount);
  }
  appender.close();
  const draft = join(options.workFolder, 'part.parquet');
  // Read once and removed: neither compressed nor looked through for values that repeat.
  await engine.run(
    sql`COPY answers TO ${draft} (FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 16)`,
  );
  await engine.run(sql`DROP TABLE answers`);
  await rename(draft, partPath(options.partsFolder, range));
}

/** The numbers of an answer, column by column, in the order of {@link partColumns}. */
function numbersOf({ prediction, probabilities, interval }: ColumnAnswers): Float64Array[] {
  return [prediction, ...probabilities, ...(interval ? [interval.lower, interval.upper] : [])];
}

async function openTable(engine: DataEngine, numberCount: number): Promise<Appender> {
  const { numbers, problem } = partColumns(numberCount);
  const columns = [
    ...numbers.map((name) => sql`${identifier(name)} DOUBLE`),
    sql`${identifier(problem)} VARCHAR`,
  ];
  await engine.run(sql`CREATE OR REPLACE TABLE answers (${joined(columns)})`);
  return await engine.appender('answers', [...numbers.map(() => 'double' as const), 'text']);
}

function refusal(problems: RowProblems, firstRow: number): Problem {
  const told = [...problems]
    .map(([row, message]): RowProblem => ({ row: firstRow + row + 1, message }))
    .toSorted((one, other) => one.row - other.row)
    .slice(0, mostProblemsTold);
  return new Problem('prediction-input', `Row ${told[0]!.row}: ${told[0]!.message}.`, {
    errors: told.map(({ row, message }) => ({ field: `row ${row}`, message })),
  });
}

function columnOf(problems: RowProblems, rowCount: number): (string | null)[] {
  return Array.from({ length: rowCount }, (_, row) => problems.get(row) ?? null);
}

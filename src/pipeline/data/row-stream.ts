// Reads the Parquet content of a dataset version as a stream of rows (ml/frame/row-stream.ts), for learning from more rows
// than fit into memory. Each row has a draw, a hash of its number and a seed, which says what the row is for: the same
// expression picks the rows of read-columns.ts, so that what is held out here is held out there.
import { assert, present } from '../../base/assert.ts';
import type { RowStream, StreamColumn } from '../../ml/frame/row-stream.ts';
import { identifier, joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import { doubleOf, typesOf, type ColumnTypes } from './column-types.ts';
import { openContent } from './open-content.ts';

export interface OpenRowStream extends RowStream {
  columnNames: string[];
  close: () => void;
}

/** A content that has a column of such a name cannot be drawn from. */
const takenNames = /^(?:file_row_number$|__pilvi_)/i;

/**
 * Opens the file at `path`; texts can only be asked for with categories. One reading at a time.
 * @param options `workFolder`: for what does not fit into memory. `seed`: of the draws
 */
export async function openRowStream(
  path: string,
  { workFolder, seed }: { workFolder: string; seed: number },
): Promise<OpenRowStream> {
  const engine = await openContent(path, workFolder);
  try {
    const types = await typesOf(engine, path);
    const [[rowCount]] = (await engine.rows(sql`SELECT count(*) FROM read_parquet(${path})`)) as [[number]];
    return {
      rowCount,
      columnNames: [...types.keys()],
      batches: (columns) => readBatches(engine, { columns, types, rows: drawnRows(path, seed) }),
      close: () => engine.close(),
    };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/** Whether rows of these columns can be drawn. */
export function canDraw(columnNames: readonly string[]): boolean {
  return !columnNames.some((name) => takenNames.test(name));
}

/** The rows of a Parquet file, in order, with a column {@link drawName}. */
export function drawnRows(path: string, seed: number): Sql {
  // The finalizer of splitmix32, as base/random.ts has it, step by step.
  const numbered = sql`SELECT *, (file_row_number::UBIGINT * 2654435769::UBIGINT + ${seed >>> 0}::UBIGINT) & 4294967295::UBIGINT AS "__pilvi_a" FROM read_parquet(${path}, file_row_number = true)`;
  const once = sql`SELECT *, (xor("__pilvi_a", "__pilvi_a" >> 16) * 569420461::UBIGINT) & 4294967295::UBIGINT AS "__pilvi_b" FROM (${numbered})`;
  const twice = sql`SELECT *, (xor("__pilvi_b", "__pilvi_b" >> 15) * 1935289751::UBIGINT) & 4294967295::UBIGINT AS "__pilvi_c" FROM (${once})`;
  return sql`(SELECT *, xor("__pilvi_c", "__pilvi_c" >> 15)::DOUBLE / 4294967296 AS ${drawName} FROM (${twice}))`;
}
export const drawName: Sql = identifier('__pilvi_draw');

async function* readBatches(
  engine: DataEngine,
  { columns, types, rows }: { columns: readonly StreamColumn[]; types: ColumnTypes; rows: Sql },
): ReturnType<RowStream['batches']> {
  const values: Sql[] = [];
  try {
    for (const [index, column] of columns.entries())
      values.push(await valueOf(engine, column, { types, dictionary: identifier(`codes_${index}`) }));
    for await (const [draws, ...batch] of engine.numbers(
      sql`SELECT ${joined([drawName, ...values])} FROM ${rows}`,
    ))
      yield { draws: present(draws, 'the draws'), columns: batch };
  } finally {
    for (const index of columns.keys())
      await engine.run(sql`DROP TYPE IF EXISTS ${identifier(`codes_${index}`)}`);
  }
}

/** The value of a column as a double that is never null. */
async function valueOf(
  engine: DataEngine,
  { name, categories }: StreamColumn,
  { types, dictionary }: { types: ColumnTypes; dictionary: Sql },
): Promise<Sql> {
  const type = types.get(name);
  assert(type !== undefined, `the content has no column "${name}"`);
  const value = identifier(name);
  if (type !== 'text') return sql`coalesce(${doubleOf(value, type)}, CAST('nan' AS DOUBLE))`;
  assert(categories !== undefined, `column "${name}" holds texts, of which a stream has only codes`);
  const others = sql`CAST(${categories.length} AS DOUBLE)`;
  const missing = sql`WHEN ${value} IS NULL THEN CAST('nan' AS DOUBLE)`;
  // A type without values cannot exist.
  if (categories.length === 0) return sql`CASE ${missing} ELSE ${others} END`;
  const literals = joined(categories.map((category) => sql`${category}`));
  await engine.run(sql`CREATE TYPE ${dictionary} AS ENUM (${literals})`);
  const code = sql`CAST(enum_code(TRY_CAST(${value} AS ${dictionary})) AS DOUBLE)`;
  return sql`CASE ${missing} ELSE coalesce(${code}, ${others}) END`;
}

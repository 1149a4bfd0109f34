// Reads the Parquet content of a dataset version into columns for learning: numbers, truth values and dates as doubles,
// texts as codes of a dictionary. Streamed through the engine, so that memory is what the columns themselves take.
import { Problem } from '../../base/problems.ts';
import type { ColumnType } from '../../contract/dataset.ts';
import type { Draws } from '../../ml/frame/row-stream.ts';
import { identifier, joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import { doubleOf, typesOf } from './column-types.ts';
import { listed } from './import/column-names.ts';
import { openContent } from './open-content.ts';
import { drawName, drawnRows } from './row-stream.ts';

export type DataColumn = NumberDataColumn | TextDataColumn;

export interface NumberDataColumn {
  name: string;
  type: Exclude<ColumnType, 'text'>;
  /** NaN is missing. Truth values are 0 and 1, dates milliseconds since 1970 (UTC). */
  values: Float64Array;
}

export interface TextDataColumn {
  name: string;
  type: 'text';
  /** Positions in `categories`; -1 is missing. */
  codes: Int32Array;
  /** Every value there is, each once, sorted by code points. */
  categories: string[];
}

interface Wanted {
  columns?: readonly string[];
  maxRows?: number;
  drawn?: Draws & { seed: number };
}

/** Columns of one statement; more make its plan slow. */
const columnsAtOnce = 100;

/**
 * Reads the file at `path`, rows in order.
 * @param options `workFolder`: for what does not fit into memory; a killed task leaves nothing elsewhere. `columns`: only
 * these, in this order; all otherwise. `maxRows`: only so many from the start. `drawn`: only rows whose draws
 * (row-stream.ts) are at least `from` and below `to`.
 * @throws Problem `column-unknown`
 */
export async function readColumns(
  path: string,
  { workFolder, ...wanted }: Wanted & { workFolder: string },
): Promise<DataColumn[]> {
  const engine = await openContent(path, workFolder);
  try {
    return await readAll(engine, path, wanted);
  } finally {
    engine.close();
  }
}

async function readAll(
  engine: DataEngine,
  path: string,
  { columns: wanted, maxRows = Infinity, drawn }: Wanted,
): Promise<DataColumn[]> {
  const types = await typesOf(engine, path);
  const names = wanted ?? [...types.keys()];
  refuseUnknown(names, types);
  const all = drawn
    ? sql`(FROM ${drawnRows(path, drawn.seed)} WHERE ${drawName} >= ${drawn.from} AND ${drawName} < ${drawn.to})`
    : sql`read_parquet(${path})`;
  const [[total]] = (await engine.rows(sql`SELECT count(*) FROM ${all}`)) as [[number]];
  const rowCount = Math.min(total, maxRows);
  const rows = rowCount < total ? sql`(FROM ${all} LIMIT ${rowCount})` : all;
  const columns: DataColumn[] = [];
  for (let start = 0; start < names.length; start += columnsAtOnce) {
    const group = names.slice(start, start + columnsAtOnce).map((name) => ({ name, type: types.get(name)! }));
    columns.push(...(await readGroup(engine, rows, { group, rowCount })));
  }
  return columns;
}

async function readGroup(
  engine: DataEngine,
  rows: Sql,
  { group, rowCount }: { group: readonly { name: string; type: ColumnType }[]; rowCount: number },
): Promise<DataColumn[]> {
  const columns: DataColumn[] = [];
  const values: Sql[] = [];
  for (const [index, { name, type }] of group.entries()) {
    if (type === 'text') {
      const dictionary = identifier(`dictionary_${index}`);
      const categories = await readCategories(engine, rows, name, dictionary);
      columns.push({ name, type, codes: new Int32Array(rowCount), categories });
      // A type without values cannot exist.
      values.push(
        categories.length === 0
          ? sql`CAST(-1 AS DOUBLE)`
          : sql`coalesce(CAST(enum_code(CAST(${identifier(name)} AS ${dictionary})) AS DOUBLE), -1)`,
      );
    } else {
      columns.push({ name, type, values: new Float64Array(rowCount) });
      values.push(sql`coalesce(${doubleOf(identifier(name), type)}, CAST('nan' AS DOUBLE))`);
    }
  }
  let filled = 0;
  for await (const batch of engine.numbers(sql`SELECT ${joined(values)} FROM ${rows}`)) {
    for (const [index, numbers] of batch.entries()) {
      const column = columns[index]!;
      (column.type === 'text' ? column.codes : column.values).set(numbers, filled);
    }
    filled += batch[0]!.length;
  }
  await dropDictionaries(engine, group.length);
  return columns;
}

/** Makes the engine's dictionary of a column and returns it. */
async function readCategories(
  engine: DataEngine,
  rows: Sql,
  name: string,
  dictionary: Sql,
): Promise<string[]> {
  const value = identifier(name);
  const distinct = sql`SELECT DISTINCT ${value} AS v FROM ${rows} WHERE ${value} IS NOT NULL ORDER BY v`;
  await engine.run(sql`CREATE TEMP TABLE categories AS ${distinct}`);
  const categories: string[] = [];
  for await (const batch of engine.batches(sql`SELECT v FROM categories`))
    for (const [category] of batch) categories.push(String(category));
  if (categories.length > 0)
    await engine.run(sql`CREATE TYPE ${dictionary} AS ENUM (SELECT v FROM categories)`);
  await engine.run(sql`DROP TABLE categories`);
  return categories;
}

async function dropDictionaries(engine: DataEngine, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await engine.run(sql`DROP TYPE IF EXISTS ${identifier(`dictionary_${index}`)}`);
}

function refuseUnknown(names: readonly string[], types: ReadonlyMap<string, ColumnType>): void {
  const unknown = names.filter((name) => !types.has(name));
  if (unknown.length === 0) return;
  const quoted = unknown.map((name) => `"${name}"`);
  throw new Problem(
    'column-unknown',
    `The dataset has no column ${listed(quoted)}. It has: ${listed([...types.keys()], 20)}.`,
  );
}

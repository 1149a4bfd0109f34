// The data of bench/large.ts: a Parquet file of 30 columns and a target of two classes, made by SQL from the number of
// each row, so that it is the same for the same number of rows.
import { openDataEngine } from '../src/platform/drivers/duckdb.ts';
import { identifier, joined, sql, type Sql } from '../src/platform/ports/data-engine.ts';

export interface LargeSettings {
  threads: number;
  rounds: number;
  leaves: number;
}

export const target = 'target';
/** Rows whose draws are lowest, of this seed, are held out: about so many. */
export const drawSeed = 20_260_101;
export const mostHeldOutRows = 200_000;
export const columnCount = 30;

const rareLevels = [5, 40, 200];

/** Writes the file `content.parquet` into `folder`. */
export async function writeLarge(folder: string, rowCount: number): Promise<void> {
  const engine = await openDataEngine({
    memoryBytes: 2 * 1024 ** 3,
    threads: 2,
    workFolder: folder,
    maxSpillBytes: 0,
    readablePaths: [],
  });
  /** A number from 0 to 1 for each row and place. */
  const even = (place: number): Sql => sql`(hash(i * 256 + ${place}) / 18446744073709551616.0::DOUBLE)`;
  const columns: Sql[] = [];
  const add = (name: string, value: Sql): void => void columns.push(sql`${value} AS ${identifier(name)}`);
  for (let place = 0; place < 13; place++) add(`exact_${place}`, even(place));
  for (let place = 13; place < 22; place++) add(`rounded_${place}`, sql`round(exp(3 * ${even(place)}), 2)`);
  for (let place = 22; place < 26; place++)
    add(`gaps_${place}`, sql`CASE WHEN ${even(place + 100)} < 0.2 THEN NULL ELSE ${even(place)} END`);
  rareLevels.forEach((levels, index) =>
    add(`level_${index}`, sql`'level ' || CAST(floor(${levels} * pow(${even(26 + index)}, 2)) AS INTEGER)`),
  );
  add('day', sql`DATE '2020-01-01' + CAST(floor(1500 * ${even(29)}) AS INTEGER)`);
  const score = sql`3 * sin(6 * exact_0) * exact_1 + 2 * exact_2 * exact_3 - exact_4
    + CASE WHEN rounded_13 > 5 THEN 1 ELSE 0 END * ln(rounded_14) + 1.5 * coalesce(gaps_22, 1) * exact_5
    + CASE WHEN level_0 = 'level 0' THEN 1 ELSE 0 END + length(level_2) * 0.3
    + CASE WHEN month("day") < 4 THEN 0.8 ELSE 0 END + 0.5 * sin(40 * exact_6) - 4.2`;
  const rows = sql`SELECT ${joined(columns)}, i FROM range(${rowCount}) AS rows(i)`;
  const labelled = sql`SELECT * EXCLUDE (i), CAST(${even(50)} < 1 / (1 + exp(-(${score}))) AS BIGINT) AS ${identifier(target)} FROM (${rows})`;
  try {
    await engine.run(
      sql`COPY (${labelled}) TO ${`${folder}/content.parquet`} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 122880)`,
    );
  } finally {
    engine.close();
  }
}

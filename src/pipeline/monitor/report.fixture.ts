// Training data, a model of it and a log of predictions, made for tests and the benchmark: as wide and long as wanted,
// and moved as far.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../base/time.ts';
import type { Predictor } from '../../ml/model/predictor.ts';
import { openModel, writeModel } from '../../ml/model/model.ts';
import { search } from '../../ml/search/search.ts';
import { openDataEngine } from '../../platform/drivers/duckdb.ts';
import { identifier, joined, sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import { readColumns } from '../data/read-columns.ts';
import { frameOf } from '../train/frame.ts';
import { fieldColumns } from '../predict/log/layout.ts';
import type { LogFile, WatchedColumn } from './watched.ts';

export interface Made {
  /** Parquet of a dataset version. */
  contentPath: string;
  modelPath: string;
  predictor: Predictor;
  watched: WatchedColumn[];
}

export type Task = 'binary' | 'regression';

/** How rows of a log differ from those of the training. */
export interface Moved {
  /** Added to `amount`, which is spread evenly from 0 to 100. */
  amountBy?: number;
  /** How wide `amount` is spread around 50; 100 unless told. */
  amountSpread?: number;
  /** Share of rows whose city is "Vaasa", which was never seen. */
  newCityShare?: number;
  missingShare?: number;
  /** Share of outcomes in Oulu that are not what they should be. */
  mistakesInOulu?: number;
}

/** The day that logged rows are answered on, one each second. */
export const loggedDayMs = Date.UTC(2026, 0, 5);

/** A place to work in, with an engine that may read and write it. */
export async function openFolder(folder: string): Promise<DataEngine> {
  return await openDataEngine({
    memoryBytes: 1024 * 1_048_576,
    threads: 2,
    workFolder: folder,
    maxSpillBytes: 16 * 1024 ** 3,
    readablePaths: [],
  });
}

/** Training data with `amount`, `city`, `member`, `since`, `note` and so many columns of noise besides; and a model. */
export async function makeTraining(
  engine: DataEngine,
  folder: string,
  { rowCount, noise = 0, task = 'binary' }: { rowCount: number; noise?: number; task?: Task },
): Promise<Made> {
  const contentPath = join(folder, 'content.parquet');
  await engine.run(sql`COPY (SELECT * EXCLUDE (row_number) FROM (${rowsOf({ rowCount, noise, seed: 1 })}))
    TO ${contentPath} (FORMAT parquet)`);
  const excludedColumns = [task === 'binary' ? 'spend' : 'left', ...noiseNames(noise)];
  const recipe = {
    target: task === 'binary' ? 'left' : 'spend',
    task: 'auto',
    metric: 'auto',
    budget: { trials: 2 },
    seed: 1,
    folds: 2,
    excludedColumns,
  };
  const frame = frameOf(await readColumns(contentPath, { workFolder: folder, maxRows: 1500 }));
  const { model } = await search({
    frame,
    recipe: recipe as Parameters<typeof search>[0]['recipe'],
    clock: systemClock,
  });
  const bytes = await writeModel(model);
  const modelPath = join(folder, 'model.pilvi');
  await writeFile(modelPath, bytes);
  const watched: WatchedColumn[] = [
    { name: 'amount', kind: 'numeric' },
    { name: 'city', kind: 'categorical' },
    { name: 'member', kind: 'boolean' },
    { name: 'since', kind: 'date' },
    { name: 'note', kind: 'text' },
    ...noiseNames(noise).map((name, index): WatchedColumn => ({ name, kind: kindOf(index) })),
  ];
  return { contentPath, modelPath, predictor: await openModel(bytes), watched };
}

/** A part of the log, as rows of the same kind that were answered by the rule behind the training data. */
export async function makeLog(
  engine: DataEngine,
  folder: string,
  {
    rowCount,
    watched,
    task = 'binary',
    moved = {},
    noise = 0,
    seed = 2,
  }: {
    rowCount: number;
    watched: readonly WatchedColumn[];
    task?: Task;
    moved?: Moved;
    noise?: number;
    seed?: number;
  },
): Promise<LogFile & { outcomePath: string }> {
  const columns = fieldColumns(watched);
  const path = join(folder, `log-${seed}.parquet`);
  const outcomePath = join(folder, `outcomes-${seed}.parquet`);
  const values = columns.map(({ field, column, kind }) => ({
    field,
    column,
    value:
      kind === 'date'
        ? sql`strftime(${identifier(field)}, '%Y-%m-%dT%H:%M:%S.000Z')`
        : sql`${identifier(field)}`,
  }));
  const fields = values.map(({ column, value }) => sql`${value} AS ${identifier(column)}`);
  const given = values.map(({ field, value }) => sql`${field}, ${value}`);
  await engine.run(
    sql`CREATE OR REPLACE TEMP TABLE asked AS SELECT * FROM (${rowsOf({ rowCount, noise, seed, moved })})`,
  );
  const answer =
    task === 'binary'
      ? sql`"left" AS prediction, CAST(NULL AS DOUBLE) AS prediction_number,
          CAST(MAP {'no': if("left" = 'no', 0.9, 0.1), 'yes': if("left" = 'no', 0.1, 0.9)} AS MAP(VARCHAR, DOUBLE)) AS probabilities,
          ["left"] AS likely_classes, CAST(NULL AS DOUBLE) AS lower, CAST(NULL AS DOUBLE) AS upper`
      : sql`CAST(spend AS VARCHAR) AS prediction, spend AS prediction_number,
          CAST(NULL AS MAP(VARCHAR, DOUBLE)) AS probabilities, CAST(NULL AS VARCHAR[]) AS likely_classes,
          spend - 9 AS lower, spend + 9 AS upper`;
  await engine.run(sql`COPY (SELECT 'req_' || printf('%08d', row_number) AS request_id, 0 AS row_index,
    'json' AS form, CAST(json_object(${joined(given)}) AS VARCHAR) AS given,
    make_timestamp(${loggedDayMs * 1000}::BIGINT) + to_seconds(row_number % 86400) AS time, 'mdv_1' AS model_version_id,
    ${answer}, ${joined(fields)} FROM asked ORDER BY row_number) TO ${path} (FORMAT parquet)`);
  const wrong = sql`city = 'Oulu' AND ${chance(sql`row_number`, seed + 90)} < ${moved.mistakesInOulu ?? 0}`;
  const actual =
    task === 'binary'
      ? sql`if((${wrong}) OR row_number % 10 = 0, if("left" = 'yes', 'no', 'yes'), "left")`
      : sql`CAST(spend + 20 * (${chance(sql`row_number`, seed + 91)} - 0.5) AS VARCHAR)`;
  await engine.run(sql`COPY (SELECT 'req_' || printf('%08d', row_number) || '-0' AS prediction_id, ${actual} AS actual,
    TRY_CAST(${actual} AS DOUBLE) AS actual_number, make_timestamp(${loggedDayMs * 1000}::BIGINT) AS received_at,
    make_timestamp(${loggedDayMs * 1000}::BIGINT) AS predicted_at
    FROM asked) TO ${outcomePath} (FORMAT parquet)`);
  return { path, outcomePath, columns: columns.map(({ field, column }) => ({ field, column })) };
}

function rowsOf({
  rowCount,
  noise,
  seed,
  moved = {},
}: {
  rowCount: number;
  noise: number;
  seed: number;
  moved?: Moved;
}): Sql {
  const at = sql`range`;
  const { amountBy = 0, amountSpread = 100, newCityShare = 0, missingShare = 0 } = moved;
  const amount = sql`50 + ${amountSpread} * (${chance(at, seed)} - 0.5) + ${amountBy}`;
  const city = sql`CASE WHEN ${chance(at, seed + 10)} < ${newCityShare} THEN 'Vaasa'
    ELSE ['Turku', 'Oulu', 'Espoo'][1 + CAST(floor(3 * ${chance(at, seed + 20)}) AS INTEGER)] END`;
  const noises = noiseNames(noise).map(
    (name, index) => sql`${noiseValue(index, chance(at, seed + 100 + index))} AS ${identifier(name)}`,
  );
  return sql`SELECT *, if(amount > 50, 'yes', 'no') AS "left",
    2.5 * amount + if(city = 'Oulu', 30, 0) AS spend FROM (SELECT range AS row_number,
    if(${chance(at, seed + 30)} < ${missingShare}, NULL, ${amount}) AS amount, ${city} AS city,
    ${chance(at, seed + 40)} < 0.3 AS member,
    TIMESTAMP '2024-01-01' + to_hours(CAST(floor(5000 * ${chance(at, seed + 50)}) AS INTEGER)) AS since,
    'the customer with the number ' || printf('%07d', range) || ' called about a bill' AS note
    ${noises.length > 0 ? sql`, ${joined(noises)}` : sql``} FROM range(${rowCount}))`;
}

function noiseNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `noise_${index}`);
}

/** Of four columns one has values, the others numbers. */
function kindOf(index: number): WatchedColumn['kind'] {
  return index % 4 === 3 ? 'categorical' : 'numeric';
}

function noiseValue(index: number, random: Sql): Sql {
  return kindOf(index) === 'numeric' ? sql`(${random}) * ${1 + index}` : sql`'v' || floor(20 * ${random})`;
}

/** From 0 to 1, of a row and a seed. */
function chance(row: Sql, seed: number): Sql {
  return sql`(hash(${row} * 1000003 + ${seed}) % 1000003) / 1000003.0`;
}

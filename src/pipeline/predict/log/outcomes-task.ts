// Joins outcomes that were sent with the predictions that they are about, and writes those that fit into one Parquet file
// together with small parts that it takes the place of. The worker's half.
import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataEngine } from '../../../platform/drivers/duckdb.ts';
import { sql, type DataEngine } from '../../../platform/ports/data-engine.ts';
import type { Task } from '../../../platform/ports/jobs.ts';
import type { PartFacts } from './part-task.ts';

export type OutcomesTaskInput = {
  /** Lines `{i: request id, r: row, a: what was true}`, in the order in which they were sent. */
  sentPath: string;
  /** Parts that may hold the predictions. */
  predictionPaths: readonly string[];
  /** Parts of outcomes whose rows go into the new one. */
  mergedPaths: readonly string[];
  outputPath: string;
  /** Later than of every outcome before, microseconds since 1970. */
  receivedMicros: number;
  /** Outcomes of predictions that are older are left out of the new part. */
  oldestMs: number;
};

export type OutcomesTaskOutput = {
  keptCount: number;
  unknownCount: number;
  unknownIds: string[];
  unfitCount: number;
  unfitIds: string[];
  /** Null when nothing is kept. */
  part: PartFacts | null;
};

const engineMemoryBytes = 512 * 1_048_576;
const maxSpillBytes = 4 * 1024 ** 3;
const shownIds = 100;

export const run: Task<OutcomesTaskInput, OutcomesTaskOutput> = async (input, context) => {
  const { sentPath, predictionPaths, mergedPaths, outputPath, oldestMs } = input;
  const engine = await openDataEngine({
    memoryBytes: engineMemoryBytes,
    threads: 1,
    workFolder: context.workFolder,
    maxSpillBytes,
    readablePaths: [sentPath, ...predictionPaths, ...mergedPaths],
  });
  context.signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    await judge(engine, input);
    const unknown = await named(engine, 'unknown');
    const unfit = await named(engine, 'unfit');
    const [[keptCount] = []] = await engine.rows(sql`SELECT count(*) FROM judged WHERE verdict = 'kept'`);
    const told = {
      keptCount: Number(keptCount),
      unknownCount: unknown.count,
      unknownIds: unknown.ids,
      unfitCount: unfit.count,
      unfitIds: unfit.ids,
    };
    if (told.keptCount === 0) return { ...told, part: null };
    const path = join(context.workFolder, 'outcomes.parquet');
    const fresh = sql`SELECT prediction_id, actual, actual_number, received_at, predicted_at FROM judged
      WHERE verdict = 'kept'`;
    const all =
      mergedPaths.length === 0
        ? fresh
        : sql`${fresh} UNION ALL BY NAME SELECT * FROM read_parquet(${mergedPaths})
            WHERE predicted_at >= epoch_ms(CAST(${oldestMs} AS BIGINT))`;
    await engine.run(sql`COPY (SELECT * FROM (${all})
      QUALIFY row_number() OVER (PARTITION BY prediction_id ORDER BY received_at DESC) = 1 ORDER BY prediction_id)
      TO ${path} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20000)`);
    const [facts] =
      await engine.rows(sql`SELECT count(*), epoch_ms(min(predicted_at)), epoch_ms(max(predicted_at)),
      min(split_part(prediction_id, '-', 1)), max(split_part(prediction_id, '-', 1)) FROM read_parquet(${path})`);
    const [rowCount, fromMs, toMs, firstRequestId, lastRequestId] = facts!;
    const { size: sizeBytes } = await stat(path);
    await rename(path, outputPath);
    return {
      ...told,
      part: {
        rowCount: Number(rowCount),
        sizeBytes,
        fromMs: Number(fromMs),
        toMs: Number(toMs),
        firstRequestId: String(firstRequestId),
        lastRequestId: String(lastRequestId),
      },
    };
  } finally {
    engine.close();
  }
};

/** Makes the table `judged`: the last outcome that was sent for each id, and whether it is kept. */
async function judge(
  engine: DataEngine,
  { sentPath, predictionPaths, receivedMicros }: OutcomesTaskInput,
): Promise<void> {
  const predictions =
    predictionPaths.length === 0
      ? sql`SELECT NULL::VARCHAR AS request_id, NULL::INTEGER AS row_index, NULL::TIMESTAMP AS time,
          NULL::DOUBLE AS prediction_number WHERE false`
      : sql`SELECT request_id, row_index, time, prediction_number
          FROM read_parquet(${predictionPaths}, union_by_name = true)`;
  await engine.run(sql`CREATE TEMP TABLE judged AS
    WITH sent AS (
      SELECT i, r, arg_max(a, n) AS actual
      FROM read_json(${sentPath}, format = 'newline_delimited', maximum_object_size = 2097152,
        columns = {n: 'BIGINT', i: 'VARCHAR', r: 'INTEGER', a: 'VARCHAR'})
      GROUP BY i, r
    ), joined AS (
      SELECT i || '-' || r AS prediction_id, actual, time AS predicted_at, prediction_number,
        CASE WHEN isfinite(TRY_CAST(actual AS DOUBLE)) THEN TRY_CAST(actual AS DOUBLE) END AS actual_number
      FROM sent LEFT JOIN (${predictions}) AS logged ON logged.request_id = i AND logged.row_index = r
    )
    SELECT prediction_id, actual, actual_number, predicted_at,
      make_timestamp(CAST(${receivedMicros} AS BIGINT)) AS received_at,
      CASE WHEN predicted_at IS NULL THEN 'unknown'
        WHEN prediction_number IS NOT NULL AND actual_number IS NULL THEN 'unfit'
        ELSE 'kept' END AS verdict
    FROM joined`);
}

async function named(engine: DataEngine, verdict: string): Promise<{ count: number; ids: string[] }> {
  const [[count] = []] = await engine.rows(sql`SELECT count(*) FROM judged WHERE verdict = ${verdict}`);
  const rows = await engine.rows(sql`SELECT prediction_id FROM judged WHERE verdict = ${verdict}
    ORDER BY prediction_id LIMIT ${shownIds}`);
  return { count: Number(count), ids: rows.map(([id]) => String(id)) };
}

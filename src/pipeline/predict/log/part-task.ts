// Makes one Parquet file of a segment and of small parts that it takes the place of, in the order of requests, so that
// one prediction is found without reading all. The worker's half.
import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataEngine } from '../../../platform/drivers/duckdb.ts';
import { identifier, joined, sql, type Sql } from '../../../platform/ports/data-engine.ts';
import type { Task } from '../../../platform/ports/jobs.ts';
import { fieldColumns, type FieldColumn } from './layout.ts';
import { maxLineBytes, type LogStream } from './record.ts';

export type PartTaskInput = {
  segmentPath: string;
  stream: LogStream;
  /** Parts of the same deployment whose rows go into the new one. */
  mergedPaths: string[];
  /** Where the file is put; on the disk of the work folder. */
  outputPath: string;
};

/** What a part holds. */
export type PartFacts = {
  rowCount: number;
  sizeBytes: number;
  fromMs: number;
  toMs: number;
  firstRequestId: string;
  lastRequestId: string;
};
/** Null: the segment holds no record that can be read. */
export type PartTaskOutput = { part: PartFacts | null };

const engineMemoryBytes = 512 * 1_048_576;
const maxSpillBytes = 4 * 1024 ** 3;

export const run: Task<PartTaskInput, PartTaskOutput> = async (input, context) => {
  const { segmentPath, stream, mergedPaths, outputPath } = input;
  const engine = await openDataEngine({
    memoryBytes: engineMemoryBytes,
    threads: 1,
    workFolder: context.workFolder,
    maxSpillBytes,
    readablePaths: [segmentPath, ...mergedPaths],
  });
  context.signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    const path = join(context.workFolder, 'part.parquet');
    const fresh = freshRows(segmentPath, stream);
    const rows =
      mergedPaths.length === 0
        ? fresh
        : sql`${fresh} UNION ALL BY NAME SELECT * FROM read_parquet(${mergedPaths}, union_by_name = true)`;
    await engine.run(sql`COPY (SELECT * FROM (${rows}) ORDER BY request_id, row_index)
      TO ${path} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20000)`);
    const [[rowCount, fromMs, toMs, firstRequestId, lastRequestId] = []] =
      await engine.rows(sql`SELECT count(*), epoch_ms(min(time)), epoch_ms(max(time)), min(request_id),
        max(request_id) FROM read_parquet(${path})`);
    if (!rowCount) return { part: null };
    const { size: sizeBytes } = await stat(path);
    await rename(path, outputPath);
    return {
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

/** The records of a segment in the columns of the log. */
function freshRows(path: string, stream: LogStream): Sql {
  const columns = fieldColumns(stream.fields);
  const pointers = columns.map(({ field }) => `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  // One look into each text for all fields. Texts that the engine cannot read as JSON stay in `given` alone.
  const values =
    pointers.length === 0
      ? sql`NULL`
      : sql`CASE WHEN json_valid(f) THEN json_extract_string(f, ${pointers}) END`;
  return sql`SELECT i AS request_id, r AS row_index, epoch_ms(t) AS time,
    ${stream.deploymentId} AS deployment_id, CAST(${stream.revision} AS INTEGER) AS revision,
    ${stream.modelVersionId} AS model_version_id, ${stream.modelFileSha256} AS model_file_sha256,
    json_extract_string(a, '/prediction') AS prediction,
    CASE WHEN json_type(a, '/prediction') <> 'VARCHAR' THEN CAST(json_extract(a, '/prediction') AS DOUBLE) END
      AS prediction_number,
    CAST(json_extract(a, '/probabilities') AS MAP(VARCHAR, DOUBLE)) AS probabilities,
    CAST(json_extract(a, '/likelyClasses') AS VARCHAR[]) AS likely_classes,
    CAST(json_extract(a, '/lower') AS DOUBLE) AS lower, CAST(json_extract(a, '/upper') AS DOUBLE) AS upper,
    m AS latency_ms, k AS asked_by, c AS form, f AS given, x AS redacted, a AS answer
    ${joined(
      columns.map((column, index) => sql`, ${valueOf(column, index + 1)} AS ${identifier(column.column)}`),
      sql` `,
    )}
    FROM (SELECT *, ${values} AS fields FROM read_json(${path}, format = 'newline_delimited', ignore_errors = true,
      maximum_object_size = ${2 * maxLineBytes}, columns = {i: 'VARCHAR', r: 'INTEGER', t: 'BIGINT', m: 'DOUBLE',
      k: 'VARCHAR', c: 'VARCHAR', f: 'VARCHAR', x: 'VARCHAR[]', a: 'VARCHAR'}) WHERE i IS NOT NULL)`;
}

/** The value of a field as the model reads it (ml/frame/values.ts): null where it is missing. */
function valueOf({ type }: FieldColumn, place: number): Sql {
  const value = sql`fields[${place}]`;
  // An empty field of a CSV file is a missing value; an empty text in JSON is an empty text.
  if (type === 'VARCHAR') return sql`CASE WHEN c = 'json' OR ${value} <> '' THEN ${value} END`;
  const text = sql`lower(trim(${value}))`;
  if (type === 'BOOLEAN')
    return sql`CASE WHEN ${text} IN ('true', 't', 'yes', 'y', '1') THEN true
      WHEN ${text} IN ('false', 'f', 'no', 'n', '0') THEN false END`;
  return sql`CASE WHEN isfinite(TRY_CAST(${text} AS DOUBLE)) THEN TRY_CAST(${text} AS DOUBLE) END`;
}

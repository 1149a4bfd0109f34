// Reads the log: a page of predictions, or all of a range as one Parquet file. The worker's half.
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataEngine } from '../../../platform/drivers/duckdb.ts';
import { identifier, joined, sql, type Cell, type Sql } from '../../../platform/ports/data-engine.ts';
import type { Task } from '../../../platform/ports/jobs.ts';
import { logTable, type LogPaths } from './layout.ts';

/** Which predictions are wanted. */
export interface LogFilter {
  fromMs?: number;
  toMs?: number;
  modelVersionId?: string;
  hasOutcome?: boolean;
  search?: string;
  /** One prediction. */
  only?: { requestId: string; rowIndex: number };
  /** The last of the page before. */
  after?: { requestId: string; rowIndex: number };
}

export type ReadTaskInput = {
  paths: LogPaths;
  filter: LogFilter;
  wanted: { kind: 'page'; limit: number } | { kind: 'file'; outputPath: string };
};

/** A prediction, with texts of JSON as they were written. */
export interface ReadRow {
  requestId: string;
  rowIndex: number;
  timeMs: number;
  deploymentId: string;
  revision: number;
  modelVersionId: string;
  modelFileSha256: string;
  form: 'json' | 'text';
  given: string;
  redacted: string | null;
  answer: string;
  actual: string | null;
  actualAtMs: number | null;
  latencyMs: number;
  askedBy: string;
}

/** `truncated`: there are more than these. A file has no rows here. */
export type ReadTaskOutput = { rows: ReadRow[]; truncated: boolean };

const engineMemoryBytes = 512 * 1_048_576;
const maxSpillBytes = 4 * 1024 ** 3;
/** Answers of tasks go through messages of at most 8 MiB. */
const maxPageBytes = 5 * 1_048_576;

const pageColumns: readonly [keyof ReadRow, Sql][] = [
  ['requestId', sql`request_id`],
  ['rowIndex', sql`row_index`],
  ['timeMs', sql`epoch_ms(time)`],
  ['deploymentId', sql`deployment_id`],
  ['revision', sql`revision`],
  ['modelVersionId', sql`model_version_id`],
  ['modelFileSha256', sql`model_file_sha256`],
  ['form', sql`form`],
  ['given', sql`given`],
  ['redacted', sql`redacted`],
  ['answer', sql`answer`],
  ['actual', sql`actual`],
  ['actualAtMs', sql`epoch_ms(actual_at)`],
  ['latencyMs', sql`latency_ms`],
  ['askedBy', sql`asked_by`],
];

export const run: Task<ReadTaskInput, ReadTaskOutput> = async ({ paths, filter, wanted }, context) => {
  const engine = await openDataEngine({
    memoryBytes: engineMemoryBytes,
    threads: 2,
    workFolder: context.workFolder,
    maxSpillBytes,
    readablePaths: [...paths.predictions, ...paths.outcomes],
  });
  context.signal.addEventListener('abort', () => engine.interrupt(), { once: true });
  try {
    const rows = sql`(${logTable(paths)}) AS log WHERE ${conditionOf(filter)}`;
    if (wanted.kind === 'file') {
      const path = join(context.workFolder, 'log.parquet');
      await engine.run(sql`COPY (SELECT * FROM ${rows} ORDER BY request_id, row_index)
        TO ${path} (FORMAT parquet, COMPRESSION zstd)`);
      await rename(path, wanted.outputPath);
      return { rows: [], truncated: false };
    }
    const columns = pageColumns.map(([name, value]) => sql`${value} AS ${identifier(name)}`);
    const page = sql`SELECT ${joined(columns)} FROM ${rows}
      ORDER BY request_id DESC, row_index LIMIT ${wanted.limit + 1}`;
    const found = await engine.query(page.text, { maxRows: wanted.limit, maxBytes: maxPageBytes });
    return { rows: found.rows.map(asReadRow), truncated: found.truncated };
  } finally {
    engine.close();
  }
};

function asReadRow(cells: readonly Cell[]): ReadRow {
  return Object.fromEntries(pageColumns.map(([name], index) => [name, cells[index]])) as unknown as ReadRow;
}

function conditionOf(filter: LogFilter): Sql {
  const { fromMs, toMs, modelVersionId, hasOutcome, search, only, after } = filter;
  const conditions = [
    fromMs !== undefined && sql`time >= epoch_ms(CAST(${fromMs} AS BIGINT))`,
    toMs !== undefined && sql`time < epoch_ms(CAST(${toMs} AS BIGINT))`,
    modelVersionId !== undefined && sql`model_version_id = ${modelVersionId}`,
    hasOutcome !== undefined && (hasOutcome ? sql`actual_at IS NOT NULL` : sql`actual_at IS NULL`),
    search !== undefined &&
      sql`(contains(lower(given), lower(${search})) OR contains(prediction_id, ${search})
      OR contains(lower(prediction), lower(${search})) OR contains(lower(actual), lower(${search})))`,
    only && sql`request_id = ${only.requestId} AND row_index = ${only.rowIndex}`,
    after &&
      sql`(request_id < ${after.requestId}
      OR (request_id = ${after.requestId} AND row_index > ${after.rowIndex}))`,
  ];
  return joined([sql`true`, ...conditions.filter((one) => one !== undefined && one !== false)], sql` AND `);
}

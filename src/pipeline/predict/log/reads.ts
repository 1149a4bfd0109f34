// Looking into the log: how much is in it, a page of predictions, one prediction, SQL, and all of it as a file.
import { rm } from 'node:fs/promises';
import type { z } from 'zod';
import { present } from '../../../base/assert.ts';
import { Problem } from '../../../base/problems.ts';
import { minuteMs, toIso } from '../../../base/time.ts';
import type {
  getLoggedPrediction as getOperation,
  loggedPrediction,
  predictionLog,
} from '../../../contract/prediction-log.ts';
import type { Context } from '../../../platform/context.ts';
import type { StreamOutput } from '../../../platform/http/route.ts';
import { queryTables, type QueryResult } from '../../data/query.ts';
import { getEndpoint } from '../../deploy/deploy.ts';
import { getModelVersion } from '../../registry/registry.ts';
import { logTable, type LogPaths } from './layout.ts';
import { loggedParts, serverLog, type LogPart } from './log.ts';
import type { LogFilter, ReadRow, ReadTaskInput, ReadTaskOutput } from './read-task.ts';
import { partTotals, serversOf, type PartRange } from './rows.ts';

export type PredictionLog = z.output<typeof predictionLog>;
export type LoggedPrediction = z.output<typeof loggedPrediction>;
type Found = z.output<(typeof getOperation)['response']['json']>;
export type Origin = Found['origin'];

/** A listing as the contract has it. */
export interface ListQuery {
  limit: number;
  cursor?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  modelVersionId?: string | undefined;
  outcome?: 'known' | 'unknown' | undefined;
  search?: string | undefined;
}

const taskModule = new URL('./read-task.ts', import.meta.url);
const limits = { memoryBytes: 1_073_741_824, timeoutMs: minuteMs };
const exportMs = 10 * minuteMs;

/** How much is in the log of an endpoint. Throws `not-found`. */
export async function getPredictionLog(context: Context, endpointId: string): Promise<PredictionLog> {
  const { log: settings } = await getEndpoint(context, endpointId);
  const log = serverLog(context);
  const { totals, servers, own } = await context.transaction(async (transaction) => ({
    totals: await partTotals(transaction, endpointId),
    servers: await serversOf(transaction, endpointId),
    // At the moment at which the parts were counted.
    own: { pendingRowCount: 0, lostRowCount: 0, lostAt: null, ...log?.countsOf(endpointId) },
  }));
  const predictions = totals.find(({ kind }) => kind === 'predictions');
  const outcomes = totals.find(({ kind }) => kind === 'outcomes');
  const elsewhere = servers.filter(({ serverId }) => serverId !== log?.serverId);
  const pendingRowCount = own.pendingRowCount + sumOf(elsewhere.map((server) => server.pendingRowCount));
  const lostTimes = [own.lostAt, ...servers.map(({ lostAt }) => lostAt)].flatMap((at) =>
    at ? [at.getTime()] : [],
  );
  return {
    settings,
    rowCount: (predictions?.rowCount ?? 0) + pendingRowCount,
    pendingRowCount,
    outcomeCount: outcomes?.rowCount ?? 0,
    lostRowCount: own.lostRowCount + sumOf(servers.map(({ lostRowCount }) => lostRowCount)),
    lostAt: lostTimes.length === 0 ? null : toIso(Math.max(...lostTimes)),
    sizeBytes: (predictions?.sizeBytes ?? 0) + (outcomes?.sizeBytes ?? 0),
    from: predictions?.from ? toIso(predictions.from.getTime()) : null,
    to: predictions?.to ? toIso(predictions.to.getTime()) : null,
  };
}

/** A page of predictions, newest requests first. Throws `not-found`. */
export async function listLoggedPredictions(
  context: Context,
  endpointId: string,
  { limit, cursor, from, to, modelVersionId, outcome, search }: ListQuery,
): Promise<{ items: LoggedPrediction[]; nextCursor: string | null }> {
  await getEndpoint(context, endpointId);
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const filter: LogFilter = {
    ...(from !== undefined && { fromMs: Date.parse(from) }),
    ...(to !== undefined && { toMs: Date.parse(to) }),
    ...(modelVersionId !== undefined && { modelVersionId }),
    ...(outcome && { hasOutcome: outcome === 'known' }),
    ...(search && { search }),
    ...(after && { after }),
  };
  const range: PartRange = {
    from: from === undefined ? undefined : new Date(from),
    to: to === undefined ? undefined : new Date(to),
    modelVersionId,
    requestIds: after && { first: '', last: after.requestId },
  };
  // Pages after the first one go on where that ended, so that nothing newer is needed.
  const paths = await pathsOf(context, { endpointId, isFresh: after === undefined, ...range });
  const { rows, truncated } = await read(context, { paths, filter, wanted: { kind: 'page', limit } });
  const last = rows.at(-1);
  return {
    items: rows.map(show),
    nextCursor: truncated && last ? idOf(last) : null,
  };
}

/** One prediction. Throws `not-found`. */
export async function findPrediction(
  context: Context,
  endpointId: string,
  predictionId: string,
): Promise<LoggedPrediction> {
  await getEndpoint(context, endpointId);
  const only = readCursor(predictionId);
  const requestIds = { first: only.requestId, last: only.requestId };
  // What has been in a part for long is found without waiting for what came since.
  for (const isFresh of [false, true]) {
    const paths = await pathsOf(context, { endpointId, isFresh, requestIds });
    if (paths.predictions.length === 0) continue;
    const { rows } = await read(context, { paths, filter: { only }, wanted: { kind: 'page', limit: 1 } });
    if (rows[0]) return show(rows[0]);
  }
  throw new Problem(
    'not-found',
    `The log has no prediction ${predictionId}: it was not logged, or it is older than the log keeps.`,
  );
}

/** One prediction, with where it comes from. Throws `not-found`. */
export async function getLoggedPrediction(
  context: Context,
  endpointId: string,
  predictionId: string,
): Promise<Found> {
  const prediction = await findPrediction(context, endpointId, predictionId);
  return { prediction, origin: await originOf(context, prediction) };
}

/** The model and the data of a prediction. */
export async function originOf(context: Context, { modelVersionId }: LoggedPrediction): Promise<Origin> {
  const { modelName, number, task, target, lineage } = await getModelVersion(context, modelVersionId);
  return { modelName, versionNumber: number, task, target, trainedFrom: lineage && trainedFrom(lineage) };
}

/** SQL over the log of an endpoint, as the table `predictions`. Throws what queries over datasets throw. */
export async function queryPredictionLog(
  context: Context,
  endpointId: string,
  question: { sql: string; maxRows: number },
): Promise<QueryResult> {
  const { projectId } = await getEndpoint(context, endpointId);
  const paths = await pathsOf(context, { endpointId, isFresh: true });
  const table = {
    name: 'predictions',
    contentPaths: [...paths.predictions, ...paths.outcomes],
    definition: logTable(paths).text,
  };
  return await queryTables(context, { projectId, tables: [table], ...question });
}

/** All predictions of a time as one Parquet file. Throws `not-found`. */
export async function exportPredictionLog(
  context: Context,
  endpointId: string,
  { from, to }: { from?: string | undefined; to?: string | undefined },
): Promise<StreamOutput> {
  const { name } = await getEndpoint(context, endpointId);
  const filter: LogFilter = {
    ...(from !== undefined && { fromMs: Date.parse(from) }),
    ...(to !== undefined && { toMs: Date.parse(to) }),
  };
  const range: PartRange = {
    from: from === undefined ? undefined : new Date(from),
    to: to === undefined ? undefined : new Date(to),
  };
  const paths = await pathsOf(context, { endpointId, isFresh: true, ...range });
  const outputPath = present(serverLog(context), 'the log').pathFor(`${context.requestId}.parquet`);
  try {
    await read(context, { paths, filter, wanted: { kind: 'file', outputPath } });
    // Nothing refers to the blob: it is removed when it has been there for a day.
    const { sha256, sizeBytes } = await context.blobs.putFile(outputPath);
    return {
      contentType: 'application/vnd.apache.parquet',
      body: await context.blobs.open(sha256),
      sizeBytes,
      fileName: `${name}-predictions.parquet`,
    };
  } finally {
    await rm(outputPath, { force: true });
  }
}

/** Local paths of parts. */
export async function pathsOf(
  context: Context,
  wanted: Parameters<typeof loggedParts>[1],
): Promise<LogPaths> {
  const { predictions, outcomes } = await loggedParts(context, wanted);
  return {
    predictions: await localPaths(context, predictions),
    outcomes: await localPaths(context, outcomes),
  };
}

export async function localPaths(context: Context, parts: readonly LogPart[]): Promise<string[]> {
  return await Promise.all(parts.map(({ contentSha256 }) => context.blobs.localPath(contentSha256)));
}

async function read(context: Context, input: ReadTaskInput): Promise<ReadTaskOutput> {
  const timeoutMs = input.wanted.kind === 'file' ? exportMs : limits.timeoutMs;
  return await context.jobs.runTask<ReadTaskInput, ReadTaskOutput>(taskModule, input, {
    limits: { ...limits, timeoutMs },
    signal: context.signal,
  });
}

function trainedFrom({
  trainingId,
  datasetName,
  datasetVersionId,
  datasetVersionNumber,
}: NonNullable<Origin['trainedFrom']>): Origin['trainedFrom'] {
  return { trainingId, datasetName, datasetVersionId, datasetVersionNumber };
}

function show(row: ReadRow): LoggedPrediction {
  const { timeMs, given, redacted, answer, actualAtMs, ...same } = row;
  return {
    ...same,
    id: idOf(row),
    time: toIso(timeMs),
    given: JSON.parse(given) as Record<string, unknown>,
    redacted: redacted === null ? [] : (JSON.parse(redacted) as string[]),
    answer: JSON.parse(answer) as LoggedPrediction['answer'],
    actualAt: actualAtMs === null ? null : toIso(actualAtMs),
  };
}

function idOf({ requestId, rowIndex }: ReadRow): string {
  return `${requestId}-${rowIndex}`;
}

/** Cursors of this listing are ids of predictions. */
function readCursor(text: string): { requestId: string; rowIndex: number } {
  const [, requestId, rowIndex] = /^(req_[0-9a-z]{26})-(\d{1,9})$/.exec(text) ?? [];
  if (requestId !== undefined) return { requestId, rowIndex: Number(rowIndex) };
  throw new Problem('invalid-request', 'The cursor is not one that this listing gave out.', {
    errors: [{ field: 'cursor', message: 'use nextCursor of the page before' }],
  });
}

function sumOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

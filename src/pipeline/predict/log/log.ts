// The prediction log: what endpoints were asked and what they answered. This file is what other folders see: the
// Parquet parts (layout.ts says what is in them). Recording is recording.ts, reading for people reads.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import { minuteMs, secondMs } from '../../../base/time.ts';
import type { Context, Services } from '../../../platform/context.ts';
import type { Database, Transaction } from '../../../platform/ports/database.ts';
import { endpointLogSettings } from '../../deploy/deploy.ts';
import {
  askForParts,
  dropLog,
  dropPartsBefore,
  findParts,
  loggedEndpoints,
  partBlobs,
  partBytesByWorkspace,
  serversOf,
  type PartRange,
  type PartRow,
  type ServerRow,
} from './rows.ts';
import { SegmentFolder } from './segments.ts';
import { ServerLog, type LogServices } from './server-log.ts';

/** One log for each server of this process, which is one for each database that is open. */
const logs = new WeakMap<Database, ServerLog>();

/** A server that has rows to come and has not been heard of for so long is not waited for. */
const livingMs = minuteMs;
const patienceMs = 3 * secondMs;
const lookEveryMs = 50;

/** Opens the log of this server below `root`, with what servers that were killed left there. Until then nothing is logged. */
export async function openPredictionLog(services: LogServices, root: string): Promise<void> {
  const log = new ServerLog(services, await SegmentFolder.open(root));
  logs.set(services.database, log);
  await log.adopt();
}

/** Writes what is in memory and ends; before the database closes. */
export async function closePredictionLog({ database }: Pick<Services, 'database'>): Promise<void> {
  const log = logs.get(database);
  logs.delete(database);
  await log?.close();
}

/** The log of this server; undefined where none was opened. */
export function serverLog({ database }: Pick<Services, 'database'>): ServerLog | undefined {
  return logs.get(database);
}

/** A Parquet file of the log; its path on this machine is `context.blobs.localPath(contentSha256)`. */
export type LogPart = PartRow;

/** The parts of an endpoint. */
export interface LogParts {
  predictions: LogPart[];
  /** Outcomes that may be about those predictions. */
  outcomes: LogPart[];
  /** Rows that another server holds and has not handed over: it is gone, slow, or its disk is full. */
  missingRowCount: number;
}

/**
 * The parts of an endpoint that may hold predictions of `range` (rows outside it may be among them), oldest first, as
 * far as the context may see them.
 * @param isFresh whether what servers hold in memory and in segments is made into parts first; takes a part of a second
 */
export async function loggedParts(
  context: Context,
  { endpointId, isFresh, ...range }: PartRange & { endpointId: string; isFresh: boolean },
): Promise<LogParts> {
  if (isFresh) await collectParts(context, endpointId);
  const { serverId } = serverLog(context) ?? {};
  return await context.transaction(async (transaction) => {
    const predictions = await findParts(transaction, endpointId, 'predictions', range);
    const outcomes =
      predictions.length === 0
        ? []
        : await findParts(transaction, endpointId, 'outcomes', { requestIds: idRangeOf(predictions) });
    const others = await serversOf(transaction, endpointId);
    return { predictions, outcomes, missingRowCount: pendingOf(others, serverId) };
  });
}

/** Has every server make parts of what it holds of an endpoint. */
async function collectParts(context: Context, endpointId: string): Promise<void> {
  const log = serverLog(context);
  await log?.flush(endpointId);
  const oldest = context.clock.nowMs() - livingMs;
  const pendingCount = async (): Promise<number> => {
    const servers = await context.transaction((transaction) => serversOf(transaction, endpointId));
    return pendingOf(
      servers.filter(({ updatedAt }) => updatedAt.getTime() >= oldest),
      log?.serverId,
    );
  };
  if ((await pendingCount()) === 0) return;
  await context.transaction((transaction) => askForParts(transaction, endpointId));
  for (const endMs = context.clock.monotonicMs() + patienceMs; context.clock.monotonicMs() < endMs;) {
    await sleep(lookEveryMs);
    if (context.signal.aborted || (await pendingCount()) === 0) return;
  }
}

function pendingOf(servers: readonly ServerRow[], except: string | undefined): number {
  return servers.reduce(
    (total, { serverId, pendingRowCount }) => total + (serverId === except ? 0 : pendingRowCount),
    0,
  );
}

function idRangeOf(parts: readonly PartRow[]): { first: string; last: string } {
  const firsts = parts.map(({ firstRequestId }) => firstRequestId).toSorted();
  const lasts = parts.map(({ lastRequestId }) => lastRequestId).toSorted();
  return { first: firsts[0]!, last: lasts.at(-1)! };
}

/** Removes the log of an endpoint that is gone; what servers still hold of it goes when they look at it. */
export async function dropPredictionLog(context: Context, endpointId: string): Promise<void> {
  await context.transaction((transaction) => dropLog(transaction, endpointId));
}

/** Removes parts that are older than their endpoint keeps them; safe when several servers do it. */
export async function forgetOldPredictions({
  database,
  clock,
}: Pick<Services, 'database' | 'clock'>): Promise<void> {
  await database.asSystem('forget old predictions', async (transaction) => {
    const settings = await endpointLogSettings(transaction, await loggedEndpoints(transaction));
    for (const [endpointId, { keptDays }] of settings)
      await dropPartsBefore(transaction, endpointId, new Date(clock.nowMs() - keptDays * 24 * 60 * minuteMs));
  });
}

/** Every blob that the log refers to; in a system transaction. */
export async function predictionLogBlobs(transaction: Transaction): Promise<string[]> {
  return await partBlobs(transaction);
}

/** Bytes of the logs of each workspace: what storage is metered by; in a system transaction. */
export async function storedLogBytes(
  transaction: Transaction,
): Promise<{ workspaceId: string; sizeBytes: number }[]> {
  return await partBytesByWorkspace(transaction);
}

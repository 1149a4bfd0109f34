// What turned out to be true, sent late by the ids of predictions. An answer means that it is kept: each request makes a
// Parquet part and takes the small ones before it into it. Sent again, the last one counts, so that a request may be
// repeated. Outcomes of ids that the log does not have are told and not kept: there is nothing that they could be joined
// with.
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { present } from '../../../base/assert.ts';
import { Problem } from '../../../base/problems.ts';
import { dayMs, minuteMs } from '../../../base/time.ts';
import { predictionId, type sendOutcomes as sendOperation } from '../../../contract/prediction-log.ts';
import type { Context } from '../../../platform/context.ts';
import { readCsvBlocks } from '../csv.ts';
import { getEndpoint, keepEndpoint } from '../../deploy/deploy.ts';
import { serverLog } from './log.ts';
import { PartsChanged } from './convert.ts';
import type { OutcomesTaskInput, OutcomesTaskOutput } from './outcomes-task.ts';
import type { PartFacts } from './part-task.ts';
import { localPaths, pathsOf } from './reads.ts';
import { addPart, dropParts, findParts, type PartRow } from './rows.ts';

export type OutcomesAnswer = z.output<(typeof sendOperation)['response']['json']>;
/** An outcome as it is sent. */
export type Outcome = z.output<(typeof sendOperation)['request']['json']>['outcomes'][number];

const taskModule = new URL('./outcomes-task.ts', import.meta.url);
const limits = { memoryBytes: 1_073_741_824, timeoutMs: 5 * minuteMs };
const smallRowCount = 100_000;
const mostMerged = 20;
const mostAttempts = 5;
const maxActualCharacters = 10_000;
const blockRows = 1_000;

/** Keeps outcomes. Throws `not-found`. */
export async function sendOutcomes(
  context: Context,
  endpointId: string,
  outcomes: readonly Outcome[],
): Promise<OutcomesAnswer> {
  return await keepOutcomes(context, endpointId, [outcomes]);
}

/**
 * Keeps the outcomes of a CSV file with the columns `prediction_id` and `actual`. Throws `not-found`, what reading CSV
 * throws, and `prediction-input` naming the line of an id that is none or of an outcome that is missing.
 */
export async function sendOutcomesCsv(
  context: Context,
  endpointId: string,
  source: AsyncIterable<Uint8Array>,
): Promise<OutcomesAnswer> {
  return await keepOutcomes(context, endpointId, csvOutcomes(context, source));
}

async function* csvOutcomes(
  { limits: { maxColumns, maxFieldBytes } }: Context,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Outcome[]> {
  let isEmpty = true;
  const options = { maxColumns, maxLineBytes: maxFieldBytes, blockRows };
  for await (const { columns, rowCount, lines } of readCsvBlocks(source, options)) {
    isEmpty = false;
    const { prediction_id: ids, actual } = columns;
    if (!ids || !actual)
      throw new Problem('prediction-input', 'The file must have the columns "prediction_id" and "actual".', {
        errors: [{ field: ids ? 'actual' : 'prediction_id', message: 'is missing' }],
      });
    yield Array.from({ length: rowCount }, (_, row) => {
      const fault = !predictionId.safeParse(ids[row]).success
        ? { field: 'prediction_id', message: 'is no id of a prediction' }
        : actual[row] === ''
          ? { field: 'actual', message: 'is empty' }
          : actual[row]!.length > maxActualCharacters
            ? { field: 'actual', message: `has more than ${maxActualCharacters} characters` }
            : undefined;
      if (fault)
        throw new Problem('prediction-input', `"${fault.field}" ${fault.message} (line ${lines[row]}).`, {
          errors: [{ ...fault, message: `${fault.message} (line ${lines[row]})` }],
        });
      return { predictionId: ids[row]!, actual: actual[row]! };
    });
  }
  if (isEmpty) throw new Problem('file-empty', 'The file has a header and no rows.');
}

async function keepOutcomes(
  context: Context,
  endpointId: string,
  blocks: AsyncIterable<readonly Outcome[]> | Iterable<readonly Outcome[]>,
): Promise<OutcomesAnswer> {
  const endpoint = await getEndpoint(context, endpointId);
  const log = present(serverLog(context), 'the log');
  const sentPath = log.pathFor(`${context.requestId}.sent`);
  const outputPath = log.pathFor(`${context.requestId}.parquet`);
  try {
    const requestIds = await writeSent(blocks, sentPath);
    const { predictions: predictionPaths } = await pathsOf(context, {
      endpointId,
      isFresh: true,
      requestIds,
    });
    const oldestMs = context.clock.nowMs() - endpoint.log.keptDays * dayMs;
    for (let attempt = 1; ; attempt++) {
      const merged = await findSmallParts(context, endpointId);
      const receivedMicros = nextMicros(context.clock.nowMs());
      const input: OutcomesTaskInput = {
        sentPath,
        predictionPaths,
        mergedPaths: await localPaths(context, merged),
        outputPath,
        receivedMicros,
        oldestMs,
      };
      const { part, ...told } = await context.jobs.runTask<OutcomesTaskInput, OutcomesTaskOutput>(
        taskModule,
        input,
        { limits, signal: context.signal },
      );
      if (!part) return told;
      const { sha256 } = await context.blobs.putFile(outputPath);
      if (await replaceParts(context, endpoint, { part, sha256, merged })) return told;
      if (attempt === mostAttempts)
        throw new Problem('too-many-requests', 'Others send outcomes of this endpoint at the same time.', {
          retryAfterSeconds: 2,
        });
    }
  } finally {
    await rm(sentPath, { force: true });
    await rm(outputPath, { force: true });
  }
}

/** Writes outcomes as lines for the worker; returns the requests that they are about. */
async function writeSent(
  blocks: AsyncIterable<readonly Outcome[]> | Iterable<readonly Outcome[]>,
  path: string,
): Promise<{ first: string; last: string }> {
  const range = { first: '~', last: '' };
  let number = 0;
  const lines = async function* (): AsyncGenerator<string> {
    for await (const block of blocks) {
      let text = '';
      for (const { predictionId: id, actual } of block) {
        const at = id.lastIndexOf('-');
        const requestId = id.slice(0, at);
        if (requestId < range.first) range.first = requestId;
        if (requestId > range.last) range.last = requestId;
        const line = {
          n: number++,
          i: requestId,
          r: Number(id.slice(at + 1)),
          a: wellFormed(String(actual)),
        };
        text += `${JSON.stringify(line)}\n`;
      }
      yield text;
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(path, { mode: 0o600 }));
  return range;
}

/** The reader of lines takes Unicode only. */
function wellFormed(text: string): string {
  return text.toWellFormed();
}

async function findSmallParts(context: Context, endpointId: string): Promise<PartRow[]> {
  const parts = await context.transaction((transaction) => findParts(transaction, endpointId, 'outcomes'));
  return parts.filter(({ rowCount }) => rowCount < smallRowCount).slice(-mostMerged);
}

/** Puts the new part in the place of those that went into it; false when somebody else did so first. */
async function replaceParts(
  context: Context,
  { id: endpointId, projectId }: { id: string; projectId: string },
  { part, sha256, merged }: { part: PartFacts; sha256: string; merged: readonly PartRow[] },
): Promise<boolean> {
  const { fromMs, toMs, ...facts } = part;
  try {
    await context.transaction(async (transaction) => {
      if (!(await keepEndpoint(transaction, endpointId)))
        throw new Problem('not-found', `There is no endpoint ${endpointId}.`);
      const ids = merged.map(({ id }) => id);
      if ((await dropParts(transaction, ids)) < ids.length) throw new PartsChanged();
      await addPart(transaction, {
        ...facts,
        id: context.newId('logPart'),
        workspaceId: context.workspaceId,
        projectId,
        endpointId,
        kind: 'outcomes',
        contentSha256: sha256,
        fromTime: new Date(fromMs),
        toTime: new Date(toMs),
        columns: [],
        createdAt: new Date(context.clock.nowMs()),
      });
    });
    return true;
  } catch (error) {
    if (error instanceof PartsChanged) return false;
    throw error;
  }
}

let lastMicros = 0;

/** A time later than all before it, so that of two outcomes of one millisecond the later one counts. */
function nextMicros(nowMs: number): number {
  lastMicros = Math.max(lastMicros + 1, nowMs * 1000);
  return lastMicros;
}

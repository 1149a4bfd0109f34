// Batches: many rows through a model as a job, from a table into a table. This file is what other folders see: quote,
// start, look, cancel, download, remove. The work itself is transform.ts, run by batch-task.ts in a worker process.
//
// Only rows with an answer are paid for: what all of them would cost is set aside at the start, and charged or given back
// at the end, together with the result.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { hourMs, toIso } from '../../base/time.ts';
import type { batch, BatchInput, BatchModel, BatchOutput, batchQuote } from '../../contract/batch.ts';
import { payerOf, type Context } from '../../platform/context.ts';
import { pageOf, readCursor } from '../../platform/http/cursor.ts';
import type { StreamOutput } from '../../platform/http/route.ts';
import { getJobRows, type JobSummary } from '../../platform/jobs/jobs.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { requireProject } from '../../platform/tenancy/tenancy.ts';
import type { ModelVersion } from '../registry/registry.ts';
import { estimatedSeconds } from './estimate.ts';
import { answeringVersion, knownInput, type KnownInput } from './inputs.ts';
import { batchJob } from './jobs.ts';
import {
  addBatch,
  dropBatch,
  findBatch,
  listBatchRows,
  referencedBlobs,
  storedBytesByWorkspace,
  type BatchRow,
} from './rows.ts';
import { isEnded } from './states.ts';
import { answerColumns } from './transform.ts';

export type Batch = z.output<typeof batch>;
export type BatchQuote = z.output<typeof batchQuote>;

/** What goes through what. */
export interface BatchQuestion {
  input: BatchInput;
  through: BatchModel;
}

/** A batch that waits for days keeps its money; its job renews it. */
const reservationMs = 72 * hourMs;
const mostNamesTold = 10;

/**
 * What a batch would cost at most, and take. Throws `not-found`, `wrong-state`, `prediction-input` when the input has no
 * column that the model reads, or what is wrong with an uploaded file.
 */
export async function quoteBatch(
  context: Context,
  projectId: string,
  question: BatchQuestion,
): Promise<BatchQuote> {
  const { model, input, warnings, missingColumns } = await examine(context, projectId, question);
  return {
    rowCount: input.rowCount,
    maximumMicroUsd: context.meter.quote([{ unit: 'batch-prediction', quantity: input.rowCount }]),
    estimatedSeconds: await estimatedSeconds(context, { model, input }),
    modelVersionId: model.id,
    modelName: model.modelName,
    versionNumber: model.number,
    columns: input.columns,
    missingColumns,
    warnings,
  };
}

/** Starts a batch. Throws what {@link quoteBatch} throws, `column-unknown`, `invalid-request` and `budget-exceeded`. */
export async function createBatch(
  context: Context,
  projectId: string,
  {
    output,
    maxMicroUsd,
    callback,
    ...question
  }: BatchQuestion & {
    output: BatchOutput;
    maxMicroUsd: number | null;
    callback: { url: string; secret: string } | null;
  },
): Promise<Batch> {
  const { model, input, warnings } = await examine(context, projectId, question);
  const kept = keptColumns(input, model, output);
  const usage = [{ unit: 'batch-prediction' as const, quantity: input.rowCount }];
  const price = context.meter.quote(usage);
  if (maxMicroUsd !== null && price > maxMicroUsd)
    throw new Problem(
      'budget-exceeded',
      `The batch could cost up to ${price} micro-dollars, more than the ${maxMicroUsd} that were allowed.`,
    );
  const payer = payerOf(context, projectId);
  const nowMs = context.clock.nowMs();
  const batchId = context.newId('batch');
  const row = await context.transaction(async (transaction) => {
    await requireProject(transaction, projectId);
    const reservation = await context.meter.reserve(transaction, {
      payer,
      usage,
      purpose: { kind: 'batch', subjectId: batchId },
      expiresAtMs: nowMs + reservationMs,
    });
    const { workspaceId } = context;
    const subject = { workspaceId, projectId, subjectId: batchId, startedBy: context.actor.id };
    const jobId = await context.jobs.start(transaction, batchJob, { batchId }, subject);
    await context.audit(transaction, {
      action: 'batch:write',
      subjectId: batchId,
      details: { modelVersionId: model.id, rowCount: input.rowCount },
    });
    return await addBatch(transaction, {
      id: batchId,
      workspaceId,
      projectId,
      jobId,
      state: 'queued',
      input: input.stored,
      inputLabel: input.label,
      endpointId: question.through.kind === 'endpoint' ? question.through.endpointId : null,
      modelVersionId: model.id,
      modelName: model.modelName,
      versionNumber: model.number,
      output,
      keptColumns: kept.columns,
      rowCount: input.rowCount,
      problems: [],
      warnings: [...warnings, ...kept.warnings],
      reservationId: reservation.reservationId,
      payingKeyId: payer.keyId,
      reservedMicroUsd: reservation.amountMicroUsd,
      callback: callback && { ...callback, state: 'waiting', detail: '' },
      createdAt: new Date(nowMs),
    });
  });
  return showBatch(row, undefined);
}

/** The batches of a project, newest first. */
export async function listBatches(
  context: Context,
  input: {
    projectId: string;
    limit: number;
    cursor?: string | undefined;
    endpointId?: string | undefined;
    modelVersionId?: string | undefined;
  },
): Promise<{ items: Batch[]; nextCursor: string | null }> {
  const { projectId, limit, cursor, endpointId, modelVersionId } = input;
  return await context.transaction(async (transaction) => {
    await requireProject(transaction, projectId);
    const wanted = { limit, after: readCursor(cursor), endpointId, modelVersionId };
    const rows = await listBatchRows(transaction, projectId, wanted);
    const jobIds = rows.filter(({ state }) => !isEnded(state)).map(({ jobId }) => jobId);
    const jobs = await getJobRows(transaction, jobIds);
    return pageOf(
      rows,
      limit,
      (row) => row.id,
      (row) => showBatch(row, jobs.get(row.jobId)),
    );
  });
}

/** One batch. Throws `not-found`. */
export async function getBatch(context: Context, batchId: string): Promise<Batch> {
  return await context.transaction(async (transaction) => {
    const row = await requireBatch(transaction, batchId);
    const jobs = await getJobRows(transaction, [row.jobId]);
    return showBatch(row, jobs.get(row.jobId));
  });
}

/** Asks a batch to end; what it held of the budget is given back when it has. Throws `not-found`. */
export async function cancelBatch(context: Context, batchId: string): Promise<Batch> {
  const row = await context.transaction(async (transaction) => {
    const found = await requireBatch(transaction, batchId);
    await context.audit(transaction, {
      action: 'batch:write',
      subjectId: batchId,
      details: { cancel: true },
    });
    return found;
  });
  await context.jobs.cancel(context.workspaceId, row.jobId);
  return await getBatch(context, batchId);
}

/** The file of a finished batch. Throws `not-found`, `wrong-state`. */
export async function downloadBatch(context: Context, batchId: string): Promise<StreamOutput> {
  const row = await context.transaction((transaction) => requireBatch(transaction, batchId));
  if (row.fileSha256 === null) throw new Problem('wrong-state', `The batch has no file: it is ${row.state}.`);
  const { format } = row.output;
  return {
    contentType: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/vnd.apache.parquet',
    body: await context.blobs.open(row.fileSha256),
    fileName: `predictions-${batchId}.${format}`,
    ...(row.fileSizeBytes !== null && { sizeBytes: row.fileSizeBytes }),
  };
}

/** Removes a batch that has ended, with its file. Throws `not-found`, `wrong-state`. */
export async function deleteBatch(context: Context, batchId: string): Promise<void> {
  await context.transaction(async (transaction) => {
    const row = await requireBatch(transaction, batchId, { lock: true });
    if (!isEnded(row.state))
      throw new Problem('wrong-state', 'The batch has not ended; cancel it, or wait for it.');
    await dropBatch(transaction, batchId);
    await context.audit(transaction, {
      action: 'batch:write',
      subjectId: batchId,
      details: { deleted: row.inputLabel },
    });
  });
}

/** Bytes that the files of batches keep, by workspace: what storage is metered by; in a system transaction. */
export async function storedBatchBytes(
  transaction: Transaction,
): Promise<{ workspaceId: string; sizeBytes: number }[]> {
  return await storedBytesByWorkspace(transaction);
}

/** Every blob that batches refer to; in a system transaction. */
export async function batchBlobs(transaction: Transaction): Promise<string[]> {
  return await referencedBlobs(transaction);
}

interface Examined {
  model: ModelVersion;
  input: KnownInput;
  missingColumns: string[];
  warnings: string[];
}

async function examine(
  context: Context,
  projectId: string,
  { input: asked, through }: BatchQuestion,
): Promise<Examined> {
  await context.transaction((transaction) => requireProject(transaction, projectId));
  const model = await answeringVersion(context, projectId, through);
  const input = await knownInput(context, projectId, { input: asked, model });
  const there = new Set(input.columns);
  const missingColumns = model.fields.map(({ name }) => name).filter((name) => !there.has(name));
  if (missingColumns.length === model.fields.length && missingColumns.length > 0)
    throw new Problem(
      'prediction-input',
      `The input has none of the columns that the model reads: ${listed(missingColumns)}. It has: ${listed(input.columns)}.`,
      { errors: missingColumns.slice(0, 20).map((field) => ({ field, message: 'is missing' })) },
    );
  const warnings =
    missingColumns.length === 0
      ? []
      : [`The input lacks columns that the model reads; they count as missing: ${listed(missingColumns)}.`];
  return { model, input, missingColumns, warnings };
}

/** The columns that stand before the answers; none may have the name of an answer. */
function keptColumns(
  { columns }: KnownInput,
  model: ModelVersion,
  output: BatchOutput,
): { columns: string[]; warnings: string[] } {
  const answers = answerColumns({
    model: { task: model.task, classes: model.classes ?? [], hasIntervals: true },
    badRows: output.badRows,
  });
  // Names are compared as SQL compares them.
  const taken = new Set(answers.map(({ name }) => name.toLowerCase()));
  const isTaken = (name: string): boolean => taken.has(name.toLowerCase());
  if (output.columns === null) {
    const left = columns.filter(isTaken);
    const warning = `Columns of the input that have the name of an answer are left out: ${listed(left)}.`;
    return {
      columns: columns.filter((name) => !isTaken(name)),
      warnings: left.length > 0 ? [warning] : [],
    };
  }
  const known = new Set(columns);
  const unknown = output.columns.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new Problem(
      'column-unknown',
      `The input has no column ${listed(unknown)}. It has: ${listed(columns)}.`,
      {
        errors: unknown
          .slice(0, 20)
          .map((name) => ({ field: 'output.columns', message: `no column "${name}"` })),
      },
    );
  const unusable = output.columns.filter((name, index, all) => isTaken(name) || all.indexOf(name) !== index);
  if (unusable.length > 0)
    throw new Problem(
      'invalid-request',
      `These columns would be in the result twice: ${listed(unusable)}. Leave them out of output.columns.`,
      { errors: [{ field: 'output.columns', message: 'names a column twice, or one that answers have' }] },
    );
  return { columns: output.columns, warnings: [] };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostNamesTold).map((name) => `"${name.slice(0, 60)}"`);
  const others = names.length - shown.length;
  return `${shown.join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
}

async function requireBatch(
  transaction: Transaction,
  batchId: string,
  options: { lock?: boolean } = {},
): Promise<BatchRow> {
  const row = await findBatch(transaction, batchId, options);
  if (!row) throw new Problem('not-found', `There is no batch ${batchId}.`);
  return row;
}

function showBatch(row: BatchRow, job: JobSummary | undefined): Batch {
  const {
    workspaceId: _w,
    input: _i,
    keptColumns: _k,
    fileSha256: _f,
    reservationId: _r,
    payingKeyId: _p,
    callback,
    ...shown
  } = row;
  const state = isEnded(row.state) ? row.state : (job?.state ?? row.state);
  const isDone = row.state === 'succeeded';
  return {
    ...shown,
    callback: callback && { url: callback.url, state: callback.state, detail: callback.detail },
    state,
    progress: {
      share: isDone ? 1 : (job?.progressShare ?? 0),
      message: isEnded(row.state) ? '' : (job?.progressMessage ?? ''),
    },
    createdAt: toIso(row.createdAt.getTime()),
    startedAt: (row.startedAt ?? job?.startedAt) ? toIso((row.startedAt ?? job!.startedAt!).getTime()) : null,
    finishedAt: row.finishedAt ? toIso(row.finishedAt.getTime()) : null,
  };
}

// The job kind `batch`: what the host does before and after the worker's half (batch-task.ts).
import { join } from 'node:path';
import { z } from 'zod';
import { assert, present } from '../../base/assert.ts';
import type { Problem } from '../../base/problems.ts';
import { hourMs } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { JobKind, JobRun } from '../../platform/ports/jobs.ts';
import { importLimitsOf, taskOptions } from '../data/import/source-limits.ts';
import { addMadeVersion } from '../data/made-version.ts';
import { modelFilePath } from '../registry/registry.ts';
import type { BatchTaskInput, BatchTaskOutput, FileFormat } from './batch-task.ts';
import { findBatch, updateBatch, type BatchRow } from './rows.ts';

const timeoutMs = 24 * hourMs;
/** Between tries, and for storing the result. */
const reservationMarginMs = hourMs;

export const batchJob: JobKind<{ batchId: string }, BatchTaskInput, BatchTaskOutput> = {
  name: 'batch',
  payload: z.object({ batchId: z.string() }),
  taskModule: new URL('./batch-task.ts', import.meta.url),
  retryLimit: 2,

  async prepare(context, { batchId }) {
    const row = await requireBatch(context, batchId);
    await keepReservation(context, row);
    const paths = await Promise.all(row.input.parts.map(({ sha256 }) => context.blobs.localPath(sha256)));
    const { path: modelPath } = await modelFilePath(context, row.modelVersionId);
    const { keptColumns, output } = row;
    return {
      input: {
        source:
          row.input.kind === 'table'
            ? { kind: 'table', path: paths[0]! }
            : {
                kind: 'file',
                sourcePaths: paths,
                options: taskOptions(row.input.options),
                limits: importLimitsOf(context.limits),
              },
        modelPath,
        keptColumns,
        badRows: output.badRows,
        formats: formatsOf(row),
      },
      limits: { memoryBytes: context.limits.taskMemoryBytes, timeoutMs },
    };
  },

  async complete(context, { batchId }, output, run) {
    const row = await requireBatch(context, batchId);
    const stored = new Map<FileFormat, { sha256: string; sizeBytes: number }>();
    for (const { format, fileName } of output.files) {
      const path = join(present(run.workFolder, 'the work folder'), fileName);
      // oxlint-disable-next-line no-await-in-loop -- one large file after the other
      stored.set(format, await context.blobs.putFile(path));
    }
    const file = present(stored.get(row.output.format), 'the file of the batch');
    return async (transaction) => {
      const made = await addDataset(context, transaction, { row, output, content: stored.get('parquet') });
      const chargedMicroUsd = await context.meter.settle(transaction, row.reservationId, [
        { unit: 'batch-prediction', quantity: output.answeredRowCount },
      ]);
      await end(context, transaction, row, {
        state: 'succeeded',
        answeredRowCount: output.answeredRowCount,
        problems: output.problems,
        warnings: [...row.warnings, ...output.warnings],
        fileSha256: file.sha256,
        fileSizeBytes: file.sizeBytes,
        ...made,
        chargedMicroUsd,
        startedAt: run.startedAt,
      });
    };
  },

  async fail(context, { batchId }, problem: Problem, run: JobRun) {
    const row = await requireBatch(context, batchId);
    return async (transaction) => {
      await context.meter.release(transaction, row.reservationId);
      await end(context, transaction, row, {
        state: problem.code === 'cancelled' ? 'cancelled' : 'failed',
        problem: problem.toDocument(),
        chargedMicroUsd: 0,
        startedAt: run.startedAt,
      });
    };
  },
};

/** The formats that have to be written: a dataset needs Parquet, whatever is downloaded. */
function formatsOf({ output }: BatchRow): FileFormat[] {
  return output.format === 'csv' && output.datasetName !== null ? ['csv', 'parquet'] : [output.format];
}

async function addDataset(
  context: Context,
  transaction: Transaction,
  {
    row,
    output,
    content,
  }: {
    row: BatchRow;
    output: BatchTaskOutput;
    content: { sha256: string; sizeBytes: number } | undefined;
  },
): Promise<{ datasetId?: string; datasetVersionId?: string }> {
  const { datasetName } = row.output;
  if (datasetName === null) return {};
  const { datasetId, versionId } = await addMadeVersion(context, transaction, {
    projectId: row.projectId,
    datasetName,
    label: `${row.inputLabel}, answered by ${row.modelName} version ${row.versionNumber}`,
    jobId: row.jobId,
    content: present(content, 'the content of the dataset'),
    columns: output.columns,
    rowCount: output.rowCount,
  });
  return { datasetId, datasetVersionId: versionId };
}

async function end(
  context: Context,
  transaction: Transaction,
  row: BatchRow,
  change: Parameters<typeof updateBatch>[2],
): Promise<void> {
  await updateBatch(transaction, row.id, { ...change, finishedAt: new Date(context.clock.nowMs()) });
  await context.publish(transaction, {
    name: 'batch-finished',
    projectId: row.projectId,
    data: { batchId: row.id, state: present(change.state, 'the state') },
  });
}

/**
 * Makes sure that the money is held for as long as this try may take: a batch that waited for days may have lost its
 * reservation to the reaper, and reserves anew. Throws `budget-exceeded` when others have spent it meanwhile.
 */
async function keepReservation(context: Context, row: BatchRow): Promise<void> {
  const expiresAtMs = context.clock.nowMs() + timeoutMs + reservationMarginMs;
  await context.transaction(async (transaction) => {
    if (await context.meter.renew(transaction, row.reservationId, { expiresAtMs, usedSoFar: [] })) return;
    const { reservationId } = await context.meter.reserve(transaction, {
      payer: { workspaceId: row.workspaceId, projectId: row.projectId, keyId: row.payingKeyId },
      usage: [{ unit: 'batch-prediction', quantity: row.rowCount }],
      purpose: { kind: 'batch', subjectId: row.id },
      expiresAtMs,
    });
    await updateBatch(transaction, row.id, { reservationId });
  });
}

async function requireBatch(context: Context, batchId: string): Promise<BatchRow> {
  const row = await context.transaction((transaction) => findBatch(transaction, batchId));
  assert(row, `the job's batch ${batchId} is gone`);
  return row;
}

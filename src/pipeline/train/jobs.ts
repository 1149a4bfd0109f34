// The job kind `training`: what the host does before and after the worker's half (training-task.ts).
import { join } from 'node:path';
import { z } from 'zod';
import { assert, present } from '../../base/assert.ts';
import type { Problem } from '../../base/problems.ts';
import { hourMs, secondMs } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import type { JobKind } from '../../platform/ports/jobs.ts';
import { readySigner, signFile } from '../../platform/security/signing/signing.ts';
import { datasetContentPath } from '../data/data.ts';
import { findTraining, updateTraining, type TrainingRow } from './rows.ts';
import type { TrainingTaskInput, TrainingTaskOutput } from './training-task.ts';

/** Reading the data and writing the model file come on top of the budget. */
const overheadMs = 120 * secondMs;
/** Between tries, and for writing the result. */
const reservationMarginMs = hourMs;
const bytesPerMiB = 1_048_576;

export const trainingJob: JobKind<{ trainingId: string }, TrainingTaskInput, TrainingTaskOutput> = {
  name: 'training',
  payload: z.object({ trainingId: z.string() }),
  taskModule: new URL('./training-task.ts', import.meta.url),
  retryLimit: 2,

  async prepare(context, { trainingId }) {
    const row = await requireTraining(context, trainingId);
    const { recipe } = row;
    const timeoutMs = recipe.budget.seconds * 2 * secondMs + overheadMs;
    await keepReservation(context, row, timeoutMs);
    const memoryBytes =
      recipe.budget.memoryMiB === null
        ? context.limits.taskMemoryBytes
        : recipe.budget.memoryMiB * bytesPerMiB;
    return {
      input: { contentPath: await datasetContentPath(context, recipe.datasetVersionId), recipe, memoryBytes },
      limits: { memoryBytes, timeoutMs },
    };
  },

  async complete(context, { trainingId }, output, run) {
    const row = await requireTraining(context, trainingId);
    const path = join(present(run.workFolder, 'the work folder'), output.modelFileName);
    // Here, because worker processes hold no keys.
    await signFile(path, await readySigner(context));
    const file = await context.blobs.putFile(path);
    const used = Math.min(Math.max(1, Math.ceil(output.result.seconds)), row.recipe.budget.seconds);
    return async (transaction) => {
      const chargedMicroUsd = await context.meter.settle(transaction, row.reservationId, [
        { unit: 'training-second', quantity: used },
      ]);
      const now = new Date(context.clock.nowMs());
      await updateTraining(transaction, trainingId, {
        state: 'succeeded',
        result: output.result,
        chargedMicroUsd,
        startedAt: run.startedAt,
        finishedAt: now,
      });
      await context.publish(transaction, {
        name: 'training-finished',
        projectId: row.projectId,
        data: {
          projectId: row.projectId,
          modelName: row.recipe.modelName ?? `${row.datasetName}: ${row.recipe.target}`,
          fileSha256: file.sha256,
          fileSizeBytes: file.sizeBytes,
          lineage: {
            trainingId,
            datasetId: row.datasetId,
            datasetName: row.datasetName,
            datasetVersionId: row.recipe.datasetVersionId,
            datasetVersionNumber: row.datasetVersionNumber,
          },
        },
      });
    };
  },

  async fail(context, { trainingId }, problem: Problem, run) {
    const row = await requireTraining(context, trainingId);
    return async (transaction) => {
      const now = new Date(context.clock.nowMs());
      const ranSeconds =
        run.startedAt && problem.code === 'cancelled'
          ? Math.ceil((now.getTime() - run.startedAt.getTime()) / secondMs)
          : 0;
      const used = Math.min(ranSeconds, row.recipe.budget.seconds);
      const chargedMicroUsd = await context.meter.settle(transaction, row.reservationId, [
        { unit: 'training-second', quantity: used },
      ]);
      await updateTraining(transaction, trainingId, {
        state: problem.code === 'cancelled' ? 'cancelled' : 'failed',
        problem: problem.toDocument(),
        chargedMicroUsd,
        startedAt: run.startedAt,
        finishedAt: now,
      });
    };
  },
};

/**
 * Makes sure that the money is held for as long as this try may take: a training that waited for days may have lost
 * its reservation to the reaper, and reserves anew. Throws `budget-exceeded` when others have spent it meanwhile.
 */
async function keepReservation(context: Context, row: TrainingRow, timeoutMs: number): Promise<void> {
  const expiresAtMs = context.clock.nowMs() + timeoutMs + reservationMarginMs;
  await context.transaction(async (transaction) => {
    if (await context.meter.renew(transaction, row.reservationId, { expiresAtMs, usedSoFar: [] })) return;
    const { reservationId } = await context.meter.reserve(transaction, {
      payer: { workspaceId: row.workspaceId, projectId: row.projectId, keyId: row.payingKeyId },
      usage: [{ unit: 'training-second', quantity: row.recipe.budget.seconds }],
      purpose: { kind: 'training', subjectId: row.id },
      expiresAtMs,
    });
    await updateTraining(transaction, row.id, { reservationId });
  });
}

async function requireTraining(context: Context, trainingId: string): Promise<TrainingRow> {
  const row = await context.transaction((transaction) => findTraining(transaction, trainingId));
  assert(row, `the job's training ${trainingId} is gone`);
  return row;
}

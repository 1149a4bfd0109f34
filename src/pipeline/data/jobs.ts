// The job kind `dataset-import`: what the host does around the worker's half (import-task.ts).
import { join } from 'node:path';
import { z } from 'zod';
import { assert, present } from '../../base/assert.ts';
import { hourMs } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import type { JobKind } from '../../platform/ports/jobs.ts';
import { importedGib } from './import-price.ts';
import type { ImportTaskInput, ImportTaskOutput } from './import-task.ts';
import { importLimitsOf, taskOptions } from './import/source-limits.ts';
import { findVersion, updateVersion, type VersionRow } from './rows.ts';
import { fetchSource, sizeOf } from './sources.ts';

const timeoutMs = 12 * hourMs;

export const importJob: JobKind<{ versionId: string }, ImportTaskInput, ImportTaskOutput> = {
  name: 'dataset-import',
  payload: z.object({ versionId: z.string() }),
  taskModule: new URL('./import-task.ts', import.meta.url),
  retryLimit: 2,

  async prepare(context, { versionId }) {
    const row = await requireVersion(context, versionId);
    let parts = row.sourceParts;
    if (!parts) {
      const fetched = await fetchSource(context, row.source);
      await context.transaction((transaction) =>
        updateVersion(transaction, versionId, { sourceParts: fetched }),
      );
      parts = fetched;
    }
    const sourcePaths = await Promise.all(parts.map(({ sha256 }) => context.blobs.localPath(sha256)));
    return {
      input: {
        sourcePaths,
        options: taskOptions(row.options),
        limits: importLimitsOf(context.limits),
      },
      limits: { memoryBytes: context.limits.taskMemoryBytes, timeoutMs },
    };
  },

  async complete(context, { versionId }, output, run) {
    const row = await requireVersion(context, versionId);
    const content = await context.blobs.putFile(
      join(present(run.workFolder, 'the work folder'), output.contentFileName),
    );
    const { columns, rowCount, options, warnings, profile } = output;
    return async (transaction) => {
      const quantity = importedGib(sizeOf(present(row.sourceParts, 'the source')));
      await context.meter.settle(transaction, row.reservationId, [{ unit: 'imported-gib', quantity }]);
      await updateVersion(transaction, versionId, {
        state: 'ready',
        contentSha256: content.sha256,
        sizeBytes: content.sizeBytes,
        columns,
        rowCount,
        options,
        warnings,
        profile,
      });
      await context.publish(transaction, {
        name: 'dataset-version-ready',
        projectId: row.projectId,
        data: { versionId, datasetId: row.datasetId, number: row.number },
      });
    };
  },

  async fail(context, { versionId }, problem) {
    const row = await requireVersion(context, versionId);
    return async (transaction) => {
      await context.meter.release(transaction, row.reservationId);
      await updateVersion(transaction, versionId, { state: 'failed', problem: problem.toDocument() });
      await context.publish(transaction, {
        name: 'dataset-version-failed',
        projectId: row.projectId,
        data: { versionId, datasetId: row.datasetId, code: problem.code },
      });
    };
  },
};

/** Every kind of job of this stage. */
export const dataJobs = [importJob];

async function requireVersion(context: Context, versionId: string): Promise<VersionRow> {
  const row = await context.transaction((transaction) => findVersion(transaction, versionId));
  assert(row, `the job's dataset version ${versionId} is gone`);
  return row;
}

// The kinds of jobs of this stage: what the host does around the worker's halves (import-task.ts, profile-task.ts). A
// version can be used as soon as it is imported; describing it is a job of its own that the import starts.
import { join } from 'node:path';
import { z } from 'zod';
import { assert, present } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { hourMs } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { JobKind } from '../../platform/ports/jobs.ts';
import { importedGib } from './import-price.ts';
import type { ImportTaskInput, ImportTaskOutput } from './import-task.ts';
import type { ProfileTaskInput, ProfileTaskOutput } from './profile-task.ts';
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
    const { columns, rowCount, options, warnings } = output;
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
        profileJobId: await startProfile(context, transaction, row),
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

/** Describes an imported version. That it fails makes the version no less usable. */
export const profileJob: JobKind<{ versionId: string }, ProfileTaskInput, ProfileTaskOutput> = {
  name: 'dataset-profile',
  payload: z.object({ versionId: z.string() }),
  taskModule: new URL('./profile-task.ts', import.meta.url),
  retryLimit: 2,

  async prepare(context, { versionId }) {
    const row = await context.transaction((transaction) => findVersion(transaction, versionId));
    if (!row) throw new Problem('not-found', 'The dataset was deleted before it was described.');
    const { columns, rowCount, contentSha256 } = row;
    return {
      input: {
        path: await context.blobs.localPath(present(contentSha256, 'the content')),
        columns,
        rowCount: present(rowCount, 'the number of rows'),
        maxSpillBytes: importLimitsOf(context.limits).maxUploadBytes * 2,
      },
      limits: { memoryBytes: context.limits.taskMemoryBytes, timeoutMs },
    };
  },

  async complete(_context, { versionId }, { profile }) {
    return (transaction) => updateVersion(transaction, versionId, { profile });
  },

  async fail() {
    return async () => {};
  },
};

/** Every kind of job of this stage. */
export const dataJobs = [importJob, profileJob];

/** Starts the job that describes a version. Returns its id. */
export async function startProfile(
  context: Context,
  transaction: Transaction,
  row: VersionRow,
): Promise<string> {
  const { id: versionId, workspaceId, projectId } = row;
  const subject = { workspaceId, projectId, subjectId: versionId, startedBy: context.actor.id };
  return await context.jobs.start(transaction, profileJob, { versionId }, subject);
}

async function requireVersion(context: Context, versionId: string): Promise<VersionRow> {
  const row = await context.transaction((transaction) => findVersion(transaction, versionId));
  assert(row, `the job's dataset version ${versionId} is gone`);
  return row;
}

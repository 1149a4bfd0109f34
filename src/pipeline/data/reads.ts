// Looking into data: previews of files, rows, profiles, queries, downloads. What needs the engine runs in a worker
// process with a time and a memory limit, never in the server.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs } from '../../base/time.ts';
import type {
  DatasetProfile,
  importPreview,
  ImportOptions,
  ImportSource,
  table,
} from '../../contract/dataset.ts';
import type { Context } from '../../platform/context.ts';
import type { StreamOutput } from '../../platform/http/route.ts';
import { getJobRows, type JobSummary } from '../../platform/jobs/jobs.ts';
import { requireProject } from '../../platform/tenancy/tenancy.ts';
import { datasetContentPath, requireReadyVersion } from './data.ts';
import { importLimitsOf, taskOptions } from './import/source-limits.ts';
import type { PreviewTaskInput } from './preview-task.ts';
import { queryTables, type QueryResult } from './query.ts';
import { findProfile, queryableVersions } from './rows.ts';
import type { RowsTaskInput } from './rows-task.ts';
import { examineSource, fetchSource } from './sources.ts';

export type ImportPreview = z.output<typeof importPreview>;
export type Table = z.output<typeof table>;

const readLimits = { memoryBytes: 1_073_741_824, timeoutMs: minuteMs };

/** How a file would be read, from its beginning. Throws what an import would fail with. */
export async function previewImport(
  context: Context,
  input: { projectId: string; source: ImportSource; options: ImportOptions },
): Promise<ImportPreview> {
  const { projectId, source, options } = input;
  await context.transaction((transaction) => requireProject(transaction, projectId));
  const known = await examineSource(context, projectId, source);
  const parts = known.parts ?? (await fetchSource(context, source));
  const sourcePaths = await Promise.all(parts.map(({ sha256 }) => context.blobs.localPath(sha256)));
  return await context.jobs.runTask<PreviewTaskInput, ImportPreview>(
    new URL('./preview-task.ts', import.meta.url),
    { sourcePaths, options: taskOptions(options), limits: importLimitsOf(context.limits) },
    { limits: readLimits, signal: context.signal },
  );
}

/** Describing takes a moment after an import; so long a reader waits for it. */
const profileWaitMs = 20 * secondMs;

/**
 * The profile of a version; of one that has just been imported, when it is there. Throws `not-found`; `wrong-state`
 * until the version is ready; `profile-pending` while describing it takes longer; what describing it failed with.
 */
export async function getDatasetProfile(context: Context, versionId: string): Promise<DatasetProfile> {
  const { profileJobId } = await requireReadyVersion(context, versionId);
  const watch = context.jobs.watch(profileJobId);
  try {
    for (const endMs = context.clock.monotonicMs() + profileWaitMs; ;) {
      const { profile, job } = await context.transaction(async (transaction) => ({
        profile: await findProfile(transaction, versionId),
        job: (await getJobRows(transaction, [profileJobId])).get(profileJobId),
      }));
      if (profile) return profile;
      if (job?.problem) throw Problem.fromDocument(job.problem);
      const leftMs = endMs - context.clock.monotonicMs();
      if (leftMs <= 0 || context.signal.aborted) throw stillDescribing(profileJobId, job);
      await watch.next(Math.min(leftMs, secondMs), context.signal);
    }
  } finally {
    watch.close();
  }
}

function stillDescribing(profileJobId: string, job: JobSummary | undefined): Problem {
  const share = Math.round(100 * (job?.progressShare ?? 0));
  return new Problem('profile-pending', `Job ${profileJobId} is describing the columns: ${share}% done.`);
}

/** `limit` rows of a version from `offset` on. */
export async function getDatasetRows(
  context: Context,
  input: { versionId: string; offset: number; limit: number },
): Promise<Table> {
  const contentPath = await datasetContentPath(context, input.versionId);
  return await context.jobs.runTask<RowsTaskInput, Table>(
    new URL('./rows-task.ts', import.meta.url),
    { contentPath, offset: input.offset, limit: input.limit },
    { limits: readLimits, signal: context.signal },
  );
}

/** The content of a version as a download. */
export async function downloadDatasetVersion(context: Context, versionId: string): Promise<StreamOutput> {
  const { contentSha256, datasetName, number } = await requireReadyVersion(context, versionId);
  const info = await context.blobs.stat(contentSha256);
  return {
    contentType: 'application/vnd.apache.parquet',
    body: await context.blobs.open(contentSha256),
    fileName: `${datasetName}-${number}.parquet`,
    ...(info && { sizeBytes: info.sizeBytes }),
  };
}

/**
 * Runs one SELECT over the datasets of a project. The longest it may take is reserved, what it took is charged.
 * Throws `query-invalid`, `query-forbidden`, `query-limit` or `budget-exceeded`.
 */
export async function runQuery(
  context: Context,
  input: { projectId: string; sql: string; maxRows: number },
): Promise<QueryResult> {
  const sources = await context.transaction(async (transaction) => {
    await requireProject(transaction, input.projectId);
    return await queryableVersions(transaction, input.projectId);
  });
  const tables = await Promise.all(
    sources.map(async ({ name, contentSha256 }) => ({
      name,
      contentPaths: [await context.blobs.localPath(contentSha256)],
    })),
  );
  return await queryTables(context, { ...input, tables });
}

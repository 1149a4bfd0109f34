// The kind of job of this stage: a report. What the host does around the worker's half (report-task.ts).
import { join } from 'node:path';
import { z } from 'zod';
import { assert, present } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { minuteMs } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import type { JobKind } from '../../platform/ports/jobs.ts';
import { datasetContentPath } from '../data/data.ts';
import { getEndpoint } from '../deploy/deploy.ts';
import { loggedParts } from '../predict/log/log.ts';
import { getModelVersion, modelFilePath, type ModelVersion } from '../registry/registry.ts';
import { settleAlerts } from './alerts.ts';
import {
  dropOldReports,
  findReference,
  findReport,
  keepReference,
  updateReport,
  type ReportRow,
} from './rows.ts';
import type { Reference, ReportTaskInput, ReportTaskOutput } from './report-task.ts';
import { summarise } from './summary.ts';
import type { LogWindow } from './watched.ts';

const limits = { memoryBytes: 1024 * 1_048_576, timeoutMs: 30 * minuteMs };
/** Of each endpoint; older ones are forgotten. */
const keptReports = 1000;

export const reportJob: JobKind<{ reportId: string }, ReportTaskInput, ReportTaskOutput> = {
  name: 'monitor-report',
  payload: z.object({ reportId: z.string() }),
  taskModule: new URL('./report-task.ts', import.meta.url),
  retryLimit: 2,

  async prepare(context, { reportId }) {
    const row = await requireReport(context, reportId);
    const version = await getModelVersion(context, row.modelVersionId);
    const { reference, why } = await referenceFor(context, row, version);
    const { task, classes, metric, score, evaluation, importance, fields } = version;
    const { log } = await getEndpoint(context, row.endpointId);
    const redacted = new Set(log.redactedColumns);
    return {
      input: {
        watched: fields.map(({ name, kind }) => ({ name, kind })),
        model: {
          task,
          classes,
          positiveClass: evaluation?.positiveClass ?? null,
          metric,
          trainedScore: score,
        },
        importance: Object.fromEntries(importance.map(({ column, importance: value }) => [column, value])),
        modelPath: version.format === 'pilvi' ? (await modelFilePath(context, version.id)).path : null,
        isRedacted: fields.some(({ name }) => redacted.has(name)),
        reference,
        why,
        current: await windowOf(context, row, { from: row.fromTime, to: row.toTime }),
      },
      limits,
    };
  },

  async complete(context, { reportId }, { details, rowCount, referenceFileName }, run) {
    const row = await requireReport(context, reportId);
    const summary = summarise(details, rowCount, new Set(row.settings.excludedColumns));
    const kept = referenceFileName
      ? await context.blobs.putFile(join(present(run.workFolder, 'the work folder'), referenceFileName))
      : undefined;
    const { name: endpointName } = await getEndpoint(context, row.endpointId);
    return async (transaction) => {
      const { workspaceId, projectId, endpointId, modelVersionId } = row;
      if (kept)
        await keepReference(transaction, {
          id: context.newId('monitorReport'),
          workspaceId,
          projectId,
          modelVersionId,
          contentSha256: kept.sha256,
          createdAt: new Date(context.clock.nowMs()),
        });
      await updateReport(transaction, reportId, { state: 'ready', summary, details });
      await dropOldReports(transaction, endpointId, keptReports);
      await context.publish(transaction, {
        name: 'monitor-report-ready',
        projectId,
        data: { reportId, endpointId, modelVersionId, level: summary.level },
      });
      await settleAlerts(context, transaction, { ...row, summary, endpointName });
    };
  },

  async fail(_context, { reportId }, problem) {
    return (transaction) =>
      updateReport(transaction, reportId, { state: 'failed', problem: problem.toDocument() });
  },
};

/** Every kind of job of this stage. */
export const monitorJobs = [reportJob];

/** What the report is compared with, and why it is not what was asked for. */
async function referenceFor(
  context: Context,
  row: ReportRow,
  version: ModelVersion,
): Promise<{ reference: Reference; why: string | null }> {
  if (row.settings.reference === 'training') {
    const training = await trainingReference(context, version);
    if (training) return { reference: training, why: null };
  }
  const lengthMs = row.toTime.getTime() - row.fromTime.getTime();
  const before = { from: new Date(row.fromTime.getTime() - lengthMs), to: row.fromTime };
  const window = await windowOf(context, row, before);
  const why =
    row.settings.reference === 'training'
      ? 'The data that the model learned from is not here; the rows of the window before stand for it.'
      : null;
  return window.files.length > 0
    ? { reference: { kind: 'window', window }, why }
    : { reference: { kind: 'nothing' }, why: why ?? 'There were no predictions in the window before.' };
}

async function trainingReference(context: Context, version: ModelVersion): Promise<Reference | undefined> {
  const { id: versionId, lineage, format } = version;
  const sha256 = await context.transaction((transaction) => findReference(transaction, versionId));
  const keptPath = sha256 === undefined ? null : await context.blobs.localPath(sha256);
  if (!lineage || format !== 'pilvi') return undefined;
  try {
    const contentPath = await datasetContentPath(context, lineage.datasetVersionId);
    return { kind: 'training', keptPath, contentPath };
  } catch (error) {
    // The dataset may have been deleted; what was kept of it is enough.
    if (!(error instanceof Problem) || error.code !== 'not-found') throw error;
    return keptPath === null ? undefined : { kind: 'training', keptPath, contentPath: null };
  }
}

/** The rows that the report's version answered in this time. */
async function windowOf(
  context: Context,
  { endpointId, modelVersionId }: ReportRow,
  { from, to }: { from: Date; to: Date },
): Promise<LogWindow> {
  const parts = await loggedParts(context, { endpointId, modelVersionId, from, to, isFresh: true });
  const files = await Promise.all(
    parts.predictions.map(async ({ contentSha256, columns }) => ({
      path: await context.blobs.localPath(contentSha256),
      columns: columns.map(({ field, column }) => ({ field, column })),
    })),
  );
  const outcomePaths = await Promise.all(
    parts.outcomes.map(({ contentSha256 }) => context.blobs.localPath(contentSha256)),
  );
  return { files, outcomePaths, fromMs: from.getTime(), toMs: to.getTime() };
}

async function requireReport(context: Context, reportId: string): Promise<ReportRow> {
  const row = await context.transaction((transaction) => findReport(transaction, reportId));
  if (!row) throw new Problem('not-found', 'The endpoint was deleted before its report was made.');
  assert(row.state === 'making', `the report ${reportId} is ${row.state} already`);
  return row;
}

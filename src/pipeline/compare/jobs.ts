// The kind of job of this stage: a comparison. What the host does around the worker's half (compare-task.ts).
import { z } from 'zod';
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { hourMs } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import type { JobKind } from '../../platform/ports/jobs.ts';
import { getEndpoint } from '../deploy/deploy.ts';
import { loggedParts } from '../predict/log/log.ts';
import { getModelVersion, modelFilePath } from '../registry/registry.ts';
import type { CompareTaskInput, CompareTaskOutput } from './compare-task.ts';
import {
  addFlips,
  dropOldComparisons,
  findComparison,
  updateComparison,
  type ComparisonRow,
} from './rows.ts';

const limits = { memoryBytes: 1280 * 1_048_576, timeoutMs: hourMs };
/** Of each endpoint; older ones are forgotten. */
const keptComparisons = 200;

export const compareJob: JobKind<{ comparisonId: string }, CompareTaskInput, CompareTaskOutput> = {
  name: 'comparison',
  payload: z.object({ comparisonId: z.string() }),
  taskModule: new URL('./compare-task.ts', import.meta.url),
  retryLimit: 2,

  async prepare(context, { comparisonId }) {
    const row = await requireComparison(context, comparisonId);
    const { endpointId, fromTime: from, toTime: to, question } = row;
    const parts = await loggedParts(context, { endpointId, from, to, isFresh: true });
    await noteGaps(context, row, parts.missingRowCount);
    const local = (sha256: string): Promise<string> => context.blobs.localPath(sha256);
    const files = await Promise.all(
      parts.predictions.map(async ({ contentSha256, columns }) => ({
        path: await local(contentSha256),
        columns: columns.map(({ field, column }) => ({ field, column })),
      })),
    );
    const outcomePaths = await Promise.all(parts.outcomes.map(({ contentSha256 }) => local(contentSha256)));
    const [answering, candidate] = await Promise.all([
      modelFilePath(context, row.answeringVersionId),
      modelFilePath(context, row.candidateVersionId),
    ]);
    const { fields } = await getEndpoint(context, endpointId);
    const { evaluation, classes } = await getModelVersion(context, row.answeringVersionId);
    return {
      input: {
        answeringPath: answering.path,
        candidatePath: candidate.path,
        window: { files, outcomePaths, fromMs: from.getTime(), toMs: to.getTime() },
        fields: fields.map(({ name, kind }) => ({ name, kind })),
        positiveClass: evaluation?.positiveClass ?? classes?.at(-1) ?? null,
        threshold: question.threshold,
        tolerance: question.tolerance,
        maxRows: question.maxRows,
      },
      limits,
    };
  },

  async complete(context, { comparisonId }, { result, flips }) {
    const row = await requireComparison(context, comparisonId);
    const { workspaceId, projectId, endpointId } = row;
    const { log } = await getEndpoint(context, endpointId);
    const createdAt = new Date(context.clock.nowMs());
    return async (transaction) => {
      await updateComparison(transaction, comparisonId, {
        state: 'ready',
        result: {
          ...result,
          loggedShare: log.share,
          notes: notesOf({ ...result, loggedShare: log.share }, row),
        },
      });
      await addFlips(
        transaction,
        flips.map((flip, index) => ({
          id: context.newId('comparisonFlip'),
          workspaceId,
          projectId,
          endpointId,
          comparisonId,
          place: index + 1,
          predictedAt: new Date(flip.time),
          flip,
          createdAt,
        })),
      );
      await dropOldComparisons(transaction, endpointId, keptComparisons);
      await tell(context, transaction, row, 'ready');
    };
  },

  async fail(context, { comparisonId }, problem) {
    const row = await requireComparison(context, comparisonId);
    return async (transaction) => {
      await updateComparison(transaction, comparisonId, { state: 'failed', problem: problem.toDocument() });
      await tell(context, transaction, row, 'failed');
    };
  },
};

/** Every kind of job of this stage. */
export const compareJobs = [compareJob];

async function tell(
  context: Context,
  transaction: Parameters<Context['publish']>[0],
  { id: comparisonId, projectId, endpointId, candidateVersionId }: ComparisonRow,
  state: 'ready' | 'failed',
): Promise<void> {
  await context.publish(transaction, {
    name: 'comparison-finished',
    projectId,
    data: { comparisonId, endpointId, modelVersionId: candidateVersionId, state },
  });
}

async function noteGaps(context: Context, { id }: ComparisonRow, missingRowCount: number): Promise<void> {
  const logNotes =
    missingRowCount === 0
      ? []
      : [
          `${missingRowCount} logged requests lie on a server that has not handed them over: they are left out.`,
        ];
  await context.transaction((transaction) => updateComparison(transaction, id, { logNotes }));
}

/** What the figures leave out: sampling is never silent. */
function notesOf(
  result: CompareTaskOutput['result'] & { loggedShare: number },
  { logNotes }: ComparisonRow,
): string[] {
  const { loggedShare, replayedShare, rowCount, loggedRowCount, redactedRowCount, redactedColumns } = result;
  const { unreadableRowCount, unanswered, unansweredReasons, outcomes } = result;
  const count = (value: number): string => value.toLocaleString('en');
  const names = redactedColumns.map((name) => `"${name}"`).join(', ');
  const outcomeNote =
    outcomes === null
      ? 'No outcome is known of these requests, so nothing says which version is right.'
      : `Outcomes are known of ${count(outcomes.knownCount)} of the ${count(rowCount)} requests.`;
  return [
    ...logNotes,
    ...(loggedShare < 1
      ? [
          `The endpoint logs ${Number((100 * loggedShare).toPrecision(3))}% of its requests: these figures stand for the others, too.`,
        ]
      : []),
    ...(replayedShare < 1
      ? [
          `A sample of ${count(rowCount + unanswered.count)} of ${count(loggedRowCount)} logged requests was replayed.`,
        ]
      : []),
    ...(redactedRowCount > 0
      ? [`${count(redactedRowCount)} requests cannot be replayed: values of ${names} were not kept.`]
      : []),
    ...(unreadableRowCount > 0
      ? [`${count(unreadableRowCount)} requests are left out: the version that answers now refuses them.`]
      : []),
    ...(unanswered.count > 0
      ? [`The candidate refuses ${count(unanswered.count)} requests, such as: ${unansweredReasons[0] ?? ''}`]
      : []),
    ...(rowCount > 0 ? [outcomeNote] : []),
  ];
}

async function requireComparison(context: Context, comparisonId: string): Promise<ComparisonRow> {
  const row = await context.transaction((transaction) => findComparison(transaction, comparisonId));
  if (!row) throw new Problem('not-found', 'The endpoint was deleted before the comparison was made.');
  assert(row.state === 'making', `the comparison ${comparisonId} is ${row.state} already`);
  return row;
}

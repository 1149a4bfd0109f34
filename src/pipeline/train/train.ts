// Trainings: from a recipe to a model file. This file is what other folders see: plan, start, look, watch, cancel.
// The learning itself is src/ml, run by training-task.ts in a worker process; what follows a training (the model
// version) is the registry's reaction to the event `training-finished`.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { hourMs, secondMs, toIso } from '../../base/time.ts';
import type { training, trainingPlan, trainingSummary, Recipe } from '../../contract/training.ts';
import type { evaluationSummary } from '../../contract/evaluation.ts';
import { payerOf, type Context } from '../../platform/context.ts';
import { pageOf, readCursor } from '../../platform/http/cursor.ts';
import type { EventOutput } from '../../platform/http/route.ts';
import { getJobRows, listJobEvents, watchJobEvents, type JobSummary } from '../../platform/jobs/jobs.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { requireProject } from '../../platform/tenancy/tenancy.ts';
import { datasetContentPath, requireReadyVersion, type ReadyVersion } from '../data/data.ts';
import { checkColumns } from './check-columns.ts';
import type { FieldSummary } from './field-summaries.ts';
import { trainingJob } from './jobs.ts';
import { addTraining, findTraining, listTrainingRows, type TrainingRow } from './rows.ts';
import { isTerminal } from './states.ts';
import { asStopped, trialsOf } from './trials.ts';
import type { PlanTaskInput, PlanTaskOutput } from './plan-task.ts';

export type { FieldSummary };
export type Training = z.output<typeof training>;
export type TrainingSummary = z.output<typeof trainingSummary>;
export type TrainingPlan = z.output<typeof trainingPlan>;

/** Seconds that reading the data and writing the model take on top of the budget, for the estimate only. */
const overheadSeconds = 5;

/** A plan reads one column; it needs little and must be quick. */
const planLimits = { memoryBytes: 1_073_741_824, timeoutMs: 60 * secondMs };

/**
 * What `recipe` would do: the task and metric it comes to, how long it takes and the most it can cost.
 * Throws `column-unknown`, `target-unusable`, `too-few-rows`, `too-many-classes`, or `wrong-state` for a version
 * that is not ready.
 */
export async function planTraining(
  context: Context,
  projectId: string,
  recipe: Recipe,
): Promise<TrainingPlan> {
  const version = await requireTrainable(context, projectId, recipe);
  const { seconds, trials } = recipe.budget;
  const plan = await context.jobs.runTask<PlanTaskInput, PlanTaskOutput>(
    new URL('./plan-task.ts', import.meta.url),
    { contentPath: await datasetContentPath(context, version.id), recipe },
    { limits: planLimits, signal: context.signal },
  );
  return {
    ...plan,
    rowCount: version.rowCount,
    featureCount: version.columns.length - new Set(notLearnedFrom(recipe)).size,
    estimatedSeconds: (trials === null ? seconds : Math.min(seconds, trials * 10)) + overheadSeconds,
    maximumMicroUsd: context.meter.quote([{ unit: 'training-second', quantity: seconds }]),
  };
}

/**
 * Starts a training. Throws what {@link planTraining} throws about columns, and `budget-exceeded`.
 * @param onStart runs in the transaction that starts it: both happen or neither
 */
export async function createTraining(
  context: Context,
  projectId: string,
  recipe: Recipe,
  onStart?: (transaction: Transaction, trainingId: string) => Promise<void>,
): Promise<Training> {
  const version = await requireTrainable(context, projectId, recipe);
  const usage = [{ unit: 'training-second' as const, quantity: recipe.budget.seconds }];
  const { maxMicroUsd } = recipe.budget;
  if (maxMicroUsd !== null && context.meter.quote(usage) > maxMicroUsd) {
    throw new Problem(
      'budget-exceeded',
      `The training could cost up to ${context.meter.quote(usage)} micro-dollars, more than the ${maxMicroUsd} its recipe allows.`,
    );
  }
  const payer = payerOf(context, projectId);
  const now = context.clock.nowMs();
  const trainingId = context.newId('training');
  const row = await context.transaction(async (transaction) => {
    const reservation = await context.meter.reserve(transaction, {
      payer,
      usage,
      purpose: { kind: 'training', subjectId: trainingId },
      expiresAtMs: now + recipe.budget.seconds * secondMs * trainingJob.retryLimit + 24 * hourMs,
    });
    const subject = {
      workspaceId: context.workspaceId,
      projectId,
      subjectId: trainingId,
      startedBy: context.actor.id,
    };
    const jobId = await context.jobs.start(transaction, trainingJob, { trainingId }, subject);
    await context.audit(transaction, {
      action: 'training:write',
      subjectId: trainingId,
      details: { target: recipe.target, datasetVersionId: version.id },
    });
    await onStart?.(transaction, trainingId);
    return await addTraining(transaction, {
      id: trainingId,
      workspaceId: context.workspaceId,
      projectId,
      jobId,
      recipe,
      datasetId: version.datasetId,
      datasetName: version.datasetName,
      datasetVersionNumber: version.number,
      state: 'queued',
      reservationId: reservation.reservationId,
      payingKeyId: payer.keyId,
      reservedMicroUsd: reservation.amountMicroUsd,
      createdAt: new Date(now),
    });
  });
  return showTraining(row);
}

/** One training; without a result, with the trials that its events tell of. Throws `not-found`. */
export async function getTraining(context: Context, trainingId: string): Promise<Training> {
  return await context.transaction(async (transaction) => {
    const row = await requireRow(findTraining(transaction, trainingId), trainingId);
    const shown = showTraining(row);
    if (row.result) return shown;
    const leaderboard = trialsOf(await listJobEvents(transaction, row.jobId));
    if (isTerminal(row.state)) return { ...shown, leaderboard: leaderboard.map(asStopped) };
    const jobs = await getJobRows(transaction, [row.jobId]);
    return { ...withJob(shown, jobs.get(row.jobId)), leaderboard };
  });
}

/** What the registry keeps of a finished training beside its model file. Throws `not-found`. */
export async function trainingReport(
  context: Context,
  trainingId: string,
): Promise<{ evaluation: Training['evaluation']; fields: FieldSummary[] }> {
  const row = await context.transaction((transaction) =>
    requireRow(findTraining(transaction, trainingId), trainingId),
  );
  return { evaluation: row.result?.evaluation ?? null, fields: row.result?.fields ?? [] };
}

/** What lists show of an evaluation. */
export function summaryOfEvaluation({
  task,
  rowCount,
  metrics,
}: NonNullable<Training['evaluation']>): z.output<typeof evaluationSummary> {
  return { task, rowCount, metrics };
}

/** The trainings of a project, newest first. */
export async function listTrainings(
  context: Context,
  input: { projectId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: TrainingSummary[]; nextCursor: string | null }> {
  return await context.transaction(async (transaction) => {
    await requireProject(transaction, input.projectId);
    const rows = await listTrainingRows(transaction, input.projectId, {
      limit: input.limit,
      after: readCursor(input.cursor),
    });
    const jobIds = rows.filter(({ state }) => !isTerminal(state)).map(({ jobId }) => jobId);
    const jobs = await getJobRows(transaction, jobIds);
    return pageOf(
      rows,
      input.limit,
      (row) => row.id,
      (row) => summaryOf(withJob(showTraining(row), jobs.get(row.jobId))),
    );
  });
}

/** Its events as they happen, after `after`; ends with the training. Throws `not-found`. */
export async function watchTraining(
  context: Context,
  trainingId: string,
  after: number,
): Promise<AsyncIterable<EventOutput>> {
  const row = await context.transaction((transaction) =>
    requireRow(findTraining(transaction, trainingId), trainingId),
  );
  return watchJobEvents(context, row.jobId, after);
}

/** Asks it to end; what was reserved and not used is given back when it has. */
export async function cancelTraining(context: Context, trainingId: string): Promise<Training> {
  const row = await context.transaction(async (transaction) => {
    const found = await requireRow(findTraining(transaction, trainingId), trainingId);
    await context.audit(transaction, {
      action: 'training:write',
      subjectId: trainingId,
      details: { cancel: true },
    });
    return found;
  });
  await context.jobs.cancel(context.workspaceId, row.jobId);
  return await getTraining(context, trainingId);
}

function notLearnedFrom({ target, excludedColumns, groupColumn }: Recipe): string[] {
  return [target, ...excludedColumns, ...(groupColumn === null ? [] : [groupColumn])];
}

async function requireTrainable(context: Context, projectId: string, recipe: Recipe): Promise<ReadyVersion> {
  const version = await requireReadyVersion(context, recipe.datasetVersionId);
  if (version.projectId !== projectId) {
    throw new Problem('not-found', `The project has no dataset version ${recipe.datasetVersionId}.`);
  }
  checkColumns(recipe, version.columns);
  return version;
}

async function requireRow(found: Promise<TrainingRow | undefined>, trainingId: string): Promise<TrainingRow> {
  const row = await found;
  if (!row) throw new Problem('not-found', `There is no training ${trainingId}.`);
  return row;
}

/** What only the job knows while it is at work. */
function withJob(training: Training, job: JobSummary | undefined): Training {
  if (!job) return training;
  return {
    ...training,
    state: job.state,
    startedAt: job.startedAt ? toIso(job.startedAt.getTime()) : null,
    progress: { share: job.progressShare, message: job.progressMessage },
  };
}

function summaryOf(training: Training): TrainingSummary {
  const {
    leaderboard: _leaderboard,
    importance: _importance,
    droppedColumns: _dropped,
    rows: _rows,
    warnings: _warnings,
    ...rest
  } = training;
  return { ...rest, evaluation: rest.evaluation && summaryOfEvaluation(rest.evaluation) };
}

function showTraining(row: TrainingRow): Training {
  const { result } = row;
  return {
    id: row.id,
    projectId: row.projectId,
    jobId: row.jobId,
    recipe: row.recipe,
    datasetName: row.datasetName,
    state: row.state,
    task: result?.task ?? null,
    taskReason: result?.taskReason ?? null,
    metric: result?.metric ?? null,
    score: result?.score ?? null,
    progress: isTerminal(row.state) ? { share: 1, message: row.state } : { share: 0, message: 'waiting' },
    leaderboard: result?.leaderboard ?? [],
    evaluation: result?.evaluation ?? null,
    importance: result?.importance ?? null,
    droppedColumns: result?.droppedColumns ?? [],
    rows: result?.rows ?? null,
    warnings: result?.warnings ?? [],
    modelVersionId: row.modelVersionId,
    reservedMicroUsd: row.reservedMicroUsd,
    chargedMicroUsd: row.chargedMicroUsd,
    problem: row.problem,
    createdAt: toIso(row.createdAt.getTime()),
    startedAt: row.startedAt ? toIso(row.startedAt.getTime()) : null,
    finishedAt: row.finishedAt ? toIso(row.finishedAt.getTime()) : null,
  };
}

// How a job goes on: it ends, or waits for another try. Each is one transaction that changes its queue entry, the
// job's row and, through its kind, the subject; whoever does not hold the job any more changes nothing. Everyone locks
// the entry before the row, as taking a job does, so that they never wait for each other in a circle.
import { Problem, asProblem } from '../../base/problems.ts';
import type { JobState } from '../../contract/job.ts';
import type { Context, Services } from '../context.ts';
import { createContext } from '../context-factory.ts';
import type { Queue } from '../drivers/pg-boss.ts';
import type { Transaction } from '../ports/database.ts';
import type { JobKind, JobRun } from '../ports/jobs.ts';
import * as rows from './rows.ts';
import type { Hold, JobRow, NewEvent } from './rows.ts';
import { changedMessage, queuedMessage, type WakeUps } from './wake-ups.ts';
import type { WorkFolders } from './work-folders.ts';

/** What everything here works with. */
export interface JobParts {
  services(): Services;
  queue: Queue;
  wakeUps: WakeUps;
  folders: WorkFolders;
  kinds: ReadonlyMap<string, AnyJobKind>;
}

export type AnyJobKind = JobKind<unknown>;

/** What is done with the subject in the transaction that ends its job. */
type Apply = (transaction: Transaction) => Promise<void>;

/** Thrown inside a transaction to undo it: another host has taken the job over. */
export class NotHeld extends Error {
  override name = 'NotHeld';
}

/** A job that a host holds. */
export interface HeldJob {
  row: JobRow;
  hold: Hold;
  kind: AnyJobKind;
  run: JobRun;
}

/** The context of a job's host half: the whole workspace, as the system. */
export function contextOfJob(parts: JobParts, row: JobRow, signal: AbortSignal): Context {
  return createContext(parts.services(), {
    actor: { kind: 'system', id: 'system' },
    workspaceId: row.workspaceId,
    projectId: null,
    requestId: row.id,
    signal,
  });
}

/** Ends a held job well. Throws {@link NotHeld}, or what `apply` throws, and then nothing has changed. */
export async function completeJob(
  parts: JobParts,
  job: HeldJob,
  context: Context,
  apply: Apply,
): Promise<void> {
  await end(parts, job, context, { state: 'succeeded', problem: undefined, apply });
}

/** Ends a held job with `problem`; `cancelled` is a problem of its own state. Throws {@link NotHeld}. */
export async function failJob(
  parts: JobParts,
  job: HeldJob,
  context: Context,
  problem: Problem,
): Promise<void> {
  const state = stateFor(problem);
  try {
    const apply = await job.kind.fail(context, readPayload(job.kind, job.row), problem, job.run);
    await end(parts, job, context, { state, problem, apply });
  } catch (error) {
    if (error instanceof NotHeld || asProblem(error).code === 'unavailable') throw error;
    // The job must end even when its kind cannot say so to the subject.
    context.log.error(
      { error, jobId: job.row.id, kind: job.kind.name },
      'the subject of a failed job was not told',
    );
    await end(parts, job, context, { state, problem, apply: async () => undefined });
  }
}

async function end(
  parts: JobParts,
  { row, hold }: HeldJob,
  context: Context,
  { state, problem, apply }: { state: JobState; problem: Problem | undefined; apply: Apply },
): Promise<void> {
  const now = new Date(context.clock.nowMs());
  const document = problem?.toDocument() ?? null;
  await context.transaction(async (transaction) => {
    await parts.queue.remove(transaction, hold.deliveryId);
    if (!(await rows.endHeldJob(transaction, hold, { state, problem: document, now }))) throw new NotHeld();
    await apply(transaction);
    await tell(transaction, row.id, stateEvent(state, row.attempt, now, problem));
  });
  await parts.folders.forget(row.id);
}

/**
 * Puts a held job back into the queue.
 * @returns false when it is to be cancelled instead.
 */
export async function requeueHeldJob(
  parts: JobParts,
  { row, hold }: HeldJob,
  { delayMs, attempt, problem }: { delayMs: number; attempt: number; problem?: Problem },
): Promise<boolean> {
  const { database, clock } = parts.services();
  return await database.asSystem('queue a job again', async (transaction) => {
    await parts.queue.remove(transaction, hold.deliveryId);
    const current = await rows.lockHeldJob(transaction, hold);
    if (!current) throw new NotHeld();
    // The entry that was removed is removed again when the job is cancelled, which does not mind.
    if (current.cancelRequestedAt !== null) return false;
    const deliveryId = await parts.queue.add(
      transaction,
      { jobId: row.id, workspaceId: row.workspaceId },
      delayMs,
    );
    await rows.requeueJob(transaction, row.id, { deliveryId, attempt });
    await tell(transaction, row.id, stateEvent('queued', attempt, new Date(clock.nowMs()), problem));
    if (delayMs === 0) await rows.notifyJobs(transaction, queuedMessage);
    return true;
  });
}

/** Ends a job that waits in the queue. Returns false when it does not wait any more. */
export async function cancelQueuedJob(parts: JobParts, row: JobRow, context: Context): Promise<boolean> {
  const problem = cancelled();
  const run = runOf(row, null);
  const apply = await applyOfFailure(parts, row, context, { problem, run });
  const now = new Date(context.clock.nowMs());
  try {
    await context.transaction(async (transaction) => {
      await parts.queue.remove(transaction, row.deliveryId);
      const end = { state: 'cancelled', problem: problem.toDocument(), now } as const;
      if (!(await rows.endQueuedJob(transaction, row, end))) throw new NotHeld();
      await apply(transaction);
      await tell(transaction, row.id, stateEvent('cancelled', row.attempt, now, problem));
    });
    await parts.folders.forget(row.id);
    return true;
  } catch (error) {
    if (error instanceof NotHeld) return false;
    throw error;
  }
}

async function applyOfFailure(
  parts: JobParts,
  row: JobRow,
  context: Context,
  { problem, run }: { problem: Problem; run: JobRun },
): Promise<Apply> {
  const kind = parts.kinds.get(row.kind);
  if (!kind) throw new Problem('unavailable', `This server does not know jobs of the kind "${row.kind}".`);
  return await kind.fail(context, readPayload(kind, row), problem, run);
}

/** The payload as its kind reads it; what was stored by another version may not fit. */
export function readPayload(kind: AnyJobKind, row: JobRow): unknown {
  return kind.payload.parse(row.payload);
}

/** What a kind is told of a try. */
export function runOf(row: JobRow, workFolder: string | null): JobRun {
  const { id: jobId, workspaceId, projectId, attempt, startedAt } = row;
  return { jobId, workspaceId, projectId, attempt, startedAt, workFolder };
}

export function cancelled(): Problem {
  return new Problem('cancelled', 'It was cancelled on request.');
}

function stateFor(problem: Problem): JobState {
  return problem.code === 'cancelled' ? 'cancelled' : 'failed';
}

/** The event of a new state. */
export function stateEvent(state: JobState, attempt: number, at: Date, problem?: Problem): NewEvent {
  const { code, detail } = problem?.toDocument() ?? {};
  return {
    name: 'state',
    at,
    data: { state, attempt, ...(code !== undefined && { problem: { code, detail: detail ?? '' } }) },
  };
}

/** Adds the event of a new state and wakes the watchers. */
export async function tell(transaction: Transaction, jobId: string, event: NewEvent): Promise<void> {
  await rows.appendEvents(transaction, jobId, [event]);
  await rows.notifyJobs(transaction, changedMessage(jobId));
}

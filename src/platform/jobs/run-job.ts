// One try of one job, from the moment a host holds it until it has ended or waits for another try:
// prepare (host) -> task (a fresh worker process) -> complete or fail (host, one transaction).
import { setTimeout as sleep } from 'node:timers/promises';
import { present } from '../../base/assert.ts';
import { Problem, asProblem, problemKinds } from '../../base/problems.ts';
import { minuteMs } from '../../base/time.ts';
import { WorkerProcess, type TaskOutcome } from '../drivers/worker-process.ts';
import {
  NotHeld,
  cancelled,
  completeJob,
  contextOfJob,
  failJob,
  readPayload,
  requeueHeldJob,
  runOf,
  type HeldJob,
  type JobParts,
} from './ending.ts';
import type { EventBuffer } from './event-buffer.ts';
import type { JobRow } from './rows.ts';
import { retryDelayMs } from './states.ts';
import { storableProblem } from './storable.ts';

/** Why a running job is stopped from outside, given as the reason of its signal. */
export type StopReason = 'cancelled' | 'stopping' | 'not-held';

/** What a host brings to each of its jobs. */
export interface Host {
  id: string;
  parts: JobParts;
  events: EventBuffer;
  /** Called when a job waits for another try. */
  onRetry(delayMs: number): void;
  /** Aborted when the host does not wait for the database any longer. */
  hurry: AbortSignal;
}

/** How a try went: that of its task, or of the host's half. */
type Outcome = Unfinished | { kind: 'completed' };
type Unfinished = Exclude<TaskOutcome, { kind: 'output' }>;

/** Runs a job that was taken from the queue. Never throws. */
export async function runJob(host: Host, row: JobRow, signal: AbortSignal): Promise<void> {
  const job = heldBy(host, row);
  const { log } = host.parts.services();
  try {
    const outcome = await tryOnce(host, job, signal).catch((error: unknown) =>
      outcomeOfHostFailure(host, job, { error, isAborted: signal.aborted }),
    );
    host.events.forget(job.hold);
    if (outcome.kind !== 'completed')
      await settle(host, job, outcome, signal.reason as StopReason | undefined);
  } catch (error) {
    if (error instanceof NotHeld) log.info({ jobId: row.id }, 'another host has taken the job over');
    // Its signs of life end here, so that it is found and continued.
    else log.error({ error, jobId: row.id }, 'the end of a job could not be recorded');
  } finally {
    host.events.forget(job.hold);
  }
}

/** Says how a job goes on whose host was lost; `immediately`: without a pause before the next try. Never throws. */
export async function continueLostJob(host: Host, row: JobRow, immediately: boolean): Promise<void> {
  const job = heldBy(host, row);
  try {
    if (row.cancelRequestedAt !== null) await fail(host, job, cancelled());
    else await afterLoss(host, job, immediately ? 0 : retryDelayMs(row.id, row.attempt));
  } catch (error) {
    if (error instanceof NotHeld) return;
    host.parts.services().log.error({ error, jobId: row.id }, 'a lost job could not be continued');
  }
}

function heldBy(host: Host, row: JobRow): HeldJob {
  return {
    row,
    hold: { jobId: row.id, deliveryId: row.deliveryId, hostId: host.id },
    kind: present(host.parts.kinds.get(row.kind), `job kind ${row.kind}`),
    run: runOf(row, null),
  };
}

async function tryOnce(host: Host, job: HeldJob, signal: AbortSignal): Promise<Outcome> {
  const { parts, events } = host;
  const { row, kind, hold } = job;
  const folder = await parts.folders.make();
  try {
    const run = runOf(row, folder.work);
    const payload = readPayload(kind, row);
    const { input, limits } = await kind.prepare(contextOfJob(parts, row, signal), payload, run);
    if (signal.aborted) return { kind: 'aborted' };
    const { memoryBytes } = limits;
    const { log } = parts.services();
    const process = new WorkerProcess({ homeFolder: folder.home, memoryBytes, priority: 'background', log });
    const outcome = await process
      .run({
        taskModule: kind.taskModule,
        input,
        jobId: row.id,
        attempt: row.attempt,
        workFolder: folder.work,
        keptFolder: parts.folders.keptFor(row.id),
        limits,
        signal,
        onEvent: (event) => events.add(hold, event),
      })
      .finally(() => process.end());
    await events
      .flush(hold)
      .catch((error: unknown) =>
        log.warn({ error, jobId: row.id }, 'the last events of a job were not kept'),
      );
    if (outcome.kind !== 'output') return outcome;
    const context = contextOfJob(parts, row, unstoppable());
    const apply = await insist(host, () => kind.complete(context, payload, outcome.output, run));
    await insist(host, () => completeJob(parts, job, context, apply));
    return { kind: 'completed' };
  } finally {
    await folder.remove();
  }
}

async function settle(
  host: Host,
  job: HeldJob,
  outcome: Unfinished,
  stopReason: StopReason | undefined,
): Promise<void> {
  const { parts } = host;
  const { row } = job;
  switch (outcome.kind) {
    case 'aborted':
      if (stopReason === 'not-held') return;
      if (stopReason === 'stopping') return await giveBack(host, job);
      return await fail(host, job, cancelled());
    case 'lost':
      parts.services().log.warn({ jobId: row.id, reason: outcome.reason }, 'a worker process was lost');
      return await afterLoss(host, job, retryDelayMs(row.id, row.attempt));
    case 'problem':
      if (!outcome.retryable || row.attempt > job.kind.retryLimit)
        return await fail(host, job, storableProblem(outcome.problem));
      return await retry(host, job, {
        delayMs: retryDelayMs(row.id, row.attempt),
        problem: storableProblem(outcome.problem),
      });
    default:
      return outcome satisfies never;
  }
}

/** A server that stops gives its jobs back; the try does not count. */
async function giveBack(host: Host, job: HeldJob): Promise<void> {
  const isQueued = await requeueHeldJob(host.parts, job, { delayMs: 0, attempt: job.row.attempt - 1 });
  if (!isQueued) await fail(host, job, cancelled());
}

async function afterLoss(host: Host, job: HeldJob, delayMs: number): Promise<void> {
  const { attempt } = job.row;
  const problem = new Problem('worker-lost', `The worker process was lost in try ${attempt}.`);
  if (attempt <= job.kind.retryLimit) return await retry(host, job, { delayMs, problem });
  await fail(host, job, problem);
}

async function retry(host: Host, job: HeldJob, next: { delayMs: number; problem: Problem }): Promise<void> {
  const { attempt } = job.row;
  if (await insist(host, () => requeueHeldJob(host.parts, job, { ...next, attempt })))
    host.onRetry(next.delayMs);
  else await fail(host, job, cancelled());
}

/** The host's half failed before or after the task: what may pass is tried again, as when a store was away. */
function outcomeOfHostFailure(
  host: Host,
  { row }: HeldJob,
  { error, isAborted }: { error: unknown; isAborted: boolean },
): Unfinished {
  if (error instanceof NotHeld) throw error;
  if (isAborted) return { kind: 'aborted' };
  const problem = asProblem(error);
  if (problem.status >= 500)
    host.parts
      .services()
      .log.error({ error, jobId: row.id, kind: row.kind }, 'the host half of a job failed');
  return { kind: 'problem', problem, retryable: problemKinds[problem.code].retryable };
}

/** Ends the job with a problem. */
async function fail(host: Host, job: HeldJob, problem: Problem): Promise<void> {
  const { parts } = host;
  await insist(host, () => failJob(parts, job, contextOfJob(parts, job.row, unstoppable()), problem));
}

/** Nothing stops the host's half once the task is over: it is short, and others wait for what it says. */
function unstoppable(): AbortSignal {
  return new AbortController().signal;
}

/** Tries again while the database is away: hours of computing may hang on it. */
async function insist<T>({ hurry }: Host, work: () => Promise<T>): Promise<T> {
  for (let delayMs = 500; ; delayMs *= 2) {
    try {
      return await work();
    } catch (error) {
      if (asProblem(error).code !== 'unavailable' || delayMs > minuteMs || hurry.aborted) throw error;
      await sleep(delayMs, undefined, { signal: hurry }).catch(() => undefined);
    }
  }
}

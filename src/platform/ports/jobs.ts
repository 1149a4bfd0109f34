// Jobs: background work that survives the death of whoever runs it.
//
// A job has two halves. The HOST half (prepare, complete, fail) runs in the server or in a `pilvi worker`, has the
// database and is short. The TASK half runs in a worker process of its own with a memory cap, has neither database
// nor network nor keys, reads and writes files in its work folder, and may be killed at any moment.
//
// Guarantees (conformance: jobs.conformance.ts):
// - Started in the transaction that made its subject: both exist or neither.
// - Runs at least once; `complete` or `fail` takes effect exactly once, in one transaction with the job's state.
// - A worker that stops sending heartbeats (every 2 s, lost after 15 s) is killed where it can be and the job is tried
//   again with back-off, at most `retryLimit` times; then it fails with `worker-lost`.
// - Cancelling a queued job ends it at once; a running one within 5 s, its process and files gone.
import type { z } from 'zod';
import type { JsonObject } from '../../base/json.ts';
import type { Problem } from '../../base/problems.ts';
import type { JobState } from '../../contract/job.ts';
import type { Context } from '../context.ts';
import type { Transaction } from './database.ts';

/** What the host half is told of the job it serves. */
export interface JobRun {
  jobId: string;
  workspaceId: string;
  projectId: string | null;
  /** 1 for the first try. */
  attempt: number;
  /** When this try was started; null for a job that never ran (cancelled while queued). */
  startedAt: Date | null;
  /** The work folder of this try, for the files that the task's output names; null when the job never ran. */
  workFolder: string | null;
}

/** Bounds on one worker process. */
export interface TaskLimits {
  /** Resident memory; the supervisor ends the process beyond it and the job fails with `memory-limit`. */
  memoryBytes: number;
  /** Wall clock; beyond it the process is ended and the job fails with `time-limit`. */
  timeoutMs: number;
}

/** A kind of job, declared as a value. `Input` and `Output` cross a process boundary and are JSON. */
export interface JobKind<Payload, Input extends object = object, Output = unknown> {
  /** Noun-verb, such as `dataset-import`. */
  name: string;
  payload: z.ZodType<Payload>;
  /** File URL of the module whose `run` export is the task. */
  taskModule: URL;
  retryLimit: number;
  /** Gathers what the task needs (local paths of blobs, limits). Runs at every attempt, so it must be repeatable. */
  prepare(context: Context, payload: Payload, run: JobRun): Promise<{ input: Input; limits: TaskLimits }>;
  /**
   * Stores the result. Slow parts (moving files into blobs) belong before the transaction: `complete` returns the
   * function that is run in it, together with the change of the job's state.
   */
  complete(
    context: Context,
    payload: Payload,
    output: Output,
    run: JobRun,
  ): Promise<(transaction: Transaction) => Promise<void>>;
  /** Marks the subject as failed or cancelled and releases what was reserved, in the transaction of the state change. */
  fail(
    context: Context,
    payload: Payload,
    problem: Problem,
    run: JobRun,
  ): Promise<(transaction: Transaction) => Promise<void>>;
}

/** Something that users see live. */
export interface TaskEvent {
  name: string;
  /** Which of several things of this name it is about; see {@link TaskContext.report}. */
  key?: string;
  /** At most 64 KiB as JSON; larger events are left out. */
  data: JsonObject;
}

/** What a task gets besides its input. */
export interface TaskContext {
  jobId: string;
  attempt: number;
  /** An empty folder of its own, removed after the job whatever happens. Files named in the output lie in it. */
  workFolder: string;
  /** Aborted when the job is cancelled; the process is killed 3 s later if it is still there. */
  signal: AbortSignal;
  /**
   * Of a job in the queue: a folder that the tries of the job on this machine share, for what a next try can go on from. It
   * may not be there yet, is lost with the machine, and is removed when the job has ended.
   */
  keptFolder?: string;
  /** Reports an event; those of one name and key may be thinned to the newest of each 250 ms. */
  report(event: TaskEvent): void;
  /** Share done in [0, 1] with a short line saying what is being done. */
  progress(share: number, message: string): void;
}

/** The task half: the `run` export of a task module. */
export type Task<Input, Output> = (input: Input, context: TaskContext) => Promise<Output>;

/** The jobs port. */
export interface Jobs {
  /** Queues a job inside `transaction`; it can start only after the commit. Returns the job's id. */
  start<Payload, Input extends object, Output>(
    transaction: Transaction,
    kind: JobKind<Payload, Input, Output>,
    payload: Payload,
    subject: { workspaceId: string; projectId: string | null; subjectId: string; startedBy: string },
  ): Promise<string>;
  /** Asks a job to end; returns the state it is in now. Ending an ended job changes nothing. */
  cancel(workspaceId: string, jobId: string): Promise<JobState>;
  /**
   * Runs a task now, outside the queue, in a worker process with the same limits and protection, and returns its
   * output: for interactive work such as a query. It dies with `signal` or with the server. What should stay in memory
   * from one question to the next is for ports/model-servers.ts.
   */
  runTask<Input extends object, Output>(
    taskModule: URL,
    input: Input,
    options: {
      limits: TaskLimits;
      signal: AbortSignal;
      onEvent?: (event: TaskEvent) => void;
    },
  ): Promise<Output>;
  /** Follows what happens to a job, in whichever server; made before the job is looked at, so that nothing is missed. */
  watch(jobId: string): JobWatch;
}

/** Waits for changes of one job. */
export interface JobWatch {
  /** Resolves when the job may have changed since the last call, after `timeoutMs`, or when `signal` is aborted. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

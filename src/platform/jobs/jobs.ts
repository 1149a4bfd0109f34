// Jobs: background work of a workspace. What people see of them (list, get, watch, cancel) and the port through which
// stages start them. Running them is host.ts; the worker processes are drivers/worker-process.ts.
import type { z } from 'zod';
import { assert } from '../../base/assert.ts';
import type { JsonValue } from '../../base/json.ts';
import { Problem } from '../../base/problems.ts';
import { secondMs, toIso, type Clock } from '../../base/time.ts';
import type { NewId } from '../../base/ids.ts';
import type { JobState, job as jobSchema, jobEvent } from '../../contract/job.ts';
import type { Context, Services } from '../context.ts';
import { openQueue } from '../drivers/pg-boss.ts';
import { pageOf, readCursor } from '../http/cursor.ts';
import type { EventOutput } from '../http/route.ts';
import type { Database, Transaction } from '../ports/database.ts';
import type { Jobs } from '../ports/jobs.ts';
import type { Log } from '../ports/log.ts';
import { cancelQueuedJob, contextOfJob, stateEvent, tell, type AnyJobKind, type JobParts } from './ending.ts';
import { InteractiveTasks, type InteractiveOptions } from './interactive-tasks.ts';
import * as rows from './rows.ts';
import type { JobEvent, JobRow } from './rows.ts';
import { isEnded } from './states.ts';
import { cancelMessage, openWakeUps, queuedMessage } from './wake-ups.ts';
import { openWorkFolders } from './work-folders.ts';

export type Job = z.output<typeof jobSchema>;

/** How many events are read at a time for a watcher, who takes them at its own pace. */
const eventPageSize = 100;
/** Watchers are woken; this is how often they look if a wake-up was lost. */
const watchIntervalMs = 5 * secondMs;

/** The jobs that the context may see, newest first. */
export async function listJobs(
  context: Context,
  query: {
    limit: number;
    cursor?: string | undefined;
    state?: JobState | undefined;
    subjectId?: string | undefined;
    projectId?: string | undefined;
  },
): Promise<{ items: Job[]; nextCursor: string | null }> {
  const after = readCursor(query.cursor);
  const found = await context.transaction((transaction) =>
    rows.listJobRows(transaction, query, { limit: query.limit, after }),
  );
  return pageOf(found, query.limit, (row) => row.id, showJob);
}

/** One job. Throws `not-found`. */
export async function getJob(context: Context, jobId: string): Promise<Job> {
  return showJob(await context.transaction((transaction) => requireJob(transaction, jobId)));
}

/** Asks a job to end and returns it as it is now. Throws `not-found`. */
export async function cancelJob(context: Context, jobId: string): Promise<Job> {
  await context.transaction(async (transaction) => {
    await requireJob(transaction, jobId);
    await context.audit(transaction, { action: 'job:cancel', subjectId: jobId });
  });
  await context.jobs.cancel(context.workspaceId, jobId);
  return await getJob(context, jobId);
}

/**
 * The events of a job after `after`, as they happen, from whichever server runs it; ends after the final state.
 * Throws `not-found` before the first event.
 */
export async function watchJobEvents(
  context: Context,
  jobId: string,
  after = 0,
): Promise<AsyncIterable<EventOutput>> {
  await context.transaction((transaction) => requireJob(transaction, jobId));
  return followEvents(context, jobId, after);
}

/** What other folders may know of a job's row. */
export type JobSummary = Pick<
  JobRow,
  'id' | 'state' | 'attempt' | 'progressShare' | 'progressMessage' | 'startedAt' | 'finishedAt' | 'problem'
>;

/** The rows of jobs by their ids, within the caller's transaction. */
export async function getJobRows(
  transaction: Transaction,
  jobIds: string[],
): Promise<Map<string, JobSummary>> {
  const found = await rows.findJobs(transaction, jobIds);
  return new Map(found.map((row) => [row.id, row]));
}

/** All events of a job that are kept (at most some ten thousand), oldest first, within the caller's transaction. */
export async function listJobEvents(
  transaction: Transaction,
  jobId: string,
): Promise<z.output<typeof jobEvent>[]> {
  const row = await rows.findJob(transaction, jobId);
  if (!row) return [];
  return (await rows.listEvents(transaction, row, { after: 0, limit: 2 * rows.maxKeptEvents })).map(
    showEvent,
  );
}

async function* followEvents(context: Context, jobId: string, start: number): AsyncGenerator<EventOutput> {
  const watch = context.jobs.watch(jobId);
  try {
    for (let after = start; !context.signal.aborted;) {
      const { events, hasEnded } = await context.transaction(async (transaction) => {
        const row = await rows.findJob(transaction, jobId);
        if (!row) return { events: [], hasEnded: true };
        const page = await rows.listEvents(transaction, row, { after, limit: eventPageSize });
        return { events: page, hasEnded: isEnded(row.state) };
      });
      for (const event of events) {
        after = event.sequence;
        yield { id: event.sequence, event: event.name, data: showEvent(event) };
      }
      if (events.length === eventPageSize) continue;
      if (hasEnded) return;
      await watch.next(watchIntervalMs, context.signal);
    }
  } finally {
    watch.close();
  }
}

async function requireJob(transaction: Transaction, jobId: string): Promise<JobRow> {
  const row = await rows.findJob(transaction, jobId);
  if (!row) throw notFound(jobId);
  return row;
}

function notFound(jobId: string): Problem {
  return new Problem('not-found', `There is no job ${jobId.slice(0, 64)}.`);
}

function showJob(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    projectId: row.projectId,
    subjectId: row.subjectId,
    attempt: row.attempt,
    progress: { share: row.progressShare, message: row.progressMessage },
    problem: row.problem,
    createdAt: toIso(row.createdAt.getTime()),
    startedAt: row.startedAt && toIso(row.startedAt.getTime()),
    finishedAt: row.finishedAt && toIso(row.finishedAt.getTime()),
  };
}

function showEvent({ sequence, at, name, data }: JobEvent): z.output<typeof jobEvent> {
  return { sequence, at: toIso(at.getTime()), name, data };
}

/** What the jobs port is made of. */
export interface OpenJobsOptions {
  database: Database;
  clock: Clock;
  newId: NewId;
  log: Log;
  /** Where tasks get their work folders; made when it is not there, swept of what a killed server left. */
  workFolder: string;
  kinds: readonly AnyJobKind[];
  /** The services that the kinds work with; the jobs port is one of them, hence not before the first job. */
  services(): Services;
  interactive?: Omit<InteractiveOptions, 'folders' | 'log'>;
}

/** The jobs port, and what `JobHost` (host.ts) needs to run what was started through it. */
export interface OpenedJobs extends Jobs {
  parts: JobParts;
  /** Ends interactive tasks; hosts are stopped before. */
  close(): Promise<void>;
}

/** Opens the jobs port. It starts jobs; they run where there is a host. */
export async function openJobs(options: OpenJobsOptions): Promise<OpenedJobs> {
  const { database, clock, newId, log, services } = options;
  const kinds = new Map(options.kinds.map((kind) => [kind.name, kind]));
  assert(kinds.size === options.kinds.length, 'each kind of job has a name of its own');
  const folders = await openWorkFolders(options.workFolder, log);
  const queue = await openQueue({ database, log });
  const wakeUps = await openWakeUps(database);
  const interactive = new InteractiveTasks({ ...options.interactive, folders, log });
  const parts: JobParts = { services, queue, wakeUps, folders, kinds };
  return {
    parts,
    async start(transaction, kind, payload, subject) {
      assert(kinds.get(kind.name)?.name === kind.name, `the kind "${kind.name}" is not registered`);
      const { workspaceId } = subject;
      const id = newId('job');
      const createdAt = new Date(clock.nowMs());
      const deliveryId = await queue.add(transaction, { jobId: id, workspaceId });
      await rows.insertJob(transaction, {
        ...subject,
        id,
        kind: kind.name,
        payload: kind.payload.parse(payload) as JsonValue,
        createdAt,
        deliveryId,
      });
      await tell(transaction, id, stateEvent('queued', 0, createdAt));
      await rows.notifyJobs(transaction, queuedMessage);
      return id;
    },
    cancel: (workspaceId, jobId) => cancel(parts, workspaceId, jobId),
    runTask(taskModule, input, runOptions) {
      return interactive.run({ taskModule, input, options: runOptions });
    },
    watch: wakeUps.watch,
    async close() {
      await interactive.close();
      await wakeUps.close();
      await queue.close();
      await folders.close();
    },
  };
}

async function cancel(parts: JobParts, workspaceId: string, jobId: string): Promise<JobState> {
  const { database, clock } = parts.services();
  const inWorkspace = <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> =>
    database.inWorkspace({ workspaceId, projectId: null }, work);
  for (;;) {
    const row = await inWorkspace((transaction) => requireJob(transaction, jobId));
    if (isEnded(row.state)) return row.state;
    if (row.state === 'queued') {
      const context = contextOfJob(parts, row, new AbortController().signal);
      if (await cancelQueuedJob(parts, row, context)) return 'cancelled';
      continue;
    }
    const isAsked = await inWorkspace(async (transaction) => {
      if (!(await rows.requestCancel(transaction, jobId, new Date(clock.nowMs())))) return false;
      await rows.notifyJobs(transaction, cancelMessage(jobId));
      return true;
    });
    if (isAsked) return 'running';
  }
}

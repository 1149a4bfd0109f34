// The tables of jobs and their events. The row of a job is the truth about it; the queue (drivers/pg-boss.ts) only
// says whose turn it is. Whoever runs a job holds its row by `deliveryId` and `hostId`: a host that was given up for
// dead changes nothing any more.
import { and, desc, eq, gt, inArray, lt, lte, ne, notInArray, sql, type SQL } from 'drizzle-orm';
import { doublePrecision, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { ProblemDocument } from '../../base/problems.ts';
import type { JobState } from '../../contract/job.ts';
import { tenantColumns, tenantPolicies, time } from '../database/table.ts';
import type { Transaction } from '../ports/database.ts';

export const jobs = pgTable(
  'jobs',
  {
    ...tenantColumns,
    projectId: text('project_id'),
    kind: text('kind').notNull(),
    subjectId: text('subject_id').notNull(),
    /** The actor that asked for it. */
    startedBy: text('started_by').notNull(),
    payload: jsonb('payload').$type<JsonValue>().notNull(),
    state: text('state').$type<JobState>().notNull(),
    /** Tries that were started; one that was given back by a stopping server does not count. */
    attempt: integer('attempt').notNull(),
    /** The queue's entry for the next or current try. */
    deliveryId: text('delivery_id').notNull(),
    /** The host of the current or last try. */
    hostId: text('host_id'),
    /** By the database's clock, because hosts compare each other's. */
    heartbeatAt: time('heartbeat_at'),
    cancelRequestedAt: time('cancel_requested_at'),
    progressShare: doublePrecision('progress_share').notNull(),
    progressMessage: text('progress_message').notNull(),
    /** The newest progress is an event that is kept here, because it is told often and only the newest counts. */
    progressSequence: integer('progress_sequence').notNull(),
    progressAt: time('progress_at'),
    /** Of its newest event. */
    lastSequence: integer('last_sequence').notNull(),
    /** Events that are kept in `job_events`. */
    eventCount: integer('event_count').notNull(),
    problem: jsonb('problem').$type<ProblemDocument>(),
    /** Of the current or last try. */
    startedAt: time('started_at'),
    finishedAt: time('finished_at'),
  },
  (table) => [
    index('jobs_workspace').on(table.workspaceId, table.id),
    index('jobs_subject').on(table.subjectId),
    // Of nothing that a heartbeat or an event changes: Postgres then reuses the row's place without a vacuum (HOT).
    index('jobs_running')
      .on(table.id)
      .where(sql`state = 'running'`),
    index('jobs_finished').on(table.finishedAt),
    ...tenantPolicies('project'),
  ],
);

export type JobRow = typeof jobs.$inferSelect;

export const jobEvents = pgTable(
  'job_events',
  {
    workspaceId: text('workspace_id').notNull(),
    projectId: text('project_id'),
    jobId: text('job_id')
      .notNull()
      .references(() => jobs.id, { onDelete: 'cascade' }),
    /** Counts up with each event of the job. */
    sequence: integer('sequence').notNull(),
    at: time('at').notNull(),
    name: text('name').notNull(),
    data: jsonb('data').$type<JsonObject>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.sequence] }), ...tenantPolicies('project')],
);

export type JobEventRow = typeof jobEvents.$inferSelect;

/** Where hosts and watchers are woken: see wake-ups.ts for what it says. */
export const jobsChannel = 'pilvi_jobs';

/** An event that is not numbered yet. */
export interface NewEvent {
  name: string;
  data: JsonObject;
  at: Date;
}

/** Who may change a running job. */
export interface Hold {
  jobId: string;
  deliveryId: string;
  hostId: string;
}

export async function notifyJobs(transaction: Transaction, message: string): Promise<void> {
  await transaction.execute(sql`select pg_notify(${jobsChannel}, ${message})`);
}

export async function insertJob(
  transaction: Transaction,
  row: Pick<
    JobRow,
    | 'id'
    | 'workspaceId'
    | 'projectId'
    | 'createdAt'
    | 'kind'
    | 'subjectId'
    | 'startedBy'
    | 'payload'
    | 'deliveryId'
  >,
): Promise<void> {
  await transaction.insert(jobs).values({
    ...row,
    state: 'queued',
    attempt: 0,
    progressShare: 0,
    progressMessage: '',
    progressSequence: 0,
    lastSequence: 0,
    eventCount: 0,
  });
}

export async function findJob(transaction: Transaction, jobId: string): Promise<JobRow | undefined> {
  return (await findJobs(transaction, [jobId]))[0];
}

export async function findJobs(transaction: Transaction, jobIds: string[]): Promise<JobRow[]> {
  return await transaction.select().from(jobs).where(inArray(jobs.id, jobIds));
}

export async function listJobRows(
  transaction: Transaction,
  filter: { state?: JobState | undefined; subjectId?: string | undefined; projectId?: string | undefined },
  page: { limit: number; after: string | undefined },
): Promise<JobRow[]> {
  const conditions = [
    filter.state === undefined ? undefined : eq(jobs.state, filter.state),
    filter.subjectId === undefined ? undefined : eq(jobs.subjectId, filter.subjectId),
    filter.projectId === undefined ? undefined : eq(jobs.projectId, filter.projectId),
    page.after === undefined ? undefined : lt(jobs.id, page.after),
  ];
  return await transaction
    .select()
    .from(jobs)
    .where(and(...conditions))
    .orderBy(desc(jobs.id))
    .limit(page.limit + 1);
}

/** Starts the next try of a queued job; undefined when its turn has passed: it was cancelled, or queued anew. */
export async function takeJob(
  transaction: Transaction,
  { jobId, deliveryId, hostId }: Hold,
  now: Date,
): Promise<JobRow | undefined> {
  const [row] = await transaction
    .update(jobs)
    .set({
      state: 'running',
      attempt: sql`${jobs.attempt} + 1`,
      hostId,
      heartbeatAt: sql`now()`,
      startedAt: now,
      progressShare: 0,
      progressMessage: '',
    })
    .where(and(eq(jobs.id, jobId), eq(jobs.deliveryId, deliveryId), eq(jobs.state, 'queued')))
    .returning();
  return row;
}

/** Says that this host still runs these jobs. Returns those that it still holds. */
export async function beatJobs(
  transaction: Transaction,
  hostId: string,
  jobIds: string[],
): Promise<Pick<JobRow, 'id' | 'deliveryId' | 'cancelRequestedAt'>[]> {
  return await transaction
    .update(jobs)
    .set({ heartbeatAt: sql`now()` })
    .where(and(inArray(jobs.id, jobIds), eq(jobs.hostId, hostId), eq(jobs.state, 'running')))
    .returning({ id: jobs.id, deliveryId: jobs.deliveryId, cancelRequestedAt: jobs.cancelRequestedAt });
}

/** Which jobs are lost. */
export interface Lost {
  /** How long nobody has said that they are alive; 0: whatever was said, and by whichever clock. */
  silentMs: number;
  limit: number;
  /** What this host knows. */
  kinds: string[];
  /** What this host runs, whether its heartbeats arrived or not. */
  exceptDeliveries: string[];
}

/** Takes over running jobs that nobody has said to be alive, so that this host says how they go on. */
export async function adoptJobs(
  transaction: Transaction,
  hostId: string,
  { silentMs, limit, kinds, exceptDeliveries }: Lost,
): Promise<JobRow[]> {
  const isSilent = sql`${jobs.heartbeatAt} <= now() - make_interval(secs => ${silentMs / 1_000})`;
  const lost = transaction
    .select({ id: jobs.id })
    .from(jobs)
    .where(
      and(
        eq(jobs.state, 'running'),
        silentMs > 0 ? isSilent : undefined,
        inArray(jobs.kind, kinds),
        notInArray(jobs.deliveryId, exceptDeliveries),
      ),
    )
    .limit(limit)
    .for('update', { skipLocked: true });
  return await transaction
    .update(jobs)
    .set({ hostId, heartbeatAt: sql`now()` })
    .where(inArray(jobs.id, lost))
    .returning();
}

/** How a job ended. */
export interface End {
  state: JobState;
  problem: ProblemDocument | null;
  now: Date;
}

/** Ends a running job that is held. Returns false, and changes nothing, when it is not held any more. */
export async function endHeldJob(transaction: Transaction, hold: Hold, end: End): Promise<boolean> {
  const ended = await transaction.update(jobs).set(endOf(end)).where(isHeld(hold)).returning({ id: jobs.id });
  return ended.length > 0;
}

/** Ends a job that waits in the queue. Returns false, and changes nothing, when it does not wait there any more. */
export async function endQueuedJob(
  transaction: Transaction,
  { id, deliveryId }: Pick<JobRow, 'id' | 'deliveryId'>,
  end: End,
): Promise<boolean> {
  const isWaiting = and(eq(jobs.id, id), eq(jobs.deliveryId, deliveryId), eq(jobs.state, 'queued'));
  const ended = await transaction.update(jobs).set(endOf(end)).where(isWaiting).returning({ id: jobs.id });
  return ended.length > 0;
}

function endOf({ state, problem, now }: End) {
  return {
    state,
    problem,
    finishedAt: now,
    heartbeatAt: null,
    ...(state === 'succeeded' && { progressShare: 1 }),
  };
}

/** Puts a job back into the queue under another delivery; the caller has locked its row. */
export async function requeueJob(
  transaction: Transaction,
  jobId: string,
  change: { deliveryId: string; attempt: number },
): Promise<void> {
  await transaction
    .update(jobs)
    .set({ ...change, state: 'queued', hostId: null, heartbeatAt: null, startedAt: null })
    .where(eq(jobs.id, jobId));
}

export async function setDelivery(
  transaction: Transaction,
  jobId: string,
  deliveryId: string,
): Promise<void> {
  await transaction.update(jobs).set({ deliveryId }).where(eq(jobs.id, jobId));
}

/** Asks the host of a running job to end it. Returns false when it is not running any more. */
export async function requestCancel(transaction: Transaction, jobId: string, now: Date): Promise<boolean> {
  const asked = await transaction
    .update(jobs)
    .set({ cancelRequestedAt: now })
    .where(and(eq(jobs.id, jobId), eq(jobs.state, 'running')))
    .returning({ id: jobs.id });
  return asked.length > 0;
}

/** The row of a running job that is held, which nobody else changes before the transaction ends. */
export async function lockHeldJob(transaction: Transaction, hold: Hold): Promise<JobRow | undefined> {
  const [row] = await transaction.select().from(jobs).where(isHeld(hold)).for('update');
  return row;
}

function isHeld({ jobId, deliveryId, hostId }: Hold): SQL | undefined {
  return and(
    eq(jobs.id, jobId),
    eq(jobs.state, 'running'),
    eq(jobs.deliveryId, deliveryId),
    eq(jobs.hostId, hostId),
  );
}

/** Numbers and adds events to a job, whose row stays locked, so that numbers become visible in their order. */
export async function appendEvents(
  transaction: Transaction,
  jobId: string,
  events: NewEvent[],
): Promise<void> {
  const kept = events.flatMap((event, index) => (event.name === 'progress' ? [] : [{ ...event, index }]));
  const progressIndex = events.findLastIndex(({ name }) => name === 'progress');
  const progress = events[progressIndex];
  const [job] = await transaction
    .update(jobs)
    .set({
      lastSequence: sql`${jobs.lastSequence} + ${events.length}`,
      eventCount: sql`${jobs.eventCount} + ${kept.length}`,
      ...(progress && {
        progressShare: Number(progress.data.share),
        progressMessage: String(progress.data.message),
        progressSequence: sql`${jobs.lastSequence} + ${progressIndex + 1}`,
        progressAt: progress.at,
      }),
    })
    .where(eq(jobs.id, jobId))
    .returning();
  if (!job || kept.length === 0) return;
  const { workspaceId, projectId, lastSequence } = job;
  const before = lastSequence - events.length;
  await transaction.insert(jobEvents).values(
    kept.map(({ index, name, data, at }) => ({
      workspaceId,
      projectId,
      jobId,
      name,
      data,
      at,
      sequence: before + index + 1,
    })),
  );
  if (job.eventCount >= maxKeptEvents + thinningStep) await thinOutEvents(transaction, job);
}

/** How many events of a job are kept, at most, and how many more there may be before the oldest are removed. */
export const maxKeptEvents = 10_000;
const thinningStep = 500;

/** Removes the oldest events, but none of the state. */
async function thinOutEvents(transaction: Transaction, job: JobRow): Promise<void> {
  const oldest = transaction
    .select({ sequence: jobEvents.sequence })
    .from(jobEvents)
    .where(and(eq(jobEvents.jobId, job.id), ne(jobEvents.name, 'state')))
    .orderBy(jobEvents.sequence)
    .limit(job.eventCount - maxKeptEvents);
  await transaction
    .delete(jobEvents)
    .where(and(eq(jobEvents.jobId, job.id), inArray(jobEvents.sequence, oldest)));
  await transaction.update(jobs).set({ eventCount: maxKeptEvents }).where(eq(jobs.id, job.id));
}

/** One event as it is read. */
export type JobEvent = Pick<JobEventRow, 'sequence' | 'at' | 'name' | 'data'>;

/** At most `limit` events of a job after `after`, oldest first, and at most one of progress: the newest. */
export async function listEvents(
  transaction: Transaction,
  job: JobRow,
  { after, limit }: { after: number; limit: number },
): Promise<JobEvent[]> {
  const { sequence, at, name, data } = jobEvents;
  const found: JobEvent[] = await transaction
    .select({ sequence, at, name, data })
    .from(jobEvents)
    // What was added since the row was read comes with the next reading, in its order.
    .where(and(eq(jobEvents.jobId, job.id), gt(sequence, after), lte(sequence, job.lastSequence)))
    .orderBy(sequence)
    .limit(limit);
  const { progressSequence, progressAt, progressShare: share, progressMessage: message } = job;
  const isFull = found.length === limit;
  const until = isFull ? found.at(-1)!.sequence : job.lastSequence;
  if (progressAt === null || progressSequence <= after || progressSequence > until) return found;
  const progress = { sequence: progressSequence, at: progressAt, name: 'progress', data: { share, message } };
  return [...found, progress].sort((a, b) => a.sequence - b.sequence).slice(0, limit);
}

/** Removes the events, all but those of the state, of jobs that ended between the two points in time. */
export async function forgetEvents(transaction: Transaction, from: Date, to: Date): Promise<void> {
  const ended = transaction
    .select({ id: jobs.id })
    .from(jobs)
    .where(and(gt(jobs.finishedAt, from), lte(jobs.finishedAt, to)));
  await transaction
    .delete(jobEvents)
    .where(and(inArray(jobEvents.jobId, ended), ne(jobEvents.name, 'state')));
}

// A host of jobs: takes them from the queue, as many at a time as there are cores, says every two seconds that it is
// alive, and continues the jobs of hosts that have gone silent. A server is one; `pilvi worker` is nothing else.
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { dayMs, hourMs, secondMs } from '../../base/time.ts';
import type { JobParts } from './ending.ts';
import { createEventBuffer } from './event-buffer.ts';
import * as rows from './rows.ts';
import type { JobRow } from './rows.ts';
import { isEnded } from './states.ts';
import { continueLostJob, runJob, type Host, type StopReason } from './run-job.ts';
import { adoptLostJobs, takeNextJob } from './take.ts';

const heartbeatIntervalMs = 2 * secondMs;
/** A host that has been silent for so long is lost. */
const silentMs = 15 * secondMs;
/**
 * Hosts are woken when a job waits; this is how often they look whether one has waited for its time, or a wake-up was
 * lost. The embedded database loses none, and its one host remembers what it let wait, unless it was started since.
 */
const lookIntervalMs = { postgres: 5 * secondMs, pglite: 15 * secondMs };
const eventsKeptMs = 90 * dayMs;

export interface JobHostOptions {
  /** What `openJobs` made. */
  jobs: { parts: JobParts };
  /** Jobs that run at the same time; as many as there are cores. */
  concurrency?: number;
  /** How long jobs may go on when the host is stopped, before they are given back to the queue. */
  stopGraceMs?: number;
}

/** A job at work here. */
interface Running {
  jobId: string;
  controller: AbortController;
  done: Promise<void>;
}

/** A host of jobs; it works between `start` and `stop`. */
export class JobHost {
  readonly #parts: JobParts;
  readonly #host: Host;
  readonly #concurrency: number;
  readonly #stopGraceMs: number;
  /** By delivery, because a job may be back in the queue, and taken again, before its last try is put away. */
  readonly #running = new Map<string, Running>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #hurry = new AbortController();
  #isStopping = false;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #forgetting: Promise<void> | undefined;
  #removeWaker: (() => void) | undefined;

  constructor({
    jobs: { parts },
    concurrency = availableParallelism(),
    stopGraceMs = 5 * secondMs,
  }: JobHostOptions) {
    this.#parts = parts;
    this.#concurrency = concurrency;
    this.#stopGraceMs = stopGraceMs;
    this.#host = {
      id: randomUUID(),
      parts,
      events: createEventBuffer(parts.services()),
      onRetry: (delayMs) => this.#lookLater(delayMs),
      hurry: this.#hurry.signal,
    };
  }

  start(): void {
    this.#every(heartbeatIntervalMs, 'the heartbeat of jobs failed', () => this.#beat());
    const lookMs = lookIntervalMs[this.#services.database.dialect];
    this.#every(lookMs, 'lost jobs cannot be looked for', () => this.#adopt(silentMs));
    this.#every(lookMs, 'jobs cannot be looked for', async () => this.#look());
    this.#every(hourMs, 'old job events cannot be removed', () => this.#forgetEvents());
    this.#every(hourMs, 'what ended jobs kept cannot be removed', () => this.#forgetKept());
    this.#removeWaker = this.#parts.wakeUps.addHost({
      queued: () => this.#look(),
      cancelRequested: (jobId) => {
        for (const job of this.#running.values()) if (job.jobId === jobId) stopJob(job, 'cancelled');
      },
    });
    this.#forgetting = this.#forgetKept().catch((error: unknown) =>
      this.#services.log.error({ error }, 'what ended jobs kept cannot be removed'),
    );
    // The embedded database has one server: what it says to be running was lost with the server before.
    if (this.#services.database.dialect === 'pglite') this.#looking = this.#lookAfter(this.#adopt(0));
    this.#look();
  }

  /** Takes no more jobs, waits a little for those that run and gives the rest back to the queue. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#removeWaker?.();
    await this.#looking;
    await this.#forgetting;
    const all = Promise.all([...this.#running.values()].map(({ done }) => done));
    const patience = new AbortController();
    await Promise.race([
      all,
      sleep(this.#stopGraceMs, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
    for (const job of this.#running.values()) stopJob(job, 'stopping');
    this.#hurry.abort();
    await all;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#host.events.close();
  }

  get #services() {
    return this.#parts.services();
  }

  /** Looks for waiting jobs; a call while it looks makes it look once more. */
  #look(): void {
    this.#lookAgain = true;
    if (this.#looking || !this.#hasRoom) return;
    this.#looking = this.#lookAfter(this.#takeAll());
  }

  /** Waits for `work` and looks again when something was to be looked for meanwhile. */
  async #lookAfter(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#services.log.error({ error }, 'jobs cannot be taken');
    } finally {
      this.#looking = undefined;
      if (this.#lookAgain) this.#look();
    }
  }

  get #hasRoom(): boolean {
    return !this.#isStopping && this.#running.size < this.#concurrency;
  }

  /** Takes jobs until none waits or there is no room. */
  async #takeAll(): Promise<void> {
    while (this.#lookAgain && this.#hasRoom) {
      this.#lookAgain = false;
      // oxlint-disable-next-line no-await-in-loop -- the room left depends on what was taken
      const row = await takeNextJob(this.#parts, this.#host.id);
      if (!row) continue;
      this.#begin(row, (signal) => runJob(this.#host, row, signal));
      this.#lookAgain = true;
    }
  }

  #lookLater(delayMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#look();
    }, delayMs);
    this.#timers.add(timer);
  }

  #begin(row: JobRow, work: (signal: AbortSignal) => Promise<void>): void {
    const controller = new AbortController();
    const done = work(controller.signal).finally(() => {
      this.#running.delete(row.deliveryId);
      this.#look();
    });
    this.#running.set(row.deliveryId, { jobId: row.id, controller, done });
  }

  /** Says that this host is alive, and learns what others want of its jobs. */
  async #beat(): Promise<void> {
    if (this.#running.size === 0) return;
    const mine = [...this.#running];
    const jobIds = mine.map(([, { jobId }]) => jobId);
    const held = await this.#services.database.asSystem('heartbeat of jobs', (transaction) =>
      rows.beatJobs(transaction, this.#host.id, jobIds),
    );
    for (const [deliveryId, job] of mine) {
      const row = held.find((candidate) => candidate.deliveryId === deliveryId);
      if (!row) stopJob(job, 'not-held');
      else if (row.cancelRequestedAt !== null) stopJob(job, 'cancelled');
    }
  }

  async #adopt(fromMs: number): Promise<void> {
    if (this.#isStopping) return;
    const { lost, isMore } = await adoptLostJobs(this.#parts, this.#host.id, {
      silentMs: fromMs,
      exceptDeliveries: [...this.#running.keys()],
    });
    for (const row of lost) {
      this.#services.log.warn({ jobId: row.id, attempt: row.attempt }, 'the host of a job was lost');
      this.#begin(row, () => continueLostJob(this.#host, row, fromMs === 0));
    }
    if (isMore) await this.#adopt(fromMs);
  }

  async #forgetEvents(): Promise<void> {
    const to = this.#services.clock.nowMs() - eventsKeptMs;
    await this.#services.database.asSystem('forget old job events', (transaction) =>
      rows.forgetEvents(transaction, new Date(to - 7 * dayMs), new Date(to)),
    );
  }

  /** Jobs that ended elsewhere, or whose server died at their end, leave what they kept here. */
  async #forgetKept(): Promise<void> {
    const { folders } = this.#parts;
    const jobIds = await folders.keptJobs();
    if (jobIds.length === 0) return;
    const there = await this.#services.database.asSystem('look at jobs that keep files', (transaction) =>
      rows.findJobs(transaction, jobIds),
    );
    const living = new Set(there.filter(({ state }) => !isEnded(state)).map(({ id }) => id));
    await Promise.all(jobIds.filter((id) => !living.has(id)).map((id) => folders.forget(id)));
  }

  /** Does `work` again and again; a time that comes while it is at work is left out. */
  #every(intervalMs: number, failure: string, work: () => Promise<void>): void {
    let isAtWork = false;
    const timer = setInterval(() => {
      if (isAtWork) return;
      isAtWork = true;
      work()
        .catch((error: unknown) => this.#services.log.error({ error }, failure))
        .finally(() => (isAtWork = false));
    }, intervalMs);
    this.#timers.add(timer);
  }
}

function stopJob({ controller }: Running, reason: StopReason): void {
  controller.abort(reason);
}

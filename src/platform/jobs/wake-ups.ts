// Wakes whoever waits for something to happen to jobs, in this server or another, through the database's
// notifications. A notification is a hint that may be lost: hosts and watchers also look for themselves, seldom.
//
// What is said on the channel: `queued`, `cancel JOB`, `changed JOB`, and nothing at all when some may have been missed.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '../ports/database.ts';
import type { JobWatch } from '../ports/jobs.ts';
import { jobsChannel } from './rows.ts';

export const queuedMessage = 'queued';
export const cancelMessage = (jobId: string): string => `cancel ${jobId}`;
export const changedMessage = (jobId: string): string => `changed ${jobId}`;

/** What a host of jobs wants to hear. */
export interface HostWaker {
  /** A job may be waiting. */
  queued(): void;
  /** Someone asked this job to end; without an id, look at all of them. */
  cancelRequested(jobId: string | undefined): void;
}

export interface WakeUps {
  /** Registers a host; returns what ends it. */
  addHost(host: HostWaker): () => void;
  watch(jobId: string): JobWatch;
  close(): Promise<void>;
}

/** Listens on the channel of jobs. */
export async function openWakeUps(database: Database): Promise<WakeUps> {
  const hosts = new Set<HostWaker>();
  const watches = new Map<string, Set<() => void>>();

  // The embedded database notifies from within the transaction that committed; nobody woken works inside that.
  const outside = AsyncLocalStorage.snapshot();
  const end = await database.listen(jobsChannel, (message) => outside(hear, message));

  function hear(message: string): void {
    const [verb, jobId] = message.split(' ');
    if (verb === 'queued' || verb === '') for (const host of hosts) host.queued();
    if (verb === 'cancel' || verb === '') for (const host of hosts) host.cancelRequested(jobId);
    if (verb === 'changed') for (const wake of watches.get(jobId ?? '') ?? []) wake();
    if (verb === '') for (const wakes of watches.values()) for (const wake of wakes) wake();
  }

  return {
    addHost(host) {
      hosts.add(host);
      return () => hosts.delete(host);
    },
    watch(jobId) {
      const watch = new Watch(() => {
        const others = watches.get(jobId);
        others?.delete(watch.wake);
        if (others?.size === 0) watches.delete(jobId);
      });
      watches.set(jobId, (watches.get(jobId) ?? new Set()).add(watch.wake));
      return watch;
    },
    async close() {
      await end();
      for (const wakes of watches.values()) for (const wake of wakes) wake();
    },
  };
}

/** Remembers a wake-up that comes while nobody waits, so that none is lost between looking and waiting. */
class Watch implements JobWatch {
  readonly close: () => void;
  #wasWoken = false;
  #resume: (() => void) | undefined;

  constructor(close: () => void) {
    this.close = close;
  }

  readonly wake = (): void => {
    this.#wasWoken = true;
    this.#resume?.();
  };

  async next(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#wasWoken && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        const resume = (): void => {
          clearTimeout(timer);
          resolve();
        };
        this.#resume = resume;
        signal.addEventListener('abort', resume, { once: true });
      });
    }
    this.#resume = undefined;
    this.#wasWoken = false;
  }
}

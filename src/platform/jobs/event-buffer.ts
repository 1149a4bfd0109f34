// Events on their way from tasks to the database: gathered for a quarter of a second, the newest of each name, and
// written together. A task never waits for them; while the database is away they wait here, and the oldest go first.
import type { Clock } from '../../base/time.ts';
import type { Database } from '../ports/database.ts';
import type { TaskEvent } from '../ports/jobs.ts';
import type { Log } from '../ports/log.ts';
import { appendEvents, lockHeldJob, notifyJobs, type Hold, type NewEvent } from './rows.ts';
import { storableData, storableText } from './storable.ts';
import { changedMessage } from './wake-ups.ts';

const writeIntervalMs = 250;
const maxHeldEvents = 1_000;

export interface EventBuffer {
  add(hold: Hold, event: TaskEvent): void;
  /** Writes what is held of this job, at once. */
  flush(hold: Hold): Promise<void>;
  /** Forgets what is held of a job. */
  forget(hold: Hold): void;
  close(): void;
}

/** Events of one job, by the name (and key) of which only the newest counts. */
interface Held {
  hold: Hold;
  events: Map<string, NewEvent>;
  /** The last write that was begun: one follows the other. */
  written: Promise<void>;
}

export function createEventBuffer({
  database,
  clock,
  log,
}: {
  database: Database;
  clock: Clock;
  log: Log;
}): EventBuffer {
  const held = new Map<string, Held>();
  let timer: NodeJS.Timeout | undefined;

  function write(job: Held): Promise<void> {
    job.written = job.written.catch(() => undefined).then(() => writeNow(job));
    return job.written;
  }

  async function writeNow({ hold, events }: Held): Promise<void> {
    const batch = [...events];
    if (batch.length === 0) return;
    await database.asSystem('write job events', async (transaction) => {
      if (!(await lockHeldJob(transaction, hold))) return;
      await appendEvents(
        transaction,
        hold.jobId,
        batch.map(([, event]) => event),
      );
      await notifyJobs(transaction, changedMessage(hold.jobId));
    });
    for (const [key, event] of batch) if (events.get(key) === event) events.delete(key);
  }

  async function writeAll(): Promise<void> {
    for (const job of held.values()) {
      try {
        await write(job);
      } catch (error) {
        log.warn({ error, jobId: job.hold.jobId }, 'job events wait for the database');
      }
    }
    timer = undefined;
    if ([...held.values()].some(({ events }) => events.size > 0)) schedule();
  }

  function schedule(): void {
    timer ??= setTimeout(() => void writeAll(), writeIntervalMs);
  }

  return {
    add(hold, { name, key, data }) {
      let job = held.get(hold.deliveryId);
      if (!job) held.set(hold.deliveryId, (job = { hold, events: new Map(), written: Promise.resolve() }));
      const place = `${name} ${key ?? ''}`;
      // The newest goes last, so that what is written is in order.
      job.events.delete(place);
      job.events.set(place, {
        name: storableText(name),
        data: storableData(data),
        at: new Date(clock.nowMs()),
      });
      if (job.events.size > maxHeldEvents) job.events.delete(job.events.keys().next().value!);
      schedule();
    },
    async flush(hold) {
      const job = held.get(hold.deliveryId);
      if (job) await write(job);
    },
    forget: (hold) => void held.delete(hold.deliveryId),
    close: () => clearTimeout(timer),
  };
}

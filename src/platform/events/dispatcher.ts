// The dispatcher: gives committed events to the reactions that want them. Every server runs one; they share the work
// through row locks that skip what others hold.
//
// At least once: a try is a lease that is renewed while the reaction works. When its server dies, the lease runs out
// and another takes it. What keeps failing is tried again ever later, and at last left as a dead letter, in the log
// and in the table.
import { assert, present } from '../../base/assert.ts';
import { dayMs, hourMs, minuteMs, secondMs } from '../../base/time.ts';
import type { Reaction, Services } from '../context.ts';
import { createContext } from '../context-factory.ts';
import {
  eventsChannel,
  forgetEvents,
  insertDeliveries,
  lockWaitingEvents,
  takeDueDeliveries,
  updateDelivery,
  type DeliveryKey,
  type EventRow,
} from './rows.ts';

/** Retries become due without a notification, and a notification may be lost. */
const pollIntervalMs = 2 * secondMs;
const leaseMs = 30 * secondMs;
const renewalIntervalMs = 10 * secondMs;
const eventsAtOnce = 100;
const reactionsAtOnce = 4;
/** About an hour and a half of back-off altogether. */
const maxAttemptCount = 15;
const sweepIntervalMs = hourMs;
const keepSettledMs = 7 * dayMs;
const keepDeadMs = 90 * dayMs;

export interface DispatcherOptions {
  services: Services;
  reactions: readonly Reaction[];
}

export interface Dispatcher {
  /** Takes nothing more, tells running reactions to end, and waits for them. */
  stop(): Promise<void>;
}

/** Starts delivering in the background. */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const loop = new DispatchLoop(options);
  const ended = loop.run();
  return {
    stop: async () => {
      loop.stop();
      await ended;
    },
  };
}

/** Delivers what is due now, until nothing is: for tests and for programs that end. */
export async function deliverDue(options: DispatcherOptions): Promise<void> {
  const loop = new DispatchLoop(options);
  while (await loop.round()) await loop.settled();
}

/** Milliseconds before the next try: 1 s doubled each time, at most 10 minutes. */
export function backOffMs(attemptCount: number): number {
  return Math.min(secondMs * 2 ** (attemptCount - 1), 10 * minuteMs);
}

class DispatchLoop {
  readonly #services: Services;
  readonly #reactions: Map<string, Reaction>;
  readonly #stopping = new AbortController();
  readonly #running = new Map<DeliveryKey, Promise<void>>();
  #wake = (): void => {};
  #isWoken = false;

  constructor({ services, reactions }: DispatcherOptions) {
    this.#services = services;
    this.#reactions = new Map(reactions.map((reaction) => [reaction.name, reaction]));
    assert(this.#reactions.size === reactions.length, 'each reaction has a name of its own');
  }

  stop(): void {
    this.#stopping.abort();
    this.wake();
  }

  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Rounds until it is stopped; sleeps when there is nothing to do. */
  async run(): Promise<void> {
    const { database, clock, log } = this.#services;
    const stopListening = await database.listen(eventsChannel, () => this.wake()).catch(() => async () => {});
    let renewedAtMs = clock.monotonicMs();
    let sweptAtMs = -Infinity;
    while (!this.#stopping.signal.aborted) {
      try {
        if (clock.monotonicMs() - renewedAtMs >= renewalIntervalMs) {
          renewedAtMs = clock.monotonicMs();
          await this.#renewLeases();
        }
        if (clock.monotonicMs() - sweptAtMs >= sweepIntervalMs) {
          sweptAtMs = clock.monotonicMs();
          await this.#sweep();
        }
        if (await this.round()) continue;
      } catch (error) {
        log.warn({ error }, 'events could not be dispatched; trying again');
      }
      await this.#sleep();
    }
    await this.settled();
    await stopListening();
  }

  /** Hands out what is due, as much as there are free hands. Returns whether there was anything. */
  async round(): Promise<boolean> {
    const eventCount = await this.#dispatchEvents();
    const taken = await this.#takeDeliveries();
    for (const delivery of taken) {
      const work = this.#deliver(delivery).finally(() => {
        this.#running.delete(delivery);
        this.wake();
      });
      this.#running.set(delivery, work);
    }
    return eventCount + taken.length > 0;
  }

  /** Resolves when no reaction is running. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  #now(offsetMs = 0): Date {
    return new Date(this.#services.clock.nowMs() + offsetMs);
  }

  /** Turns new events into one delivery for each reaction that wants them. */
  #dispatchEvents(): Promise<number> {
    return this.#services.database.asSystem('dispatch events', async (transaction) => {
      const events = await lockWaitingEvents(transaction, eventsAtOnce);
      if (events.length === 0) return 0;
      const deliveries = events.flatMap((event) =>
        [...this.#reactions.values()]
          .filter((reaction) => reaction.event === event.name)
          .map((reaction) => ({ eventId: event.id, reaction: reaction.name })),
      );
      const ids = events.map((event) => event.id);
      await insertDeliveries(transaction, ids, deliveries, this.#now());
      return events.length;
    });
  }

  async #takeDeliveries(): Promise<(DeliveryKey & { event: EventRow })[]> {
    const limit = reactionsAtOnce - this.#running.size;
    const reactions = [...this.#reactions.keys()];
    if (limit <= 0 || reactions.length === 0 || this.#stopping.signal.aborted) return [];
    const bounds = { reactions, now: this.#now(), leasedUntil: this.#now(leaseMs), limit };
    return this.#services.database.asSystem('take events', (transaction) =>
      takeDueDeliveries(transaction, bounds),
    );
  }

  /** One try. It never throws: whatever happens becomes the delivery's state, or its lease runs out. */
  async #deliver(delivery: DeliveryKey & { event: EventRow }): Promise<void> {
    const { event, reaction, attemptCount } = delivery;
    const log = this.#services.log.child({ eventId: event.id, event: event.name, reaction, attemptCount });
    try {
      const context = createContext(this.#services, {
        actor: { kind: 'system', id: 'system' },
        workspaceId: event.workspaceId,
        projectId: null,
        requestId: event.id,
        signal: this.#stopping.signal,
      });
      const { id: eventId, name, projectId, data } = event;
      await present(this.#reactions.get(reaction), reaction).react(context, {
        eventId,
        name,
        projectId,
        data,
      });
      await this.#settle(delivery, { state: 'done' });
    } catch (error) {
      const lastError = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      const isDead = attemptCount >= maxAttemptCount;
      if (isDead) log.error({ error }, 'reaction failed for the last time: dead letter');
      else log.warn({ error }, 'reaction failed; it is tried again');
      const next = isDead ? { state: 'dead' as const } : { dueAt: this.#now(backOffMs(attemptCount)) };
      await this.#settle(delivery, { ...next, lastError }).catch((cause: unknown) =>
        log.warn(
          { error: cause },
          'reaction could not be recorded; it is tried again when its lease is over',
        ),
      );
    }
  }

  #settle(delivery: DeliveryKey, changes: Parameters<typeof updateDelivery>[2]): Promise<void> {
    return this.#services.database.asSystem('settle event', (transaction) =>
      updateDelivery(transaction, delivery, changes),
    );
  }

  async #renewLeases(): Promise<void> {
    const held = [...this.#running.keys()];
    if (held.length === 0) return;
    await this.#services.database.asSystem('renew events', async (transaction) => {
      for (const delivery of held) await updateDelivery(transaction, delivery, { dueAt: this.#now(leaseMs) });
    });
  }

  #sweep(): Promise<void> {
    const bounds = { settledBefore: this.#now(-keepSettledMs), allBefore: this.#now(-keepDeadMs) };
    return this.#services.database.asSystem('forget events', (transaction) =>
      forgetEvents(transaction, bounds),
    );
  }

  /** Until someone wakes us, or for a poll's interval. */
  async #sleep(): Promise<void> {
    if (!this.#isWoken && !this.#stopping.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollIntervalMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = () => {};
    }
    this.#isWoken = false;
  }
}

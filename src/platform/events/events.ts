// The outbox (transactional outbox pattern, Richardson: microservices.io/patterns/data/transactional-outbox.html):
// an event is a row of the transaction that made it happen, so that it is delivered if and only if that commits.
import type { NewId } from '../../base/ids.ts';
import type { Clock } from '../../base/time.ts';
import type { DomainEvent } from '../context.ts';
import type { Transaction } from '../ports/database.ts';
import { insertEvent } from './rows.ts';

/** Who publishes: where, and when. */
export interface Publisher {
  workspaceId: string;
  clock: Clock;
  newId: NewId;
}

/** Publishes `event` with `transaction` and wakes the dispatchers once it has committed. Returns the event's id. */
export async function publish(
  transaction: Transaction,
  { workspaceId, clock, newId }: Publisher,
  event: DomainEvent,
): Promise<string> {
  const id = newId('event');
  await insertEvent(transaction, { id, workspaceId, createdAt: new Date(clock.nowMs()), ...event });
  return id;
}

// People, as far as anyone needs to know: an id. What they are called is a matter of each workspace (tenancy).
import type { NewId } from '../../../base/ids.ts';
import type { Clock } from '../../../base/time.ts';
import type { Actor } from '../../context.ts';
import type { Transaction } from '../../ports/database.ts';
import { findFirstUser, insertUser, lockUsers, deleteSessionsOf } from './rows.ts';

/** The actor of requests that bring the bootstrap token; it acts for the first person of the server. */
export const operatorKeyId = 'key_bootstrap';

/** Whoever is the server's first person, and whether they have ever signed in. */
export interface FirstPerson {
  userId: string;
  hasSignedIn: boolean;
}

/** Makes a person and returns their id. */
export async function createPerson(
  transaction: Transaction,
  { newId, clock }: { newId: NewId; clock: Clock },
): Promise<string> {
  const id = newId('user');
  await insertUser(transaction, { id, createdAt: new Date(clock.nowMs()), firstSignInAt: null });
  return id;
}

/** The first person, if anyone is there yet. With `lock`, others who ask wait until the transaction ends. */
export async function firstPerson(
  transaction: Transaction,
  { lock = false } = {},
): Promise<FirstPerson | undefined> {
  if (lock) await lockUsers(transaction);
  const user = await findFirstUser(transaction);
  return user && { userId: user.id, hasSignedIn: user.firstSignInAt !== null };
}

/** The person an actor acts for: a user for themselves, the bootstrap token for the first person, keys for nobody. */
export async function personOf(transaction: Transaction, actor: Actor): Promise<string | undefined> {
  if (actor.kind === 'user') return actor.id;
  if (actor.id !== operatorKeyId) return undefined;
  return (await firstPerson(transaction))?.userId;
}

/** Ends all sessions of a person. */
export async function endSessionsOf(transaction: Transaction, userId: string): Promise<void> {
  await deleteSessionsOf(transaction, userId);
}

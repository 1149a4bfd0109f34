// The first start: somebody has to own the server before anybody can sign in. Makes one person, one workspace and one
// project, once, and a link for as long as nobody has used one.
import type { Services } from '../context.ts';
import { createPerson, firstPerson } from '../security/identity/people.ts';
import { createSignInLinkFor } from '../security/identity/sign-in-links.ts';
import { membershipsOf } from './memberships.ts';
import { foundWorkspace } from './tenancy.ts';

/**
 * Sees to it that the server has an owner; safe when two servers start at once.
 * @param origin where people reach the server, such as `http://localhost:4700`.
 * @returns the address to print, or null when the owner has signed in before. Links printed earlier stop working.
 */
export async function ensureOwner(
  services: Pick<Services, 'database' | 'clock' | 'newId'>,
  { origin }: { origin: string },
): Promise<{ signInUrl: string | null }> {
  const { database, clock } = services;
  return database.asSystem('first start', async (transaction) => {
    const person = await firstPerson(transaction, { lock: true });
    const userId = person?.userId ?? (await createPerson(transaction, services));
    if (!person) {
      const actor = { kind: 'system', id: 'system' } as const;
      const founding = { name: 'My workspace', ownerId: userId, ownerName: 'Owner', actor };
      await foundWorkspace(transaction, services, founding);
    }
    if (person?.hasSignedIn) return { signInUrl: null };
    const [membership] = (await membershipsOf(transaction, [userId])).get(userId) ?? [];
    // Another owner may have removed someone who never came.
    if (!membership) return { signInUrl: null };
    const { workspaceId } = membership;
    const request = { userId, workspaceId, purpose: 'first-start', origin } as const;
    return { signInUrl: (await createSignInLinkFor(transaction, clock, request)).url };
  });
}

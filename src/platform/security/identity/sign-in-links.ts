// One-time links: how people sign in. There is no password. The code of a link is a secret of 256 bits; it stands in
// the fragment of the address, which browsers send to no server, so it is in no log and in no Referer header.
import type { Clock } from '../../../base/time.ts';
import { dayMs, minuteMs } from '../../../base/time.ts';
import type { Transaction } from '../../ports/database.ts';
import { deleteLinksFor, deleteLinksInto, insertLink, type LinkPurpose } from './rows.ts';
import { hashSecret, newSecret } from './secrets.ts';

/**
 * How long a link works. An invitation has to reach somebody first. The one that the first start prints works until
 * it is used, or until the next start prints another.
 */
const lifetimesMs: Record<LinkPurpose, number | null> = {
  'first-start': null,
  'another-browser': 15 * minuteMs,
  invitation: 7 * dayMs,
};

export interface SignInLinkRequest {
  userId: string;
  /** The workspace it leads into. */
  workspaceId: string;
  purpose: LinkPurpose;
  /** Where the server is reached, such as `http://localhost:4700`. */
  origin: string;
}

export interface SignInLink {
  /** The address to open: it holds the code. */
  url: string;
  /** Null: it does not expire. */
  expiresAt: Date | null;
}

/** Makes a link with the transaction. A new first-start link takes the place of the one before. */
export async function createSignInLinkFor(
  transaction: Transaction,
  clock: Clock,
  { userId, workspaceId, purpose, origin }: SignInLinkRequest,
): Promise<SignInLink> {
  if (purpose === 'first-start') await deleteLinksFor(transaction, purpose);
  const code = newSecret();
  const nowMs = clock.nowMs();
  const lifetimeMs = lifetimesMs[purpose];
  const expiresAt = lifetimeMs === null ? null : new Date(nowMs + lifetimeMs);
  await insertLink(transaction, {
    codeHash: hashSecret(code),
    userId,
    workspaceId,
    purpose,
    createdAt: new Date(nowMs),
    expiresAt,
  });
  return { url: `${origin}/sign-in#code=${code}`, expiresAt };
}

/** Makes the links useless that lead a person into a workspace. */
export async function withdrawLinks(
  transaction: Transaction,
  userId: string,
  workspaceId: string,
): Promise<void> {
  await deleteLinksInto(transaction, userId, workspaceId);
}

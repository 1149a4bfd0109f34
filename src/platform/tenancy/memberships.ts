// Who is a member where: what sign-in needs to know of tenancy. Runs in system transactions, before any workspace is
// known.
import { Problem } from '../../base/problems.ts';
import type { Role } from '../context.ts';
import type { Transaction } from '../ports/database.ts';
import { findWorkspace, listMembershipRows, renameMember } from './rows.ts';

/** A person's place in a workspace. */
export interface Membership {
  userId: string;
  workspaceId: string;
  workspaceName: string;
  /** What the person is called there. */
  displayName: string;
  role: Role;
}

/** The memberships of some people by user id, the oldest of each first: it is where they start. */
export async function membershipsOf(
  transaction: Transaction,
  userIds: readonly string[],
): Promise<Map<string, Membership[]>> {
  const rows = userIds.length === 0 ? [] : await listMembershipRows(transaction, userIds);
  const memberships = new Map<string, Membership[]>(userIds.map((userId) => [userId, []]));
  for (const { userId, workspaceId, workspaceName, displayName, role } of rows) {
    memberships.get(userId)?.push({ userId, workspaceId, workspaceName, displayName, role });
  }
  return memberships;
}

/** Changes what a person is called, wherever they are a member. */
export async function renamePerson(
  transaction: Transaction,
  userId: string,
  displayName: string,
): Promise<void> {
  await renameMember(transaction, userId, displayName);
}

/** What a workspace is called; throws `not-found`. */
export async function requireWorkspace(
  transaction: Transaction,
  workspaceId: string,
): Promise<{ id: string; name: string; createdAt: Date }> {
  const workspace = await findWorkspace(transaction, workspaceId);
  if (!workspace) throw new Problem('not-found', 'There is no such workspace.');
  return workspace;
}

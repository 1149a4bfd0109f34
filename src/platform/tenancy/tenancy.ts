// Tenancy: workspaces, their members and their projects. Who someone is, and how they sign in, is the business of
// platform/security/identity; what a role may do, of platform/security/policy.
//
// Making people and links is sign-in work and runs as the system, with the workspace named in each query; all else
// runs in the workspace, where the database shows nothing else.
import type { z } from 'zod';
import { present } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { toIso } from '../../base/time.ts';
import type { project } from '../../contract/project.ts';
import type { signInLink } from '../../contract/session.ts';
import type { member, workspace } from '../../contract/workspace.ts';
import type { Actor, Context, Role, Services } from '../context.ts';
import { isUniqueViolation } from '../database/errors.ts';
import { publish } from '../events/events.ts';
import { pageOf, readCursor } from '../http/cursor.ts';
import type { Transaction } from '../ports/database.ts';
import { appendAudit } from '../security/audit/audit.ts';
import { createPerson, endSessionsOf, personOf } from '../security/identity/people.ts';
import { createSignInLinkFor, withdrawLinks } from '../security/identity/sign-in-links.ts';
import { membershipsOf, requireWorkspace } from './memberships.ts';
import {
  deleteMember,
  findProject,
  insertMember,
  insertProject,
  insertWorkspace,
  listMemberRows,
  listProjectRows,
  lockMember,
  renameWorkspace,
  setMemberRole,
  updateProjectRow,
  type MemberRow,
  type ProjectRow,
  type WorkspaceRow,
} from './rows.ts';

export type Workspace = z.input<typeof workspace>;
export type Member = z.input<typeof member>;
export type Project = z.input<typeof project>;

/** Remembers who is who; told when that has changed. */
interface PeopleMemory {
  forgetPerson(userId: string): void;
}

export async function getWorkspace(context: Context): Promise<Workspace> {
  return context.transaction(async (transaction) =>
    showWorkspace(await requireWorkspace(transaction, context.workspaceId)),
  );
}

export async function updateWorkspace(context: Context, { name }: { name: string }): Promise<Workspace> {
  const { workspaceId } = context;
  return context.transaction(async (transaction) => {
    const row = await renameWorkspace(transaction, workspaceId, name);
    if (!row) throw new Problem('not-found', 'There is no such workspace.');
    const entry = { action: 'workspace:update', subjectId: workspaceId, details: { name } };
    await context.audit(transaction, entry);
    return showWorkspace(row);
  });
}

/** Makes a workspace whose owner is the person who asks. Throws `not-allowed` for keys, which are no persons. */
export async function createWorkspace(
  context: Context,
  memory: PeopleMemory,
  { name }: { name: string },
): Promise<Workspace> {
  const { actor } = context;
  const { ownerId, row } = await context.database.asSystem('make a workspace', async (transaction) => {
    const ownerId = await personOf(transaction, actor);
    if (ownerId === undefined)
      throw new Problem('not-allowed', 'A key is not a person who could own a workspace.');
    const [membership] = (await membershipsOf(transaction, [ownerId])).get(ownerId) ?? [];
    const ownerName = present(membership, 'membership of who asks').displayName;
    return { ownerId, row: await foundWorkspace(transaction, context, { name, ownerId, ownerName, actor }) };
  });
  memory.forgetPerson(ownerId);
  return showWorkspace(row);
}

/** Makes a workspace with its owner and a first project, and tells of it; in a system transaction. */
export async function foundWorkspace(
  transaction: Transaction,
  services: Pick<Services, 'clock' | 'newId'>,
  founding: { name: string; ownerId: string; ownerName: string; actor: Actor },
): Promise<WorkspaceRow> {
  const { clock, newId } = services;
  const { name, ownerId, ownerName, actor } = founding;
  const now = new Date(clock.nowMs());
  const row: WorkspaceRow = { id: newId('workspace'), name, createdAt: now };
  const workspaceId = row.id;
  await insertWorkspace(transaction, row);
  await insertMember(transaction, {
    workspaceId,
    userId: ownerId,
    displayName: ownerName,
    role: 'owner',
    joinedAt: now,
  });
  await insertProject(
    transaction,
    projectRow({ id: newId('project'), workspaceId, name: 'First project', createdAt: now }),
  );
  const data = { workspaceId, name };
  await publish(
    transaction,
    { workspaceId, clock, newId },
    { name: 'workspace-created', projectId: null, data },
  );
  const entry = { action: 'workspace:create', subjectId: workspaceId, details: { name } };
  await appendAudit(transaction, { workspaceId, actor, clock }, entry);
  return row;
}

export async function listMembers(context: Context): Promise<{ items: Member[] }> {
  const rows = await context.transaction((transaction) => listMemberRows(transaction, context.workspaceId));
  return { items: rows.map(showMember) };
}

/** Adds a person; they come in with the link of the answer. */
export async function inviteMember(
  context: Context,
  { displayName, role, origin }: { displayName: string; role: Role; origin: string },
): Promise<{ member: Member; link: z.input<typeof signInLink> }> {
  const { workspaceId, clock, database } = context;
  return database.asSystem('invite a member', async (transaction) => {
    const userId = await createPerson(transaction, context);
    const row: MemberRow = { workspaceId, userId, displayName, role, joinedAt: new Date(clock.nowMs()) };
    await insertMember(transaction, row);
    const request = { userId, workspaceId, purpose: 'invitation', origin } as const;
    const link = await createSignInLinkFor(transaction, clock, request);
    const entry = { action: 'member:invite', subjectId: userId, details: { displayName, role } };
    await appendAudit(transaction, context, entry);
    const expiresAt = toIso(present(link.expiresAt, 'end of the invitation').getTime());
    return { member: showMember(row), link: { url: link.url, expiresAt } };
  });
}

/** Changes a role. Throws `not-found`, and `wrong-state` when nobody would be left who owns the workspace. */
export async function updateMember(
  context: Context,
  memory: PeopleMemory,
  { userId, role }: { userId: string; role: Role },
): Promise<Member> {
  const { workspaceId } = context;
  const changed = await context.transaction(async (transaction) => {
    const row = await lockMemberToChange(transaction, workspaceId, { userId, staysOwner: role === 'owner' });
    await setMemberRole(transaction, row, role);
    const details = { from: row.role, to: role };
    await context.audit(transaction, { action: 'member:update', subjectId: userId, details });
    return showMember({ ...row, role });
  });
  memory.forgetPerson(userId);
  return changed;
}

/** Takes a person out of the workspace. Their sessions end with their last workspace. Throws as {@link updateMember}. */
export async function removeMember(
  context: Context,
  memory: PeopleMemory,
  { userId }: { userId: string },
): Promise<void> {
  const { workspaceId, database } = context;
  await database.asSystem('remove a member', async (transaction) => {
    const row = await lockMemberToChange(transaction, workspaceId, { userId, staysOwner: false });
    await deleteMember(transaction, row);
    await withdrawLinks(transaction, userId, workspaceId);
    const rest = (await membershipsOf(transaction, [userId])).get(userId) ?? [];
    if (rest.length === 0) await endSessionsOf(transaction, userId);
    const details = { displayName: row.displayName, role: row.role };
    await appendAudit(transaction, context, { action: 'member:remove', subjectId: userId, details });
  });
  memory.forgetPerson(userId);
}

/** Newest first. */
export async function listProjects(
  context: Context,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: Project[]; nextCursor: string | null }> {
  const before = readCursor(cursor);
  const rows = await context.transaction((transaction) =>
    listProjectRows(transaction, { before, limit: limit + 1 }),
  );
  return pageOf(rows, limit, (row) => row.id, showProject);
}

/** Throws `already-exists` when the workspace has a project of that name. */
export async function createProject(
  context: Context,
  { name, description }: { name: string; description: string },
): Promise<Project> {
  const { workspaceId, clock, newId } = context;
  const createdAt = new Date(clock.nowMs());
  const row = projectRow({ id: newId('project'), workspaceId, name, description, createdAt });
  await context.transaction(async (transaction) => {
    if (!(await insertProject(transaction, row))) throw nameTaken(name);
    await context.audit(transaction, { action: 'project:create', subjectId: row.id, details: { name } });
  });
  return showProject(row);
}

export async function getProject(context: Context, { projectId }: { projectId: string }): Promise<Project> {
  return context.transaction((transaction) => requireProject(transaction, projectId));
}

/** Throws `not-found`, and `already-exists` when another project has that name. */
export async function updateProject(
  context: Context,
  {
    projectId,
    name,
    description,
  }: { projectId: string; name?: string | undefined; description?: string | undefined },
): Promise<Project> {
  const changes = {
    ...(name !== undefined && { name, nameKey: nameKeyOf(name) }),
    ...(description !== undefined && { description }),
  };
  if (Object.keys(changes).length === 0) return getProject(context, { projectId });
  try {
    return await context.transaction(async (transaction) => {
      const row = await updateProjectRow(transaction, projectId, changes);
      if (!row) throw noSuchProject();
      const details = {
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
      };
      await context.audit(transaction, { action: 'project:update', subjectId: projectId, details });
      return showProject(row);
    });
  } catch (error) {
    if (name !== undefined && isUniqueViolation(error, 'projects_name')) throw nameTaken(name);
    throw error;
  }
}

/** The project, or `not-found` when the transaction's workspace (or a bound key's project) is another one. */
export async function requireProject(transaction: Transaction, projectId: string): Promise<Project> {
  const row = await findProject(transaction, projectId);
  if (!row) throw noSuchProject();
  return showProject(row);
}

async function lockMemberToChange(
  transaction: Transaction,
  workspaceId: string,
  { userId, staysOwner }: { userId: string; staysOwner: boolean },
): Promise<MemberRow> {
  const { member: row, ownerIds } = await lockMember(transaction, workspaceId, userId);
  if (!row) throw new Problem('not-found', 'There is no such member in this workspace.');
  if (row.role === 'owner' && ownerIds.length === 1 && !staysOwner) {
    throw new Problem(
      'wrong-state',
      'The last owner of a workspace stays its owner: make somebody else one first.',
    );
  }
  return row;
}

function noSuchProject(): Problem {
  return new Problem('not-found', 'There is no such project in this workspace.');
}

function nameTaken(name: string): Problem {
  return new Problem('already-exists', `The workspace has a project that is called "${name}".`);
}

/** Names are compared without regard to case and to ways of writing one character (Unicode NFKC). */
function nameKeyOf(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

function projectRow(
  given: Pick<ProjectRow, 'id' | 'workspaceId' | 'name' | 'createdAt'> & { description?: string },
): ProjectRow {
  return { description: '', ...given, nameKey: nameKeyOf(given.name) };
}

function showWorkspace({ id, name, createdAt }: WorkspaceRow): Workspace {
  return { id, name, createdAt: toIso(createdAt.getTime()) };
}

function showMember({ userId, displayName, role, joinedAt }: MemberRow): Member {
  return { userId, displayName, role, joinedAt: toIso(joinedAt.getTime()) };
}

function showProject({ id, name, description, createdAt }: ProjectRow): Project {
  return { id, name, description, createdAt: toIso(createdAt.getTime()) };
}

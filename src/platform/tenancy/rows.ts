// The tables of tenancy: workspaces, their members and their projects. Queries about members name the workspace,
// because sign-in work runs them over all workspaces; the others run in one, where the database sees to it.
import { and, asc, desc, eq, inArray, lt, sql } from 'drizzle-orm';
import { index, pgPolicy, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { Role } from '../context.ts';
import { scopeSettings, tenantPolicies, tenantRole, time } from '../database/table.ts';
import type { Transaction } from '../ports/database.ts';

const ownWorkspace = sql.raw(`id = current_setting('${scopeSettings.workspaceId}', true)`);

export const workspaces = pgTable(
  'workspaces',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    createdAt: time('created_at').notNull(),
  },
  () => [pgPolicy('tenant', { for: 'all', to: tenantRole, using: ownWorkspace, withCheck: ownWorkspace })],
);

export const members = pgTable(
  'members',
  {
    workspaceId: text('workspace_id')
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    userId: text('user_id').notNull(),
    /** What the person is called here. */
    displayName: text('display_name').notNull(),
    role: text('role').$type<Role>().notNull(),
    joinedAt: time('joined_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.userId] }),
    index('members_user').on(table.userId),
    ...tenantPolicies('workspace-wide'),
  ],
);

export const projects = pgTable(
  'projects',
  {
    id: text('id').primaryKey(),
    workspaceId: text('workspace_id')
      .notNull()
      .references(() => workspaces.id, { onDelete: 'cascade' }),
    /** The id again, under the name by which row-level security binds a key to a project. */
    projectId: text('project_id').generatedAlwaysAs(sql`id`),
    name: text('name').notNull(),
    /** The name as it is compared: two names that look alike are one. */
    nameKey: text('name_key').notNull(),
    description: text('description').notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [
    uniqueIndex('projects_name').on(table.workspaceId, table.nameKey),
    ...tenantPolicies('project'),
  ],
);

export type WorkspaceRow = typeof workspaces.$inferSelect;
export type MemberRow = typeof members.$inferSelect;
export type ProjectRow = Omit<typeof projects.$inferSelect, 'projectId'>;

/** A person's place in a workspace. */
export type MembershipRow = MemberRow & { workspaceName: string };

export async function insertWorkspace(transaction: Transaction, workspace: WorkspaceRow): Promise<void> {
  await transaction.insert(workspaces).values(workspace);
}

export async function findWorkspace(transaction: Transaction, id: string): Promise<WorkspaceRow | undefined> {
  const [workspace] = await transaction.select().from(workspaces).where(eq(workspaces.id, id));
  return workspace;
}

export async function renameWorkspace(
  transaction: Transaction,
  id: string,
  name: string,
): Promise<WorkspaceRow | undefined> {
  const [workspace] = await transaction
    .update(workspaces)
    .set({ name })
    .where(eq(workspaces.id, id))
    .returning();
  return workspace;
}

export async function insertMember(transaction: Transaction, member: MemberRow): Promise<void> {
  await transaction.insert(members).values(member);
}

/** The members of a workspace, in the order in which they came. */
export async function listMemberRows(transaction: Transaction, workspaceId: string): Promise<MemberRow[]> {
  return transaction
    .select()
    .from(members)
    .where(eq(members.workspaceId, workspaceId))
    .orderBy(asc(members.joinedAt), asc(members.userId));
}

/** One member and the ids of all owners, none of whom can change until the transaction ends. */
export async function lockMember(
  transaction: Transaction,
  workspaceId: string,
  userId: string,
): Promise<{ member: MemberRow | undefined; ownerIds: string[] }> {
  const rows = await transaction
    .select()
    .from(members)
    .where(eq(members.workspaceId, workspaceId))
    .orderBy(asc(members.userId))
    .for('update');
  return {
    member: rows.find((row) => row.userId === userId),
    ownerIds: rows.filter((row) => row.role === 'owner').map((row) => row.userId),
  };
}

export async function setMemberRole(
  transaction: Transaction,
  { workspaceId, userId }: Pick<MemberRow, 'workspaceId' | 'userId'>,
  role: Role,
): Promise<void> {
  await transaction
    .update(members)
    .set({ role })
    .where(and(eq(members.workspaceId, workspaceId), eq(members.userId, userId)));
}

export async function deleteMember(
  transaction: Transaction,
  { workspaceId, userId }: Pick<MemberRow, 'workspaceId' | 'userId'>,
): Promise<void> {
  await transaction
    .delete(members)
    .where(and(eq(members.workspaceId, workspaceId), eq(members.userId, userId)));
}

/** Where some people are members, the oldest membership of each first. */
export async function listMembershipRows(
  transaction: Transaction,
  userIds: readonly string[],
): Promise<MembershipRow[]> {
  const rows = await transaction
    .select()
    .from(members)
    .innerJoin(workspaces, eq(workspaces.id, members.workspaceId))
    .where(inArray(members.userId, [...userIds]))
    .orderBy(asc(members.joinedAt), asc(members.workspaceId));
  return rows.map((row) => ({ ...row.members, workspaceName: row.workspaces.name }));
}

/** Changes what a person is called, wherever they are a member. */
export async function renameMember(
  transaction: Transaction,
  userId: string,
  displayName: string,
): Promise<void> {
  await transaction.update(members).set({ displayName }).where(eq(members.userId, userId));
}

/** Returns whether the name was free. */
export async function insertProject(transaction: Transaction, project: ProjectRow): Promise<boolean> {
  const added = await transaction
    .insert(projects)
    .values(project)
    .onConflictDoNothing({ target: [projects.workspaceId, projects.nameKey] })
    .returning({ id: projects.id });
  return added.length === 1;
}

export async function findProject(transaction: Transaction, id: string): Promise<ProjectRow | undefined> {
  const [project] = await transaction.select().from(projects).where(eq(projects.id, id));
  return project;
}

/** Newest first. */
export async function listProjectRows(
  transaction: Transaction,
  { before, limit }: { before: string | undefined; limit: number },
): Promise<ProjectRow[]> {
  return transaction
    .select()
    .from(projects)
    .where(before === undefined ? undefined : lt(projects.id, before))
    .orderBy(desc(projects.id))
    .limit(limit);
}

export async function updateProjectRow(
  transaction: Transaction,
  id: string,
  changes: Partial<Pick<ProjectRow, 'name' | 'nameKey' | 'description'>>,
): Promise<ProjectRow | undefined> {
  const [project] = await transaction.update(projects).set(changes).where(eq(projects.id, id)).returning();
  return project;
}

// How tables are declared: each owner's rows.ts declares its own with these columns and this policy, and
// `npm run migration` turns the declarations into numbered SQL.
//
// Tenancy is kept by the database itself (row-level security): `Database.inWorkspace` runs as the role
// `pilvi_tenant` with the scope in two settings, and that role sees no row of another workspace or project. Tables
// without a policy are closed to it altogether.
import { sql, type SQL } from 'drizzle-orm';
import { pgPolicy, pgRole, text, timestamp, type PgPolicy } from 'drizzle-orm/pg-core';

/** The role that work in a workspace runs as; made by the driver when it opens the database. */
export const tenantRole = pgRole('pilvi_tenant').existing();

/** Settings that carry the scope of a transaction. */
export const scopeSettings = { workspaceId: 'pilvi.workspace_id', projectId: 'pilvi.project_id' } as const;

/** The columns that every table of a workspace has. */
export const tenantColumns = {
  id: text('id').primaryKey(),
  workspaceId: text('workspace_id').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
};

/** A point in time, UTC, to the millisecond. */
export function time(name: string): ReturnType<typeof timestamp<string, 'date'>> {
  return timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });
}

const workspaceMatches = sql`workspace_id = current_setting('pilvi.workspace_id', true)`;
const projectMatches = sql`coalesce(current_setting('pilvi.project_id', true), '') in ('', project_id)`;

/**
 * Lets work in a workspace reach the rows of that workspace.
 * @param reach `workspace`: for keys bound to a project too. `project`: such keys reach rows of their project only
 *   (the table has a `project_id`, or is the table of projects itself). `workspace-wide`: never by such keys.
 * @param verbs `all`, or `append` for tables whose rows are never changed.
 */
export function tenantPolicies(
  reach: 'workspace' | 'project' | 'workspace-wide',
  verbs: 'all' | 'append' = 'all',
): PgPolicy[] {
  const rule: SQL =
    reach === 'project'
      ? sql`${workspaceMatches} and ${projectMatches}`
      : reach === 'workspace'
        ? workspaceMatches
        : sql`${workspaceMatches} and coalesce(current_setting('pilvi.project_id', true), '') = ''`;
  if (verbs === 'all')
    return [pgPolicy('tenant', { for: 'all', to: tenantRole, using: rule, withCheck: rule })];
  return [
    pgPolicy('tenant_read', { for: 'select', to: tenantRole, using: rule }),
    pgPolicy('tenant_append', { for: 'insert', to: tenantRole, withCheck: rule }),
  ];
}

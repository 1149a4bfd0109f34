// The tables of the audit log. The tenant role may add lines and read them; nobody has a reason to change one.
import { and, asc, desc, eq, gt, lt, sql } from 'drizzle-orm';
import { bigint, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { tenantPolicies, time } from '../../database/table.ts';
import type { Transaction } from '../../ports/database.ts';

export const auditLines = pgTable(
  'audit_lines',
  {
    workspaceId: text('workspace_id').notNull(),
    /** 1, 2, 3 and so on in each workspace, without a gap. */
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    at: time('at').notNull(),
    actorKind: text('actor_kind').$type<'user' | 'key' | 'system'>().notNull(),
    actorId: text('actor_id').notNull(),
    action: text('action').notNull(),
    subjectId: text('subject_id').notNull(),
    /** Canonical JSON as text, not jsonb: its bytes are hashed and have to come back unchanged. */
    details: text('details').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workspaceId, table.sequence] }),
    ...tenantPolicies('workspace', 'append'),
  ],
);

/** The newest line of each workspace, kept apart so that lines missing at the end are noticed too. */
export const auditHeads = pgTable(
  'audit_heads',
  {
    workspaceId: text('workspace_id').primaryKey(),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    hash: text('hash').notNull(),
  },
  () => [...tenantPolicies('workspace')],
);

export type AuditRow = typeof auditLines.$inferSelect;
export type AuditHead = Pick<AuditRow, 'sequence' | 'hash'>;

/** Makes appenders to one workspace wait for each other until the end of their transactions. */
export async function lockHead(transaction: Transaction, workspaceId: string): Promise<void> {
  await transaction.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`audit ${workspaceId}`}, 0))`,
  );
}

/** The newest line, or undefined before the first one. */
export async function readHead(
  transaction: Transaction,
  workspaceId: string,
): Promise<AuditHead | undefined> {
  const [head] = await transaction
    .select({ sequence: auditHeads.sequence, hash: auditHeads.hash })
    .from(auditHeads)
    .where(eq(auditHeads.workspaceId, workspaceId));
  return head;
}

/** Adds a line and moves the head to it. */
export async function insertLine(transaction: Transaction, line: AuditRow): Promise<void> {
  const { workspaceId, sequence, hash } = line;
  await transaction.insert(auditLines).values(line);
  await transaction
    .insert(auditHeads)
    .values({ workspaceId, sequence, hash })
    .onConflictDoUpdate({ target: auditHeads.workspaceId, set: { sequence, hash } });
}

/** At most `limit` lines after `sequence`, oldest first. */
export async function readLinesAfter(
  transaction: Transaction,
  workspaceId: string,
  sequence: number,
  limit: number,
): Promise<AuditRow[]> {
  return transaction
    .select()
    .from(auditLines)
    .where(and(eq(auditLines.workspaceId, workspaceId), gt(auditLines.sequence, sequence)))
    .orderBy(asc(auditLines.sequence))
    .limit(limit);
}

/** At most `limit` lines before `sequence` (all, when undefined), newest first. */
export async function readLinesBefore(
  transaction: Transaction,
  workspaceId: string,
  sequence: number | undefined,
  limit: number,
): Promise<AuditRow[]> {
  const older = sequence === undefined ? undefined : lt(auditLines.sequence, sequence);
  return transaction
    .select()
    .from(auditLines)
    .where(and(eq(auditLines.workspaceId, workspaceId), older))
    .orderBy(desc(auditLines.sequence))
    .limit(limit);
}

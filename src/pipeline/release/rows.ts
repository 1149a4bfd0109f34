// Queries of the tables `releases` (where each stands) and `release_lines` (what happened in it, approvals among them).
import { and, asc, desc, eq, inArray, lt, sql } from 'drizzle-orm';
import { bigint, doublePrecision, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import type { z } from 'zod';
import type { release, releaseWithHistory } from '../../contract/release.ts';
import { tenantColumns, tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { LoggedFigures } from './logged-figures-task.ts';
import type { Step, Strategy } from './plan.ts';
import type { ReleaseState } from './states.ts';

type Shown = z.output<typeof release>;
export type Guard = Shown['guard'];
export type Approvals = Shown['approvals'];
export type Comparison = NonNullable<Shown['comparison']>;
export type LineKind = z.output<typeof releaseWithHistory>['history'][number]['kind'];

export const releases = pgTable(
  'releases',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    modelVersionId: text('model_version_id').notNull(),
    modelName: text('model_name').notNull(),
    versionNumber: integer('version_number').notNull(),
    former: jsonb('former').$type<Shown['former']>().notNull(),
    strategy: jsonb('strategy').$type<Strategy>().notNull(),
    guard: jsonb('guard').$type<Guard>().notNull(),
    approvals: jsonb('approvals').$type<Approvals>().notNull(),
    note: text('note').notNull(),
    steps: jsonb('steps').$type<Step[]>().notNull(),
    state: text('state').$type<ReleaseState>().notNull(),
    stepIndex: integer('step_index'),
    /** The endpoint's revision before the release. */
    formerRevision: integer('former_revision').notNull(),
    /** The revision of each step that was made. */
    stepRevisions: jsonb('step_revisions').$type<number[]>().notNull(),
    /** The newest revision that the release made. */
    lastRevision: integer('last_revision'),
    /** How long the step has been watched; grows with each look, by little, whatever the clocks say. */
    bakedMs: bigint('baked_ms', { mode: 'number' }).notNull(),
    /** What the candidate was asked in this step, as of the last look. */
    stepRequestCount: integer('step_request_count').notNull(),
    lookedAt: time('looked_at'),
    /** When any server looks at it next; null when it has ended. */
    dueAt: time('due_at'),
    waitingFor: jsonb('waiting_for').$type<string[]>().notNull(),
    /** Answers above it are slow; from the first step on. */
    slowerThanMs: doublePrecision('slower_than_ms'),
    comparison: jsonb('comparison').$type<Comparison>(),
    /** What the log said last, and when it was read. */
    logged: jsonb('logged').$type<LoggedFigures>(),
    loggedAt: time('logged_at'),
    /** Raised by every change: whoever decided from an older one changes nothing. */
    changeCount: integer('change_count').notNull(),
    reason: text('reason'),
    startedBy: text('started_by').notNull(),
    endedAt: time('ended_at'),
  },
  (table) => [
    index('releases_endpoint').on(table.endpointId, table.id),
    index('releases_due').on(table.dueAt),
    ...tenantPolicies('project'),
  ],
);

export const releaseLines = pgTable(
  'release_lines',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    releaseId: text('release_id').notNull(),
    kind: text('kind').$type<LineKind>().notNull(),
    stepIndex: integer('step_index'),
    by: text('by').notNull(),
    note: text('note').notNull(),
  },
  (table) => [index('release_lines_release').on(table.releaseId, table.id), ...tenantPolicies('project')],
);

export type ReleaseRow = typeof releases.$inferSelect;
export type LineRow = typeof releaseLines.$inferSelect;
export type ReleaseChange = Partial<Omit<ReleaseRow, 'id' | 'workspaceId' | 'changeCount'>>;

export async function addRelease(
  transaction: Transaction,
  row: typeof releases.$inferInsert,
): Promise<ReleaseRow> {
  const [added] = await transaction.insert(releases).values(row).returning();
  return added!;
}

/** One release; `lock` keeps others from changing it until the transaction ends. */
export async function findRelease(
  transaction: Transaction,
  releaseId: string,
  options: { lock?: boolean } = {},
): Promise<ReleaseRow | undefined> {
  const query = transaction.select().from(releases).where(eq(releases.id, releaseId));
  const [row] = options.lock ? await query.for('update') : await query;
  return row;
}

export async function listReleaseRows(
  transaction: Transaction,
  endpointId: string,
  page: { limit: number; after: string | undefined },
): Promise<ReleaseRow[]> {
  return await transaction
    .select()
    .from(releases)
    .where(
      and(
        eq(releases.endpointId, endpointId),
        page.after === undefined ? undefined : lt(releases.id, page.after),
      ),
    )
    .orderBy(desc(releases.id))
    .limit(page.limit + 1);
}

/** The releases of an endpoint that have not ended. */
export async function runningReleases(transaction: Transaction, endpointId: string): Promise<ReleaseRow[]> {
  return await transaction
    .select()
    .from(releases)
    .where(
      and(eq(releases.endpointId, endpointId), inArray(releases.state, ['waiting', 'baking', 'paused'])),
    );
}

export async function updateRelease(
  transaction: Transaction,
  releaseId: string,
  change: ReleaseChange,
): Promise<ReleaseRow> {
  const [row] = await transaction
    .update(releases)
    .set({ ...change, changeCount: sql`${releases.changeCount} + 1` })
    .where(eq(releases.id, releaseId))
    .returning();
  return row!;
}

/**
 * Takes releases that are due, over all workspaces, and has them due again at `until`, should whoever took them be killed.
 * What is due later than `until` was put there by a clock that has since been set back: it is due, too.
 */
export async function takeDueReleases(
  transaction: Transaction,
  { now, until, limit }: { now: Date; until: Date; limit: number },
): Promise<{ id: string; workspaceId: string }[]> {
  const due = sql`${releases.dueAt} <= ${now.toISOString()} or ${releases.dueAt} > ${until.toISOString()}`;
  const ids = transaction
    .select({ id: releases.id })
    .from(releases)
    .where(due)
    .orderBy(releases.dueAt)
    .limit(limit)
    .for('update', { skipLocked: true });
  return await transaction
    .update(releases)
    .set({ dueAt: until })
    .where(inArray(releases.id, ids))
    .returning({ id: releases.id, workspaceId: releases.workspaceId });
}

export async function addLine(
  transaction: Transaction,
  row: typeof releaseLines.$inferInsert,
): Promise<void> {
  await transaction.insert(releaseLines).values(row);
}

/** What happened in these releases, oldest first. */
export async function linesOf(
  transaction: Transaction,
  releaseIds: readonly string[],
  kind?: LineKind,
): Promise<LineRow[]> {
  if (releaseIds.length === 0) return [];
  return await transaction
    .select()
    .from(releaseLines)
    .where(
      and(
        inArray(releaseLines.releaseId, [...releaseIds]),
        kind === undefined ? undefined : eq(releaseLines.kind, kind),
      ),
    )
    .orderBy(asc(releaseLines.id));
}

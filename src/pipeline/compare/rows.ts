// Queries of the tables of comparisons: the rule of each endpoint, what was compared, and the flips that are shown.
import { and, asc, desc, eq, gt, inArray, lt } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { z } from 'zod';
import type { ProblemDocument } from '../../base/problems.ts';
import type { comparisonQuestion, comparisonResult } from '../../contract/comparison.ts';
import { tenantColumns, tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { Flip } from './flips.ts';
import type { ComparisonState } from './states.ts';

export const gateRules = pgTable(
  'gate_rules',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    rule: text('rule').notNull(),
  },
  (table) => [uniqueIndex('gate_rules_endpoint').on(table.endpointId), ...tenantPolicies('project')],
);

export const comparisons = pgTable(
  'comparisons',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    state: text('state').$type<ComparisonState>().notNull(),
    jobId: text('job_id').notNull(),
    question: jsonb('question').$type<z.output<typeof comparisonQuestion>>().notNull(),
    fromTime: time('from_time').notNull(),
    toTime: time('to_time').notNull(),
    candidateVersionId: text('candidate_version_id').notNull(),
    candidateModelName: text('candidate_model_name').notNull(),
    candidateNumber: integer('candidate_number').notNull(),
    answeringVersionId: text('answering_version_id').notNull(),
    answeringModelName: text('answering_model_name').notNull(),
    answeringNumber: integer('answering_number').notNull(),
    /** Of the log, when it was read; what the result has to say about it. */
    logNotes: jsonb('log_notes').$type<string[]>().notNull(),
    result: jsonb('result').$type<z.output<typeof comparisonResult>>(),
    problem: jsonb('problem').$type<ProblemDocument>(),
  },
  (table) => [index('comparisons_endpoint').on(table.endpointId, table.id), ...tenantPolicies('project')],
);

export const comparisonFlips = pgTable(
  'comparison_flips',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    comparisonId: text('comparison_id').notNull(),
    /** In the order in which they are shown, from 1. */
    place: integer('place').notNull(),
    /** When it was asked: the flip goes when the log forgets that. */
    predictedAt: time('predicted_at').notNull(),
    flip: jsonb('flip').$type<Flip>().notNull(),
  },
  (table) => [
    uniqueIndex('comparison_flips_place').on(table.comparisonId, table.place),
    index('comparison_flips_time').on(table.endpointId, table.predictedAt),
    ...tenantPolicies('project'),
  ],
);

export type ComparisonRow = typeof comparisons.$inferSelect;

export async function findRule(transaction: Transaction, endpointId: string): Promise<string | undefined> {
  const [row] = await transaction.select().from(gateRules).where(eq(gateRules.endpointId, endpointId));
  return row?.rule;
}

export async function keepRule(transaction: Transaction, row: typeof gateRules.$inferInsert): Promise<void> {
  await transaction
    .insert(gateRules)
    .values(row)
    .onConflictDoUpdate({ target: gateRules.endpointId, set: { rule: row.rule } });
}

export async function dropRule(transaction: Transaction, endpointId: string): Promise<void> {
  await transaction.delete(gateRules).where(eq(gateRules.endpointId, endpointId));
}

export async function addComparison(
  transaction: Transaction,
  row: typeof comparisons.$inferInsert,
): Promise<ComparisonRow> {
  const [added] = await transaction.insert(comparisons).values(row).returning();
  return added!;
}

export async function findComparison(
  transaction: Transaction,
  comparisonId: string,
): Promise<ComparisonRow | undefined> {
  const [row] = await transaction.select().from(comparisons).where(eq(comparisons.id, comparisonId));
  return row;
}

export async function updateComparison(
  transaction: Transaction,
  comparisonId: string,
  change: Partial<Pick<ComparisonRow, 'state' | 'result' | 'problem' | 'logNotes'>>,
): Promise<void> {
  await transaction.update(comparisons).set(change).where(eq(comparisons.id, comparisonId));
}

/** Newest first. */
export async function listComparisonRows(
  transaction: Transaction,
  endpointId: string,
  { limit, after }: { limit: number; after: string | undefined },
): Promise<ComparisonRow[]> {
  return await transaction
    .select()
    .from(comparisons)
    .where(
      and(
        eq(comparisons.endpointId, endpointId),
        after === undefined ? undefined : lt(comparisons.id, after),
      ),
    )
    .orderBy(desc(comparisons.id))
    .limit(limit + 1);
}

/** The newest comparison of two versions of an endpoint. */
export async function newestComparison(
  transaction: Transaction,
  { endpointId, candidate, answering }: { endpointId: string; candidate: string; answering: string },
): Promise<ComparisonRow | undefined> {
  const [row] = await transaction
    .select()
    .from(comparisons)
    .where(
      and(
        eq(comparisons.endpointId, endpointId),
        eq(comparisons.candidateVersionId, candidate),
        eq(comparisons.answeringVersionId, answering),
      ),
    )
    .orderBy(desc(comparisons.id))
    .limit(1);
  return row;
}

export async function addFlips(
  transaction: Transaction,
  rows: (typeof comparisonFlips.$inferInsert)[],
): Promise<void> {
  if (rows.length > 0) await transaction.insert(comparisonFlips).values(rows);
}

/** In their order. */
export async function listFlipRows(
  transaction: Transaction,
  comparisonId: string,
  { limit, after }: { limit: number; after: number | undefined },
): Promise<{ place: number; flip: Flip }[]> {
  return await transaction
    .select({ place: comparisonFlips.place, flip: comparisonFlips.flip })
    .from(comparisonFlips)
    .where(
      and(
        eq(comparisonFlips.comparisonId, comparisonId),
        after === undefined ? undefined : gt(comparisonFlips.place, after),
      ),
    )
    .orderBy(asc(comparisonFlips.place))
    .limit(limit + 1);
}

/** Endpoints that have flips, over all workspaces; in a system transaction. */
export async function endpointsWithFlips(transaction: Transaction): Promise<string[]> {
  const rows = await transaction
    .selectDistinct({ endpointId: comparisonFlips.endpointId })
    .from(comparisonFlips);
  return rows.map(({ endpointId }) => endpointId);
}

export async function dropFlipsBefore(
  transaction: Transaction,
  endpointId: string,
  before: Date,
): Promise<void> {
  await transaction
    .delete(comparisonFlips)
    .where(and(eq(comparisonFlips.endpointId, endpointId), lt(comparisonFlips.predictedAt, before)));
}

/** Removes all but the newest comparisons of an endpoint, with their flips. */
export async function dropOldComparisons(
  transaction: Transaction,
  endpointId: string,
  keptCount: number,
): Promise<void> {
  const old = await transaction
    .select({ id: comparisons.id })
    .from(comparisons)
    .where(eq(comparisons.endpointId, endpointId))
    .orderBy(desc(comparisons.id))
    .offset(keptCount);
  if (old.length === 0) return;
  const ids = old.map(({ id }) => id);
  await transaction.delete(comparisonFlips).where(inArray(comparisonFlips.comparisonId, ids));
  await transaction.delete(comparisons).where(inArray(comparisons.id, ids));
}

/** Removes all that there is of an endpoint. */
export async function dropEndpointComparisons(transaction: Transaction, endpointId: string): Promise<void> {
  await transaction.delete(comparisonFlips).where(eq(comparisonFlips.endpointId, endpointId));
  await transaction.delete(comparisons).where(eq(comparisons.endpointId, endpointId));
  await dropRule(transaction, endpointId);
}

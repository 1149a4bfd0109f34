// Queries of the table `trainings`.
import { and, desc, eq, getTableColumns, lt, sql } from 'drizzle-orm';
import { bigint, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import type { ProblemDocument } from '../../base/problems.ts';
import type { JobState } from '../../contract/job.ts';
import type { Recipe } from '../../contract/training.ts';
import { tenantColumns, tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { TrainingResult } from './training-task.ts';

export const trainings = pgTable(
  'trainings',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    jobId: text('job_id').notNull(),
    /** As it was given, with every default filled in; never changed. */
    recipe: jsonb('recipe').$type<Recipe>().notNull(),
    /** Kept beside the id, so that lineage reads well after the dataset is deleted. */
    datasetId: text('dataset_id').notNull(),
    datasetName: text('dataset_name').notNull(),
    datasetVersionNumber: bigint('dataset_version_number', { mode: 'number' }).notNull(),
    state: text('state').$type<JobState>().notNull(),
    result: jsonb('result').$type<TrainingResult>(),
    modelVersionId: text('model_version_id'),
    reservationId: text('reservation_id').notNull(),
    /** The API key whose caps apply, if one asked. */
    payingKeyId: text('paying_key_id'),
    reservedMicroUsd: bigint('reserved_micro_usd', { mode: 'number' }).notNull(),
    chargedMicroUsd: bigint('charged_micro_usd', { mode: 'number' }),
    problem: jsonb('problem').$type<ProblemDocument>(),
    startedAt: time('started_at'),
    finishedAt: time('finished_at'),
  },
  () => tenantPolicies('project'),
);

export type TrainingRow = typeof trainings.$inferSelect;

export async function addTraining(
  transaction: Transaction,
  row: typeof trainings.$inferInsert,
): Promise<TrainingRow> {
  const [added] = await transaction.insert(trainings).values(row).returning();
  return added!;
}

export async function findTraining(
  transaction: Transaction,
  trainingId: string,
): Promise<TrainingRow | undefined> {
  const [row] = await transaction.select().from(trainings).where(eq(trainings.id, trainingId));
  return row;
}

/** Without the curves and samples of the evaluation: nine tenths of a result, which no list shows. */
const { result: _result, ...otherColumns } = getTableColumns(trainings);
const listedColumns = {
  ...otherColumns,
  result: sql<TrainingRow['result']>`${trainings.result} #- '{evaluation,rocCurve}'
    #- '{evaluation,precisionRecallCurve}' #- '{evaluation,samples}' #- '{evaluation,residuals}'`,
};

/** Newest first; the evaluations come without their curves and samples. */
export async function listTrainingRows(
  transaction: Transaction,
  projectId: string,
  page: { limit: number; after: string | undefined },
): Promise<TrainingRow[]> {
  return await transaction
    .select(listedColumns)
    .from(trainings)
    .where(
      and(
        eq(trainings.projectId, projectId),
        page.after === undefined ? undefined : lt(trainings.id, page.after),
      ),
    )
    .orderBy(desc(trainings.id))
    .limit(page.limit + 1);
}

export async function updateTraining(
  transaction: Transaction,
  trainingId: string,
  change: Partial<typeof trainings.$inferInsert>,
): Promise<void> {
  await transaction.update(trainings).set(change).where(eq(trainings.id, trainingId));
}

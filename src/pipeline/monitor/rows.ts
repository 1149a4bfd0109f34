// Queries of the tables of monitoring: how endpoints are watched, what was found, what sketches of training data are kept,
// and which alerts there are.
import { and, desc, eq, getTableColumns, inArray, isNotNull, lt, lte, sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text, doublePrecision, uniqueIndex } from 'drizzle-orm/pg-core';
import type { z } from 'zod';
import type { ProblemDocument } from '../../base/problems.ts';
import type { alert, monitorSettings, reportDetails, reportSummary } from '../../contract/monitor.ts';
import type { Task } from '../../ml/frame/schema.ts';
import { tenantColumns, tenantPolicies, time } from '../../platform/database/table.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { ReportState } from './states.ts';

export type Settings = z.output<typeof monitorSettings>;
export type Summary = z.output<typeof reportSummary>;
export type Details = z.output<typeof reportDetails>;
export type AlertRule = z.output<typeof alert>['rule'];

export const monitors = pgTable(
  'monitors',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    settings: jsonb('settings').$type<Settings>().notNull(),
    /** The end of the window that the next report is of; null while none is to be made. */
    nextReportAt: time('next_report_at'),
  },
  (table) => [uniqueIndex('monitors_endpoint').on(table.endpointId), ...tenantPolicies('project')],
);

/** Sketches of the training data of a model version: made once, since neither changes. */
export const monitorReferences = pgTable(
  'monitor_references',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    modelVersionId: text('model_version_id').notNull(),
    contentSha256: text('content_sha256').notNull(),
  },
  (table) => [
    uniqueIndex('monitor_references_version').on(table.modelVersionId),
    ...tenantPolicies('project'),
  ],
);

export const monitorReports = pgTable(
  'monitor_reports',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    state: text('state').$type<ReportState>().notNull(),
    jobId: text('job_id').notNull(),
    fromTime: time('from_time').notNull(),
    toTime: time('to_time').notNull(),
    modelVersionId: text('model_version_id').notNull(),
    /** Kept beside the id, so that a report reads well after the model is gone. */
    modelName: text('model_name').notNull(),
    versionNumber: integer('version_number').notNull(),
    task: text('task').$type<Task>().notNull(),
    /** As they were when the report was asked for. */
    settings: jsonb('settings').$type<Settings>().notNull(),
    summary: jsonb('summary').$type<Summary>(),
    details: jsonb('details').$type<Details>(),
    problem: jsonb('problem').$type<ProblemDocument>(),
  },
  (table) => [index('monitor_reports_endpoint').on(table.endpointId, table.id), ...tenantPolicies('project')],
);

export const alerts = pgTable(
  'alerts',
  {
    ...tenantColumns,
    projectId: text('project_id').notNull(),
    endpointId: text('endpoint_id').notNull(),
    reportId: text('report_id').notNull(),
    rule: jsonb('rule').$type<AlertRule>().notNull(),
    state: text('state').$type<'open' | 'closed'>().notNull(),
    value: doublePrecision('value').notNull(),
    message: text('message').notNull(),
    closedAt: time('closed_at'),
  },
  (table) => [index('alerts_endpoint').on(table.endpointId, table.id), ...tenantPolicies('project')],
);

export type MonitorRow = typeof monitors.$inferSelect;
export type ReportRow = typeof monitorReports.$inferSelect;
export type AlertRow = typeof alerts.$inferSelect;

/** What lists need of a report. */
const { details: _details, ...listedColumns } = getTableColumns(monitorReports);
export type ListedReport = Omit<ReportRow, 'details'>;

interface Page {
  limit: number;
  after: string | undefined;
}

/** The monitor of an endpoint; `lock` keeps others from changing it until the transaction ends. */
export async function findMonitor(
  transaction: Transaction,
  endpointId: string,
  options: { lock?: boolean } = {},
): Promise<MonitorRow | undefined> {
  const query = transaction.select().from(monitors).where(eq(monitors.endpointId, endpointId));
  const [row] = options.lock ? await query.for('update') : await query;
  return row;
}

/** Adds a monitor unless the endpoint has one. */
export async function addMonitor(transaction: Transaction, row: typeof monitors.$inferInsert): Promise<void> {
  await transaction.insert(monitors).values(row).onConflictDoNothing();
}

export async function updateMonitor(
  transaction: Transaction,
  endpointId: string,
  change: Partial<Pick<MonitorRow, 'settings' | 'nextReportAt'>>,
): Promise<void> {
  await transaction.update(monitors).set(change).where(eq(monitors.endpointId, endpointId));
}

/** The monitors whose window has ended, over all workspaces; in a system transaction. */
export async function dueMonitors(transaction: Transaction, now: Date, limit: number): Promise<MonitorRow[]> {
  return await transaction
    .select()
    .from(monitors)
    .where(and(isNotNull(monitors.nextReportAt), lte(monitors.nextReportAt, now)))
    .orderBy(monitors.nextReportAt)
    .limit(limit);
}

/** Removes all that there is of an endpoint. Sketches stay with the model version. */
export async function dropMonitor(transaction: Transaction, endpointId: string): Promise<void> {
  await transaction.delete(alerts).where(eq(alerts.endpointId, endpointId));
  await transaction.delete(monitorReports).where(eq(monitorReports.endpointId, endpointId));
  await transaction.delete(monitors).where(eq(monitors.endpointId, endpointId));
}

export async function addReport(
  transaction: Transaction,
  row: typeof monitorReports.$inferInsert,
): Promise<ReportRow> {
  const [added] = await transaction.insert(monitorReports).values(row).returning();
  return added!;
}

export async function findReport(transaction: Transaction, reportId: string): Promise<ReportRow | undefined> {
  const [row] = await transaction.select().from(monitorReports).where(eq(monitorReports.id, reportId));
  return row;
}

export async function updateReport(
  transaction: Transaction,
  reportId: string,
  change: Partial<Pick<ReportRow, 'state' | 'summary' | 'details' | 'problem'>>,
): Promise<void> {
  await transaction.update(monitorReports).set(change).where(eq(monitorReports.id, reportId));
}

/** Newest first. */
export async function listReportRows(
  transaction: Transaction,
  endpointId: string,
  { limit, after }: Page,
): Promise<ListedReport[]> {
  return await transaction
    .select(listedColumns)
    .from(monitorReports)
    .where(
      and(
        eq(monitorReports.endpointId, endpointId),
        after === undefined ? undefined : lt(monitorReports.id, after),
      ),
    )
    .orderBy(desc(monitorReports.id))
    .limit(limit + 1);
}

/** The reports that are ready, of the newest windows first. */
export async function readyReports(
  transaction: Transaction,
  endpointId: string,
  limit: number,
): Promise<ListedReport[]> {
  return await transaction
    .select(listedColumns)
    .from(monitorReports)
    .where(and(eq(monitorReports.endpointId, endpointId), eq(monitorReports.state, 'ready')))
    .orderBy(desc(monitorReports.toTime), desc(monitorReports.id))
    .limit(limit);
}

/** Of each endpoint the newest reports are kept. */
export async function dropOldReports(
  transaction: Transaction,
  endpointId: string,
  keptCount: number,
): Promise<void> {
  await transaction.delete(monitorReports).where(
    and(
      eq(monitorReports.endpointId, endpointId),
      sql`${monitorReports.id} < (select id from ${monitorReports} as kept where kept.endpoint_id = ${endpointId}
        order by id desc offset ${keptCount - 1} limit 1)`,
    ),
  );
}

/** Where the sketches of a version's training data lie. */
export async function findReference(
  transaction: Transaction,
  modelVersionId: string,
): Promise<string | undefined> {
  const [row] = await transaction
    .select()
    .from(monitorReferences)
    .where(eq(monitorReferences.modelVersionId, modelVersionId));
  return row?.contentSha256;
}

export async function keepReference(
  transaction: Transaction,
  row: typeof monitorReferences.$inferInsert,
): Promise<void> {
  await transaction
    .insert(monitorReferences)
    .values(row)
    .onConflictDoUpdate({
      target: monitorReferences.modelVersionId,
      set: { contentSha256: row.contentSha256 },
    });
}

/** The address of every kept sketch, over all workspaces. */
export async function referenceBlobs(transaction: Transaction): Promise<string[]> {
  const rows = await transaction
    .selectDistinct({ sha256: monitorReferences.contentSha256 })
    .from(monitorReferences);
  return rows.map(({ sha256 }) => sha256);
}

export async function addAlert(transaction: Transaction, row: typeof alerts.$inferInsert): Promise<AlertRow> {
  const [added] = await transaction.insert(alerts).values(row).returning();
  return added!;
}

export async function findAlerts(transaction: Transaction, ids: readonly string[]): Promise<AlertRow[]> {
  return await transaction
    .select()
    .from(alerts)
    .where(inArray(alerts.id, [...ids]));
}

export async function updateAlert(
  transaction: Transaction,
  alertId: string,
  change: Partial<Pick<AlertRow, 'state' | 'value' | 'message' | 'closedAt'>>,
): Promise<void> {
  await transaction.update(alerts).set(change).where(eq(alerts.id, alertId));
}

export async function openAlerts(transaction: Transaction, endpointId: string): Promise<AlertRow[]> {
  return await transaction
    .select()
    .from(alerts)
    .where(and(eq(alerts.endpointId, endpointId), eq(alerts.state, 'open')))
    .orderBy(desc(alerts.id));
}

/** Newest first. */
export async function listAlertRows(
  transaction: Transaction,
  endpointId: string,
  { limit, after }: Page,
): Promise<AlertRow[]> {
  return await transaction
    .select()
    .from(alerts)
    .where(and(eq(alerts.endpointId, endpointId), after === undefined ? undefined : lt(alerts.id, after)))
    .orderBy(desc(alerts.id))
    .limit(limit + 1);
}

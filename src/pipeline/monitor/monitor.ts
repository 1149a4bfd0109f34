// Watches endpoints: makes reports over windows of the prediction log, when asked and by schedule. This file is what other
// folders see.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { hourMs, toIso } from '../../base/time.ts';
import type { alert, monitor, monitorReport, monitorReportWithDetails } from '../../contract/monitor.ts';
import { createContext } from '../../platform/context-factory.ts';
import type { Context, Services } from '../../platform/context.ts';
import { pageOf, readCursor } from '../../platform/http/cursor.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { getEndpoint, type Endpoint } from '../deploy/deploy.ts';
import { loggedParts } from '../predict/log/log.ts';
import { getModelVersion } from '../registry/registry.ts';
import { defaultRules } from './alert-rules.ts';
import { reportJob } from './jobs.ts';
import {
  addMonitor,
  addReport,
  dropMonitor,
  dueMonitors,
  findMonitor,
  findReport,
  listAlertRows,
  listReportRows,
  openAlerts,
  readyReports,
  referenceBlobs,
  updateMonitor,
  type AlertRow,
  type ListedReport,
  type MonitorRow,
  type Settings,
} from './rows.ts';

export type Monitor = z.output<typeof monitor>;
export type Report = z.output<typeof monitorReport>;
export type ReportWithDetails = z.output<typeof monitorReportWithDetails>;
export type Alert = z.output<typeof alert>;

type Channel = Settings['channels'][number];

interface PageInput {
  endpointId: string;
  limit: number;
  cursor?: string | undefined;
}

/** Once a day, against the training data. */
const defaultSettings: Settings = {
  isOn: true,
  windowHours: 24,
  reference: 'training',
  excludedColumns: [],
  rules: defaultRules,
  channels: [],
};

/** How an endpoint is watched, and what was found last. Throws `not-found`. */
export async function getMonitor(context: Context, endpointId: string): Promise<Monitor> {
  await getEndpoint(context, endpointId);
  return await context.transaction((transaction) => showMonitor(transaction, endpointId));
}

/** Changes how an endpoint is watched; what is left out stays as it is. Throws `not-found`. */
export async function setMonitor(
  context: Context,
  endpointId: string,
  change: { [Name in keyof Settings]?: Settings[Name] | undefined },
): Promise<Monitor> {
  const found = await getEndpoint(context, endpointId);
  assertReachable(context, change.channels ?? []);
  return await context.transaction(async (transaction) => {
    await addMonitor(transaction, newMonitor(context, found));
    const row = (await findMonitor(transaction, endpointId, { lock: true }))!;
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    const settings: Settings = { ...row.settings, ...given };
    settings.channels = settings.channels.map((channel) => sameAddress(channel, row.settings.channels));
    await updateMonitor(transaction, endpointId, {
      settings,
      nextReportAt: nextReportAt(context, row, settings),
    });
    await context.audit(transaction, {
      action: 'endpoint:write',
      subjectId: endpointId,
      details: { monitor: Object.keys(given) },
    });
    return await showMonitor(transaction, endpointId);
  });
}

function assertReachable({ mail }: Context, channels: readonly Channel[]): void {
  const index = channels.findIndex(({ kind }) => kind === 'mail');
  if (index < 0 || mail.isOn) return;
  const field = `body.channels.${index}.kind`;
  throw new Problem(
    'invalid-request',
    'This installation sends no mail. Ask its operator to set SMTP_URL, or use a webhook.',
    { errors: [{ field, message: 'is not available here' }] },
  );
}

/** The schedule stays as it is unless the length of windows changes, or watching begins. */
function nextReportAt({ clock }: Context, row: MonitorRow, settings: Settings): Date | null {
  if (!settings.isOn) return null;
  if (row.nextReportAt && row.settings.windowHours === settings.windowHours) return row.nextReportAt;
  return new Date(clock.nowMs() + settings.windowHours * hourMs);
}

/** Gives an endpoint a monitor as it is by default, unless it has one or is gone. */
export async function watchEndpoint(context: Context, endpointId: string): Promise<void> {
  const found = await ifThere(() => getEndpoint(context, endpointId));
  if (!found) return;
  await context.transaction((transaction) => addMonitor(transaction, newMonitor(context, found)));
}

/** Forgets all that was found out about an endpoint. */
export async function forgetEndpoint(context: Context, endpointId: string): Promise<void> {
  await context.transaction((transaction) => dropMonitor(transaction, endpointId));
}

/** Starts a report of the time between `from` and `to`, which by default is the window that ends now. */
export async function makeReport(
  context: Context,
  input: { endpointId: string; from?: string | undefined; to?: string | undefined },
): Promise<Report> {
  const found = await getEndpoint(context, input.endpointId);
  const row = await context.transaction((transaction) => findMonitor(transaction, input.endpointId));
  const settings = row?.settings ?? defaultSettings;
  const to = input.to === undefined ? new Date(context.clock.nowMs()) : new Date(input.to);
  const from =
    input.from === undefined ? new Date(to.getTime() - settings.windowHours * hourMs) : new Date(input.from);
  if (!(from.getTime() < to.getTime()))
    throw new Problem('invalid-request', 'The window has no length: "from" must be before "to".', {
      errors: [{ field: 'body.from', message: 'must be before "to"' }],
    });
  return await startReport(context, found, { settings, from, to });
}

async function startReport(
  context: Context,
  found: Endpoint,
  {
    settings,
    from,
    to,
    onStart,
  }: {
    settings: Settings;
    from: Date;
    to: Date;
    /** Runs in the transaction; false: the report is not to be made any more. */
    onStart?: (transaction: Transaction) => Promise<boolean>;
  },
): Promise<Report> {
  // The version that most requests go to is watched.
  const [answering] = found.deployments;
  if (!answering) throw new Problem('endpoint-not-ready', `No model version answers for "${found.name}".`);
  const { task } = await getModelVersion(context, answering.modelVersionId);
  const reportId = context.newId('monitorReport');
  const { workspaceId } = context;
  const { projectId } = found;
  return await context.transaction(async (transaction) => {
    if (onStart && !(await onStart(transaction)))
      throw new Problem('wrong-state', 'Another server makes this report.');
    const subject = { workspaceId, projectId, subjectId: reportId, startedBy: context.actor.id };
    const jobId = await context.jobs.start(transaction, reportJob, { reportId }, subject);
    const row = await addReport(transaction, {
      id: reportId,
      workspaceId,
      projectId,
      endpointId: found.id,
      state: 'making',
      jobId,
      fromTime: from,
      toTime: to,
      modelVersionId: answering.modelVersionId,
      modelName: answering.modelName,
      versionNumber: answering.versionNumber,
      task,
      settings,
      createdAt: new Date(context.clock.nowMs()),
    });
    return showReport(row);
  });
}

/** The reports of an endpoint, newest first. Throws `not-found`. */
export async function listReports(
  context: Context,
  { endpointId, limit, cursor }: PageInput,
): Promise<{ items: Report[]; nextCursor: string | null }> {
  await getEndpoint(context, endpointId);
  const rows = await context.transaction((transaction) =>
    listReportRows(transaction, endpointId, { limit, after: readCursor(cursor) }),
  );
  return pageOf(rows, limit, ({ id }) => id, showReport);
}

/** One report with every column. Throws `not-found`. */
export async function getReport(context: Context, reportId: string): Promise<ReportWithDetails> {
  const row = await context.transaction((transaction) => findReport(transaction, reportId));
  if (!row) throw new Problem('not-found', `There is no report ${reportId}.`);
  return { ...showReport(row), task: row.task, details: row.details };
}

/** The alerts of an endpoint, newest first. Throws `not-found`. */
export async function listAlerts(
  context: Context,
  { endpointId, limit, cursor }: PageInput,
): Promise<{ items: Alert[]; nextCursor: string | null }> {
  await getEndpoint(context, endpointId);
  const rows = await context.transaction((transaction) =>
    listAlertRows(transaction, endpointId, { limit, after: readCursor(cursor) }),
  );
  return pageOf(rows, limit, ({ id }) => id, showAlert);
}

/** Every blob that monitoring refers to; in a system transaction. */
export async function monitorBlobs(transaction: Transaction): Promise<string[]> {
  return await referenceBlobs(transaction);
}

const startedAtOnce = 100;

/** Starts the reports of all windows that have ended, in all workspaces; safe when several servers do it. */
export async function startDueReports(services: Services, signal: AbortSignal): Promise<void> {
  const now = new Date(services.clock.nowMs());
  const due = await services.database.asSystem('find windows that have ended', (transaction) =>
    dueMonitors(transaction, now, startedAtOnce),
  );
  for (const { workspaceId, endpointId } of due) {
    if (signal.aborted) return;
    const context = createContext(services, {
      actor: { kind: 'system', id: 'system' },
      workspaceId,
      projectId: null,
      requestId: services.newId('request'),
      signal,
    });
    try {
      await startDueReport(context, endpointId, now);
    } catch (error) {
      // One endpoint must not keep the others from being watched.
      services.log.warn({ error, endpointId }, 'a monitor report could not be started');
    }
  }
}

async function startDueReport(context: Context, endpointId: string, now: Date): Promise<void> {
  const found = await ifThere(() => getEndpoint(context, endpointId));
  if (!found) return await forgetEndpoint(context, endpointId);
  const row = await context.transaction((transaction) => findMonitor(transaction, endpointId));
  if (!row?.nextReportAt || row.nextReportAt > now) return;
  const { settings, nextReportAt: due } = row;
  const lengthMs = settings.windowHours * hourMs;
  // After a long pause only the last whole window is looked at.
  const behind = Math.floor((now.getTime() - due.getTime()) / lengthMs);
  const to = new Date(due.getTime() + behind * lengthMs);
  const from = new Date(to.getTime() - lengthMs);
  const advance = async (transaction: Transaction): Promise<boolean> => {
    const current = await findMonitor(transaction, endpointId, { lock: true });
    if (current?.nextReportAt?.getTime() !== due.getTime()) return false;
    await updateMonitor(transaction, endpointId, { nextReportAt: new Date(to.getTime() + lengthMs) });
    return true;
  };
  const [answering] = found.deployments;
  const { predictions } = await loggedParts(context, { endpointId, from, to, isFresh: true });
  // Nobody asked: a report would say nothing, and wake a process for it.
  if (!answering || predictions.length === 0) {
    await context.transaction(advance);
    return;
  }
  try {
    await startReport(context, found, { settings, from, to, onStart: advance });
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'wrong-state') throw error;
  }
}

async function ifThere<T>(get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return undefined;
    throw error;
  }
}

function newMonitor(
  { newId, clock, workspaceId }: Context,
  { id: endpointId, projectId }: Endpoint,
): MonitorRow {
  const nowMs = clock.nowMs();
  return {
    id: newId('monitor'),
    workspaceId,
    projectId,
    endpointId,
    settings: defaultSettings,
    nextReportAt: new Date(nowMs + defaultSettings.windowHours * hourMs),
    createdAt: new Date(nowMs),
  };
}

async function showMonitor(transaction: Transaction, endpointId: string): Promise<Monitor> {
  const row = await findMonitor(transaction, endpointId);
  const [latest] = await readyReports(transaction, endpointId, 1);
  return {
    endpointId,
    settings: shownSettings(row?.settings ?? defaultSettings),
    nextReportAt: row?.nextReportAt ? toIso(row.nextReportAt.getTime()) : null,
    latestReport: latest ? showReport(latest) : null,
    openAlerts: (await openAlerts(transaction, endpointId)).map(showAlert),
  };
}

function shownSettings(settings: Settings): Settings {
  return { ...settings, channels: settings.channels.map(shownChannel) };
}

/** Shows of an address where it leads and how it ends: whoever knows all of it can write there. */
function shownChannel({ kind, address }: Channel): Channel {
  if (kind === 'mail') return { kind, address };
  const { origin, pathname, search } = new URL(address);
  const rest = pathname + search;
  if (rest.length <= 1) return { kind, address };
  return { kind, address: `${origin}/…${rest.slice(-Math.min(4, Math.floor(rest.length / 2)))}` };
}

/** The channel with its whole address, where it came back as it was shown. */
function sameAddress(channel: Channel, known: readonly Channel[]): Channel {
  const same = known.find(
    (one) => one.kind === channel.kind && shownChannel(one).address === channel.address,
  );
  return same ?? channel;
}

function showReport(row: ListedReport): Report {
  const { id, endpointId, state, jobId, modelVersionId, modelName, versionNumber, summary, problem } = row;
  return {
    id,
    endpointId,
    state,
    jobId,
    from: toIso(row.fromTime.getTime()),
    to: toIso(row.toTime.getTime()),
    modelVersionId,
    modelName,
    versionNumber,
    summary,
    problem,
    createdAt: toIso(row.createdAt.getTime()),
  };
}

function showAlert({ id, endpointId, reportId, rule, state, value, message, ...times }: AlertRow): Alert {
  const { createdAt, closedAt } = times;
  return {
    id,
    endpointId,
    reportId,
    rule,
    state,
    value,
    message,
    openedAt: toIso(createdAt.getTime()),
    closedAt: closedAt ? toIso(closedAt.getTime()) : null,
  };
}

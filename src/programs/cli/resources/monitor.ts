// `pilvi monitor`: whether what an endpoint is asked and answers still is what its model learned from.
import type { Command } from 'commander';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor, InputFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { alertMeasures, alertRules, type AlertRule, type Measure } from '../alert-rule.ts';
import { UsageError } from '../failure.ts';
import { findEndpoint } from '../find.ts';
import { followJob } from '../jobs.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { choice, collect, nameList, wholeNumber } from '../values.ts';
import { countInWords, scoreInWords, timeInWords } from '../words.ts';

type Monitor = AnswerFor<'getMonitor'>;
type Report = AnswerFor<'getMonitorReport'>;
type Listed = AnswerFor<'listMonitorReports'>['items'][number];
type Alert = AnswerFor<'listAlerts'>['items'][number];

interface SetOptions {
  on?: boolean;
  off?: boolean;
  everyHours?: number;
  reference?: 'training' | 'previous-window';
  mayMove?: string[];
  webhook?: string[];
  slack?: string[];
  mail?: string[];
  alert?: AlertRule[];
  silence?: Measure[];
  tellNobody?: boolean;
}

const levels = {
  unclear: 'too few rows to tell',
  same: 'as before',
  little: 'moved a little',
  lot: 'moved a lot',
};

export function addMonitorCommands(program: Command): void {
  const monitor = program
    .command('monitor')
    .description('whether an endpoint is still asked, and answers, what its model learned');
  const command = (name: string, description: string): Command =>
    monitor.command(name).description(description).argument('<endpoint>', 'name or id');
  command('show', 'how it is watched, and what was found last').action(act(getMonitor, showMonitor));
  command('set', 'change how it is watched')
    .option('--on', 'make a report after each window')
    .option('--off', 'make reports only when asked')
    .option('--every-hours <hours>', 'how long a window is', wholeNumber(1, 744))
    .addOption(choice('--reference <what>', 'compare with', ['training', 'previous-window']))
    .option('--may-move <columns>', 'columns that may move, with commas in between', nameList)
    .option('--webhook <url>', 'tell this address of alerts, as signed JSON; may be repeated', collect)
    .option('--slack <url>', 'tell this Slack-compatible address of alerts; may be repeated', collect)
    .option('--mail <address>', 'tell this mail address of alerts; may be repeated', collect)
    .option('--tell-nobody', 'forget all addresses')
    .option(
      '--alert <rule>',
      'open an alert by this rule, such as quality=0.1,0.05,2: from 0.1 on in 2 windows in a row, until below 0.05; may be repeated',
      alertRules,
    )
    .option('--silence <measure>', 'open no alerts by this any more; may be repeated', alertMeasures)
    .action(act(setMonitor, showMonitor));
  command('report', 'make a report now, of the window that ends now')
    .option('--from <time>', 'such as 2026-11-23T00:00:00Z')
    .option('--to <time>', 'such as 2026-11-24T00:00:00Z')
    .action(act(makeReport, showReport));
  command('reports', 'the reports, newest first').action(act(listReports, showReports));
  command('alerts', 'the alerts, newest first').action(act(listAlerts, showAlerts));
  monitor
    .command('columns')
    .description('one report with every column')
    .argument('<report>', 'an id')
    .action(act(getReport, showReport));
}

async function endpointId(session: Session, reference: string): Promise<string> {
  return (await findEndpoint(await session.client(), await session.projectId(), reference)).id;
}

async function getMonitor(session: Session, _options: object, reference: string): Promise<Monitor> {
  const client = await session.client();
  return client.getMonitor({ endpointId: await endpointId(session, reference) });
}

async function setMonitor(session: Session, options: SetOptions, reference: string): Promise<Monitor> {
  const changed = settingsOf(options);
  const { alert = [], silence = [] } = options;
  if (Object.keys(changed).length + alert.length + silence.length === 0)
    throw new UsageError('nothing to change: name at least one option');
  const client = await session.client();
  const endpoint = { endpointId: await endpointId(session, reference) };
  if (alert.length + silence.length === 0) return client.setMonitor({ ...endpoint, body: changed });
  const { settings } = await client.getMonitor(endpoint);
  const replaced = new Set([...silence, ...alert.map(({ measure }) => measure)]);
  const rules = [...settings.rules.filter(({ measure }) => !replaced.has(measure)), ...alert];
  return client.setMonitor({ ...endpoint, body: { ...changed, rules } });
}

function settingsOf(options: SetOptions): InputFor<'setMonitor'>['body'] {
  const {
    on,
    off,
    everyHours,
    reference,
    mayMove,
    webhook = [],
    slack = [],
    mail = [],
    tellNobody,
  } = options;
  if (on && off) throw new UsageError('--on and --off exclude each other');
  const channels = [
    ...webhook.map((address) => ({ kind: 'webhook' as const, address })),
    ...slack.map((address) => ({ kind: 'slack' as const, address })),
    ...mail.map((address) => ({ kind: 'mail' as const, address })),
  ];
  if (tellNobody && channels.length > 0) throw new UsageError('--tell-nobody names no addresses');
  return {
    ...((on || off) && { isOn: on === true }),
    ...(everyHours !== undefined && { windowHours: everyHours }),
    ...(reference !== undefined && { reference }),
    ...(mayMove !== undefined && { excludedColumns: mayMove }),
    ...((tellNobody || channels.length > 0) && { channels }),
  };
}

async function makeReport(
  session: Session,
  body: { from?: string; to?: string },
  reference: string,
): Promise<Report> {
  const client = await session.client();
  const { id, jobId } = await client.makeMonitorReport({
    endpointId: await endpointId(session, reference),
    body,
  });
  if (jobId !== null) await followJob(session, jobId, { cancelWhenInterrupted: true });
  return client.getMonitorReport({ reportId: id });
}

async function getReport(session: Session, _options: object, reportId: string): Promise<Report> {
  return (await session.client()).getMonitorReport({ reportId });
}

async function listReports(session: Session, _options: object, reference: string): Promise<Listed[]> {
  const client = await session.client();
  return Array.fromAsync(
    listAll(client.listMonitorReports, { endpointId: await endpointId(session, reference) }),
  );
}

async function listAlerts(session: Session, _options: object, reference: string): Promise<Alert[]> {
  const client = await session.client();
  return Array.fromAsync(listAll(client.listAlerts, { endpointId: await endpointId(session, reference) }));
}

function showMonitor({ settings, nextReportAt, latestReport, openAlerts }: Monitor): void {
  print(latestReport?.summary?.headline ?? 'There is no report yet.');
  print('');
  printProperties([
    ['watched', settings.isOn ? `every ${settings.windowHours} hours` : 'only when asked'],
    ['compared with', settings.reference === 'training' ? 'the training data' : 'the window before'],
    ['columns that may move', settings.excludedColumns.join(', ')],
    ['alerts are told to', settings.channels.map(({ address }) => address).join(', ')],
    ['next report', timeInWords(nextReportAt)],
    ['latest report', latestReport ? `${latestReport.id} (${timeInWords(latestReport.to)})` : ''],
  ]);
  print('');
  printTable(
    ['alert', 'opens from', 'closes below', 'windows in a row'],
    settings.rules.map(({ measure, opensFrom, closesBelow, windowCount }) => [
      measure,
      String(opensFrom),
      String(closesBelow),
      String(windowCount),
    ]),
    'No alerts are opened.',
  );
  for (const { message } of openAlerts) print(`Alert: ${message}`);
}

function showReports(reports: Listed[]): void {
  printTable(
    ['until', 'rows', 'found', 'id'],
    reports.map(({ to, summary, state, id }) => [
      timeInWords(to),
      countInWords(summary?.rowCount),
      summary?.headline ?? state,
      id,
    ]),
    'No reports yet; "pilvi monitor report ENDPOINT" makes one.',
  );
}

function showAlerts(alerts: Alert[]): void {
  printTable(
    ['opened', 'closed', 'what', 'id'],
    alerts.map(({ openedAt, closedAt, message, id }) => [
      timeInWords(openedAt),
      timeInWords(closedAt),
      message,
      id,
    ]),
    'No alerts.',
  );
}

function showReport({ summary, details, state, problem }: Report): void {
  print(summary?.headline ?? problem?.detail ?? `The report is ${state}.`);
  if (!summary || !details) return;
  print('');
  printProperties([
    ['rows', countInWords(summary.rowCount)],
    ['compared with', `${details.comparedWith.kind} (${countInWords(details.comparedWith.rowCount)} rows)`],
    ['answers', levels[summary.answersLevel]],
    ['what counts for them', attributionsInWords(details.attributions)],
    ['score', details.performance ? `${details.performance.metric} ${scoreInWords(summary.score)}` : ''],
    ['expected accuracy', scoreInWords(summary.expectedAccuracy)],
    ['coverage', scoreInWords(summary.coverage)],
  ]);
  print('');
  printTable(
    ['column', 'found', 'psi', 'missing', 'out of range or new'],
    details.columns.map(({ column, drift, quality }) => [
      column,
      drift ? levels[drift.level] : '',
      drift ? drift.psi.toFixed(3) : '',
      percent(quality.missingShare),
      percent(quality.outsideShare ?? quality.unseenShare),
    ]),
    '',
  );
}

function attributionsInWords(attributions: NonNullable<Report['details']>['attributions']): string {
  if (!attributions) return '';
  const { level, distance } = attributions;
  return level === 'unclear' ? levels.unclear : `${levels[level]}: ${percent(distance)} from other columns`;
}

function percent(share: number | null): string {
  return share === null ? '' : `${(100 * share).toFixed(1)} %`;
}

// Opens and closes the alerts of an endpoint with each report, and tells the channels of its monitor. A message to each
// channel is an event of its own: one that cannot be reached is tried again without bothering the others.
import { Problem } from '../../base/problems.ts';
import type { Context } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { sendWebhook } from '../../platform/webhooks.ts';
import { alertMessage, nextState } from './alert-rules.ts';
import {
  addAlert,
  findAlerts,
  findMonitor,
  openAlerts,
  readyReports,
  updateAlert,
  type AlertRow,
  type ReportRow,
  type Settings,
  type Summary,
} from './rows.ts';

export type Channel = Settings['channels'][number];

/** More windows in a row than a rule may ask for. */
const lookedAtReports = 40;

/** Applies the rules of the endpoint's monitor to its newest reports, of which `report` is one. */
export async function settleAlerts(
  context: Context,
  transaction: Transaction,
  report: ReportRow & { summary: Summary; endpointName: string },
): Promise<void> {
  const { endpointId, workspaceId, projectId, endpointName } = report;
  const monitor = await findMonitor(transaction, endpointId, { lock: true });
  if (!monitor) return;
  const reports = await readyReports(transaction, endpointId, lookedAtReports);
  // A report about the past changes nothing.
  if (reports[0]?.id !== report.id) return;
  const summaries = reports.flatMap(({ summary, id }) =>
    id === report.id ? [report.summary] : summary ? [summary] : [],
  );
  const open = await openAlerts(transaction, endpointId);
  const now = new Date(context.clock.nowMs());
  for (const alert of open)
    if (!monitor.settings.rules.some(({ measure }) => measure === alert.rule.measure))
      await close(context, transaction, { alert, now, channels: monitor.settings.channels });
  for (const rule of monitor.settings.rules) {
    const alert = open.find((one) => one.rule.measure === rule.measure);
    const { change, value } = nextState(rule, alert !== undefined, summaries);
    if (value === null) continue;
    const message = alertMessage(endpointName, rule, value);
    if (alert && change === 'closes')
      await close(context, transaction, {
        alert: { ...alert, value },
        now,
        channels: monitor.settings.channels,
      });
    else if (alert) await updateAlert(transaction, alert.id, { value, message });
    else if (change === 'opens') {
      const added = await addAlert(transaction, {
        id: context.newId('alert'),
        workspaceId,
        projectId,
        endpointId,
        reportId: report.id,
        rule,
        state: 'open',
        value,
        message,
        createdAt: now,
      });
      await tell(context, transaction, added, monitor.settings.channels);
    }
  }
}

async function close(
  context: Context,
  transaction: Transaction,
  { alert, now, channels }: { alert: AlertRow; now: Date; channels: readonly Channel[] },
): Promise<void> {
  const change = { state: 'closed' as const, value: alert.value, closedAt: now };
  await updateAlert(transaction, alert.id, change);
  await tell(context, transaction, { ...alert, ...change }, channels);
}

/** Tells later stages, and each channel by an event of its own. */
async function tell(
  context: Context,
  transaction: Transaction,
  { id: alertId, projectId, endpointId, rule, value, state }: AlertRow,
  channels: readonly Channel[],
): Promise<void> {
  const data = { alertId, endpointId, measure: rule.measure, value };
  await context.publish(transaction, {
    name: state === 'open' ? 'alert-opened' : 'alert-closed',
    projectId,
    data,
  });
  for (const { kind, address } of channels)
    await context.publish(transaction, {
      name: 'alert-message-due',
      projectId,
      data: { alertId, state, kind, address },
    });
}

/** Sends the message of an alert to one channel; an alert that is gone has none. Throws `source-failed`, others of egress. */
export async function sendAlert(
  context: Context,
  {
    alertId,
    state,
    kind,
    address,
    eventId,
  }: { alertId: string; state: 'open' | 'closed'; eventId: string } & Channel,
): Promise<void> {
  const [alert] = await context.transaction((transaction) => findAlerts(transaction, [alertId]));
  if (!alert) return;
  if (kind === 'mail') {
    const { subject, text } = letter(alert, state);
    return await context.mail.send({ to: address, subject, text, id: eventId });
  }
  const isSlack = kind === 'slack';
  const status = await sendWebhook(context, {
    url: address,
    id: eventId,
    body: JSON.stringify(isSlack ? { text: slackText(alert, state) } : webhookBody(alert, state)),
    // No secret is shared with whoever receives alerts.
    signedBy: isSlack ? 'nobody' : 'installation',
  });
  if (status >= 300)
    throw new Problem(
      'source-failed',
      `${new URL(address).host} answered ${status} to the message of an alert.`,
    );
}

function letter(alert: AlertRow, state: 'open' | 'closed'): { subject: string; text: string } {
  const { message, createdAt, endpointId, reportId } = alert;
  const since = createdAt.toISOString();
  return {
    subject: `${state === 'open' ? 'Alert' : 'No longer'}: ${message}`,
    text: [
      message,
      '',
      state === 'open' ? `Since ${since}.` : `This was so from ${since} on, and has ended.`,
      `What moved, column by column: pilvi monitor columns ${reportId}`,
      `How this endpoint is watched, and who is told: pilvi monitor show ${endpointId}`,
      '',
    ].join('\n'),
  };
}

function webhookBody(alert: AlertRow, state: 'open' | 'closed'): object {
  const { id, endpointId, reportId, rule, value, message, createdAt } = alert;
  return { id, endpointId, reportId, state, measure: rule.measure, value, message, openedAt: createdAt };
}

/** Slack reads &, < and > as its own (https://docs.slack.dev/messaging/formatting-message-text). */
function slackText({ message }: AlertRow, state: 'open' | 'closed'): string {
  const text = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return state === 'open' ? `Alert: ${text}` : `No longer: ${text}`;
}

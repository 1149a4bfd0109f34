// Whether what the endpoint is asked, and what it answers, still is what its model learned from: in a sentence, over time,
// column by column.
import { Button, Group, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { client } from '../../api/client.ts';
import { monitorQuery, monitorReportQuery, monitorReportsQuery } from '../../api/queries.ts';
import type { Endpoint, Monitor, MonitorReport, MonitorReportSummary } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { Empty } from '../../kit/empty.tsx';
import { Facts, type Fact } from '../../kit/facts.tsx';
import {
  formatCount,
  formatCountOf,
  formatNumber,
  formatShare,
  formatTime,
  ofHundred,
} from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Okta } from '../../kit/okta.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { When } from '../../kit/when.tsx';
import { MonitorAlerts } from './monitor-alerts.tsx';
import { MonitorColumns } from './monitor-columns.tsx';
import { MonitorOutcomes } from './monitor-outcomes.tsx';
import { MonitorSettings } from './monitor-settings.tsx';
import classes from './monitoring.module.css';

/** The tab. */
export function Monitoring({ endpoint }: { endpoint: Endpoint }) {
  const monitor = useQuery(monitorQuery(endpoint.id));
  const reports = useInfiniteQuery(monitorReportsQuery(endpoint.id));
  const [chosenId, setChosenId] = useState<string>();
  return (
    <Loaded query={monitor} skeleton={<Blocks count={2} height={180} />}>
      {(data) => (
        <div className={classes.page}>
          <Findings
            endpoint={endpoint}
            monitor={data}
            reports={reports.data ?? []}
            chosenId={chosenId ?? data.latestReport?.id}
            onChoose={setChosenId}
          />
          <MonitorAlerts endpointId={endpoint.id} />
          <MonitorSettings endpoint={endpoint} monitor={data} />
        </div>
      )}
    </Loaded>
  );
}

interface FindingsProps {
  endpoint: Endpoint;
  monitor: Monitor;
  reports: readonly MonitorReportSummary[];
  chosenId: string | undefined;
  onChoose: (reportId: string | undefined) => void;
}

function Findings({ endpoint, monitor, reports, chosenId, onChoose }: FindingsProps) {
  const look = <LookNow endpoint={endpoint} reports={reports} onDone={() => onChoose(undefined)} />;
  if (chosenId === undefined) {
    return (
      <Empty title="No report yet" action={look}>
        {monitor.nextReportAt
          ? `The first one is made on ${formatTime(monitor.nextReportAt)}, of all that is asked until then.`
          : 'Reports are made only when you ask for one.'}{' '}
        It tells whether people still ask for what the model learned from.
      </Empty>
    );
  }
  return (
    <>
      <ReportGlance reportId={chosenId} action={look} />
      <OpenAlerts alerts={monitor.openAlerts} />
      <TimeLine reports={reports} chosenId={chosenId} onChoose={onChoose} />
      <ReportParts reportId={chosenId} excluded={monitor.settings.excludedColumns} />
    </>
  );
}

/** All that are open, together. */
function OpenAlerts({ alerts }: { alerts: Monitor['openAlerts'] }) {
  if (alerts.length === 0) return null;
  return (
    <Notice tone="careful" title={`${formatCountOf(alerts.length, 'alert')} open`}>
      {alerts.map(({ id, message, openedAt }) => (
        <div key={id}>
          {message} Since <When iso={openedAt} />.
        </div>
      ))}
      <Text size="sm" c="dimmed">
        They end by themselves when a window is as before again.
      </Text>
    </Notice>
  );
}

function LookNow({
  endpoint,
  reports,
  onDone,
}: {
  endpoint: Endpoint;
  reports: readonly MonitorReportSummary[];
  onDone: () => void;
}) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => client.makeMonitorReport({ endpointId: endpoint.id, body: {} }),
    onSuccess: async () => {
      onDone();
      await queries.invalidateQueries(monitorReportsQuery(endpoint.id));
    },
  });
  if (!canEdit) return null;
  const isMaking = reports.some(({ state }) => state === 'making');
  return (
    <div>
      {make.error && <ProblemAlert error={make.error} />}
      <Button
        variant="default"
        leftSection={<Icon name="refresh" size={16} />}
        loading={make.isPending || isMaking}
        onClick={() => make.mutate()}
      >
        Look now
      </Button>
    </div>
  );
}

/** How overcast it is. */
const covers = { unclear: 0, same: 0.125, little: 0.5, lot: 1 } as const;

function ReportGlance({ reportId, action }: { reportId: string; action: ReactNode }) {
  const report = useQuery(monitorReportQuery(reportId));
  return (
    <Loaded query={report} skeleton={<Blocks count={1} height={180} />}>
      {({ summary, from, to, versionNumber, modelName, problem, details }) => (
        <section className={classes.glance} data-level={summary?.level}>
          <div className={classes.said}>
            <Okta share={covers[summary?.level ?? 'unclear']} size={44} />
            <p>{summary?.headline ?? problem?.detail ?? 'The report is being made.'}</p>
          </div>
          <Group justify="space-between" align="end" gap="lg">
            <Text size="sm" c="dimmed">
              {modelName}, version {versionNumber} · {formatTime(from)} to {formatTime(to)}
              {details?.comparedWith.why && ` · ${details.comparedWith.why}`}
            </Text>
            {action}
          </Group>
          {summary && details && <Facts items={factsOf(summary, details)} />}
        </section>
      )}
    </Loaded>
  );
}

function factsOf(
  summary: NonNullable<MonitorReport['summary']>,
  { columns, expectedAccuracy, performance, coverage }: NonNullable<MonitorReport['details']>,
): Fact[] {
  const moved = summary.movedLittleCount + summary.movedLotCount;
  const facts: Fact[] = [
    { label: 'Rows asked for', value: formatCount(summary.rowCount) },
    { label: 'Columns that moved', value: `${moved} of ${columns.length}` },
  ];
  if (performance)
    facts.push({
      label: performance.errorMeasure === 'mistakes' ? 'Right answers' : 'Distance from the truth',
      value:
        performance.errorMeasure === 'mistakes'
          ? formatShare(1 - performance.error.value)
          : formatNumber(performance.error.value),
      note: `of ${formatCount(performance.outcomeCount)} known outcomes`,
    });
  else if (expectedAccuracy)
    facts.push({
      label: 'Right answers, expected',
      value: formatShare(expectedAccuracy.value),
      note: 'by what the model says of itself',
    });
  if (coverage)
    facts.push({
      label: 'Truth among the likely',
      value: formatShare(coverage.value),
      note: `${ofHundred(coverage.promised)} of 100 promised`,
    });
  return facts;
}

function TimeLine({
  reports,
  chosenId,
  onChoose,
}: {
  reports: readonly MonitorReportSummary[];
  chosenId: string;
  onChoose: (reportId: string) => void;
}) {
  const ready = reports.filter(({ state }) => state === 'ready').toReversed();
  if (ready.length < 2) return null;
  const largest = Math.max(0.5, ...ready.map(({ summary }) => summary?.largestPsi ?? 0));
  return (
    <section>
      <h2 className={classes.title}>Over time</h2>
      <div className={classes.timeline} role="group" aria-label="Reports, oldest first">
        {ready.map(({ id, to, summary }) => (
          <button
            key={id}
            type="button"
            className={classes.tick}
            data-level={summary?.level}
            aria-pressed={id === chosenId}
            aria-label={`${formatTime(to)}: ${summary?.headline ?? ''}`}
            title={`${formatTime(to)}: ${summary?.headline ?? ''}`}
            onClick={() => onChoose(id)}
          >
            <span style={{ height: `${8 + 92 * Math.min(1, (summary?.largestPsi ?? 0) / largest)}%` }} />
          </button>
        ))}
      </div>
      <Text size="sm" c="dimmed" mt={4}>
        From {formatTime(ready[0]!.to)} to {formatTime(ready.at(-1)!.to)}. Each bar is a report; the taller,
        the further the column that moved most. Choose one to see it.
      </Text>
    </section>
  );
}

function ReportParts({ reportId, excluded }: { reportId: string; excluded: readonly string[] }) {
  const { data } = useQuery(monitorReportQuery(reportId));
  if (!data?.details || !data.summary || data.summary.rowCount === 0) return null;
  return (
    <>
      {data.details.performance && <MonitorOutcomes performance={data.details.performance} />}
      <MonitorColumns key={reportId} details={data.details} excluded={excluded} />
    </>
  );
}

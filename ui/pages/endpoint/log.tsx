// What the endpoint was asked and what it answered: found by time, text and outcome, and each one opened.
import { Anchor, Button, Group, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { saveDownload } from '../../api/download.ts';
import { loggedPredictionsQuery, predictionLogQuery } from '../../api/queries.ts';
import type { Endpoint, LoggedPrediction, PredictionLog } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { Empty } from '../../kit/empty.tsx';
import {
  formatBytes,
  formatCell,
  formatCount,
  formatCountOf,
  formatShare,
  formatTime,
} from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { Icon } from '../../kit/icons.tsx';
import { Blocks } from '../../kit/loaded.tsx';
import { More } from '../../kit/more.tsx';
import { Notice } from '../../kit/notice.tsx';
import { notifyProblem, ProblemAlert } from '../../kit/problem.tsx';
import { When } from '../../kit/when.tsx';
import { LogSettings, settingsInWords } from './log-settings.tsx';
import { OpenedPrediction } from './logged-prediction.tsx';
import classes from './endpoint.module.css';

const outcomes = [
  { value: 'all', label: 'All' },
  { value: 'known', label: 'Outcome known' },
  { value: 'unknown', label: 'Not yet known' },
] as const;
type Outcome = (typeof outcomes)[number]['value'];

const times = [
  { days: null, label: 'Any time' },
  { days: 1, label: 'Last day' },
  { days: 7, label: 'Last week' },
  { days: 30, label: 'Last 30 days' },
] as const;

const shownFields = 6;
const dayMs = 86_400_000;

/** The tab of predictions. */
export function Log({ projectId, endpoint }: { projectId: string; endpoint: Endpoint }) {
  const [search, setSearch] = useState('');
  const [settledSearch] = useDebouncedValue(search.trim(), 300);
  const [outcome, setOutcome] = useState<Outcome>('all');
  const [from, setFrom] = useState<{ label: string; iso?: string }>({ label: times[0].label });
  const [openedId, setOpenedId] = useState<string>();
  const log = useQuery(predictionLogQuery(endpoint.id)).data;
  const predictions = useInfiniteQuery(
    loggedPredictionsQuery(endpoint.id, {
      search: settledSearch || undefined,
      outcome: outcome === 'all' ? undefined : outcome,
      from: from.iso,
    }),
  );
  const items = predictions.data ?? [];
  const isNarrowed = settledSearch !== '' || outcome !== 'all' || from.iso !== undefined;
  return (
    <Stack gap="lg">
      <About endpoint={endpoint} log={log} />
      {log && log.lostRowCount > 0 && <Lost log={log} />}
      <Group gap="sm">
        <TextInput
          aria-label="Search in predictions"
          placeholder="A value, an answer or an id"
          leftSection={<Icon name="search" size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          className={classes.search!}
        />
        <div style={{ overflowX: 'auto' }}>
          <SegmentedControl
            aria-label="Outcome"
            data={outcomes.map((one) => ({ ...one }))}
            value={outcome}
            onChange={(value) => setOutcome(value as Outcome)}
          />
        </div>
        <Select
          aria-label="Time"
          data={times.map(({ label }) => label)}
          value={from.label}
          allowDeselect={false}
          w={150}
          onChange={(label) => setFrom(rangeOf(label))}
        />
        <Button
          variant="default"
          leftSection={<Icon name="refresh" size={16} />}
          loading={predictions.isRefetching}
          onClick={() => void predictions.refetch()}
        >
          Refresh
        </Button>
      </Group>
      {predictions.error && (
        <ProblemAlert error={predictions.error} onRetry={() => void predictions.refetch()} />
      )}
      {predictions.isPending && <Blocks count={1} height={320} />}
      {predictions.data && items.length === 0 && (
        <Empty title={isNarrowed ? 'No such predictions' : 'No predictions yet'}>
          {isNarrowed
            ? 'Search for something else, or choose a longer time.'
            : 'Every answer of this endpoint appears here, whoever asked for it.'}
        </Empty>
      )}
      {items.length > 0 && <Table endpoint={endpoint} items={items} onOpen={setOpenedId} />}
      <More query={predictions} label="Show older ones" />
      <OpenedPrediction
        projectId={projectId}
        endpointId={endpoint.id}
        predictionId={openedId}
        onClose={() => setOpenedId(undefined)}
      />
    </Stack>
  );
}

function rangeOf(label: string | null): { label: string; iso?: string } {
  const { days, label: known } = times.find((one) => one.label === label) ?? times[0];
  if (days === null) return { label: known };
  return { label: known, iso: new Date(Date.now() - days * dayMs).toISOString() };
}

function About({ endpoint, log }: { endpoint: Endpoint; log: PredictionLog | undefined }) {
  const { canEdit } = useAbilities();
  const save = useMutation({
    mutationFn: async () =>
      saveDownload(await client.exportPredictionLog({ endpointId: endpoint.id }), 'predictions.parquet'),
    onError: notifyProblem,
  });
  const figures =
    log &&
    [
      formatCountOf(log.rowCount, 'prediction'),
      log.outcomeCount > 0 && formatCountOf(log.outcomeCount, 'outcome'),
      log.sizeBytes > 0 && formatBytes(log.sizeBytes),
    ].filter(Boolean);
  return (
    <Group justify="space-between" align="flex-start">
      <Text c="dimmed" maw={640}>
        {settingsInWords(endpoint.log)} {figures && `In the log: ${figures.join(', ')}.`}
      </Text>
      <Group gap="sm">
        {canEdit && <LogSettings endpoint={endpoint} />}
        <Button
          variant="default"
          leftSection={<Icon name="download" size={16} />}
          loading={save.isPending}
          onClick={() => save.mutate()}
        >
          Save as Parquet
        </Button>
      </Group>
    </Group>
  );
}

function Lost({ log }: { log: PredictionLog }) {
  return (
    <Notice tone="careful" title={`${formatCountOf(log.lostRowCount, 'prediction')} could not be kept`}>
      They were answered, but there was no room on the disk to write them down
      {log.lostAt && (
        <>
          , last <When iso={log.lostAt} />
        </>
      )}
      . Free some space on the server.
    </Notice>
  );
}

interface TableProps {
  endpoint: Endpoint;
  items: readonly LoggedPrediction[];
  onOpen: (predictionId: string) => void;
}

function Table({ endpoint, items, onOpen }: TableProps) {
  const names = endpoint.fields.slice(0, shownFields).map(({ name }) => name);
  return (
    <div className={grid.scroll} tabIndex={0} role="region" aria-label="Predictions">
      <table className={grid.table}>
        <thead>
          <tr>
            <th scope="col">Answered</th>
            <th scope="col">Prediction</th>
            <th scope="col">What was true</th>
            {names.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            <th scope="col" data-number>
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.id}>
              <td>
                <Anchor component="button" type="button" size="sm" onClick={() => onOpen(item.id)}>
                  {formatTime(item.time)}
                </Anchor>
              </td>
              <td>{answerInWords(item)}</td>
              <td>
                <span data-missing={item.actual === null || undefined}>{formatCell(item.actual)}</span>
              </td>
              {names.map((name) => (
                <td key={name}>{item.redacted.includes(name) ? 'not kept' : shown(item.given[name])}</td>
              ))}
              <td data-number>{formatCount(Math.max(1, Math.round(item.latencyMs)))} ms</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : formatCell(value);
}

function answerInWords({ answer }: LoggedPrediction): string {
  const probability = answer.probabilities?.[String(answer.prediction)];
  const said = formatCell(answer.prediction);
  return probability === undefined ? said : `${said} (${formatShare(probability, 0)})`;
}

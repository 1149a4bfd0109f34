// A training: live while it runs, a record afterwards.
import { Button, Stack } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { Link, useParams } from 'react-router';
import { useTrainingEvents } from '../../api/live.ts';
import {
  isActive,
  learnersQuery,
  modelsQuery,
  planQuery,
  trainingQuery,
  trainingsQuery,
} from '../../api/queries.ts';
import type { JobEvent, Training } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Facts, type Fact } from '../../kit/facts.tsx';
import { formatCount, formatDuration, formatMoney, formatTime, secondsBetween } from '../../kit/format.ts';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Page, Section } from '../../kit/page.tsx';
import { useNow } from '../../kit/when.tsx';
import { EventLog } from './event-log.tsx';
import { Hero } from './hero.tsx';
import { Leaderboard } from './leaderboard.tsx';
import { ranked, trialsOf, type Measure } from './trials.ts';

const Curves = lazy(() => import('./curves.tsx').then(({ Curves: component }) => ({ default: component })));

/** `/projects/:projectId/trainings/:trainingId` */
export function Component() {
  const { projectId = '', trainingId = '' } = useParams();
  const training = useQuery({
    ...trainingQuery(trainingId),
    // The model is registered a moment after the training has ended.
    refetchInterval: ({ state: { data } }) =>
      data?.state === 'succeeded' && data.modelVersionId === null ? 1000 : false,
  });
  const { canEdit } = useAbilities();
  return (
    <Page
      title={training.data ? `Predicting ${training.data.recipe.target}` : 'Training'}
      trail={[{ label: 'Trainings', to: paths.trainings(projectId) }]}
      description={
        training.data && `From ${training.data.datasetName}, started ${formatTime(training.data.createdAt)}`
      }
      actions={
        canEdit &&
        training.data &&
        !isActive(training.data.state) && (
          <Button component={Link} to={againPath(projectId, training.data)} variant="default">
            Train again
          </Button>
        )
      }
    >
      <Loaded query={training} skeleton={<Blocks count={2} height={220} />}>
        {(data) => <Record training={data} />}
      </Loaded>
    </Page>
  );
}

function againPath(projectId: string, { recipe }: Training): string {
  const search = new URLSearchParams({ version: recipe.datasetVersionId, target: recipe.target });
  return `${paths.train(projectId)}?${search}`;
}

function Record({ training }: { training: Training }) {
  const isRunning = isActive(training.state);
  // The events of an ended training are read once: they hold the course that led to the model.
  const { events, error } = useTrainingEvents(training.id, true);
  useRenewal(training, events);
  const measure = useMeasure(training);
  const trials = isRunning ? trialsOf(events, training.leaderboard) : training.leaderboard;
  return (
    <Stack gap={44}>
      <Hero training={training} events={events} />
      {error !== undefined && isRunning && (
        <Notice tone="careful" title="The live connection was lost">
          The training goes on. Reload the page to see where it is.
        </Notice>
      )}
      {training.warnings.length > 0 && (
        <Stack gap="sm">
          {training.warnings.map((warning) => (
            <Notice key={warning} tone="careful">
              {warning}
            </Notice>
          ))}
        </Stack>
      )}
      <Figures training={training} measure={measure} trialCount={trials.length} />
      {trials.length > 0 && (
        <Section
          title="What was tried"
          description={
            measure &&
            `Best first. Measured by ${measure.label}, on rows that each attempt had not learned from.`
          }
        >
          <Leaderboard trials={ranked(trials, measure)} measure={measure} />
        </Section>
      )}
      <Suspense fallback={null}>
        <Curves events={events} measure={measure} startIso={training.startedAt ?? training.createdAt} />
      </Suspense>
      {training.droppedColumns.length > 0 && (
        <Section title="Columns it did not use">
          <ul>
            {training.droppedColumns.map(({ column, reason }) => (
              <li key={column}>
                <b>{column}</b>: {reason}
              </li>
            ))}
          </ul>
        </Section>
      )}
      <EventLog events={events} />
    </Stack>
  );
}

/** When the events tell that it has begun or ended, the record is read anew: its times, its result. */
function useRenewal(training: Training, events: readonly JobEvent[]): void {
  const queries = useQueryClient();
  const told = events.findLast(({ name }) => name === 'state')?.data['state'] as
    | Training['state']
    | undefined;
  const isStale =
    isActive(training.state) &&
    ((training.startedAt === null && events.length > 0) || (told && !isActive(told)));
  const hasModel = training.modelVersionId !== null;
  useEffect(() => {
    if (!isStale) return;
    void queries.invalidateQueries(trainingQuery(training.id));
    void queries.invalidateQueries(trainingsQuery(training.projectId));
  }, [isStale, told, queries, training.id, training.projectId]);
  useEffect(() => {
    if (hasModel) void queries.invalidateQueries(modelsQuery(training.projectId));
  }, [hasModel, queries, training.projectId]);
}

/** The measure of a training; while it runs it is known from its plan. */
function useMeasure(training: Training): Measure | undefined {
  const catalogue = useQuery(learnersQuery).data;
  const plan = useQuery({
    ...planQuery(training.projectId, training.recipe),
    enabled: training.metric === null && training.recipe.metric === 'auto',
  }).data;
  const name = training.metric ?? (training.recipe.metric === 'auto' ? plan?.metric : training.recipe.metric);
  return catalogue?.metrics.find((metric) => metric.name === name);
}

interface FiguresProps {
  training: Training;
  measure: Measure | undefined;
  trialCount: number;
}

function Figures({ training, measure, trialCount }: FiguresProps) {
  const { startedAt, finishedAt, recipe, state } = training;
  const nowMs = useNow(isActive(state) ? 1000 : null);
  return (
    <Facts
      items={[
        {
          label: 'Time',
          value:
            startedAt === null
              ? '–'
              : formatDuration(Math.round(secondsBetween(startedAt, finishedAt, nowMs))),
          note:
            recipe.budget.trials === null ? `of at most ${formatDuration(recipe.budget.seconds)}` : undefined,
        },
        { label: 'Attempts', value: trialCount },
        ...(measure ? [{ label: 'Measured by', value: measure.label }] : []),
        training.chargedMicroUsd === null
          ? { label: 'Reserved', value: formatMoney(training.reservedMicroUsd) }
          : {
              label: 'Charged',
              value: formatMoney(training.chargedMicroUsd),
              note: `of ${formatMoney(training.reservedMicroUsd)} reserved`,
            },
        ...(training.rows ? [rowsFact(training.rows)] : []),
        { label: 'Seed', value: recipe.seed },
      ]}
    />
  );
}

/** Of very many rows, models are compared on a sample, and the best learns from all: then both are told. */
function rowsFact({ total, search, model, holdout }: NonNullable<Training['rows']>): Fact {
  const isSampled = search < total && search !== model;
  return {
    label: 'Rows learned from',
    value: formatCount(model),
    note: `${isSampled ? `chosen on ${formatCount(search)}, ` : ''}judged by ${formatCount(holdout)}, of ${formatCount(total)}`,
  };
}

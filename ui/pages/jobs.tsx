// Everything that runs or ran in the background.
import { Button, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client.ts';
import { isActive, jobsQuery, projectsQuery } from '../api/queries.ts';
import type { Job, JobState } from '../api/types.ts';
import { paths } from '../app/paths.ts';
import { useAbilities } from '../app/session.tsx';
import { Empty } from '../kit/empty.tsx';
import { formatDuration, secondsBetween } from '../kit/format.ts';
import { List, ListLine } from '../kit/list.tsx';
import { Blocks } from '../kit/loaded.tsx';
import { More } from '../kit/more.tsx';
import { Page } from '../kit/page.tsx';
import { notifyProblem, ProblemAlert } from '../kit/problem.tsx';
import { StateMark } from '../kit/state.tsx';
import { When } from '../kit/when.tsx';

const filters = [
  { value: 'all', label: 'All' },
  { value: 'queued', label: 'Waiting' },
  { value: 'running', label: 'Running' },
  { value: 'succeeded', label: 'Done' },
  { value: 'failed', label: 'Failed' },
  { value: 'cancelled', label: 'Cancelled' },
];

const kindWords: Record<string, string> = {
  'dataset-import': 'Import',
  'dataset-profile': 'Description of a dataset',
  training: 'Training',
  batch: 'Batch',
};

/** `/jobs` */
export function Component() {
  const [filter, setFilter] = useState('all');
  const jobs = useInfiniteQuery(jobsQuery(filter === 'all' ? undefined : (filter as JobState)));
  const items = jobs.data ?? [];
  return (
    <Page
      title="Jobs"
      description="Work in the background. It goes on when you close the page, and survives a restart of the server."
    >
      <div style={{ overflowX: 'auto', marginBottom: 20 }}>
        <SegmentedControl aria-label="State" data={filters} value={filter} onChange={setFilter} />
      </div>
      {jobs.error && <ProblemAlert error={jobs.error} onRetry={() => void jobs.refetch()} />}
      {jobs.isPending && <Blocks height={64} />}
      {jobs.data && items.length === 0 && (
        <Empty title={filter === 'all' ? 'Nothing has run yet' : 'None in this state'}>
          Imports and trainings appear here while they run, and stay afterwards.
        </Empty>
      )}
      {items.length > 0 && (
        <List label="Jobs">
          {items.map((job) => (
            <JobLine key={job.id} job={job} />
          ))}
        </List>
      )}
      <More query={jobs} label="Show older ones" />
    </Page>
  );
}

function JobLine({ job }: { job: Job }) {
  const { canEdit } = useAbilities();
  const projectName = useQuery(projectsQuery).data?.find(({ id }) => id === job.projectId)?.name;
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => client.cancelJob({ jobId: job.id }),
    onError: notifyProblem,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['jobs'] }),
  });
  const { state, startedAt, finishedAt, createdAt } = job;
  return (
    <ListLine
      to={subjectPath(job)}
      mark={<StateMark state={state} share={job.progress.share} />}
      title={[kindWords[job.kind] ?? job.kind, projectName && `in ${projectName}`].filter(Boolean).join(' ')}
      about={aboutJob(job)}
      figures={[
        <When key="when" iso={createdAt} />,
        startedAt && finishedAt ? formatDuration(secondsBetween(startedAt, finishedAt, 0)) : '',
      ]}
      actions={
        canEdit &&
        isActive(state) && (
          <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel
          </Button>
        )
      }
    />
  );
}

function aboutJob({ state, progress, problem, attempt }: Job): string {
  const again = attempt > 1 ? ` (attempt ${attempt})` : '';
  if (problem) return `${problem.title}: ${problem.detail}${again}`;
  if (state === 'queued') return `waiting for a free worker${again}`;
  if (state === 'running')
    return `${progress.message || 'running'}, ${Math.round(progress.share * 100)}%${again}`;
  return `${state === 'succeeded' ? 'done' : state}${again}`;
}

function subjectPath({ kind, projectId, subjectId }: Job): string | undefined {
  if (projectId === null) return undefined;
  if (kind === 'training') return paths.training(projectId, subjectId);
  if (kind === 'dataset-import' || kind === 'dataset-profile')
    return paths.datasetVersion(projectId, subjectId);
  return undefined;
}

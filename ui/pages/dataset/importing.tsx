// A version that is not there yet: how far its import is, or why it failed and how to go on.
import { Button, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'react-router';
import { client } from '../../api/client.ts';
import { useJobEvents } from '../../api/live.ts';
import { datasetQuery, datasetVersionQuery, jobQuery } from '../../api/queries.ts';
import type { DatasetVersion } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Okta } from '../../kit/okta.tsx';
import { ProblemAlert, notifyProblem } from '../../kit/problem.tsx';
import { FileDrop } from '../data/file-drop.tsx';
import { UploadList } from '../data/upload-list.tsx';
import { startUploads } from '../../api/uploads.ts';
import classes from './dataset.module.css';

interface ImportingProps {
  projectId: string;
  datasetId: string;
  version: DatasetVersion;
}

/** What stands in for the data. */
export function Importing(props: ImportingProps) {
  return props.version.state === 'failed' ? <Failed {...props} /> : <Underway {...props} />;
}

function Underway({ datasetId, version }: ImportingProps) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const job = useQuery(jobQuery(version.jobId));
  const { events, error } = useJobEvents(version.jobId, true);
  const told = events.findLast((event) => event.name === 'progress')?.data;
  const progress = isProgress(told) ? told : (job.data?.progress ?? { share: 0, message: '' });
  const isOver =
    events.some((event) => event.name === 'state' && isEnd(event.data['state'])) || error !== undefined;
  useEffect(() => {
    if (!isOver) return;
    void queries.invalidateQueries(datasetQuery(datasetId));
    void queries.invalidateQueries(datasetVersionQuery(version.id));
  }, [isOver, queries, datasetId, version.id]);
  const cancel = useMutation({
    mutationFn: () => client.cancelJob({ jobId: version.jobId }),
    onError: notifyProblem,
  });
  return (
    <div className={classes.importing}>
      <Okta share={progress.share} size={120} isLive label="Importing" />
      <div className={classes.words}>
        <Title order={2}>Importing {version.sourceLabel}</Title>
        <Text c="dimmed" mt={4} role="status">
          {progress.message || 'Waiting for a free worker'}
        </Text>
        <Progress value={progress.share * 100} mt="md" size="md" aria-label="Import" />
        <Text size="sm" c="dimmed" mt="md">
          You may close this page; the import goes on.
        </Text>
        {canEdit && (
          <Button variant="default" mt="md" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel the import
          </Button>
        )}
      </div>
    </div>
  );
}

function Failed({ projectId, datasetId, version }: ImportingProps) {
  const { canEdit } = useAbilities();
  return (
    <Stack gap="xl">
      <ProblemAlert error={{ problem: version.problem ?? unknownProblem }} />
      {canEdit && (
        <Stack>
          <Group>
            <Button component={Link} to={`${paths.importUpload(projectId, version.id)}?into=${datasetId}`}>
              Read the same file differently
            </Button>
          </Group>
          <Text c="dimmed">Or correct the file and drop it here:</Text>
          <FileDrop isSingle onFiles={(files) => startUploads(projectId, files)} />
          <UploadList projectId={projectId} datasetId={datasetId} />
        </Stack>
      )}
    </Stack>
  );
}

const unknownProblem = {
  title: 'The import failed',
  detail: 'No reason was kept.',
  remedy: 'Import the file again.',
};

function isProgress(data: unknown): data is { share: number; message: string } {
  return data !== null && typeof data === 'object' && 'share' in data && 'message' in data;
}

function isEnd(state: unknown): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

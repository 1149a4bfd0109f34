// What needs the profile of a version. It is made after the import by a job of its own: of a large table that takes a
// while, and the page says how far it is.
import { Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { jobQuery, profileQuery } from '../../api/queries.ts';
import type { DatasetProfile, DatasetVersion } from '../../api/types.ts';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Okta } from '../../kit/okta.tsx';

interface DescribedProps {
  version: DatasetVersion;
  /** Stands in for the children. */
  skeleton: { count: number; height: number };
  children: (profile: DatasetProfile) => ReactNode;
}

/** Shows `children` as soon as the version is described, until then how far that is. */
export function Described({ version, skeleton, children }: DescribedProps) {
  const profile = useQuery(profileQuery(version.id));
  const blocks = <Blocks {...skeleton} />;
  return (
    <Loaded
      query={profile}
      skeleton={
        <Stack gap="md">
          {version.profileJobId !== null && <Progress jobId={version.profileJobId} />}
          {blocks}
        </Stack>
      }
    >
      {children}
    </Loaded>
  );
}

function Progress({ jobId }: { jobId: string }) {
  const { data: job } = useQuery({ ...jobQuery(jobId), refetchInterval: 1000 });
  if (job?.state !== 'queued' && job?.state !== 'running') return null;
  const share = job.progress?.share ?? 0;
  const words =
    job.state === 'queued'
      ? 'The columns will be described as soon as a worker is free.'
      : `The columns are being described: ${Math.round(share * 100)}% done.`;
  return (
    <Group gap="sm" wrap="nowrap">
      <Okta share={share} isLive />
      <Text size="sm" c="dimmed">
        {words} Rows and SQL do not wait for it.
      </Text>
    </Group>
  );
}

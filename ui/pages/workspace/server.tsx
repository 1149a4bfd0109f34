// What this server is and what it takes, and where programs find its API.
import { Anchor, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { serverQuery } from '../../api/queries.ts';
import type { ServerInfo } from '../../api/types.ts';
import { CopyLine } from '../../kit/copy.tsx';
import { Facts } from '../../kit/facts.tsx';
import { formatBytes, formatCount, formatDuration } from '../../kit/format.ts';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Page, Section } from '../../kit/page.tsx';
import { SigningKeys } from './signing-keys.tsx';

/** `/workspace/server` */
export function Component() {
  const server = useQuery(serverQuery);
  return (
    <Page title="Server" description="What runs here, and what it takes.">
      <Loaded query={server} skeleton={<Blocks count={2} height={120} />}>
        {(info) => (
          <Stack gap={44}>
            <About info={info} />
            <Limits limits={info.limits} />
            <SigningKeys />
            <ForPrograms />
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function About({ info }: { info: ServerInfo }) {
  return (
    <Facts
      items={[
        { label: 'Version', value: info.version },
        {
          label: 'Records',
          value: info.database === 'postgres' ? 'Postgres' : 'Built in',
          note: info.database === 'postgres' ? undefined : 'PGlite, a Postgres inside Pilvi',
        },
        { label: 'Files', value: info.blobs === 's3' ? 'S3' : 'On this machine' },
      ]}
    />
  );
}

function Limits({ limits }: { limits: ServerInfo['limits'] }) {
  return (
    <Section title="Limits" description="An operator can change them.">
      <Facts
        items={[
          { label: 'Largest file', value: formatBytes(limits.maxUploadBytes) },
          { label: 'Columns of a table', value: formatCount(limits.maxColumns) },
          { label: 'Rows of one prediction', value: formatCount(limits.maxPredictionRows) },
          { label: 'Longest query', value: formatDuration(limits.maxQuerySeconds) },
          { label: 'Rows of a query', value: formatCount(limits.maxQueryRows) },
        ]}
      />
    </Section>
  );
}

function ForPrograms() {
  return (
    <Section title="For programs">
      <Stack gap="sm" maw={640}>
        <CopyLine text={`${location.origin}/api/v1`} what="the address of the API" />
        <Text size="sm" c="dimmed">
          Everything on these pages goes through this API. It is described in{' '}
          <Anchor href="/api/v1/openapi.json" underline="always" size="sm" target="_blank">
            OpenAPI 3.1
          </Anchor>
          .
        </Text>
      </Stack>
    </Section>
  );
}

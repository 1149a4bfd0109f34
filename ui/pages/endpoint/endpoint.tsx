// An endpoint: try it, send it a file, call it from a program, say which versions answer.
import { ActionIcon, Menu, Stack, Tabs } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from 'react-router';
import { client } from '../../api/client.ts';
import { endpointQuery, endpointsQuery } from '../../api/queries.ts';
import type { Endpoint } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { formatCountOf } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Page } from '../../kit/page.tsx';
import { notifyDone } from '../../kit/problem.tsx';
import { StateMark } from '../../kit/state.tsx';
import { TabList } from '../../kit/tab-list.tsx';
import { Batches } from '../batch/batches.tsx';
import { Releases } from '../release/releases.tsx';
import { Batch } from './batch.tsx';
import { Compare } from './compare.tsx';
import { Monitoring } from './monitoring.tsx';
import { Deployments } from './deployments.tsx';
import { Log } from './log.tsx';
import { behind } from './endpoints.tsx';
import { Serving } from './serving.tsx';
import { Snippets } from './snippets.tsx';
import { TryIt } from './try-it.tsx';
import { Updates } from './updates.tsx';

const tabs = {
  try: 'Try it',
  file: 'A whole file',
  batches: 'Batches',
  code: 'From a program',
  predictions: 'Predictions',
  monitoring: 'Monitoring',
  versions: 'Versions',
  comparison: 'Comparison',
  releases: 'Releases',
  updates: 'Updates',
} as const;

/** `/projects/:projectId/endpoints/:endpointId/:tab?` */
export function Component() {
  const { projectId = '', endpointId = '' } = useParams();
  // Predictions are counted a few seconds after they were answered.
  const endpoint = useQuery({ ...endpointQuery(endpointId), refetchInterval: 10_000 });
  return (
    <Page
      title={endpoint.data?.name ?? 'Endpoint'}
      mark={endpoint.data && <StateMark state={endpoint.data.state} size={24} />}
      trail={[{ label: 'Endpoints', to: paths.endpoints(projectId) }]}
      description={
        endpoint.data &&
        `${behind(endpoint.data)} · ${formatCountOf(endpoint.data.predictionCount, 'prediction')} so far`
      }
      actions={endpoint.data && <Actions projectId={projectId} endpoint={endpoint.data} />}
    >
      <Loaded query={endpoint} skeleton={<Blocks count={1} height={420} />}>
        {(data) => <Places projectId={projectId} endpoint={data} />}
      </Loaded>
    </Page>
  );
}

function Places({ projectId, endpoint }: { projectId: string; endpoint: Endpoint }) {
  const { tab = 'try' } = useParams();
  const navigate = useNavigate();
  if (endpoint.state === 'empty') {
    return (
      <Notice tone="plain" title="Nothing answers here yet">
        Open a model, press Deploy and choose this endpoint.
      </Notice>
    );
  }
  const show = (value: string | null): void => {
    const to = paths.endpoint(projectId, endpoint.id, value === 'try' ? undefined : (value ?? undefined));
    void navigate(to, { preventScrollReset: true });
  };
  const shown = tab in tabs ? tab : 'try';
  return (
    <Tabs value={shown} onChange={show}>
      <TabList tabs={tabs} shown={shown} />
      <Tabs.Panel value="try">
        <TryIt endpoint={endpoint} />
      </Tabs.Panel>
      <Tabs.Panel value="file">
        <Batch endpoint={endpoint} />
      </Tabs.Panel>
      <Tabs.Panel value="batches">
        <Batches projectId={projectId} through={{ kind: 'endpoint', endpointId: endpoint.id }} />
      </Tabs.Panel>
      <Tabs.Panel value="code">
        <Snippets projectId={projectId} endpoint={endpoint} />
      </Tabs.Panel>
      <Tabs.Panel value="predictions">
        {/* Reading the log is work for the server: only when somebody looks. */}
        {tab === 'predictions' && <Log projectId={projectId} endpoint={endpoint} />}
      </Tabs.Panel>
      <Tabs.Panel value="versions">
        <Stack gap={36}>
          <Deployments projectId={projectId} endpoint={endpoint} />
          {tab === 'versions' && <Serving endpoint={endpoint} />}
        </Stack>
      </Tabs.Panel>
      <Tabs.Panel value="releases">
        {tab === 'releases' && <Releases projectId={projectId} endpoint={endpoint} />}
      </Tabs.Panel>
      <Tabs.Panel value="monitoring">
        <Monitoring endpoint={endpoint} />
      </Tabs.Panel>
      <Tabs.Panel value="comparison">
        <Compare projectId={projectId} endpoint={endpoint} />
      </Tabs.Panel>
      <Tabs.Panel value="updates">
        <Updates projectId={projectId} endpoint={endpoint} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Actions({ projectId, endpoint }: { projectId: string; endpoint: Endpoint }) {
  const { canEdit } = useAbilities();
  const navigate = useNavigate();
  const queries = useQueryClient();
  if (!canEdit) return null;
  const remove = async (): Promise<void> => {
    await client.deleteEndpoint({ endpointId: endpoint.id });
    await queries.invalidateQueries(endpointsQuery(projectId));
    notifyDone(`${endpoint.name} was deleted.`);
    await navigate(paths.endpoints(projectId));
  };
  return (
    <Confirm
      title={`Delete ${endpoint.name}?`}
      consequence="Its address stops answering at once; programs that call it get an error. What it answered so far is forgotten. The models stay."
      confirmLabel="Delete the endpoint"
      onConfirm={remove}
    >
      {(ask) => (
        <Menu position="bottom-end" width={210}>
          <Menu.Target>
            <ActionIcon variant="default" size={36} aria-label="More">
              <Icon name="more" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item color="lingonberry" leftSection={<Icon name="trash" size={16} />} onClick={ask}>
              Delete the endpoint
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </Confirm>
  );
}

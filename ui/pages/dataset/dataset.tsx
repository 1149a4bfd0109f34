// A dataset: one page with a place for each question that is asked of a table.
import { ActionIcon, Button, Menu, Select, Tabs } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { client } from '../../api/client.ts';
import { saveDownload } from '../../api/download.ts';
import { datasetQuery, datasetsQuery, datasetVersionQuery, datasetVersionsQuery } from '../../api/queries.ts';
import type { Dataset, DatasetVersion } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { Icon } from '../../kit/icons.tsx';
import { Blocks, Lines, Loaded } from '../../kit/loaded.tsx';
import { Page } from '../../kit/page.tsx';
import { notifyDone, notifyProblem, ProblemAlert } from '../../kit/problem.tsx';
import { TabList } from '../../kit/tab-list.tsx';
import { columnWords, rowWords, sizeWords } from '../data/version-words.ts';
import { Importing } from './importing.tsx';
import { Overview } from './overview.tsx';
import { Profile } from './profile.tsx';
import { Rows } from './rows.tsx';
import { Versions } from './versions.tsx';

// The heat map brings ECharts and the query editor CodeMirror; neither is loaded before it is looked at.
const Relations = lazy(() =>
  import('./relations.tsx').then(({ Relations: component }) => ({ default: component })),
);
const Query = lazy(() => import('./query.tsx').then(({ Query: component }) => ({ default: component })));

const tabs = {
  overview: 'Overview',
  columns: 'Columns',
  relations: 'Relations',
  rows: 'Rows',
  query: 'SQL',
  versions: 'Versions',
} as const;
type Tab = keyof typeof tabs;

/** `/projects/:projectId/data/:datasetId/:tab?` */
export function Component() {
  const { projectId = '', datasetId = '' } = useParams();
  const [search] = useSearchParams();
  const dataset = useQuery(datasetQuery(datasetId));
  const wanted = search.get('version');
  const chosen = useQuery({ ...datasetVersionQuery(wanted ?? ''), enabled: wanted !== null });
  const version = wanted === null ? dataset.data?.latestVersion : chosen.data;
  return (
    <Page
      title={dataset.data?.name ?? 'Dataset'}
      trail={[{ label: 'Data', to: paths.data(projectId) }]}
      description={
        version &&
        [`Version ${version.number}`, rowWords(version), columnWords(version), sizeWords(version)]
          .filter(Boolean)
          .join(' · ')
      }
      actions={
        dataset.data && (
          <Actions projectId={projectId} dataset={dataset.data} version={version ?? undefined} />
        )
      }
    >
      <Loaded query={dataset} skeleton={<Blocks count={2} height={180} />}>
        {(data) => {
          if (chosen.error)
            return <ProblemAlert error={chosen.error} onRetry={() => void chosen.refetch()} />;
          if (!version) return <Lines />;
          return version.state === 'ready' ? (
            <Places projectId={projectId} dataset={data} version={version} />
          ) : (
            <Importing projectId={projectId} datasetId={datasetId} version={version} />
          );
        }}
      </Loaded>
    </Page>
  );
}

interface PlacesProps {
  projectId: string;
  dataset: Dataset;
  version: DatasetVersion;
}

function Places({ projectId, dataset, version }: PlacesProps) {
  const tab = (useParams()['tab'] ?? 'overview') as Tab;
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const show = (value: string | null): void => {
    const to = paths.dataset(projectId, dataset.id, value === 'overview' ? undefined : (value ?? undefined));
    void navigate({ pathname: to, search: search.toString() }, { preventScrollReset: true });
  };
  const shown = tab in tabs ? tab : 'overview';
  return (
    <Tabs value={shown} onChange={show} keepMounted={false}>
      <TabList tabs={tabs} shown={shown} />
      <Tabs.Panel value="overview">
        <Overview projectId={projectId} dataset={dataset} version={version} />
      </Tabs.Panel>
      <Tabs.Panel value="columns">
        <Profile version={version} />
      </Tabs.Panel>
      <Tabs.Panel value="relations">
        <Suspense fallback={<Blocks count={1} height={420} />}>
          <Relations version={version} />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="rows">
        <Rows version={version} />
      </Tabs.Panel>
      <Tabs.Panel value="query">
        <Suspense fallback={<Blocks count={1} height={220} />}>
          <Query projectId={projectId} dataset={dataset} />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="versions">
        <Versions projectId={projectId} datasetId={dataset.id} shownId={version.id} />
      </Tabs.Panel>
    </Tabs>
  );
}

interface ActionsProps {
  projectId: string;
  dataset: Dataset;
  version: DatasetVersion | undefined;
}

function Actions({ projectId, dataset, version }: ActionsProps) {
  const { canEdit } = useAbilities();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const isReady = version?.state === 'ready';
  const download = (): void => {
    if (!version) return;
    client
      .downloadDatasetVersion({ versionId: version.id })
      .then((file) => saveDownload(file, `${dataset.name}-${version.number}.parquet`))
      .catch(notifyProblem);
  };
  const remove = async (): Promise<void> => {
    await client.deleteDataset({ datasetId: dataset.id });
    await queries.invalidateQueries(datasetsQuery(projectId));
    notifyDone(`${dataset.name} was deleted.`);
    await navigate(paths.data(projectId));
  };
  return (
    <>
      <VersionChoice dataset={dataset} version={version} />
      {canEdit && isReady && (
        <Button
          component={Link}
          to={`${paths.train(projectId, dataset.id)}&version=${version.id}`}
          leftSection={<Icon name="play" size={16} />}
        >
          Predict a column
        </Button>
      )}
      <Confirm
        title={`Delete ${dataset.name}?`}
        consequence="All its versions are deleted. Models that were made from it stay and go on working. This cannot be undone."
        confirmLabel="Delete the dataset"
        onConfirm={remove}
      >
        {(ask) => (
          <Menu position="bottom-end" width={220}>
            <Menu.Target>
              <ActionIcon variant="default" size={36} aria-label="More">
                <Icon name="more" />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item
                leftSection={<Icon name="download" size={16} />}
                disabled={!isReady}
                onClick={download}
              >
                Download as Parquet
              </Menu.Item>
              {canEdit && (
                <Menu.Item color="lingonberry" leftSection={<Icon name="trash" size={16} />} onClick={ask}>
                  Delete the dataset
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        )}
      </Confirm>
    </>
  );
}

/** Choosing an older version to look at; nothing while there is only one. */
function VersionChoice({ dataset, version }: Omit<ActionsProps, 'projectId'>) {
  const versions = useQuery(datasetVersionsQuery(dataset.id));
  const [search, setSearch] = useSearchParams();
  const items = versions.data ?? [];
  if (items.length < 2) return null;
  const show = (id: string | null): void => {
    if (id === null || id === dataset.latestVersion?.id) search.delete('version');
    else search.set('version', id);
    setSearch(search);
  };
  return (
    <Select
      aria-label="Version"
      w={{ base: 118, sm: 190 }}
      allowDeselect={false}
      value={version?.id ?? null}
      onChange={show}
      data={items.map(({ id, number }) => ({
        value: id,
        label: `Version ${number}${id === dataset.latestVersion?.id ? ', newest' : ''}`,
      }))}
    />
  );
}

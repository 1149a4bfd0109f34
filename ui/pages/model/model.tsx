// A model: what it is good at, in words first and in figures after, and the way to use it.
import { ActionIcon, Button, Menu, Select, Tabs } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { client } from '../../api/client.ts';
import { saveBlob, saveDownload } from '../../api/download.ts';
import { modelQuery, modelVersionQuery, modelVersionsQuery } from '../../api/queries.ts';
import type { Model, ModelVersion } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Empty } from '../../kit/empty.tsx';
import { Icon } from '../../kit/icons.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Markdown } from '../../kit/markdown.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Page } from '../../kit/page.tsx';
import { notifyProblem, ProblemAlert } from '../../kit/problem.tsx';
import { TabList } from '../../kit/tab-list.tsx';
import { Batches } from '../batch/batches.tsx';
import { Deploy } from './deploy.tsx';
import { Overview } from './overview.tsx';
import { Versions } from './versions.tsx';

const Quality = lazy(() =>
  import('./quality.tsx').then(({ Quality: component }) => ({ default: component })),
);

const Behaviour = lazy(() =>
  import('./behaviour.tsx').then(({ Behaviour: component }) => ({ default: component })),
);

const tabs = {
  overview: 'Overview',
  quality: 'Quality',
  behaviour: 'Behaviour',
  batches: 'Batches',
  card: 'Model card',
  versions: 'Versions',
} as const;

/** `/projects/:projectId/models/:modelId/:tab?` */
export function Component() {
  const { projectId = '', modelId = '' } = useParams();
  const [search] = useSearchParams();
  const model = useQuery(modelQuery(modelId));
  const wanted = search.get('version');
  const shownId = wanted ?? model.data?.latestVersion?.id;
  const chosen = useQuery({ ...modelVersionQuery(shownId ?? ''), enabled: shownId !== undefined });
  const version = chosen.data;
  return (
    <Page
      title={model.data?.name ?? 'Model'}
      trail={[{ label: 'Models', to: paths.models(projectId) }]}
      description={version && `Predicts ${version.target} · version ${version.number}`}
      actions={
        model.data && version && <Actions projectId={projectId} model={model.data} version={version} />
      }
    >
      <Loaded query={model} skeleton={<Blocks count={2} height={200} />}>
        {(data) => {
          if (chosen.error)
            return <ProblemAlert error={chosen.error} onRetry={() => void chosen.refetch()} />;
          if (version) return <Places model={data} version={version} />;
          return data.latestVersion === null ? (
            <Empty title="No version yet">
              A training with this name, or a model file, adds the first one.
            </Empty>
          ) : (
            <Blocks count={2} height={200} />
          );
        }}
      </Loaded>
    </Page>
  );
}

function Places({ model, version }: { model: Model; version: ModelVersion }) {
  const { projectId = '', tab = 'overview' } = useParams();
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const show = (value: string | null): void => {
    const to = paths.model(projectId, model.id, value === 'overview' ? undefined : (value ?? undefined));
    void navigate({ pathname: to, search: search.toString() }, { preventScrollReset: true });
  };
  const shown = tab in tabs ? tab : 'overview';
  return (
    <Tabs value={shown} onChange={show} keepMounted={false}>
      <TabList tabs={tabs} shown={shown} />
      <Tabs.Panel value="overview">
        <Overview version={version} />
      </Tabs.Panel>
      <Tabs.Panel value="quality">
        <Suspense fallback={<Blocks count={2} height={300} />}>
          <Quality version={version} />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="behaviour">
        <Suspense fallback={<Blocks count={2} height={300} />}>
          <Behaviour version={version} />
        </Suspense>
      </Tabs.Panel>
      <Tabs.Panel value="batches">
        {version.format === 'onnx' ? (
          <Notice tone="plain">
            Batches go through models that were made here, not through imported ONNX files.
          </Notice>
        ) : (
          <Batches projectId={projectId} through={{ kind: 'model-version', modelVersionId: version.id }} />
        )}
      </Tabs.Panel>
      <Tabs.Panel value="card">
        <Markdown text={version.card} />
      </Tabs.Panel>
      <Tabs.Panel value="versions">
        <Versions model={model} shownId={version.id} />
      </Tabs.Panel>
    </Tabs>
  );
}

interface ActionsProps {
  projectId: string;
  model: Model;
  version: ModelVersion;
}

function Actions({ projectId, model, version }: ActionsProps) {
  const { canEdit } = useAbilities();
  const [isOpen, deploy] = useDisclosure(false);
  const download = (format: 'pilvi' | 'onnx'): void => {
    client
      .downloadModelFile({ versionId: version.id, format })
      .then((file) => saveDownload(file, `${model.name}-${version.number}.${format}`))
      .catch(notifyProblem);
  };
  const saveCard = (): void => {
    const card = new Blob([version.card], { type: 'text/markdown' });
    saveBlob(card, `${model.name}-${version.number}.md`);
  };
  const saveDocument = (): void => {
    const text = JSON.stringify(version.cardDocument, null, 2);
    saveBlob(new Blob([text], { type: 'application/json' }), `${model.name}-${version.number}.json`);
  };
  return (
    <>
      <VersionChoice model={model} version={version} />
      {canEdit && (
        <Button onClick={deploy.open} leftSection={<Icon name="endpoint" size={16} />}>
          Deploy
        </Button>
      )}
      <Menu position="bottom-end" width={230}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More">
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {version.format === 'pilvi' && (
            <Menu.Item leftSection={<Icon name="download" size={16} />} onClick={() => download('pilvi')}>
              Download the model file
            </Menu.Item>
          )}
          <Menu.Item leftSection={<Icon name="download" size={16} />} onClick={() => download('onnx')}>
            {version.format === 'onnx' ? 'Download the ONNX file' : 'Download as ONNX'}
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="scroll" size={16} />} onClick={saveCard}>
            Download the model card
          </Menu.Item>
          {version.cardDocument && (
            <Menu.Item leftSection={<Icon name="scroll" size={16} />} onClick={saveDocument}>
              The card as JSON
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {isOpen && <Deploy projectId={projectId} version={version} onClose={deploy.close} />}
    </>
  );
}

/** Choosing an older version to look at; nothing while there is only one. */
function VersionChoice({ model, version }: Omit<ActionsProps, 'projectId'>) {
  const versions = useQuery(modelVersionsQuery(model.id)).data ?? [];
  const [search, setSearch] = useSearchParams();
  if (versions.length < 2) return null;
  const show = (id: string | null): void => {
    if (id === null || id === model.latestVersion?.id) search.delete('version');
    else search.set('version', id);
    setSearch(search);
  };
  return (
    <Select
      aria-label="Version"
      w={{ base: 158, sm: 200 }}
      allowDeselect={false}
      value={version.id}
      onChange={show}
      data={versions.map(({ id, number, aliases }) => ({
        value: id,
        label: [`Version ${number}`, ...aliases].join(', '),
      }))}
    />
  );
}

// All models of a project, and bringing one that was trained elsewhere.
import { Button, FileInput, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { client } from '../../api/client.ts';
import { modelsQuery } from '../../api/queries.ts';
import type { Model } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Empty } from '../../kit/empty.tsx';
import { Icon } from '../../kit/icons.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { More } from '../../kit/more.tsx';
import { Page } from '../../kit/page.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { When } from '../../kit/when.tsx';
import { goodnessShort } from './words.ts';

/** `/projects/:projectId/models` */
export function Component() {
  const { projectId = '' } = useParams();
  const models = useInfiniteQuery(modelsQuery(projectId));
  const { canEdit } = useAbilities();
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <Page
      title="Models"
      description="Every model is a file of its own that answers the same here, in your program and in a browser."
      actions={
        canEdit && (
          <>
            <Button variant="default" onClick={open}>
              Bring a model file
            </Button>
            <Button component={Link} to={paths.train(projectId)} leftSection={<Icon name="play" size={16} />}>
              Train a model
            </Button>
          </>
        )
      }
    >
      <Loaded query={models} skeleton={<Blocks height={68} />}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="No model yet">
              A training that finishes leaves one here, with how good it is, what it looked at, and how to use
              it.
            </Empty>
          ) : (
            <List label="Models">
              {items.map((model) => (
                <ModelLine key={model.id} projectId={projectId} model={model} />
              ))}
            </List>
          )
        }
      </Loaded>
      <More query={models} label="Show older ones" />
      <Modal
        opened={isOpen}
        onClose={close}
        title="Bring a model file"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <BringFile projectId={projectId} />
      </Modal>
    </Page>
  );
}

function ModelLine({ projectId, model }: { projectId: string; model: Model }) {
  const { id, name, latestVersion, aliases, createdAt } = model;
  const aliasWords = aliases
    .map(({ alias, versionNumber }) => `${alias}: version ${versionNumber}`)
    .join(', ');
  return (
    <ListLine
      to={paths.model(projectId, id)}
      title={name}
      about={
        latestVersion
          ? [`Predicts ${latestVersion.target}, version ${latestVersion.number}`, aliasWords]
              .filter(Boolean)
              .join(' · ')
          : 'No version yet'
      }
      figures={[
        latestVersion ? goodnessShort(latestVersion) : '',
        <When key="when" iso={latestVersion?.createdAt ?? createdAt} />,
      ]}
    />
  );
}

function BringFile({ projectId }: { projectId: string }) {
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState('');
  const navigate = useNavigate();
  const queries = useQueryClient();
  const bring = useMutation({
    mutationFn: (chosen: File) =>
      client.importModelFile(
        { projectId, modelName: name, stream: chosen },
        { attempts: 1, timeoutMs: 600_000 },
      ),
    onSuccess: async (version) => {
      await queries.invalidateQueries(modelsQuery(projectId));
      await navigate(paths.model(projectId, version.modelId));
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (file) bring.mutate(file);
      }}
    >
      <Stack>
        <Text size="sm">
          A file that ends in .pilvi, from the command line or another server. It is checked before it is
          taken.
        </Text>
        <FileInput
          label="Model file"
          placeholder="Choose a file"
          accept=".pilvi"
          required
          value={file}
          onChange={(chosen) => {
            setFile(chosen);
            if (chosen && name === '') setName(chosen.name.replace(/\.pilvi$/i, ''));
          }}
        />
        <TextInput
          label="Name of the model"
          description="An existing name gets a new version."
          required
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {bring.error && <ProblemAlert error={bring.error} />}
        <Group justify="flex-end">
          <Button type="submit" disabled={!file} loading={bring.isPending}>
            Bring it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

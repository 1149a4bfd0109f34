// A project at a glance: what there is, what is running, what to do next.
import { Anchor, Button, Group, Modal, SimpleGrid, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link, useParams } from 'react-router';
import { client } from '../api/client.ts';
import { datasetsQuery, endpointsQuery, modelsQuery, projectsQuery, trainingsQuery } from '../api/queries.ts';
import type { Project } from '../api/types.ts';
import { paths } from '../app/paths.ts';
import { useAbilities } from '../app/session.tsx';
import { formatCountOf } from '../kit/format.ts';
import { Icon } from '../kit/icons.tsx';
import { List, ListLine } from '../kit/list.tsx';
import { Blocks, Loaded, type QueryState } from '../kit/loaded.tsx';
import { Page } from '../kit/page.tsx';
import { StateMark } from '../kit/state.tsx';
import { When } from '../kit/when.tsx';
import { FirstSteps, welcome } from './first-steps.tsx';
import classes from './project.module.css';
import { ProjectForm } from './project-form.tsx';
import { rowWords } from './data/version-words.ts';
import { goodnessShort } from './model/words.ts';

/** `/projects/:projectId` */
export function Component() {
  const projectId = useParams()['projectId']!;
  const projects = useQuery(projectsQuery);
  const datasets = useQuery(datasetsQuery(projectId));
  const project = projects.data?.find((each) => each.id === projectId);
  const { canEdit } = useAbilities();
  const [isOpen, { open, close }] = useDisclosure(false);
  if (projects.data && !project) return <Missing />;
  const isNew = datasets.data?.length === 0;
  // The server begins with one empty project: whoever sees it is here for the first time.
  const isFirst = isNew && projects.data?.length === 1;
  return (
    <Page
      title={isFirst ? 'Welcome to Pilvi' : (project?.name ?? 'Project')}
      description={isFirst ? welcome : project?.description}
      actions={
        canEdit && (
          <>
            {!isFirst && (
              <Button variant="default" onClick={open}>
                Rename
              </Button>
            )}
            {!isNew && (
              <Button
                component={Link}
                to={paths.train(projectId)}
                leftSection={<Icon name="play" size={16} />}
              >
                Train a model
              </Button>
            )}
          </>
        )
      }
    >
      <Loaded query={datasets} skeleton={<Blocks count={2} height={180} />}>
        {() => (isNew ? <FirstSteps projectId={projectId} /> : <Glance projectId={projectId} />)}
      </Loaded>
      <Modal
        opened={isOpen}
        onClose={close}
        title="Rename the project"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {project && <Rename project={project} onDone={close} />}
      </Modal>
    </Page>
  );
}

function Glance({ projectId }: { projectId: string }) {
  const datasets = useQuery(datasetsQuery(projectId));
  const trainings = useInfiniteQuery(trainingsQuery(projectId));
  const models = useInfiniteQuery(modelsQuery(projectId));
  const endpoints = useQuery(endpointsQuery(projectId));
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing={32} verticalSpacing={36}>
      <Part title="Data" to={paths.data(projectId)} query={datasets} empty="Drop a file to begin.">
        {(items) =>
          items.map(({ id, name, latestVersion }) => (
            <ListLine
              key={id}
              to={paths.dataset(projectId, id)}
              mark={<StateMark state={latestVersion?.state ?? 'empty'} />}
              title={name}
              figures={[rowWords(latestVersion)]}
            />
          ))
        }
      </Part>
      <Part
        title="Trainings"
        to={paths.trainings(projectId)}
        query={trainings}
        empty="Nothing was trained yet. Open a dataset and say what to predict."
      >
        {(items) =>
          items.map(({ id, recipe, datasetName, state, progress, createdAt }) => (
            <ListLine
              key={id}
              to={paths.training(projectId, id)}
              mark={<StateMark state={state} share={progress.share} />}
              title={recipe.target}
              about={`from ${datasetName}`}
              figures={[<When key="when" iso={createdAt} />]}
            />
          ))
        }
      </Part>
      <Part
        title="Models"
        to={paths.models(projectId)}
        query={models}
        empty="Every training that finishes leaves a model here."
      >
        {(items) =>
          items.map(({ id, name, latestVersion }) => (
            <ListLine
              key={id}
              to={paths.model(projectId, id)}
              title={name}
              about={latestVersion ? `predicts ${latestVersion.target}` : 'no version yet'}
              figures={[latestVersion ? goodnessShort(latestVersion) : '']}
            />
          ))
        }
      </Part>
      <Part
        title="Endpoints"
        to={paths.endpoints(projectId)}
        query={endpoints}
        empty="Deploy a model to give it an address that programs can ask."
      >
        {(items) =>
          items.map(({ id, name, state, predictionCount }) => (
            <ListLine
              key={id}
              to={paths.endpoint(projectId, id)}
              mark={<StateMark state={state} />}
              title={name}
              figures={[formatCountOf(predictionCount, 'prediction')]}
            />
          ))
        }
      </Part>
    </SimpleGrid>
  );
}

interface PartProps<Item> {
  title: string;
  to: string;
  query: QueryState<Item[]>;
  empty: string;
  children: (items: Item[]) => ReactNode;
}

const shownLimit = 4;

function Part<Item>({ title, to, query, empty, children }: PartProps<Item>) {
  const total = query.data?.length ?? 0;
  return (
    <section>
      <Group justify="space-between" mb="sm">
        <h2 className={classes.heading}>{title}</h2>
        {total > 0 && (
          <Anchor component={Link} to={to} size="sm">
            {total > shownLimit ? 'Show all' : 'Open'}
          </Anchor>
        )}
      </Group>
      <Loaded query={query} skeleton={<Blocks count={1} height={120} />}>
        {(items) =>
          items.length === 0 ? (
            <Text c="dimmed" className={classes.empty!}>
              {empty}
            </Text>
          ) : (
            <List label={title}>{children(items.slice(0, shownLimit))}</List>
          )
        }
      </Loaded>
    </section>
  );
}

function Rename({ project, onDone }: { project: Project; onDone: () => void }) {
  const queries = useQueryClient();
  return (
    <ProjectForm
      first={{ name: project.name, description: project.description }}
      saveLabel="Save"
      onSave={async (body) => {
        await client.updateProject({ projectId: project.id, body });
        await queries.invalidateQueries(projectsQuery);
        onDone();
      }}
    />
  );
}

function Missing() {
  return (
    <Page
      title="This project is not here"
      width="narrow"
      description="It may belong to another workspace; you can switch at the top of the menu."
    >
      <Button component={Link} to={paths.projects}>
        All projects
      </Button>
    </Page>
  );
}

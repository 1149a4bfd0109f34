// All models of a project, and bringing one that was trained elsewhere.
import { Button, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
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
import { When } from '../../kit/when.tsx';
import { ImportModel } from './import-model.tsx';
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
              Import a model
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
        size="lg"
        title="Import a model"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <ImportModel projectId={projectId} />
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

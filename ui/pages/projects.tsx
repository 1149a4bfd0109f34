// All projects of the workspace, and making one.
import { Button, Modal } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { client } from '../api/client.ts';
import { projectsQuery } from '../api/queries.ts';
import { paths } from '../app/paths.ts';
import { useAbilities } from '../app/session.tsx';
import { Empty } from '../kit/empty.tsx';
import { Icon } from '../kit/icons.tsx';
import { List, ListLine } from '../kit/list.tsx';
import { Blocks, Loaded } from '../kit/loaded.tsx';
import { Page } from '../kit/page.tsx';
import { When } from '../kit/when.tsx';
import { ProjectForm } from './project-form.tsx';

/** `/projects` */
export function Component() {
  const projects = useQuery(projectsQuery);
  const { canEdit } = useAbilities();
  const [isOpen, { open, close }] = useDisclosure(false);
  const create = canEdit && (
    <Button leftSection={<Icon name="add" size={16} />} onClick={open}>
      New project
    </Button>
  );
  return (
    <Page
      title="Projects"
      description="A project keeps the data, models and endpoints of one piece of work together."
      actions={create}
    >
      <Loaded query={projects} skeleton={<Blocks height={68} />}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="No project yet" action={create}>
              Make one for the question you want answered, such as “Which customers will leave?”
            </Empty>
          ) : (
            <List label="Projects">
              {items.map((project) => (
                <ListLine
                  key={project.id}
                  to={paths.project(project.id)}
                  title={project.name}
                  about={project.description || undefined}
                  figures={[<When key="when" iso={project.createdAt} />]}
                />
              ))}
            </List>
          )
        }
      </Loaded>
      <Modal opened={isOpen} onClose={close} title="New project" closeButtonProps={{ 'aria-label': 'Close' }}>
        <NewProject />
      </Modal>
    </Page>
  );
}

function NewProject() {
  const navigate = useNavigate();
  const queries = useQueryClient();
  return (
    <ProjectForm
      saveLabel="Make the project"
      onSave={async (body) => {
        const project = await client.createProject({ body });
        await queries.invalidateQueries(projectsQuery);
        await navigate(paths.project(project.id));
      }}
    />
  );
}

// The bar at the side: the project, its places, the workspace's places, and the person.
import { ActionIcon, Group, Menu, Tooltip, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, NavLink } from 'react-router';
import { switchWorkspace } from '../api/client.ts';
import { projectsQuery } from '../api/queries.ts';
import type { Project } from '../api/types.ts';
import { Icon, type IconName } from '../kit/icons.tsx';
import { Brand } from '../kit/okta.tsx';
import { useCurrentProject } from './current-project.ts';
import { paths } from './paths.ts';
import { PersonMenu } from './person-menu.tsx';
import { openQuickSwitch } from './quick-switch.tsx';
import { useSession } from './session.tsx';
import classes from './shell.module.css';

/** All that is in the bar. */
export function Navigation() {
  const project = useCurrentProject();
  return (
    <div className={classes.inside}>
      <div className={classes.top}>
        <Link to={paths.home} className={classes.brand} aria-label="Pilvi, start page">
          <Brand />
        </Link>
        <Tooltip label="Go to anything (Ctrl or ⌘ + K)">
          <ActionIcon variant="subtle" color="gray" aria-label="Go to anything" onClick={openQuickSwitch}>
            <Icon name="search" />
          </ActionIcon>
        </Tooltip>
      </div>
      <Switcher project={project} />
      <div className={classes.links}>
        {project && <ProjectLinks projectId={project.id} />}
        <div className={classes.group} id="workspace-links">
          Workspace
        </div>
        <ul className={classes.list} aria-labelledby="workspace-links">
          <Place to={paths.jobs} icon="jobs" label="Jobs" />
          <Place to={paths.spending} icon="coins" label="Budget" />
          <Place to={paths.members} icon="members" label="Members" />
          <Place to={paths.keys} icon="key" label="Keys" />
          <Place to={paths.audit} icon="scroll" label="Audit log" />
          <Place to={paths.server} icon="server" label="Server" />
        </ul>
      </div>
      <PersonMenu />
    </div>
  );
}

function ProjectLinks({ projectId }: { projectId: string }) {
  return (
    <>
      <div className={classes.group} id="project-links">
        Project
      </div>
      <ul className={classes.list} aria-labelledby="project-links">
        <Place to={paths.project(projectId)} icon="home" label="Overview" isExact />
        <Place to={paths.data(projectId)} icon="data" label="Data" />
        <Place to={paths.trainings(projectId)} icon="training" label="Trainings" />
        <Place to={paths.models(projectId)} icon="model" label="Models" />
        <Place to={paths.endpoints(projectId)} icon="endpoint" label="Endpoints" />
      </ul>
    </>
  );
}

interface PlaceProps {
  to: string;
  icon: IconName;
  label: string;
  isExact?: boolean;
}

function Place({ to, icon, label, isExact = false }: PlaceProps) {
  return (
    <li>
      <NavLink to={to} end={isExact} className={classes.link!}>
        <Icon name={icon} />
        {label}
      </NavLink>
    </li>
  );
}

function Switcher({ project }: { project: Project | undefined }) {
  const { workspace, workspaces } = useSession();
  const projects = useQuery(projectsQuery).data ?? [];
  return (
    <Menu width={260} position="bottom-start">
      <Menu.Target>
        <UnstyledButton className={classes.switcher!}>
          <VisuallyHidden>Switch project or workspace: </VisuallyHidden>
          <span className={classes.names}>
            <span className={classes.name}>{project?.name ?? 'No project yet'}</span>
            <span className={classes.small}>{workspace.name}</span>
          </span>
          <Icon name="switch" size={16} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {projects.length > 0 && <Menu.Label>Projects</Menu.Label>}
        {projects.slice(0, 8).map(({ id, name }) => (
          <Menu.Item
            key={id}
            component={Link}
            to={paths.project(id)}
            rightSection={<Here when={id === project?.id} />}
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Item component={Link} to={paths.projects} c="dimmed">
          {projects.length > 8 ? `All ${projects.length} projects` : 'All projects, or a new one'}
        </Menu.Item>
        {workspaces.length > 1 && (
          <>
            <Menu.Divider />
            <Menu.Label>Workspaces</Menu.Label>
            {workspaces.map(({ id, name }) => (
              <Menu.Item
                key={id}
                onClick={() => switchWorkspace(id)}
                disabled={id === workspace.id}
                rightSection={<Here when={id === workspace.id} />}
              >
                {name}
              </Menu.Item>
            ))}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function Here({ when }: { when: boolean }) {
  return when ? (
    <Group component="span" aria-label="You are here">
      <Icon name="check" size={14} />
    </Group>
  ) : null;
}

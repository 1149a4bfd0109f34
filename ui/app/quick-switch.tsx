// Ctrl or ⌘ + K: go to any page, project, dataset, model or endpoint by typing a part of its name.
import { Modal, Text, TextInput } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useState, type KeyboardEvent } from 'react';
import { useNavigate } from 'react-router';
import { datasetsQuery, endpointsQuery, modelsQuery, projectsQuery } from '../api/queries.ts';
import { Icon, type IconName } from '../kit/icons.tsx';
import { useCurrentProject } from './current-project.ts';
import { paths } from './paths.ts';
import classes from './shell.module.css';

interface Destination {
  label: string;
  kind: string;
  icon: IconName;
  to: string;
}

const openEvent = 'pilvi-quick-switch';
const shownLimit = 12;

/** Opens the dialog from anywhere. */
export function openQuickSwitch(): void {
  window.dispatchEvent(new Event(openEvent));
}

/** The dialog, closed until it is asked for. */
export function QuickSwitch() {
  const [isOpen, setIsOpen] = useState(false);
  useHotkeys([['mod+K', () => setIsOpen(true)]], []);
  useEffect(() => {
    const open = (): void => setIsOpen(true);
    window.addEventListener(openEvent, open);
    return () => window.removeEventListener(openEvent, open);
  }, []);
  return (
    <Modal.Root opened={isOpen} onClose={() => setIsOpen(false)} yOffset="12vh">
      <Modal.Overlay backgroundOpacity={0.45} blur={2} />
      <Modal.Content aria-label="Go to anything" radius="lg">
        <Modal.Body>{isOpen && <Search onDone={() => setIsOpen(false)} />}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Search({ onDone }: { onDone: () => void }) {
  const [text, setText] = useState('');
  const [position, setPosition] = useState(0);
  const navigate = useNavigate();
  const found = useDestinations()
    .filter((each) => matches(each, text))
    .slice(0, shownLimit);
  const chosen = Math.min(position, found.length - 1);
  const go = (destination: Destination | undefined): void => {
    if (!destination) return;
    onDone();
    void navigate(destination.to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setPosition((chosen + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      go(found[chosen]);
    }
  };
  return (
    <div>
      <TextInput
        data-autofocus
        size="md"
        role="combobox"
        aria-label="Go to"
        aria-expanded
        aria-controls="quick-results"
        aria-activedescendant={found[chosen] ? `quick-${chosen}` : undefined}
        placeholder="Go to a page, dataset, model…"
        leftSection={<Icon name="search" />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setPosition(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="quick-results" role="listbox" aria-label="Places" className={classes.results}>
        {found.map((each, index) => (
          <li
            key={each.to}
            id={`quick-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={classes.result}
            onMouseEnter={() => setPosition(index)}
            onClick={() => go(each)}
          >
            <Icon name={each.icon} />
            <Text span truncate flex={1}>
              {each.label}
            </Text>
            <Text span size="sm" c="dimmed">
              {each.kind}
            </Text>
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <Text c="dimmed" size="sm" p="sm">
          Nothing here has that name.
        </Text>
      )}
    </div>
  );
}

function useDestinations(): Destination[] {
  const project = useCurrentProject();
  const projects = useQuery(projectsQuery).data ?? [];
  const isIn = { enabled: project !== undefined };
  const id = project?.id ?? '';
  const datasets = useQuery({ ...datasetsQuery(id), ...isIn, refetchInterval: false }).data ?? [];
  const models = useInfiniteQuery({ ...modelsQuery(id), ...isIn }).data ?? [];
  const endpoints = useQuery({ ...endpointsQuery(id), ...isIn }).data ?? [];
  const named = <Item extends { id: string; name: string }>(
    items: readonly Item[],
    kind: string,
    icon: IconName,
    to: (item: Item) => string,
  ): Destination[] => items.map((item) => ({ label: item.name, kind, icon, to: to(item) }));
  return [
    ...(project
      ? [
          { label: 'Train a model', kind: 'Page', icon: 'play' as const, to: paths.train(id) },
          { label: 'Data', kind: 'Page', icon: 'data' as const, to: paths.data(id) },
          { label: 'Trainings', kind: 'Page', icon: 'training' as const, to: paths.trainings(id) },
          { label: 'Models', kind: 'Page', icon: 'model' as const, to: paths.models(id) },
          { label: 'Endpoints', kind: 'Page', icon: 'endpoint' as const, to: paths.endpoints(id) },
        ]
      : []),
    ...named(datasets, 'Dataset', 'data', (dataset) => paths.dataset(id, dataset.id)),
    ...named(models, 'Model', 'model', (model) => paths.model(id, model.id)),
    ...named(endpoints, 'Endpoint', 'endpoint', (endpoint) => paths.endpoint(id, endpoint.id)),
    ...named(projects, 'Project', 'home', (each) => paths.project(each.id)),
    { label: 'Jobs', kind: 'Page', icon: 'jobs', to: paths.jobs },
    { label: 'Budget', kind: 'Page', icon: 'coins', to: paths.spending },
    { label: 'Members', kind: 'Page', icon: 'members', to: paths.members },
    { label: 'Keys', kind: 'Page', icon: 'key', to: paths.keys },
    { label: 'Audit log', kind: 'Page', icon: 'scroll', to: paths.audit },
    { label: 'Server', kind: 'Page', icon: 'server', to: paths.server },
  ];
}

/** Every word typed is somewhere in the name or the kind. */
function matches({ label, kind }: Destination, text: string): boolean {
  const haystack = `${label} ${kind}`.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

// Keys for programs: making one (its secret is shown once), and revoking.
import {
  ActionIcon,
  Button,
  Group,
  Modal,
  NativeSelect,
  Select,
  Stack,
  Text,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { keysQuery, projectsQuery } from '../../api/queries.ts';
import type { Key, Role } from '../../api/types.ts';
import { roleWords } from '../../app/roles.ts';
import { useAbilities } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { CopyLine } from '../../kit/copy.tsx';
import { Empty } from '../../kit/empty.tsx';
import { Icon } from '../../kit/icons.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Page } from '../../kit/page.tsx';
import { fieldErrors, ProblemAlert } from '../../kit/problem.tsx';
import { Okta } from '../../kit/okta.tsx';
import { useNow, When } from '../../kit/when.tsx';

/** `/workspace/keys` */
export function Component() {
  const keys = useQuery(keysQuery);
  const { canManage } = useAbilities();
  const [isOpen, { open, close }] = useDisclosure(false);
  const create = canManage && (
    <Button leftSection={<Icon name="add" size={16} />} onClick={open}>
      New key
    </Button>
  );
  return (
    <Page
      title="Keys"
      description="A key lets a program in, with a role of its own. Give each program its own key, with the least it needs."
      actions={create}
    >
      <Loaded query={keys} skeleton={<Blocks height={68} />}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="No key yet" action={create}>
              People sign in with a link. Programs, the command line and notebooks use a key.
            </Empty>
          ) : (
            <List label="Keys">
              {items.map((key) => (
                <KeyLine key={key.id} apiKey={key} />
              ))}
            </List>
          )
        }
      </Loaded>
      {isOpen && <NewKey onClose={close} />}
    </Page>
  );
}

function KeyLine({ apiKey }: { apiKey: Key }) {
  const { canManage } = useAbilities();
  const queries = useQueryClient();
  const projects = useQuery(projectsQuery).data ?? [];
  const nowMs = useNow(60_000);
  const { id, name, hint, role, projectId, revokedAt, expiresAt, lastUsedAt } = apiKey;
  const isExpired = expiresAt !== null && Date.parse(expiresAt) < nowMs;
  const isOver = revokedAt !== null || isExpired;
  const place =
    projectId === null
      ? 'all projects'
      : (projects.find((each) => each.id === projectId)?.name ?? 'one project');
  return (
    <ListLine
      mark={isOver ? <Okta kind="cancelled" /> : <Okta share={1} />}
      title={name}
      about={
        <>
          {hint}… · {roleWords[role].label} · {place}
          {revokedAt !== null ? (
            <>
              {' '}
              · revoked <When iso={revokedAt} />
            </>
          ) : (
            expiresAt !== null && (
              <>
                {' '}
                · {isExpired ? 'expired' : 'expires'} <When iso={expiresAt} />
              </>
            )
          )}
        </>
      }
      figures={[
        lastUsedAt === null ? (
          'never used'
        ) : (
          <span key="used">
            used <When iso={lastUsedAt} />
          </span>
        ),
      ]}
      actions={
        canManage &&
        !isOver && (
          <Confirm
            title={`Revoke ${name}?`}
            consequence="It stops working at once, wherever it is used. A new key has another secret."
            confirmLabel="Revoke the key"
            onConfirm={async () => {
              await client.revokeKey({ keyId: id });
              await queries.invalidateQueries(keysQuery);
            }}
          >
            {(ask) => (
              <Tooltip label="Revoke">
                <ActionIcon variant="subtle" color="gray" aria-label={`Revoke ${name}`} onClick={ask}>
                  <Icon name="trash" size={16} />
                </ActionIcon>
              </Tooltip>
            )}
          </Confirm>
        )
      }
    />
  );
}

const lifetimes = [
  { value: '90', label: '90 days' },
  { value: '30', label: '30 days' },
  { value: '365', label: 'a year' },
  { value: '', label: 'until it is revoked' },
];

function NewKey({ onClose }: { onClose: () => void }) {
  const projects = useQuery(projectsQuery).data ?? [];
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('predictor');
  const [projectId, setProjectId] = useState<string | null>(null);
  const [days, setDays] = useState('90');
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      client.createKey({ body: { name, role, projectId, expiresInDays: days === '' ? null : Number(days) } }),
    onSuccess: () => queries.invalidateQueries(keysQuery),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title="New key"
      // A click beside the dialog must not throw the only sight of the secret away.
      closeOnClickOutside={create.data === undefined}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {create.data ? (
        <Stack>
          <Notice tone="careful" title="Copy it now">
            The secret is shown this once. Only a fingerprint of it is kept.
          </Notice>
          <CopyLine text={create.data.secret} what="the secret" />
          <Text size="sm" c="dimmed">
            Programs send it as <code>Authorization: Bearer …</code>
          </Text>
          <Group justify="flex-end">
            <Button onClick={onClose}>I have copied it</Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate();
          }}
        >
          <Stack>
            <TextInput
              label="Name"
              description="What uses it, so that you know later."
              placeholder="CRM, nightly"
              required
              data-autofocus
              maxLength={120}
              value={name}
              error={fieldErrors(create.error)['name']}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <NativeSelect
              label="What it may do"
              description={roleWords[role].meaning}
              value={role}
              onChange={(event) => setRole(event.currentTarget.value as Role)}
              data={Object.entries(roleWords).map(([value, { label }]) => ({ value, label }))}
            />
            <Select
              label="Where"
              placeholder="all projects"
              clearable
              value={projectId}
              onChange={setProjectId}
              data={projects.map((project) => ({ value: project.id, label: project.name }))}
            />
            <NativeSelect
              label="It works for"
              value={days}
              onChange={(event) => setDays(event.currentTarget.value)}
              data={lifetimes}
            />
            {create.error && <ProblemAlert error={create.error} />}
            <Group justify="flex-end">
              <Button type="submit" loading={create.isPending}>
                Make the key
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

// The members of the workspace: who, with which role; inviting, changing, removing.
import {
  ActionIcon,
  Button,
  Group,
  Modal,
  Radio,
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
import { membersQuery, sessionQuery } from '../../api/queries.ts';
import type { Member, Role } from '../../api/types.ts';
import { roleWords } from '../../app/roles.ts';
import { useAbilities, useSession } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { CopyLine } from '../../kit/copy.tsx';
import { Icon } from '../../kit/icons.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { NameDialog } from '../../kit/name-dialog.tsx';
import { Page } from '../../kit/page.tsx';
import { fieldErrors, notifyProblem, ProblemAlert } from '../../kit/problem.tsx';
import { When } from '../../kit/when.tsx';

/** `/workspace/members` */
export function Component() {
  const members = useQuery(membersQuery);
  const { canManage } = useAbilities();
  const { workspace } = useSession();
  const [isInviteOpen, invite] = useDisclosure(false);
  const [isRenameOpen, rename] = useDisclosure(false);
  return (
    <Page
      title="Members"
      description={`Who works in ${workspace.name}, and what they may do.`}
      actions={
        canManage && (
          <>
            <Button variant="default" onClick={rename.open}>
              Rename the workspace
            </Button>
            <Button leftSection={<Icon name="add" size={16} />} onClick={invite.open}>
              Invite someone
            </Button>
          </>
        )
      }
    >
      <Loaded query={members} skeleton={<Blocks height={68} />}>
        {(items) => (
          <List label="Members">
            {items.map((member) => (
              <MemberLine key={member.userId} member={member} />
            ))}
          </List>
        )}
      </Loaded>
      {isInviteOpen && <Invite onClose={invite.close} />}
      {isRenameOpen && <RenameWorkspace onClose={rename.close} />}
    </Page>
  );
}

function MemberLine({ member }: { member: Member }) {
  const { canManage } = useAbilities();
  const { actor } = useSession();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (role: Role) => client.updateMember({ userId: member.userId, body: { role } }),
    onError: notifyProblem,
    onSettled: () => queries.invalidateQueries(membersQuery),
  });
  const isMe = member.userId === actor.id;
  return (
    <ListLine
      mark={<Icon name="user" />}
      title={isMe ? `${member.displayName} (you)` : member.displayName}
      about={
        <>
          joined <When iso={member.joinedAt} />
        </>
      }
      figures={canManage ? [] : [roleWords[member.role].label]}
      actions={
        canManage && (
          <>
            <Select
              aria-label={`Role of ${member.displayName}`}
              size="xs"
              w={120}
              allowDeselect={false}
              value={member.role}
              disabled={change.isPending}
              data={roleChoices}
              onChange={(role) => role !== null && change.mutate(role as Role)}
            />
            <Confirm
              title={`Remove ${member.displayName}?`}
              consequence="They are signed out here at once. What they made stays. You can invite them again."
              confirmLabel="Remove"
              onConfirm={async () => {
                await client.removeMember({ userId: member.userId });
                await queries.invalidateQueries(membersQuery);
              }}
            >
              {(ask) => (
                <Tooltip label="Remove">
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={`Remove ${member.displayName}`}
                    onClick={ask}
                  >
                    <Icon name="trash" size={16} />
                  </ActionIcon>
                </Tooltip>
              )}
            </Confirm>
          </>
        )
      }
    />
  );
}

const roleChoices = Object.entries(roleWords).map(([value, { label }]) => ({ value, label }));

function Invite({ onClose }: { onClose: () => void }) {
  const [displayName, setDisplayName] = useState('');
  const [role, setRole] = useState<Role>('editor');
  const queries = useQueryClient();
  const invite = useMutation({
    mutationFn: () => client.inviteMember({ body: { displayName, role } }),
    onSuccess: () => queries.invalidateQueries(membersQuery),
  });
  return (
    <Modal opened onClose={onClose} title="Invite someone" closeButtonProps={{ 'aria-label': 'Close' }}>
      {invite.data ? (
        <Stack>
          <Text size="sm">
            Send this link to {invite.data.member.displayName}. It signs in whoever opens it first, once.
          </Text>
          <CopyLine text={invite.data.link.url} what="the link" />
          <Text size="sm" c="dimmed">
            It stops working <When iso={invite.data.link.expiresAt} />, and is not shown again.
          </Text>
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            invite.mutate();
          }}
        >
          <Stack>
            <TextInput
              label="Their name"
              required
              data-autofocus
              maxLength={120}
              value={displayName}
              error={fieldErrors(invite.error)['displayName']}
              onChange={(event) => setDisplayName(event.currentTarget.value)}
            />
            <RoleChoice value={role} onChange={setRole} />
            {invite.error && <ProblemAlert error={invite.error} />}
            <Group justify="flex-end">
              <Button type="submit" loading={invite.isPending}>
                Make their link
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}

function RoleChoice({ value, onChange }: { value: Role; onChange: (role: Role) => void }) {
  return (
    <Radio.Group label="What they may do" value={value} onChange={(role) => onChange(role as Role)}>
      <Stack gap="xs" mt={6}>
        {Object.entries(roleWords).map(([role, { label, meaning }]) => (
          <Radio key={role} value={role} label={label} description={meaning} />
        ))}
      </Stack>
    </Radio.Group>
  );
}

function RenameWorkspace({ onClose }: { onClose: () => void }) {
  const { workspace } = useSession();
  const queries = useQueryClient();
  return (
    <NameDialog
      title="Rename the workspace"
      firstName={workspace.name}
      saveLabel="Save"
      onSave={async (name) => {
        await client.updateWorkspace({ body: { name } });
        await queries.invalidateQueries(sessionQuery);
        onClose();
      }}
      onClose={onClose}
    />
  );
}

// Who is signed in: light or dark, a link for another browser, a new workspace, signing out.
import {
  Button,
  Group,
  Menu,
  Modal,
  Stack,
  Text,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { client, forgetWorkspace, switchWorkspace } from '../api/client.ts';
import { CopyLine } from '../kit/copy.tsx';
import { Icon } from '../kit/icons.tsx';
import { NameDialog } from '../kit/name-dialog.tsx';
import { notifyProblem, ProblemAlert } from '../kit/problem.tsx';
import { When } from '../kit/when.tsx';
import { paths } from './paths.ts';
import { queryClient } from './query-client.ts';
import { roleWords } from './roles.ts';
import { useSession } from './session.tsx';
import classes from './shell.module.css';

/** The person's name as a button, with their menu. */
export function PersonMenu() {
  const { actor, role } = useSession();
  const [isLinkOpen, link] = useDisclosure(false);
  const [isWorkspaceOpen, workspace] = useDisclosure(false);
  const navigate = useNavigate();
  const signOut = useMutation({
    mutationFn: () => client.deleteSession(),
    onError: notifyProblem,
    onSuccess: async () => {
      forgetWorkspace();
      await navigate(paths.signIn, { state: { signedOut: true } });
      queryClient.clear();
    },
  });
  return (
    <>
      <Menu width={250} position="top-start">
        <Menu.Target>
          <UnstyledButton className={classes.person!}>
            <VisuallyHidden>Your menu: </VisuallyHidden>
            <span className={classes.initials} aria-hidden>
              {initials(actor.displayName)}
            </span>
            <span className={classes.names}>
              <span className={classes.name}>{actor.displayName}</span>
              <span className={classes.small}>{roleWords[role].label}</span>
            </span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Appearance</Menu.Label>
          <ColorSchemeChoice />
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="switch" size={16} />} onClick={link.open}>
            Sign in on another browser
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="add" size={16} />} onClick={workspace.open}>
            New workspace
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="back" size={16} />} onClick={() => signOut.mutate()}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <SignInLink isOpen={isLinkOpen} onClose={link.close} />
      {isWorkspaceOpen && <NewWorkspace onClose={workspace.close} />}
    </>
  );
}

const colorSchemes = [
  { value: 'auto', label: 'As the system', icon: 'server' },
  { value: 'light', label: 'Light', icon: 'sun' },
  { value: 'dark', label: 'Dark', icon: 'moon' },
] as const;

function ColorSchemeChoice() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return colorSchemes.map(({ value, label, icon }) => (
    <Menu.Item
      key={value}
      role="menuitemradio"
      aria-checked={colorScheme === value}
      closeMenuOnClick={false}
      leftSection={<Icon name={icon} size={16} />}
      rightSection={colorScheme === value && <Icon name="check" size={14} />}
      onClick={() => setColorScheme(value)}
    >
      {label}
    </Menu.Item>
  ));
}

interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
}

function SignInLink({ isOpen, onClose }: DialogProps) {
  const make = useMutation({ mutationFn: () => client.createSignInLink() });
  return (
    <Modal
      opened={isOpen}
      onClose={() => {
        make.reset();
        onClose();
      }}
      title="Sign in on another browser"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack>
        <Text size="sm">
          The link works once and signs whoever opens it in as you. Send it only to yourself.
        </Text>
        {make.error && <ProblemAlert error={make.error} />}
        {make.data ? (
          <>
            <CopyLine text={make.data.url} what="the link" />
            <Text size="sm" c="dimmed">
              It stops working <When iso={make.data.expiresAt} />.
            </Text>
          </>
        ) : (
          <Group>
            <Button loading={make.isPending} onClick={() => make.mutate()}>
              Make a link
            </Button>
          </Group>
        )}
      </Stack>
    </Modal>
  );
}

function NewWorkspace({ onClose }: { onClose: () => void }) {
  return (
    <NameDialog
      title="New workspace"
      description="A workspace keeps its data, members, keys and budget apart from every other. You become its owner."
      saveLabel="Make the workspace"
      onSave={async (name) => switchWorkspace((await client.createWorkspace({ body: { name } })).id)}
      onClose={onClose}
    />
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toUpperCase();
}

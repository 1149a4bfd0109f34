// A button for what cannot be undone: it says what will happen and asks once.
import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ProblemAlert } from './problem.tsx';

interface ConfirmProps {
  /** The button that opens the question. */
  children: (ask: () => void) => ReactNode;
  title: string;
  /** What will happen. */
  consequence: ReactNode;
  confirmLabel: string;
  cancelLabel?: string;
  onConfirm: () => Promise<unknown>;
}

/** Asks before doing. The dialog stays open, with the problem in it, when the deed fails. */
export function Confirm({
  children,
  title,
  consequence,
  confirmLabel,
  cancelLabel = 'Keep it',
  onConfirm,
}: ConfirmProps) {
  const [isOpen, { open, close }] = useDisclosure(false);
  const deed = useMutation({ mutationFn: onConfirm, onSuccess: close });
  return (
    <>
      {children(() => {
        deed.reset();
        open();
      })}
      <Modal opened={isOpen} onClose={close} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
        <Stack>
          <Text size="sm" component="div">
            {consequence}
          </Text>
          {deed.error && <ProblemAlert error={deed.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {cancelLabel}
            </Button>
            <Button color="lingonberry" loading={deed.isPending} onClick={() => deed.mutate()}>
              {confirmLabel}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

// A dialog that asks for one name, and says at the field what is wrong with it.
import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { fieldErrors, ProblemAlert } from './problem.tsx';

interface NameDialogProps {
  title: string;
  /** What comes of it. */
  description?: string;
  firstName?: string;
  saveLabel: string;
  /** What it throws is shown, and the dialog stays. */
  onSave: (name: string) => Promise<void>;
  onClose: () => void;
}

export function NameDialog({
  title,
  description,
  firstName = '',
  saveLabel,
  onSave,
  onClose,
}: NameDialogProps) {
  const [name, setName] = useState(firstName);
  const save = useMutation({ mutationFn: () => onSave(name) });
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          {description && <Text size="sm">{description}</Text>}
          <TextInput
            label="Name"
            required
            data-autofocus
            maxLength={120}
            value={name}
            error={fieldErrors(save.error)['name']}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {save.error && <ProblemAlert error={save.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={save.isPending}>
              {saveLabel}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

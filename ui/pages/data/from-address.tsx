// Data that is not on this computer: at a web address, or in a folder of the server.
import { Button, Group, Modal, SegmentedControl, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { paths } from '../../app/paths.ts';

interface FromAddressProps {
  projectId: string;
  isOpen: boolean;
  onClose: () => void;
}

const kinds = {
  url: {
    label: 'Web address',
    description: 'Public, and a file itself rather than a page about it.',
    placeholder: 'https://example.org/orders.csv',
  },
  path: {
    label: 'File on the server',
    description: 'In one of the folders that the server may read.',
    placeholder: '/data/orders.parquet',
  },
} as const;

/** Asks for the address, then shows the same preview as for a dropped file. */
export function FromAddress({ projectId, isOpen, onClose }: FromAddressProps) {
  const navigate = useNavigate();
  const [kind, setKind] = useState<keyof typeof kinds>('url');
  const [address, setAddress] = useState('');
  const isWrong = kind === 'url' && address !== '' && !/^https?:\/\//.test(address);
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title="Fetch from an address"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isWrong)
            void navigate(`${paths.importUpload(projectId, kind)}?at=${encodeURIComponent(address)}`);
        }}
      >
        <Stack>
          <SegmentedControl
            fullWidth
            aria-label="Where the data is"
            value={kind}
            onChange={(value) => setKind(value as keyof typeof kinds)}
            data={Object.entries(kinds).map(([value, { label }]) => ({ value, label }))}
          />
          <TextInput
            label={kinds[kind].label}
            description={kinds[kind].description}
            placeholder={kinds[kind].placeholder}
            required
            data-autofocus
            value={address}
            error={isWrong && 'Begins with https://'}
            onChange={(event) => setAddress(event.currentTarget.value.trim())}
          />
          <Group justify="flex-end">
            <Button type="submit">Look at it</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

// What is kept of the predictions of an endpoint: how many, without which fields, for how long.
import { Button, Group, Modal, NumberInput, Stack, TagsInput, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { endpointQuery, predictionLogQuery } from '../../api/queries.ts';
import type { Endpoint } from '../../api/types.ts';
import { formatShare } from '../../kit/format.ts';
import { notifyDone, ProblemAlert } from '../../kit/problem.tsx';

const mostDays = 3650;

/** A button, and the form behind it. */
export function LogSettings({ endpoint }: { endpoint: Endpoint }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" onClick={open}>
        What is kept
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title="What is kept of predictions"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <SettingsForm endpoint={endpoint} onDone={close} />
      </Modal>
    </>
  );
}

/** The settings in a sentence. */
export function settingsInWords({ share, redactedColumns, keptDays }: Endpoint['log']): string {
  if (share === 0) return 'Nothing is kept of predictions.';
  const requests = share === 1 ? 'Every request is kept' : `${formatShare(share, 0)} of requests are kept`;
  const without = redactedColumns.length > 0 ? `, without ${redactedColumns.join(', ')}` : '';
  return `${requests}${without}, for ${keptDays} days.`;
}

function SettingsForm({ endpoint, onDone }: { endpoint: Endpoint; onDone: () => void }) {
  const { log, fields } = endpoint;
  const queries = useQueryClient();
  const [percent, setPercent] = useState<number | string>(Math.round(log.share * 10_000) / 100);
  const [redacted, setRedacted] = useState(log.redactedColumns);
  const [days, setDays] = useState<number | string>(log.keptDays);
  const save = useMutation({
    mutationFn: () =>
      client.setLogSettings({
        endpointId: endpoint.id,
        body: { share: Number(percent) / 100, redactedColumns: redacted, keptDays: Number(days) },
      }),
    onSuccess: async (changed) => {
      queries.setQueryData(endpointQuery(endpoint.id).queryKey, changed);
      await queries.invalidateQueries(predictionLogQuery(endpoint.id));
      notifyDone('What is kept was changed.');
      onDone();
    },
  });
  const names = [...new Set([...fields.map(({ name }) => name), ...redacted])];
  const isWhole = percent !== '' && days !== '';
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack>
        <NumberInput
          label="Requests that are kept"
          description="With less than 100% some are left out, chosen at random by their id."
          suffix=" %"
          min={0}
          max={100}
          decimalScale={2}
          value={percent}
          onChange={setPercent}
        />
        <TagsInput
          label="Fields that are not written down"
          description="For what is private. A prediction without a field that the model looks at cannot be computed again."
          placeholder={redacted.length === 0 ? 'None' : ''}
          data={names}
          value={redacted}
          onChange={setRedacted}
        />
        <NumberInput
          label="Kept for"
          suffix=" days"
          min={1}
          max={mostDays}
          allowDecimal={false}
          value={days}
          onChange={setDays}
        />
        <Text size="sm" c="dimmed">
          What was written down already stays as it is; the days hold for it, too.
        </Text>
        {save.error && <ProblemAlert error={save.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!isWhole}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

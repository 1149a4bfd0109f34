// How ready an endpoint is to answer: its replicas and how far they are loaded; and where its models answer.
import { Button, Group, Modal, NumberInput, Select, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { endpointQuery, servingStatusQuery } from '../../api/queries.ts';
import type { Endpoint, ServingStatus } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { formatCountOf, formatShare } from '../../kit/format.ts';
import { List, ListLine } from '../../kit/list.tsx';
import { Loaded } from '../../kit/loaded.tsx';
import { Section } from '../../kit/page.tsx';
import { notifyDone, ProblemAlert } from '../../kit/problem.tsx';
import { When } from '../../kit/when.tsx';

type Settings = Endpoint['serving'];
type Version = ServingStatus['versions'][number];

const places: Record<Settings['place'], string> = {
  automatic: 'Automatic: large models apart, others in the server',
  'in-process': 'In the server: the quickest answers',
  apart: 'Apart: in processes of their own',
};

/** The part of the versions tab that says how they are served. */
export function Serving({ endpoint }: { endpoint: Endpoint }) {
  const { canEdit } = useAbilities();
  const status = useQuery(servingStatusQuery(endpoint.id));
  const isApart =
    endpoint.serving.place === 'apart' || status.data?.versions.some(({ place }) => place === 'apart');
  return (
    <Section
      title="How ready it is"
      description={isApart ? settingsInWords(endpoint.serving) : 'Small models answer in the server itself.'}
      actions={canEdit && <ChangeServing endpoint={endpoint} />}
    >
      <Loaded query={status}>
        {({ versions }) => (
          <List label="Readiness">
            {versions.map((version) => (
              <ListLine
                key={version.modelVersionId}
                title={`${version.modelName}, version ${version.versionNumber}`}
                about={<About version={version} />}
                figures={[stateInWords(version)]}
              />
            ))}
          </List>
        )}
      </Loaded>
    </Section>
  );
}

function About({ version }: { version: Version }) {
  const { place, state, replicas, waitingCount, lastFailure } = version;
  const parts = [
    state === 'cold'
      ? 'The next request loads it.'
      : place === 'apart'
        ? `Answers in ${formatCountOf(replicas.ready, 'process', 'processes')}.`
        : 'Answers in the server.',
    state === 'queued' ? 'It waits for room on the machine.' : '',
    waitingCount > 0 ? `${formatCountOf(waitingCount, 'request waits', 'requests wait')}.` : '',
  ];
  return (
    <>
      {parts.filter((part) => part !== '').join(' ')}
      {lastFailure && (
        <>
          {' '}
          A process was replaced <When iso={lastFailure.at} />: {lastFailure.detail}
        </>
      )}
    </>
  );
}

function stateInWords({ state, loadedShare }: Version): string {
  if (state === 'loading')
    return loadedShare === null ? 'Loading' : `Loading, ${formatShare(loadedShare, 0)}`;
  return { cold: 'Cold', queued: 'Waiting', warm: 'Warm' }[state];
}

function settingsInWords({ minReplicas, maxReplicas, idleMinutes }: Settings): string {
  const kept =
    minReplicas === 0
      ? `A model that nobody asks for ${formatCountOf(idleMinutes, 'minute')} gives its processes up; the next request brings them back.`
      : `${formatCountOf(minReplicas, 'replica is', 'replicas are')} always ready.`;
  return `${kept} There are at most ${maxReplicas} for each version.`;
}

function ChangeServing({ endpoint }: { endpoint: Endpoint }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" onClick={open}>
        How it is served
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title="How it is served"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <ServingForm endpoint={endpoint} onDone={close} />
      </Modal>
    </>
  );
}

function ServingForm({ endpoint, onDone }: { endpoint: Endpoint; onDone: () => void }) {
  const { serving } = endpoint;
  const queries = useQueryClient();
  const [place, setPlace] = useState<Settings['place']>(serving.place);
  const [least, setLeast] = useState<number | string>(serving.minReplicas);
  const [most, setMost] = useState<number | string>(serving.maxReplicas);
  const [idle, setIdle] = useState<number | string>(serving.idleMinutes);
  const save = useMutation({
    mutationFn: () =>
      client.setServingSettings({
        endpointId: endpoint.id,
        body: {
          place,
          minReplicas: Number(least),
          maxReplicas: Number(most),
          idleMinutes: Number(idle),
        },
      }),
    onSuccess: async (changed) => {
      queries.setQueryData(endpointQuery(endpoint.id).queryKey, changed);
      await queries.invalidateQueries(servingStatusQuery(endpoint.id));
      notifyDone('How it is served was changed.');
      onDone();
    },
  });
  const isWhole = [least, most, idle].every((value) => value !== '');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack>
        <Select
          label="Where models answer"
          description="Apart, a model cannot slow the server down. Models made elsewhere always answer apart."
          data={Object.entries(places).map(([value, label]) => ({ value, label }))}
          allowDeselect={false}
          value={place}
          onChange={(value) => setPlace(value as Settings['place'])}
        />
        <NumberInput
          label="Replicas that are always ready"
          description="With 0 the first request after a pause waits until the model is loaded. Kept processes cost money by the minute."
          min={0}
          max={16}
          allowDecimal={false}
          value={least}
          onChange={setLeast}
        />
        <NumberInput
          label="Replicas at most"
          description="More come when requests have to wait, as far as the machine has room."
          min={1}
          max={64}
          allowDecimal={false}
          value={most}
          onChange={setMost}
        />
        <NumberInput
          label="The last one ends after"
          description="Minutes without a request."
          suffix=" minutes"
          min={1}
          max={1440}
          allowDecimal={false}
          value={idle}
          onChange={setIdle}
        />
        <Text size="sm" c="dimmed">
          Changes hold from the next request on, on all servers within two seconds.
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

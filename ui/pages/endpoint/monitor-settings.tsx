// How the endpoint is watched: how often, against what, which columns may move, when alerts open, and who is told.
import { Button, Group, Select, Stack, Switch, TagsInput, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { monitorQuery, serverQuery } from '../../api/queries.ts';
import type { Endpoint, Monitor } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { formatTime } from '../../kit/format.ts';
import { List, ListLine } from '../../kit/list.tsx';
import { notifyDone, ProblemAlert } from '../../kit/problem.tsx';
import { AlertRules } from './alert-rules.tsx';
import classes from './monitoring.module.css';

type Settings = Monitor['settings'];
type Kind = Settings['channels'][number]['kind'];

/** What can be sent, and where to. */
const kinds: Record<Kind, { label: string; about: string; example: string; type: string }> = {
  slack: {
    label: 'Slack message',
    about: 'a message, as Slack takes it',
    example: 'https://hooks.example.com/…',
    type: 'url',
  },
  webhook: { label: 'Signed JSON', about: 'signed JSON', example: 'https://example.com/…', type: 'url' },
  mail: { label: 'Mail', about: 'a letter', example: 'ann@example.org', type: 'email' },
};

const windows = [
  { value: '1', label: 'every hour' },
  { value: '6', label: 'every 6 hours' },
  { value: '24', label: 'every day' },
  { value: '168', label: 'every week' },
];

const references = [
  { value: 'training', label: 'what the model learned from' },
  { value: 'previous-window', label: 'the window before' },
];

/** A form whose every change is kept at once. */
export function MonitorSettings({ endpoint, monitor }: { endpoint: Endpoint; monitor: Monitor }) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const { settings, nextReportAt } = monitor;
  const change = useMutation({
    mutationFn: (body: Partial<Settings>) => client.setMonitor({ endpointId: endpoint.id, body }),
    onSuccess: async (changed) => {
      queries.setQueryData(monitorQuery(endpoint.id).queryKey, changed);
      notifyDone('Kept.');
    },
  });
  const hours = String(settings.windowHours);
  const offered = windows.some(({ value }) => value === hours)
    ? windows
    : [...windows, { value: hours, label: `every ${hours} hours` }];
  return (
    <section>
      <h2 className={classes.title}>How it is watched</h2>
      {change.error && <ProblemAlert error={change.error} />}
      <Stack gap="md" maw={620}>
        <Switch
          label="Make reports by itself"
          description={nextReportAt ? `The next one on ${formatTime(nextReportAt)}` : 'Only when asked'}
          checked={settings.isOn}
          disabled={!canEdit}
          onChange={(event) => change.mutate({ isOn: event.currentTarget.checked })}
        />
        <Group grow align="start">
          <Select
            label="How often"
            data={offered}
            value={hours}
            allowDeselect={false}
            disabled={!canEdit}
            onChange={(value) => change.mutate({ windowHours: Number(value) })}
          />
          <Select
            label="Compared with"
            data={references}
            value={settings.reference}
            allowDeselect={false}
            disabled={!canEdit}
            onChange={(value) => change.mutate({ reference: value as Settings['reference'] })}
          />
        </Group>
        <TagsInput
          label="Columns that may move"
          description="They are shown, but no report and no alert speaks of them."
          data={endpoint.fields.map(({ name }) => name)}
          value={settings.excludedColumns}
          disabled={!canEdit}
          onChange={(excludedColumns) => change.mutate({ excludedColumns })}
        />
        <AlertRules rules={settings.rules} canEdit={canEdit} onChange={(rules) => change.mutate({ rules })} />
        <Channels
          channels={settings.channels}
          canEdit={canEdit}
          onChange={(channels) => change.mutate({ channels })}
        />
      </Stack>
    </section>
  );
}

interface ChannelsProps {
  channels: Settings['channels'];
  canEdit: boolean;
  onChange: (channels: Settings['channels']) => void;
}

function Channels({ channels, canEdit, onChange }: ChannelsProps) {
  const [address, setAddress] = useState('');
  const [kind, setKind] = useState<Kind>('slack');
  const sendsMail = useQuery(serverQuery).data?.sendsMail === true;
  const offered = (Object.keys(kinds) as Kind[]).filter((one) => one !== 'mail' || sendsMail);
  return (
    <div>
      <Text size="sm" fw={500} mb={4}>
        Who is told of alerts
      </Text>
      {channels.length > 0 && (
        <List label="Who is told">
          {channels.map((channel) => (
            <ListLine
              key={`${channel.kind} ${channel.address}`}
              title={channel.address}
              about={kinds[channel.kind].about}
              actions={
                canEdit && (
                  <Button
                    size="xs"
                    variant="subtle"
                    onClick={() => onChange(channels.filter((one) => one !== channel))}
                  >
                    Remove
                  </Button>
                )
              }
            />
          ))}
        </List>
      )}
      {canEdit && (
        <form
          className={classes.add}
          onSubmit={(event) => {
            event.preventDefault();
            onChange([...channels, { kind, address: address.trim() }]);
            setAddress('');
          }}
        >
          <Select
            aria-label="What is sent"
            data={offered.map((value) => ({ value, label: kinds[value].label }))}
            value={kind}
            allowDeselect={false}
            onChange={(value) => setKind(value as Kind)}
          />
          <TextInput
            aria-label="Address"
            type={kinds[kind].type}
            placeholder={kinds[kind].example}
            value={address}
            onChange={(event) => setAddress(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={address.trim() === ''}>
            Add
          </Button>
        </form>
      )}
    </div>
  );
}

// How the endpoint is watched: how often, against what, which columns may move, and who is told.
import { Button, Group, Select, Stack, Switch, TagsInput, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { monitorQuery } from '../../api/queries.ts';
import type { Endpoint, Monitor } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { formatTime } from '../../kit/format.ts';
import { List, ListLine } from '../../kit/list.tsx';
import { notifyDone, ProblemAlert } from '../../kit/problem.tsx';
import classes from './monitoring.module.css';

type Settings = Monitor['settings'];

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
  const [url, setUrl] = useState('');
  const [kind, setKind] = useState<'slack' | 'webhook'>('slack');
  return (
    <div>
      <Text size="sm" fw={500} mb={4}>
        Who is told of alerts
      </Text>
      {channels.length > 0 && (
        <List label="Who is told">
          {channels.map((channel) => (
            <ListLine
              key={`${channel.kind} ${channel.url}`}
              title={channel.url}
              about={channel.kind === 'slack' ? 'a message, as Slack takes it' : 'signed JSON'}
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
            onChange([...channels, { kind, url: url.trim() }]);
            setUrl('');
          }}
        >
          <Select
            aria-label="What is sent"
            data={[
              { value: 'slack', label: 'Slack message' },
              { value: 'webhook', label: 'Signed JSON' },
            ]}
            value={kind}
            allowDeselect={false}
            onChange={(value) => setKind(value as typeof kind)}
          />
          <TextInput
            aria-label="Address"
            type="url"
            placeholder="https://hooks.example.com/…"
            value={url}
            onChange={(event) => setUrl(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={url.trim() === ''}>
            Add
          </Button>
        </form>
      )}
    </div>
  );
}

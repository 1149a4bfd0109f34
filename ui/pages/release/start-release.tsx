// Starting a release: which version, how, and who has to agree.
import { Button, Group, Modal, NumberInput, Select, Switch, Text, Textarea } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { endpointQuery, modelsQuery, modelVersionsQuery, releasesQuery } from '../../api/queries.ts';
import type { Endpoint } from '../../api/types.ts';
import { ProblemAlert } from '../../kit/problem.tsx';
import { strategyOf } from './strategy.ts';
import { minutes, strategyWords, watchTimes, type StrategyKind } from './words.ts';
import classes from './releases.module.css';

interface StartReleaseProps {
  projectId: string;
  endpoint: Endpoint;
  onClose: () => void;
  onStarted: () => void;
}

/** The dialog. */
export function StartRelease({ projectId, endpoint, onClose, onStarted }: StartReleaseProps) {
  const queries = useQueryClient();
  const answering = endpoint.deployments.map(({ modelVersionId }) => modelVersionId);
  const [versionId, setVersionId] = useState<string | null>(null);
  const [kind, setKind] = useState<StrategyKind>('canary');
  const [bakingMinutes, setBakingMinutes] = useState(15);
  const [leastRequests, setLeastRequests] = useState(50);
  const [needsApproval, setNeedsApproval] = useState(false);
  const [note, setNote] = useState('');
  const start = useMutation({
    mutationFn: () =>
      client.startRelease({
        endpointId: endpoint.id,
        body: {
          modelVersionId: versionId ?? '',
          strategy: strategyOf(kind, bakingMinutes),
          guard: { leastRequests },
          approvals: needsApproval ? { count: 1, notByStarter: true } : {},
          note,
        },
      }),
    onSuccess: async () => {
      await queries.invalidateQueries(releasesQuery(endpoint.id));
      await queries.invalidateQueries(endpointQuery(endpoint.id));
      onStarted();
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title="Release a version" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate();
        }}
      >
        <VersionSelect
          projectId={projectId}
          answering={answering}
          versionId={versionId}
          onChange={setVersionId}
        />
        <Select
          label="How"
          description={strategyWords[kind].about}
          data={Object.entries(strategyWords).map(([value, { label }]) => ({ value, label }))}
          value={kind}
          allowDeselect={false}
          onChange={(value) => setKind(value as StrategyKind)}
        />
        {kind !== 'challenger' && (
          <Group grow align="start">
            <Select
              label="Watch each step for"
              data={watchTimes.map((value) => ({ value: String(value), label: minutes(value) }))}
              value={String(bakingMinutes)}
              allowDeselect={false}
              onChange={(value) => setBakingMinutes(Number(value))}
            />
            <NumberInput
              label="Requests it answers in each"
              min={0}
              max={1_000_000}
              allowDecimal={false}
              value={leastRequests}
              onChange={(value) => setLeastRequests(Number(value) || 0)}
            />
          </Group>
        )}
        <Switch
          label="Somebody else has to approve it"
          description="It waits until another person pressed Approve."
          checked={needsApproval}
          onChange={(event) => setNeedsApproval(event.currentTarget.checked)}
        />
        <Textarea
          label="Why"
          description="For those who look at it later."
          autosize
          maxLength={1000}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Text size="sm" c="dimmed">
          It is taken back by itself when it fails more requests, is slower, is wrong more often, or answers
          very differently. While it runs, nothing else can be deployed here.
        </Text>
        {start.error && <ProblemAlert error={start.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button type="submit" loading={start.isPending} disabled={versionId === null}>
            Start
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

interface VersionSelectProps {
  projectId: string;
  /** Versions that answer already. */
  answering: readonly string[];
  versionId: string | null;
  onChange: (versionId: string | null) => void;
}

function VersionSelect({ projectId, answering, versionId, onChange }: VersionSelectProps) {
  const models = useInfiniteQuery(modelsQuery(projectId)).data ?? [];
  const [chosenModelId, setModelId] = useState<string | null>(null);
  const modelId = chosenModelId ?? models[0]?.id ?? null;
  const versions = useQuery({ ...modelVersionsQuery(modelId ?? ''), enabled: modelId !== null });
  const free = (versions.data ?? []).filter(({ id }) => !answering.includes(id));
  return (
    <Group grow align="start">
      <Select
        label="Model"
        data={models.map(({ id, name }) => ({ value: id, label: name }))}
        value={modelId}
        allowDeselect={false}
        onChange={(value) => {
          setModelId(value);
          onChange(null);
        }}
      />
      <Select
        label="Version"
        required
        placeholder={versions.data && free.length === 0 ? 'None but what answers' : 'Choose one'}
        data={free.map(({ id, number }) => ({ value: id, label: `Version ${number}` }))}
        value={versionId}
        onChange={onChange}
      />
    </Group>
  );
}

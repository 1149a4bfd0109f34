// Putting a version behind an address: a new one, or one that exists, with all of its traffic or a part.
import {
  Button,
  Group,
  Modal,
  SegmentedControl,
  Select,
  Slider,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { client } from '../../api/client.ts';
import { endpointQuery, endpointsQuery } from '../../api/queries.ts';
import type { Endpoint, ModelVersion } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { formatShare } from '../../kit/format.ts';
import { fieldErrors, ProblemAlert, problemOf } from '../../kit/problem.tsx';

interface DeployProps {
  projectId: string;
  version: ModelVersion;
  onClose: () => void;
}

/** The dialog. */
export function Deploy({ projectId, version, onClose }: DeployProps) {
  const endpoints = useQuery(endpointsQuery(projectId)).data ?? [];
  const [way, setWay] = useState<'new' | 'existing'>('new');
  const [name, setName] = useState(() => addressOf(version.modelName));
  const [endpointId, setEndpointId] = useState<string | null>(null);
  const [share, setShare] = useState(1);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const chosen = endpoints.find(({ id }) => id === endpointId);
  const others = (chosen?.deployments ?? []).filter(({ modelVersionId }) => modelVersionId !== version.id);
  const deploy = useMutation({
    mutationFn: () =>
      way === 'new'
        ? client.createEndpoint({ projectId, body: { name, modelVersionId: version.id } })
        : client.deployModel({
            endpointId: endpointId ?? '',
            body: { deployments: sharesWith(others, version.id, others.length === 0 ? 1 : share) },
          }),
    onSuccess: async (endpoint) => {
      queries.setQueryData(endpointQuery(endpoint.id).queryKey, endpoint);
      await queries.invalidateQueries(endpointsQuery(projectId));
      await navigate(paths.endpoint(projectId, endpoint.id));
    },
  });
  const isTaken = deploy.error !== null && problemOf(deploy.error).code === 'already-exists';
  const nameError =
    fieldErrors(deploy.error)['name'] ?? (isTaken ? problemOf(deploy.error).detail : undefined);
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Deploy ${version.modelName}, version ${version.number}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          deploy.mutate();
        }}
      >
        <Stack>
          <Text size="sm">
            An endpoint is an address that stays the same while the model behind it changes.
          </Text>
          {endpoints.length > 0 && (
            <SegmentedControl
              fullWidth
              aria-label="Where to"
              value={way}
              onChange={(value) => setWay(value as 'new' | 'existing')}
              data={[
                { value: 'new', label: 'A new endpoint' },
                { value: 'existing', label: 'One that exists' },
              ]}
            />
          )}
          {way === 'new' ? (
            <TextInput
              label="Name of the endpoint"
              description="Lower-case letters, digits and hyphens; part of its address."
              required
              maxLength={60}
              pattern="[a-z][a-z0-9\-]{0,59}"
              title="Lower-case letters, digits and hyphens, beginning with a letter"
              data-autofocus
              value={name}
              error={nameError}
              onChange={(event) => setName(event.currentTarget.value)}
            />
          ) : (
            <Select
              label="Endpoint"
              required
              data={endpoints.map((endpoint) => ({ value: endpoint.id, label: endpoint.name }))}
              value={endpointId}
              onChange={setEndpointId}
            />
          )}
          {way === 'existing' && others.length > 0 && (
            <div>
              <Text size="sm" fw={500} mb={6}>
                {share === 1
                  ? `It answers everything; ${others.map(label).join(' and ')} no longer answers.`
                  : `It answers ${formatShare(share, 0)} of the requests, ${others.map(label).join(' and ')} the rest.`}
              </Text>
              <Slider
                thumbLabel="Share of the traffic"
                min={0.05}
                max={1}
                step={0.05}
                value={share}
                onChange={setShare}
                label={(value) => formatShare(value, 0)}
                thumbValueText={(value) => formatShare(value, 0)}
              />
            </div>
          )}
          {deploy.error && nameError === undefined && <ProblemAlert error={deploy.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Not now
            </Button>
            <Button
              type="submit"
              loading={deploy.isPending}
              disabled={way === 'existing' && endpointId === null}
            >
              Deploy
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

type Deployment = Endpoint['deployments'][number];

/** This version's share, and what is left for the others in the ratio that they had; together exactly 1. */
function sharesWith(
  others: readonly Deployment[],
  modelVersionId: string,
  share: number,
): { modelVersionId: string; trafficShare: number }[] {
  if (share >= 1) return [{ modelVersionId, trafficShare: 1 }];
  const total = others.reduce((sum, each) => sum + each.trafficShare, 0) || 1;
  const rest = others.map((each) => ({
    modelVersionId: each.modelVersionId,
    trafficShare: Math.round(((each.trafficShare * (1 - share)) / total) * 1000) / 1000,
  }));
  const given = rest.reduce((sum, each) => sum + each.trafficShare, 0);
  return [{ modelVersionId, trafficShare: Math.round((1 - given) * 1000) / 1000 }, ...rest];
}

function label({ modelName, versionNumber }: Deployment): string {
  return `${modelName} ${versionNumber}`;
}

/** `Telco: churn (new)` becomes `telco-churn-new`. */
function addressOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');
  return (
    plain
      .replace(/^[^a-z]+/, '')
      .replace(/-+$/, '')
      .slice(0, 60) || 'model'
  );
}

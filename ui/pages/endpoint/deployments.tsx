// Which versions answer, and with which share of the requests.
import { Button, Group, NumberInput, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { endpointQuery, endpointsQuery } from '../../api/queries.ts';
import type { Endpoint } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { formatShare } from '../../kit/format.ts';
import { List, ListLine } from '../../kit/list.tsx';
import { Section } from '../../kit/page.tsx';
import { notifyDone, ProblemAlert } from '../../kit/problem.tsx';
import { When } from '../../kit/when.tsx';

interface DeploymentsProps {
  projectId: string;
  endpoint: Endpoint;
}

/** The tab of versions. */
export function Deployments({ projectId, endpoint }: DeploymentsProps) {
  const { deployments } = endpoint;
  const { canEdit } = useAbilities();
  return (
    <Section
      title="Who answers"
      description="With two versions, let the new one answer a small part first, and give it more when it does well."
    >
      <List label="Deployments">
        {deployments.map((each) => (
          <ListLine
            key={each.id}
            to={paths.modelVersion(projectId, each.modelVersionId)}
            title={`${each.modelName}, version ${each.versionNumber}`}
            about={
              <>
                deployed <When iso={each.createdAt} />
              </>
            }
            figures={[
              each.role === 'shadow'
                ? `copies of ${formatShare(each.trafficShare, 0)}`
                : formatShare(each.trafficShare, 0),
            ]}
          />
        ))}
      </List>
      {canEdit && deployments.length > 1 && endpoint.releaseId === null && (
        <Shares key={deployments.map(({ id }) => id).join()} projectId={projectId} endpoint={endpoint} />
      )}
      <Text size="sm" c="dimmed">
        {endpoint.releaseId === null
          ? 'To add a version, open its model and press Deploy, or bring it here step by step: Releases.'
          : 'A release moves the traffic now: see Releases.'}
      </Text>
    </Section>
  );
}

function Shares({ projectId, endpoint }: DeploymentsProps) {
  const { deployments } = endpoint;
  const queries = useQueryClient();
  const [percents, setPercents] = useState(() =>
    deployments.map((each) => Math.round(each.trafficShare * 100)),
  );
  const total = percents.reduce((sum, percent) => sum + percent, 0);
  const save = useMutation({
    mutationFn: () =>
      client.deployModel({
        endpointId: endpoint.id,
        body: {
          deployments: deployments.flatMap(({ modelVersionId }, index) => {
            const percent = percents[index] ?? 0;
            return percent === 0 ? [] : [{ modelVersionId, trafficShare: percent / 100 }];
          }),
        },
      }),
    onSuccess: async (changed) => {
      queries.setQueryData(endpointQuery(endpoint.id).queryKey, changed);
      await queries.invalidateQueries(endpointsQuery(projectId));
      notifyDone('The shares were changed.');
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap="sm">
        <Group gap="md" align="flex-end">
          {deployments.map((each, index) => (
            <NumberInput
              key={each.id}
              label={`${each.modelName} ${each.versionNumber}`}
              suffix=" %"
              min={0}
              max={100}
              allowDecimal={false}
              w={150}
              value={percents[index] ?? 0}
              onChange={(value) => setPercents(percents.with(index, Number(value) || 0))}
            />
          ))}
          <Button type="submit" loading={save.isPending} disabled={total !== 100}>
            Change the shares
          </Button>
        </Group>
        <Text size="sm" c={total === 100 ? 'dimmed' : 'var(--mantine-color-error)'} role="status">
          {total === 100
            ? 'A share of 0 takes a version out.'
            : `Together they must be 100%; now they are ${total}%.`}
        </Text>
        {save.error && <ProblemAlert error={save.error} />}
      </Stack>
    </form>
  );
}

// What would change if another version answered: replay requests on it, see what flips, and hold it back by a rule.
import { Button, Group, Select, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { comparisonsQuery, modelVersionQuery, modelVersionsQuery } from '../../api/queries.ts';
import type { Endpoint, ListedComparison } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { useSearchParams } from 'react-router';
import { Empty } from '../../kit/empty.tsx';
import { formatCountOf, formatShare } from '../../kit/format.ts';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { More } from '../../kit/more.tsx';
import { Section } from '../../kit/page.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { When } from '../../kit/when.tsx';
import { ComparisonResult } from './comparison-result.tsx';
import { GateRule } from './gate-rule.tsx';
import classes from './compare.module.css';

interface CompareProps {
  projectId: string;
  endpoint: Endpoint;
}

/** The tab. */
export function Compare({ projectId, endpoint }: CompareProps) {
  const { canEdit } = useAbilities();
  const comparisons = useInfiniteQuery(comparisonsQuery(endpoint.id));
  const [search, setSearch] = useSearchParams();
  const chosenId = search.get('comparison') ?? undefined;
  const setChosenId = (id: string): void => setSearch({ comparison: id }, { preventScrollReset: true });
  const items = comparisons.data ?? [];
  const shownId = chosenId ?? items[0]?.id;
  return (
    <div className={classes.page}>
      {canEdit && <Start projectId={projectId} endpoint={endpoint} onStart={setChosenId} />}
      {comparisons.error && <ProblemAlert error={comparisons.error} />}
      {comparisons.isPending && <Blocks count={1} height={200} />}
      {comparisons.data && items.length === 0 && (
        <Empty title="Nothing compared yet">
          Choose a version: the requests that this endpoint has answered are asked of it too, and you see
          which decisions would change before anybody is affected.
        </Empty>
      )}
      {shownId !== undefined && <ComparisonResult key={shownId} comparisonId={shownId} />}
      {items.length > 1 && <Earlier items={items} shownId={shownId} onChoose={setChosenId} />}
      <More query={comparisons} label="Show older ones" />
      <GateRule endpointId={endpoint.id} />
    </div>
  );
}

function Start({ projectId, endpoint, onStart }: CompareProps & { onStart: (id: string) => void }) {
  const queries = useQueryClient();
  const answering = endpoint.deployments.toSorted((a, b) => b.trafficShare - a.trafficShare)[0]!;
  const version = useQuery(modelVersionQuery(answering.modelVersionId));
  const modelId = version.data?.modelId ?? '';
  const versions = useQuery({ ...modelVersionsQuery(modelId), enabled: modelId !== '' });
  const [candidateId, setCandidateId] = useState<string | null>(null);
  const others = (versions.data ?? []).filter(({ id }) => id !== answering.modelVersionId);
  const chosen = candidateId ?? others[0]?.id ?? null;
  const start = useMutation({
    mutationFn: () =>
      client.createComparison({ endpointId: endpoint.id, body: { modelVersionId: chosen ?? '' } }),
    onSuccess: async ({ id }) => {
      onStart(id);
      await queries.invalidateQueries(comparisonsQuery(endpoint.id));
    },
  });
  return (
    <Section
      title="Before you switch"
      description={`Ask another version what ${answering.modelName}, version ${answering.versionNumber}, was asked. Nobody gets its answers.`}
    >
      <Loaded query={versions} skeleton={<Blocks count={1} height={60} />}>
        {() =>
          others.length === 0 ? (
            <Text size="sm" c="dimmed">
              The model has no other version yet: <a href={paths.train(projectId)}>train one</a> with the same
              model name.
            </Text>
          ) : (
            <Group align="flex-end" gap="sm">
              <Select
                label="Version to compare"
                data={others.map(({ id, number, modelName }) => ({
                  value: id,
                  label: `${modelName}, version ${number}`,
                }))}
                value={chosen}
                allowDeselect={false}
                w={320}
                onChange={setCandidateId}
              />
              <Button loading={start.isPending} onClick={() => start.mutate()}>
                Compare
              </Button>
            </Group>
          )
        }
      </Loaded>
      {start.error && <ProblemAlert error={start.error} />}
    </Section>
  );
}

function Earlier({
  items,
  shownId,
  onChoose,
}: {
  items: readonly ListedComparison[];
  shownId: string | undefined;
  onChoose: (id: string) => void;
}) {
  return (
    <Section title="All comparisons">
      <ul className={classes.earlier} aria-label="Comparisons">
        {items.map(({ id, candidate, answering, createdAt, result, state, verdict }) => (
          <li key={id}>
            <button type="button" aria-pressed={id === shownId} onClick={() => onChoose(id)}>
              <span>
                {candidate.modelName} {candidate.versionNumber} in place of {answering.versionNumber}
                <Text span size="sm" c="dimmed" ml="sm">
                  <When iso={createdAt} />
                </Text>
              </span>
              <span>
                {result
                  ? `${formatShare(result.flipped.value)} of ${formatCountOf(result.rowCount, 'request')}`
                  : state === 'failed'
                    ? 'failed'
                    : 'being made'}
                {verdict && (verdict.passed ? ' · passed' : ' · held back')}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

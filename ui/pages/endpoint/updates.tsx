// How the endpoint is kept fresh: every update with what it did and why it ended so, and when updates start by themselves.
import { Anchor, Button, Group, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { client } from '../../api/client.ts';
import { endpointQuery, updatePolicyQuery, updatesQuery } from '../../api/queries.ts';
import type { Endpoint, Update } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { Empty } from '../../kit/empty.tsx';
import { formatTime } from '../../kit/format.ts';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { More } from '../../kit/more.tsx';
import { Section } from '../../kit/page.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { When } from '../../kit/when.tsx';
import { UpdateSettings } from './update-settings.tsx';
import classes from './updates.module.css';

interface UpdatesProps {
  projectId: string;
  endpoint: Endpoint;
}

/** The tab. */
export function Updates({ projectId, endpoint }: UpdatesProps) {
  const updates = useInfiniteQuery(updatesQuery(endpoint.id));
  const policy = useQuery(updatePolicyQuery(endpoint.id));
  const items = updates.data ?? [];
  return (
    <div className={classes.page}>
      <Section
        title="Updates"
        description="An update trains by the same recipe on the newest data, replays what was asked, and lets the new version take over if the gate of this endpoint does."
        actions={<UpdateNow endpoint={endpoint} isRunning={items.some(({ endedAt }) => endedAt === null)} />}
      >
        {policy.data?.waiting && (
          <Text size="sm" role="status">
            Waiting: {policy.data.waiting.words}
            {policy.data.restsUntil && ` It starts after ${formatTime(policy.data.restsUntil)}.`}
          </Text>
        )}
        {updates.error && <ProblemAlert error={updates.error} />}
        {updates.isPending && <Blocks count={1} height={160} />}
        {updates.data && items.length === 0 && (
          <Empty title="No update yet">
            Add newer rows to the dataset that the model learned from, then update, or let Pilvi do it by
            itself.
          </Empty>
        )}
        <ol className={classes.updates} aria-label="Updates, newest first">
          {items.map((update) => (
            <OneUpdate key={update.id} projectId={projectId} endpoint={endpoint} update={update} />
          ))}
        </ol>
        <More query={updates} label="Show older ones" />
      </Section>
      <Loaded query={policy} skeleton={<Blocks count={1} height={240} />}>
        {(data) => <UpdateSettings key={JSON.stringify(data.settings)} policy={data} />}
      </Loaded>
    </div>
  );
}

function UpdateNow({ endpoint, isRunning }: { endpoint: Endpoint; isRunning: boolean }) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const start = useMutation({
    mutationFn: () => client.startUpdate({ endpointId: endpoint.id }),
    onSuccess: () => queries.invalidateQueries(updatesQuery(endpoint.id)),
  });
  if (!canEdit) return null;
  return (
    <div>
      {start.error && <ProblemAlert error={start.error} />}
      <Button loading={start.isPending} disabled={isRunning} onClick={() => start.mutate()}>
        Update now
      </Button>
    </div>
  );
}

/** What is said of a state. */
const headlines: Record<Update['state'], string> = {
  starting: 'Beginning',
  training: 'Training',
  comparing: 'Comparing',
  releasing: 'Taking over',
  promoted: 'The new version answers',
  'held-back': 'Held back: the former version goes on answering',
  skipped: 'Nothing to learn',
  failed: 'It could not go on',
  cancelled: 'Ended by somebody',
  'taken-back': 'Taken back: the former version answers again',
};

function OneUpdate({ projectId, endpoint, update }: UpdatesProps & { update: Update }) {
  const { state, trigger, reasons, steps, candidate, former, createdAt } = update;
  const { comparisonId, releaseId, trainingId } = update;
  return (
    <li className={classes.update} data-state={state}>
      <Group justify="space-between" align="flex-start" gap="sm">
        <div>
          <h3>{headlines[state]}</h3>
          <Text size="sm" c="dimmed">
            {trigger.words} <When iso={createdAt} />
          </Text>
        </div>
        <Actions endpoint={endpoint} update={update} />
      </Group>
      {reasons.length > 0 && (
        <ul className={classes.reasons} aria-label="Why">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      <details>
        <summary>{steps.length === 1 ? '1 step' : `${steps.length} steps`}</summary>
        <ol className={classes.steps}>
          {steps.map(({ at, words, state: reached }) => (
            <li key={`${reached} ${at}`}>
              <span>{words}</span>
              <Text span size="xs" c="dimmed">
                {formatTime(at)}
              </Text>
            </li>
          ))}
        </ol>
      </details>
      <Group gap="md">
        {trainingId !== null && (
          <Anchor size="sm" component={Link} to={paths.training(projectId, trainingId)}>
            Training
          </Anchor>
        )}
        {candidate && (
          <Anchor size="sm" component={Link} to={paths.modelVersion(projectId, candidate.modelVersionId)}>
            Version {candidate.versionNumber}, in place of {former.versionNumber}
          </Anchor>
        )}
        {releaseId !== null && (
          <Anchor size="sm" component={Link} to={paths.endpoint(projectId, endpoint.id, 'releases')}>
            Release
          </Anchor>
        )}
        {comparisonId !== null && (
          <Anchor
            size="sm"
            component={Link}
            to={`${paths.endpoint(projectId, endpoint.id, 'comparison')}?comparison=${comparisonId}`}
          >
            Comparison
          </Anchor>
        )}
      </Group>
    </li>
  );
}

function Actions({ endpoint, update }: { endpoint: Endpoint; update: Update }) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const refresh = async (): Promise<void> => {
    await queries.invalidateQueries(updatesQuery(endpoint.id));
    await queries.invalidateQueries(endpointQuery(endpoint.id));
  };
  const cancel = useMutation({
    mutationFn: () => client.cancelUpdate({ updateId: update.id }),
    onSuccess: refresh,
  });
  if (!canEdit) return null;
  if (update.endedAt === null) {
    return (
      <div>
        {cancel.error && <ProblemAlert error={cancel.error} />}
        <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel
        </Button>
      </div>
    );
  }
  const isAnswering = endpoint.deployments.some(
    ({ modelVersionId }) => modelVersionId === update.candidate?.modelVersionId,
  );
  if (update.state !== 'promoted' || !isAnswering) return null;
  return (
    <Confirm
      title="Take this update back?"
      consequence={`Version ${update.former.versionNumber} answers again, at once. The new version stays and can be deployed later.`}
      confirmLabel="Take it back"
      onConfirm={async () => {
        await client.takeBackUpdate({ updateId: update.id });
        await refresh();
      }}
    >
      {(ask) => (
        <Button size="xs" variant="default" onClick={ask}>
          Take back
        </Button>
      )}
    </Confirm>
  );
}

// One release: what it is doing in a sentence, its steps, both versions side by side, what can be done, and what happened.
import { Button, Group, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { client } from '../../api/client.ts';
import { endpointQuery, releaseQuery, releasesQuery } from '../../api/queries.ts';
import type { Release } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { formatCount, formatShare } from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { When } from '../../kit/when.tsx';
import { headlineOf, lineWords, measureWords, minutes, stepLabel } from './words.ts';
import classes from './releases.module.css';

interface OneReleaseProps {
  releaseId: string;
  projectId: string;
  /** What starts the next one. */
  action: ReactNode;
}

/** The release, kept up to date while it runs. */
export function OneRelease({ releaseId, projectId, action }: OneReleaseProps) {
  const release = useQuery(releaseQuery(releaseId));
  return (
    <Loaded query={release} skeleton={<Blocks count={2} height={180} />}>
      {(data) => (
        <>
          <section className={classes.glance}>
            <p className={classes.said}>{headlineOf(data)}</p>
            <Steps release={data} />
            <Progress release={data} />
            <Decisions release={data} action={action} />
          </section>
          {data.comparison && <Comparison release={data} comparison={data.comparison} />}
          <History release={data} projectId={projectId} />
        </>
      )}
    </Loaded>
  );
}

function Steps({ release: { steps, stepIndex, state } }: { release: Release }) {
  const placeOf = (index: number): string => {
    if (state === 'finished' || (stepIndex !== null && index < stepIndex)) return 'done';
    if (index !== stepIndex) return 'ahead';
    return state === 'rolled-back' || state === 'ended' ? 'stopped' : 'now';
  };
  return (
    <ol className={classes.steps} aria-label="Steps">
      {steps.map((step, index) => {
        const { title, about } = stepLabel(step);
        return (
          <li
            key={index}
            className={classes.step}
            data-state={placeOf(index)}
            {...(index === stepIndex && { 'aria-current': 'step' as const })}
          >
            <strong>{title}</strong>
            <span className={classes.about}>{about}</span>
          </li>
        );
      })}
      <li className={classes.step} data-state={state === 'finished' ? 'done' : 'ahead'}>
        <strong>Everything</strong>
        <span className={classes.about}>for good</span>
      </li>
    </ol>
  );
}

function Progress({ release }: { release: Release }) {
  const { state, steps, stepIndex, bakedMinutes, stepRequestCount, guard, waitingFor, reason, note } =
    release;
  const { bakingMinutes } = (stepIndex === null ? undefined : steps[stepIndex]) ?? { bakingMinutes: null };
  const isBaking = state === 'baking' && bakingMinutes !== null;
  const lacks = Math.max(0, guard.leastRequests - stepRequestCount);
  return (
    <div>
      {isBaking && (
        <Text>
          {lacks > 0
            ? `${formatCount(stepRequestCount)} of at least ${formatCount(guard.leastRequests)} requests in this step. `
            : `${formatCount(stepRequestCount)} requests in this step. `}
          {bakedMinutes < bakingMinutes
            ? `${minutes(bakingMinutes - bakedMinutes)} to go.`
            : lacks > 0
              ? 'It waits for more requests.'
              : 'The next step is due.'}
        </Text>
      )}
      {waitingFor.map((what) => (
        <Text key={what}>Waits for: {what}</Text>
      ))}
      {reason && <Text>{reason}</Text>}
      {note && (
        <Text size="sm" c="dimmed">
          {note}
        </Text>
      )}
    </div>
  );
}

type Deed = 'pause' | 'resume' | 'promote' | 'rollBack' | 'approve';

const deeds: Record<Deed, (releaseId: string) => Promise<Release>> = {
  pause: (releaseId) => client.pauseRelease({ releaseId, body: {} }),
  resume: (releaseId) => client.resumeRelease({ releaseId, body: {} }),
  promote: (releaseId) => client.promoteRelease({ releaseId, body: {} }),
  rollBack: (releaseId) => client.rollBackRelease({ releaseId, body: {} }),
  approve: (releaseId) => client.approveRelease({ releaseId, body: {} }),
};

function Decisions({ release, action }: { release: Release; action: ReactNode }) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const { id, state, endpointId, former, candidate, approvals } = release;
  const keep = async (changed: Release): Promise<void> => {
    queries.setQueryData(releaseQuery(id).queryKey, changed);
    await queries.invalidateQueries(releasesQuery(endpointId));
    await queries.invalidateQueries(endpointQuery(endpointId));
  };
  const act = useMutation({ mutationFn: (deed: Deed) => deeds[deed](id), onSuccess: keep });
  if (!canEdit) return null;
  const isRunning = state === 'waiting' || state === 'baking' || state === 'paused';
  const back = former.map(({ versionNumber }) => `version ${versionNumber}`).join(' and ');
  return (
    <div>
      {act.error && <ProblemAlert error={act.error} />}
      <Group gap="sm">
        {state === 'waiting' && approvals.count > 0 && (
          <Button loading={act.isPending} onClick={() => act.mutate('approve')}>
            Approve
          </Button>
        )}
        {state === 'paused' && (
          <Button loading={act.isPending} onClick={() => act.mutate('resume')}>
            Go on
          </Button>
        )}
        {isRunning && (
          <Confirm
            title={`Give version ${candidate.versionNumber} everything now?`}
            consequence="It answers all requests from now on, without the steps that are left. Taking it back stays possible."
            confirmLabel="Give it everything"
            cancelLabel="Not now"
            onConfirm={async () => keep(await deeds.promote(id))}
          >
            {(ask) => (
              <Button variant="default" onClick={ask}>
                Give it everything now
              </Button>
            )}
          </Confirm>
        )}
        {(state === 'baking' || state === 'waiting') && (
          <Button variant="default" loading={act.isPending} onClick={() => act.mutate('pause')}>
            Pause
          </Button>
        )}
        {(isRunning || state === 'finished') && (
          <Confirm
            title={`Take version ${candidate.versionNumber} back?`}
            consequence={`From now on ${back} ${former.length > 1 ? 'answer' : 'answers'} again, as before the release.`}
            confirmLabel="Take it back"
            cancelLabel="Not now"
            onConfirm={async () => keep(await deeds.rollBack(id))}
          >
            {(ask) => (
              <Button variant="default" onClick={ask}>
                Take it back
              </Button>
            )}
          </Confirm>
        )}
        {action}
      </Group>
    </div>
  );
}

type Compared = NonNullable<Release['comparison']>;

function Comparison({ release, comparison }: { release: Release; comparison: Compared }) {
  const { candidate, current, findings, lookedAt, slowerThanMs } = comparison;
  return (
    <section>
      <h2 className={classes.title}>Side by side</h2>
      <div className={grid.scroll} tabIndex={0} role="region" aria-label="Both versions side by side">
        <table className={grid.table}>
          <thead>
            <tr>
              <th scope="col" />
              <th scope="col">Version {release.candidate.versionNumber}</th>
              <th scope="col">Current</th>
              <th scope="col">What this says</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">Requests</th>
              <td>{formatCount(candidate.requestCount)}</td>
              <td>{formatCount(current.requestCount)}</td>
              <td />
            </tr>
            {findings.map((finding) => (
              <tr key={finding.measure}>
                <th scope="row">
                  {measureWords[finding.measure]}
                  {finding.measure === 'latency' && slowerThanMs !== null && `, over ${slowerThanMs} ms`}
                </th>
                <td>{shareText(finding.candidate)}</td>
                <td>{finding.measure === 'answers' ? '' : shareText(finding.current)}</td>
                <td>{verdictOf(finding)}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">Half of the answers within</th>
              <td>{millisecondsText(candidate.medianMs)}</td>
              <td>{millisecondsText(current.medianMs)}</td>
              <td />
            </tr>
          </tbody>
        </table>
      </div>
      <Text size="sm" c="dimmed" mt={6}>
        Looked at <When iso={lookedAt} />. Differences that chance explains, or that are tolerated, stop
        nothing.
      </Text>
    </section>
  );
}

function verdictOf({ verdict, chance, tolerated }: Compared['findings'][number]): string {
  if (verdict === 'worse') return 'Worse, and not by chance';
  if (verdict === 'waiting') return 'Too little seen yet';
  return chance < 0.05 ? `Perhaps worse; ${formatShare(tolerated)} more is tolerated` : 'As good';
}

function shareText(share: number | null): string {
  return share === null ? '' : formatShare(share);
}

function millisecondsText(ms: number | null): string {
  return ms === null ? '' : `${ms} ms`;
}

function History({ release, projectId }: { release: Release; projectId: string }) {
  const { history, candidate, steps } = release;
  return (
    <section>
      <h2 className={classes.title}>What happened</h2>
      <List label="History">
        {history.toReversed().map(({ kind, at, note, stepIndex, by }, index) => {
          const step = kind === 'step' && stepIndex !== null ? steps[stepIndex] : undefined;
          return (
            <ListLine
              key={index}
              title={step ? `Step ${stepIndex! + 1}: ${stepLabel(step).title}` : lineWords[kind]}
              about={
                <>
                  {note && `${note} `}
                  {by === 'system' ? 'By itself, ' : ''}
                  <When iso={at} />
                </>
              }
            />
          );
        })}
        <ListLine
          to={paths.modelVersion(projectId, candidate.modelVersionId)}
          title={`${candidate.modelName}, version ${candidate.versionNumber}`}
          about="The version that is released"
        />
      </List>
    </section>
  );
}

// The head of a training: the circle that fills while it works, and in the end what came of it.
import { Button, Group, Progress, Text, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { client } from '../../api/client.ts';
import { trainingQuery } from '../../api/queries.ts';
import type { JobEvent, Training } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Okta } from '../../kit/okta.tsx';
import { notifyProblem, ProblemAlert } from '../../kit/problem.tsx';
import { StateMark } from '../../kit/state.tsx';
import { goodnessContext, goodnessHeadline } from '../model/words.ts';
import classes from './training.module.css';

interface HeroProps {
  training: Training;
  events: readonly JobEvent[];
}

/** What matters most about a training right now. */
export function Hero({ training, events }: HeroProps) {
  switch (training.state) {
    case 'queued':
    case 'running':
      return <Underway training={training} events={events} />;
    case 'succeeded':
      return <Succeeded training={training} />;
    case 'failed':
      return <ProblemAlert error={{ problem: training.problem ?? noReason }} />;
    case 'cancelled':
      return (
        <div className={classes.hero}>
          <StateMark state="cancelled" size={96} />
          <div className={classes.words}>
            <Title order={2}>Cancelled</Title>
            <Text c="dimmed">What had been tried until then is below. No model was kept.</Text>
          </div>
        </div>
      );
    default:
      throw training.state satisfies never;
  }
}

function Underway({ training, events }: HeroProps) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const told = events.findLast(({ name }) => name === 'progress')?.data as Training['progress'] | undefined;
  const stage = events.findLast(({ name }) => name === 'stage')?.data['message'];
  const { share, message } = told ?? training.progress;
  const cancel = useMutation({
    mutationFn: () => client.cancelTraining({ trainingId: training.id }),
    onError: notifyProblem,
    onSuccess: () => queries.invalidateQueries(trainingQuery(training.id)),
  });
  const isWaiting = training.state === 'queued' && events.length === 0;
  return (
    <div className={classes.hero}>
      <Okta share={share} size={128} isLive={!isWaiting} label={`${Math.round(share * 100)}% done`} />
      <div className={classes.words}>
        <Title order={2}>
          {isWaiting ? 'Waiting for a free worker' : (stageWords(stage) ?? 'Getting ready')}
        </Title>
        <Text c="dimmed" mt={2}>
          {isWaiting ? 'It starts by itself.' : capital(message)}
        </Text>
        <Progress value={share * 100} mt="md" aria-label="Training" />
        <Group mt="lg" gap="md">
          {canEdit && (
            <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
              Cancel
            </Button>
          )}
          <Text size="sm" c="dimmed">
            You may close this page; the training goes on.
          </Text>
        </Group>
      </div>
    </div>
  );
}

function Succeeded({ training }: { training: Training }) {
  const { task, evaluation, modelVersionId, projectId } = training;
  const context = task && evaluation ? goodnessContext(task, evaluation) : undefined;
  return (
    <div className={classes.hero} data-done>
      <Okta share={1} size={128} />
      <div className={classes.words}>
        <p className={classes.headline}>
          {task && evaluation ? goodnessHeadline(task, evaluation) : 'The model is ready'}
        </p>
        <Text c="dimmed" mt={4}>
          {context} Measured on {evaluation?.rowCount.toLocaleString('en') ?? 'some'} rows that were locked
          away during the training.
        </Text>
        <Group mt="lg" gap="sm">
          {modelVersionId === null ? (
            <Button loading>Open the model</Button>
          ) : (
            <Button component={Link} to={paths.modelVersion(projectId, modelVersionId)}>
              Open the model
            </Button>
          )}
        </Group>
      </div>
    </div>
  );
}

const noReason = {
  title: 'The training failed',
  detail: 'No reason was kept.',
  remedy: 'Look at what happened below, then start it again.',
};

function stageWords(stage: unknown): string | undefined {
  return typeof stage === 'string' && stage !== '' ? stage : undefined;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

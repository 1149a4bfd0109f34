// All trainings of a project, newest first.
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { trainingsQuery } from '../../api/queries.ts';
import type { TrainingSummary } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Empty } from '../../kit/empty.tsx';
import { Icon } from '../../kit/icons.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { More } from '../../kit/more.tsx';
import { Page } from '../../kit/page.tsx';
import { StateMark } from '../../kit/state.tsx';
import { When } from '../../kit/when.tsx';
import { goodnessShort } from '../model/words.ts';

/** `/projects/:projectId/trainings` */
export function Component() {
  const { projectId = '' } = useParams();
  const trainings = useInfiniteQuery(trainingsQuery(projectId));
  const { canEdit } = useAbilities();
  const start = canEdit && (
    <Button component={Link} to={paths.train(projectId)} leftSection={<Icon name="play" size={16} />}>
      Train a model
    </Button>
  );
  return (
    <Page
      title="Trainings"
      description="Each training tries many ways to learn a column and keeps the best. What it found stays here."
      actions={start}
    >
      <Loaded query={trainings} skeleton={<Blocks height={68} />}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="Nothing was trained yet" action={start}>
              Choose a table and the column you want to know. A first model takes about a minute.
            </Empty>
          ) : (
            <List label="Trainings">
              {items.map((training) => (
                <ListLine
                  key={training.id}
                  to={paths.training(projectId, training.id)}
                  mark={<StateMark state={training.state} share={training.progress.share} />}
                  title={training.recipe.target}
                  about={aboutTraining(training)}
                  figures={[outcome(training), <When key="when" iso={training.createdAt} />]}
                />
              ))}
            </List>
          )
        }
      </Loaded>
      <More query={trainings} label="Show older ones" />
    </Page>
  );
}

function aboutTraining({ datasetName, state, problem }: TrainingSummary): string {
  const failure = state === 'failed' ? ` · ${problem?.title ?? 'failed'}` : '';
  return `from ${datasetName}${failure}`;
}

function outcome({ state, task, evaluation, progress }: TrainingSummary): string {
  switch (state) {
    case 'succeeded':
      return task ? goodnessShort({ task, evaluation }) || 'done' : 'done';
    case 'running':
      return progress.message;
    case 'queued':
      return 'waiting';
    case 'failed':
    case 'cancelled':
      return state;
    default:
      throw state satisfies never;
  }
}

// What will happen, in one sentence, with its price; and the one button.
import { Button, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { client } from '../../api/client.ts';
import { trainingQuery, trainingsQuery } from '../../api/queries.ts';
import type { Dataset, DatasetVersion, RecipeInput, TrainingPlan } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { formatCountOf, formatDuration, formatMoney } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import type { Choices } from './train.tsx';
import classes from './train.module.css';

interface SummaryProps {
  projectId: string;
  dataset: Dataset;
  version: DatasetVersion;
  recipe: RecipeInput;
  plan: UseQueryResult<TrainingPlan>;
  choices: Choices;
  onChange: (changes: Partial<Choices>) => void;
}

/** Beside the questions; below them on a narrow screen. */
export function Summary({ projectId, dataset, version, recipe, plan, choices, onChange }: SummaryProps) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const start = useMutation({
    mutationFn: () => client.createTraining({ projectId, body: recipe }),
    onSuccess: async (training) => {
      queries.setQueryData(trainingQuery(training.id).queryKey, training);
      void queries.invalidateQueries(trainingsQuery(projectId));
      await navigate(paths.training(projectId, training.id));
    },
  });
  return (
    <aside className={classes.summary} aria-label="Summary">
      <Title order={2} size="h3">
        What will happen
      </Title>
      {plan.error ? (
        <ProblemAlert error={plan.error} onRetry={() => void plan.refetch()} />
      ) : plan.data ? (
        <Words
          plan={plan.data}
          recipe={recipe}
          dataset={dataset}
          version={version}
          isStale={plan.isPlaceholderData}
        />
      ) : (
        <Skeleton height={132} />
      )}
      <TextInput
        label="Name of the model"
        placeholder={`${dataset.name}: ${recipe.target}`}
        maxLength={120}
        value={choices.modelName ?? ''}
        onChange={(event) => onChange({ modelName: event.currentTarget.value.trimStart() || null })}
      />
      {start.error && <ProblemAlert error={start.error} />}
      <Button
        size="md"
        fullWidth
        leftSection={<Icon name="play" size={18} />}
        disabled={!plan.data || plan.error !== null}
        loading={start.isPending}
        onClick={() => start.mutate()}
      >
        Start the training
      </Button>
    </aside>
  );
}

interface WordsProps extends Pick<SummaryProps, 'recipe' | 'dataset' | 'version'> {
  plan: TrainingPlan;
  isStale: boolean;
}

function Words({ plan, recipe, dataset, version, isStale }: WordsProps) {
  const what = {
    binary: 'one of two values',
    multiclass: 'one of several values',
    regression: 'a number',
    ranking: 'by which the rows of a group are ordered',
  }[plan.task];
  return (
    <Stack gap="md" style={{ opacity: isStale ? 0.6 : 1 }}>
      <Text>
        Pilvi learns to predict <b>{recipe.target}</b>, {what}, from{' '}
        <b>{formatCountOf(plan.featureCount, 'column')}</b> of {dataset.name}, version {version.number}, with{' '}
        {formatCountOf(plan.rowCount, 'row')}. Some of the rows are locked away and used once, at the end, to
        tell how good it is.
      </Text>
      <dl className={classes.costs}>
        <div>
          <dt>Ready in about</dt>
          <dd>{formatDuration(plan.estimatedSeconds)}</dd>
        </div>
        <div>
          <dt>Costs at most</dt>
          <dd>{formatMoney(plan.maximumMicroUsd)}</dd>
        </div>
      </dl>
      {plan.warnings.map((warning) => (
        <p key={warning} className={classes.warning}>
          <Icon name="alert" size={16} /> {warning}
        </p>
      ))}
    </Stack>
  );
}

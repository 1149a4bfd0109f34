// Setting up a training: one page that reads from top to bottom. Only the first question must be answered; the rest
// has sensible answers already, and the summary beside it says what they come to before anything starts.
import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { datasetsQuery, datasetVersionQuery, planQuery } from '../../api/queries.ts';
import type { Dataset, DatasetProfile, DatasetVersion, RecipeInput } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Empty } from '../../kit/empty.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Page } from '../../kit/page.tsx';
import { Described } from '../dataset/described.tsx';
import { ColumnsChoice } from './columns-choice.tsx';
import { CostsChoice } from './costs-choice.tsx';
import { KindChoice } from './kind-choice.tsx';
import { MetricChoice } from './metric-choice.tsx';
import { Question } from './question.tsx';
import { RulesChoice } from './rules-choice.tsx';
import { Summary } from './summary.tsx';
import { TargetChoice } from './target-choice.tsx';
import { TimeChoice } from './time-choice.tsx';
import classes from './train.module.css';

/** `/projects/:projectId/train?dataset=...&version=...&target=...`; a version alone names its dataset too. */
export function Component() {
  const { projectId = '' } = useParams();
  const [search, setSearch] = useSearchParams();
  const datasets = useQuery(datasetsQuery(projectId));
  const { canEdit } = useAbilities();
  const usable = (datasets.data ?? []).filter(({ latestVersion }) => latestVersion?.state === 'ready');
  const named = search.get('version');
  const namedVersion = useQuery({ ...datasetVersionQuery(named ?? ''), enabled: named !== null }).data;
  const datasetId =
    search.get('dataset') ?? namedVersion?.datasetId ?? (usable.length === 1 ? usable[0]!.id : undefined);
  const dataset = usable.find(({ id }) => id === datasetId);
  const versionId = named ?? dataset?.latestVersion?.id;
  const version = useQuery({ ...datasetVersionQuery(versionId ?? ''), enabled: versionId !== undefined });
  return (
    <Page
      title="Train a model"
      trail={[{ label: 'Trainings', to: paths.trainings(projectId) }]}
      description="Say what you want to know. Everything else is filled in for you, and can be changed."
    >
      <Loaded query={datasets} skeleton={<Blocks count={2} height={180} />}>
        {() => {
          if (!canEdit)
            return <Notice tone="plain">Your role lets you look at trainings, but not start them.</Notice>;
          if (usable.length === 0) return <NoData projectId={projectId} />;
          return (
            <Stack gap="xl">
              {(usable.length > 1 || !dataset) && (
                <DatasetChoice
                  datasets={usable}
                  chosenId={dataset?.id}
                  onChoose={(id) => setSearch({ dataset: id }, { replace: true })}
                />
              )}
              {dataset && (
                <Loaded query={version} skeleton={<Blocks count={1} height={180} />}>
                  {(shown) => (
                    <Described version={shown} skeleton={{ count: 1, height: 320 }}>
                      {(columns) => (
                        <Setup
                          key={shown.id}
                          projectId={projectId}
                          dataset={dataset}
                          version={shown}
                          profile={columns}
                          firstTarget={search.get('target')}
                        />
                      )}
                    </Described>
                  )}
                </Loaded>
              )}
            </Stack>
          );
        }}
      </Loaded>
    </Page>
  );
}

interface SetupProps {
  projectId: string;
  dataset: Dataset;
  version: DatasetVersion;
  profile: DatasetProfile;
  firstTarget: string | null;
}

/** Members of the recipe that the page asks for. */
export interface Choices {
  task: NonNullable<RecipeInput['task']>;
  metric: string;
  positiveClass: string | null;
  excludedColumns: string[];
  groupColumn: string | null;
  timeColumn: string | null;
  constraints: { increasing: string[]; decreasing: string[] };
  protectedColumns: string[];
  costs: RecipeInput['costs'];
  modelName: string | null;
  seed: number;
  maxPredictMs: number | null;
  refit: boolean;
  backgroundRows: boolean;
  compact: boolean;
  seconds: number;
  trials: number | null;
}

const firstChoices: Choices = {
  task: 'auto',
  metric: 'auto',
  positiveClass: null,
  excludedColumns: [],
  groupColumn: null,
  timeColumn: null,
  constraints: { increasing: [], decreasing: [] },
  protectedColumns: [],
  costs: null,
  modelName: null,
  seed: 1,
  seconds: 60,
  trials: null,
  maxPredictMs: null,
  refit: true,
  backgroundRows: true,
  compact: false,
};

function Setup({ projectId, dataset, version, profile, firstTarget }: SetupProps) {
  const known = profile.columns.some(({ name }) => name === firstTarget);
  const [target, setTarget] = useState(known ? firstTarget : null);
  const [choices, setChoices] = useState(firstChoices);
  const change = (changes: Partial<Choices>): void => setChoices({ ...choices, ...changes });
  const recipe = target === null ? undefined : recipeOf(version.id, target, choices);
  // While a slider moves, the plan waits.
  const [settled] = useDebouncedValue(recipe, 250);
  const plan = useQuery({
    ...planQuery(projectId, settled ?? { datasetVersionId: version.id, target: '' }),
    enabled: settled !== undefined,
  });
  const planned = plan.error ? undefined : plan.data;
  return (
    <div className={classes.setup} data-chosen={target !== null || undefined}>
      <div className={classes.questions}>
        <Question number={1} title="What do you want to predict?">
          <TargetChoice
            profile={profile}
            target={target}
            onChoose={(name) => {
              setTarget(name);
              // What was said about the old column means nothing for the new one.
              setChoices({ ...firstChoices, seconds: choices.seconds, trials: choices.trials });
            }}
          />
        </Question>
        {target !== null && (
          <>
            <Question number={2} title="What kind of answer is it?">
              <KindChoice
                profile={profile}
                target={target}
                plan={planned}
                choices={choices}
                onChange={change}
              />
            </Question>
            <Question number={3} title="What should it be good at?">
              <MetricChoice plan={planned} choices={choices} onChange={change} />
            </Question>
            <Question number={4} title="What does a mistake cost?">
              <CostsChoice
                key={`${target}/${choices.task}`}
                target={target}
                plan={planned}
                choices={choices}
                onChange={change}
              />
            </Question>
            <Question number={5} title="How long may it try?">
              <TimeChoice choices={choices} onChange={change} />
            </Question>
            <Question number={6} title="Is there anything it should not look at?">
              <ColumnsChoice profile={profile} target={target} choices={choices} onChange={change} />
            </Question>
            <Question number={7} title="Is there anything it must keep to?">
              <RulesChoice
                profile={profile}
                target={target}
                plan={planned}
                choices={choices}
                onChange={change}
              />
            </Question>
          </>
        )}
      </div>
      {recipe && target !== null && (
        <Summary
          projectId={projectId}
          dataset={dataset}
          version={version}
          recipe={recipe}
          plan={plan}
          choices={choices}
          onChange={change}
        />
      )}
    </div>
  );
}

function recipeOf(datasetVersionId: string, target: string, choices: Choices): RecipeInput {
  const { seconds, trials, ...rest } = choices;
  return { datasetVersionId, target, ...rest, budget: { seconds, trials } };
}

interface DatasetChoiceProps {
  datasets: readonly Dataset[];
  chosenId: string | undefined;
  onChoose: (datasetId: string) => void;
}

function DatasetChoice({ datasets, chosenId, onChoose }: DatasetChoiceProps) {
  return (
    <Group>
      <Select
        label="Learn from"
        placeholder="Choose a dataset"
        miw={{ base: '100%', xs: 320 }}
        allowDeselect={false}
        searchable
        data={datasets.map(({ id, name }) => ({ value: id, label: name }))}
        value={chosenId ?? null}
        onChange={(id) => id !== null && onChoose(id)}
      />
    </Group>
  );
}

function NoData({ projectId }: { projectId: string }) {
  return (
    <Empty
      title="First, some data"
      action={
        <Button component={Link} to={paths.data(projectId)}>
          Bring data in
        </Button>
      }
    >
      <Text span>There is no dataset to learn from yet. A CSV file with a few hundred rows is a start.</Text>
    </Empty>
  );
}

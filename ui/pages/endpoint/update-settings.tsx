// When updates of an endpoint start by themselves. Every change is kept at once.
import { Checkbox, Group, NumberInput, Select, Stack, Switch } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { client } from '../../api/client.ts';
import { updatePolicyQuery } from '../../api/queries.ts';
import type { UpdatePolicy } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { formatTime } from '../../kit/format.ts';
import { Section } from '../../kit/page.tsx';
import { notifyDone, ProblemAlert } from '../../kit/problem.tsx';
import { strategyOf } from '../release/strategy.ts';
import { minutes, strategyWords, watchTimes, type StrategyKind } from '../release/words.ts';

type Settings = UpdatePolicy['settings'];
type Measure = Settings['onAlerts'][number];

const alerts: Record<Measure, string> = {
  'moved-columns': 'columns moved a lot',
  answers: 'the answers moved',
  attributions: 'other columns count',
  quality: 'the data got worse',
  performance: 'the answers got worse',
  coverage: 'intervals hold less than promised',
};

const clocks = [
  { value: 'never', label: 'not by the clock' },
  { value: '24', label: 'every day' },
  { value: '168', label: 'every week' },
  { value: '720', label: 'every 30 days' },
];

const microUsdPerUsd = 1_000_000;

/** The form. */
export function UpdateSettings({ policy }: { policy: UpdatePolicy }) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const { settings, endpointId, nextAt } = policy;
  const change = useMutation({
    mutationFn: (body: Partial<Settings>) => client.setUpdatePolicy({ endpointId, body }),
    onSuccess: (changed) => {
      queries.setQueryData(updatePolicyQuery(endpointId).queryKey, changed);
      notifyDone('Kept.');
    },
  });
  const clock = settings.everyHours === null ? 'never' : String(settings.everyHours);
  const offered = clocks.some(({ value }) => value === clock)
    ? clocks
    : [...clocks, { value: clock, label: `every ${clock} hours` }];
  return (
    <Section title="By itself">
      {change.error && <ProblemAlert error={change.error} />}
      <Stack gap="md" maw={620}>
        <Switch
          label="Update this endpoint by itself"
          description="A new version still has to pass the gate. Without a rule of yours, the suggested one holds."
          checked={settings.isOn}
          disabled={!canEdit}
          onChange={(event) => change.mutate({ isOn: event.currentTarget.checked })}
        />
        <Checkbox
          label="When the dataset gets a new version"
          checked={settings.onNewData}
          disabled={!canEdit}
          onChange={(event) => change.mutate({ onNewData: event.currentTarget.checked })}
        />
        <Checkbox.Group
          label="When monitoring raises an alert, and there is newer data"
          value={settings.onAlerts}
          onChange={(onAlerts) => change.mutate({ onAlerts: onAlerts as Measure[] })}
        >
          <Stack gap={6} mt={6}>
            {(Object.keys(alerts) as Measure[]).map((measure) => (
              <Checkbox key={measure} value={measure} label={alerts[measure]} disabled={!canEdit} />
            ))}
          </Stack>
        </Checkbox.Group>
        <Checkbox
          label="When Pilvi learned to learn better"
          description="What is deployed keeps answering with the same bits until a new version takes over."
          checked={settings.onNewEngine}
          disabled={!canEdit}
          onChange={(event) => change.mutate({ onNewEngine: event.currentTarget.checked })}
        />
        <Select
          label="By the clock"
          description={nextAt ? `The next one on ${formatTime(nextAt)}` : undefined}
          data={offered}
          value={clock}
          allowDeselect={false}
          disabled={!canEdit}
          onChange={(value) => change.mutate({ everyHours: value === 'never' ? null : Number(value) })}
        />
        <TakesOver
          settings={settings}
          canEdit={canEdit}
          onChange={(takesOver) => change.mutate({ takesOver })}
        />
        <NumberInput
          label="Hours of rest between updates"
          description="However often something happens meanwhile, it starts one update, afterwards."
          min={0}
          max={8784}
          defaultValue={settings.restHours}
          disabled={!canEdit}
          onBlur={(event) => {
            const restHours = Number(event.currentTarget.value);
            if (event.currentTarget.value !== '' && restHours !== settings.restHours)
              change.mutate({ restHours });
          }}
        />
        <NumberInput
          label="Most that one update may cost, in US dollars"
          description="Empty: what the recipe allows."
          min={0}
          defaultValue={
            settings.maxMicroUsdPerRun === null ? '' : settings.maxMicroUsdPerRun / microUsdPerUsd
          }
          disabled={!canEdit}
          onBlur={(event) => {
            const { value } = event.currentTarget;
            const limit = value === '' ? null : Math.round(Number(value) * microUsdPerUsd);
            if (limit !== settings.maxMicroUsdPerRun) change.mutate({ maxMicroUsdPerRun: limit });
          }}
        />
      </Stack>
    </Section>
  );
}

interface TakesOverProps {
  settings: Settings;
  canEdit: boolean;
  onChange: (takesOver: Settings['takesOver']) => void;
}

/** By which kind of release, and how long each step is watched. */
function TakesOver({ settings, canEdit, onChange }: TakesOverProps) {
  const { strategy, leastRequests } = settings.takesOver;
  const watched = watchedMinutes(strategy);
  const change = (kind: StrategyKind, bakingMinutes: number): void =>
    onChange({
      strategy: strategyOf(kind, bakingMinutes) as Settings['takesOver']['strategy'],
      leastRequests,
    });
  const kinds = Object.entries(strategyWords).filter(([kind]) => kind !== 'challenger');
  const times = watchTimes.includes(watched) ? watchTimes : [watched, ...watchTimes];
  return (
    <Group grow align="start">
      <Select
        label="How it takes over"
        description={strategyWords[strategy.kind].about}
        inputWrapperOrder={['label', 'input', 'description']}
        data={kinds.map(([value, { label }]) => ({ value, label }))}
        value={strategy.kind}
        allowDeselect={false}
        disabled={!canEdit}
        onChange={(value) => change(value as StrategyKind, watched)}
      />
      <Select
        label="Watch each step for"
        description="It is taken back by itself when it is worse."
        inputWrapperOrder={['label', 'input', 'description']}
        data={times.map((value) => ({
          value: String(value),
          label: value === 0 ? 'no time' : minutes(value),
        }))}
        value={String(watched)}
        allowDeselect={false}
        disabled={!canEdit}
        onChange={(value) => change(strategy.kind, Number(value))}
      />
    </Group>
  );
}

function watchedMinutes(strategy: Settings['takesOver']['strategy']): number {
  if (strategy.kind === 'canary') return strategy.steps[0]!.bakingMinutes;
  return strategy.kind === 'challenger' ? 0 : strategy.bakingMinutes;
}

// What the model should be good at: the measure that decides between attempts, in plain words.
import { Button, Radio, Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { learnersQuery } from '../../api/queries.ts';
import type { TrainingPlan } from '../../api/types.ts';
import { OptionCard } from './option-card.tsx';
import type { Choices } from './train.tsx';

interface MetricChoiceProps {
  plan: TrainingPlan | undefined;
  choices: Choices;
  onChange: (changes: Partial<Choices>) => void;
}

/** The measure that fits, and the others on demand. */
export function MetricChoice({ plan, choices, onChange }: MetricChoiceProps) {
  const [showsAll, setShowsAll] = useState(false);
  const catalogue = useQuery(learnersQuery).data;
  if (!plan || !catalogue) return <Skeleton height={76} radius="lg" />;
  // Money is a measure only where mistakes have a price; question 4 asks for it.
  const fitting = catalogue.metrics.filter(
    ({ name, tasks }) => tasks.includes(plan.task) && (name !== 'cost' || choices.costs),
  );
  const chosen = fitting.find(({ name }) => name === plan.metric);
  const others = fitting.filter(({ name }) => showsAll || name === choices.metric);
  return (
    <Stack gap="sm" align="flex-start">
      <Radio.Group
        w="100%"
        aria-label="Measure"
        value={choices.metric}
        onChange={(metric) => onChange({ metric: String(metric) })}
      >
        <Stack gap="sm">
          <OptionCard
            value="auto"
            title="What suits most"
            text={
              choices.metric === 'auto'
                ? `${chosen?.label ?? plan.metric}. ${plan.metricMeaning}`
                : 'Pilvi chooses the measure that fits the kind of answer.'
            }
          />
          {others.map(({ name, label, plainWords }) => (
            <OptionCard key={name} value={name} title={label} text={plainWords} />
          ))}
        </Stack>
      </Radio.Group>
      <Button variant="subtle" size="xs" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
        {showsAll ? 'Show fewer measures' : 'Choose a measure yourself'}
      </Button>
    </Stack>
  );
}

// The kind of prediction: what was detected and why, to be corrected.
import { Radio, Select, Skeleton, Stack, Text } from '@mantine/core';
import type { DatasetProfile, TrainingPlan } from '../../api/types.ts';
import { formatCount } from '../../kit/format.ts';
import { OptionCard } from './option-card.tsx';
import type { Choices } from './train.tsx';
import classes from './train.module.css';

interface KindChoiceProps {
  profile: DatasetProfile;
  target: string;
  plan: TrainingPlan | undefined;
  choices: Choices;
  onChange: (changes: Partial<Choices>) => void;
}

const kinds = [
  { value: 'binary', title: 'One of two', text: 'Yes or no, stays or leaves, good or faulty.' },
  { value: 'multiclass', title: 'One of several', text: 'Which category, product, species or cause.' },
  { value: 'regression', title: 'A number', text: 'How much, how long, how many, what price.' },
  { value: 'ranking', title: 'An order', text: 'Which come first, of those that are asked about together.' },
] as const;

/** Four kinds, the detected one chosen. */
export function KindChoice({ profile, target, plan, choices, onChange }: KindChoiceProps) {
  const kind = choices.task === 'auto' ? plan?.task : choices.task;
  return (
    <Stack gap="md">
      <Radio.Group
        aria-label="Kind of answer"
        value={kind ?? ''}
        onChange={(value) =>
          onChange({ task: value as Choices['task'], metric: 'auto', positiveClass: null, costs: null })
        }
      >
        <div className={classes.options}>
          {kinds.map(({ value, title, text }) => (
            <OptionCard key={value} value={value} title={title} text={text} />
          ))}
        </div>
      </Radio.Group>
      <div role="status">
        {plan ? (
          <Text size="sm" c="dimmed">
            {choices.task === 'auto' ? `Chosen for you: ${plan.taskReason}` : 'Chosen by you.'}
          </Text>
        ) : (
          <Skeleton height={16} width={280} />
        )}
      </div>
      {kind === 'ranking' && (
        <Select
          label="Which rows are asked about together?"
          description="Rows with equal values in this column are put in order, such as the results of one search."
          placeholder="Choose a column"
          maw={420}
          searchable
          data={profile.columns.map(({ name }) => name).filter((name) => name !== target)}
          value={choices.groupColumn}
          onChange={(groupColumn) => onChange({ groupColumn, timeColumn: null })}
        />
      )}
      {plan?.task === 'binary' && plan.classes && (
        <Select
          label="Which of the two do you look for?"
          description={`The model tells how likely it is that ${target} is this one.`}
          maw={340}
          allowDeselect={false}
          placeholder="Chosen for you"
          data={plan.classes.map(({ name, count }) => ({
            value: name,
            label: `${name} (${formatCount(count)} rows)`,
          }))}
          value={choices.positiveClass ?? null}
          onChange={(positiveClass) => onChange({ positiveClass })}
        />
      )}
    </Stack>
  );
}

// What the model must keep to: answers that only rise or only fall with a column, rows that belong together. Most
// trainings need none of it, so it is behind a button.
import { Button, Collapse, Group, MultiSelect, Select, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { DatasetProfile, TrainingPlan } from '../../api/types.ts';
import type { Choices } from './train.tsx';

interface RulesChoiceProps {
  profile: DatasetProfile;
  target: string;
  plan: TrainingPlan | undefined;
  choices: Choices;
  onChange: (changes: Partial<Choices>) => void;
}

/** Pickers of columns. */
export function RulesChoice({ profile, target, plan, choices, onChange }: RulesChoiceProps) {
  const { constraints, groupColumn, timeColumn, protectedColumns } = choices;
  const { increasing, decreasing } = constraints;
  const [isOpen, { toggle }] = useDisclosure(false);
  const columns = profile.columns.filter(({ name }) => name !== target);
  const ordered = columns
    .filter(({ role }) => role === 'numeric' || role === 'boolean')
    .map(({ name }) => name);
  const answer = plan?.task === 'binary' ? 'the chance of what you look for' : 'the answer';
  const mayRise = plan?.task !== 'multiclass';
  return (
    <Stack gap="md">
      <Text c="dimmed" size="sm">
        {inWords(choices) ?? 'Nothing so far, and most trainings need nothing.'}
      </Text>
      <Group>
        <Button variant="subtle" size="xs" aria-expanded={isOpen} onClick={toggle}>
          {isOpen ? 'Fewer options' : 'Set rules'}
        </Button>
      </Group>
      <Collapse expanded={isOpen} keepMounted={false}>
        <Stack gap="md">
          {mayRise ? (
            <>
              <MultiSelect
                label="It may only rise with"
                description={`When one of these is larger, ${answer} is never smaller`}
                placeholder={increasing.length === 0 ? 'No column' : ''}
                searchable
                clearable
                data={ordered.filter((name) => !decreasing.includes(name))}
                value={increasing}
                onChange={(names) => onChange({ constraints: { ...constraints, increasing: names } })}
              />
              <MultiSelect
                label="It may only fall with"
                description={`When one of these is larger, ${answer} is never larger`}
                placeholder={decreasing.length === 0 ? 'No column' : ''}
                searchable
                clearable
                data={ordered.filter((name) => !increasing.includes(name))}
                value={decreasing}
                onChange={(names) => onChange({ constraints: { ...constraints, decreasing: names } })}
              />
            </>
          ) : (
            <Text size="sm">With three or more classes there is nothing that could rise or fall.</Text>
          )}
          <Select
            label="Rows belong together by"
            description="A person, a machine, a site: the model is judged by others than those it learned from"
            placeholder="Every row stands alone"
            searchable
            clearable
            data={columns.map(({ name }) => name)}
            value={groupColumn}
            onChange={(name) => onChange({ groupColumn: name, ...(name !== null && { timeColumn: null }) })}
          />
          <Select
            label="Time is told by"
            description="For predicting what comes later: it learns from earlier rows and is judged by later ones"
            placeholder="The order does not matter"
            searchable
            clearable
            data={columns.filter(({ role }) => role === 'date' || role === 'numeric').map(({ name }) => name)}
            value={timeColumn}
            onChange={(name) => onChange({ timeColumn: name, ...(name !== null && { groupColumn: null }) })}
          />
          {plan?.task !== 'ranking' && (
            <MultiSelect
              label="Compare how it treats groups by"
              description="Sex, age, origin: the model's page then says how each group fares, also if it may not look at the column"
              placeholder={protectedColumns.length === 0 ? 'No column' : ''}
              searchable
              clearable
              maxValues={20}
              data={columns.filter(({ role }) => role !== 'text' && role !== 'date').map(({ name }) => name)}
              value={protectedColumns}
              onChange={(names) => onChange({ protectedColumns: names })}
            />
          )}
        </Stack>
      </Collapse>
    </Stack>
  );
}

function inWords({
  constraints: { increasing, decreasing },
  groupColumn,
  timeColumn,
  protectedColumns,
}: Choices): string | undefined {
  const parts = [
    increasing.length > 0 && `Rises with ${increasing.join(', ')}.`,
    decreasing.length > 0 && `Falls with ${decreasing.join(', ')}.`,
    protectedColumns.length > 0 && `Groups are compared by ${protectedColumns.join(', ')}.`,
    groupColumn !== null && `Rows belong together by ${groupColumn}.`,
    timeColumn !== null && `Judged by the latest rows, by ${timeColumn}.`,
  ].filter((part) => part !== false);
  return parts.length > 0 ? parts.join(' ') : undefined;
}

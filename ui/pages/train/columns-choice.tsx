// Columns to leave out: those that stand out first, each with the reason, the others to be found.
import { Button, Checkbox, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { DatasetProfile } from '../../api/types.ts';
import { formatCount, formatCountOf } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { roleWords } from '../data/column-types.ts';
import type { Choices } from './train.tsx';
import classes from './train.module.css';

interface ColumnsChoiceProps {
  profile: DatasetProfile;
  target: string;
  choices: Choices;
  onChange: (changes: Partial<Choices>) => void;
}

/** Warnings about a column that speak for leaving it out. */
const suspicious = new Set(['leakage-suspect', 'id-like', 'duplicate-column', 'mostly-missing']);
const shownAtFirst = 12;
const shownMore = 60;

/** Checkboxes: ticked columns are learned from. */
export function ColumnsChoice({ profile, target, choices, onChange }: ColumnsChoiceProps) {
  const [text, setText] = useState('');
  const [limit, setLimit] = useState(shownAtFirst);
  const excluded = new Set(choices.excludedColumns);
  const columns = profile.columns.filter(({ name }) => name !== target);
  const reasons = new Map(
    profile.warnings
      .filter(({ code }) => suspicious.has(code))
      .flatMap((warning) => warning.columns.map((name) => [name, warning.message] as const)),
  );
  const toggle = (name: string, isUsed: boolean): void => {
    const next = new Set(excluded);
    if (isUsed) next.delete(name);
    else next.add(name);
    onChange({ excludedColumns: [...next] });
  };
  const needle = text.trim().toLowerCase();
  const standingOut = columns.filter(({ name }) => reasons.has(name));
  const others = columns.filter(({ name }) => !reasons.has(name) && name.toLowerCase().includes(needle));
  const usedCount = columns.length - columns.filter(({ name }) => excluded.has(name)).length;
  return (
    <Stack gap="md">
      <Text c="dimmed" size="sm">
        Leave out what you will not know yet at the moment you ask for a prediction. Identifiers and columns
        that are always the same are left out by themselves.
      </Text>
      {standingOut.length > 0 && (
        <Stack gap="xs">
          {standingOut.map(({ name }) => (
            <div key={name} className={classes.suspect}>
              <Checkbox
                checked={!excluded.has(name)}
                onChange={(event) => toggle(name, event.currentTarget.checked)}
                label={name}
                description={reasons.get(name)}
              />
            </div>
          ))}
        </Stack>
      )}
      <Group gap="md">
        <TextInput
          aria-label="Find a column"
          placeholder="Find a column"
          leftSection={<Icon name="search" size={16} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Text size="sm" c="dimmed" role="status">
          Learns from {formatCount(usedCount)} of {formatCountOf(columns.length, 'column')}
        </Text>
      </Group>
      <div className={classes.checks}>
        {others.slice(0, limit).map(({ name, role }) => (
          <Checkbox
            key={name}
            checked={!excluded.has(name)}
            onChange={(event) => toggle(name, event.currentTarget.checked)}
            label={name}
            description={roleWords[role]}
          />
        ))}
      </div>
      {others.length > limit && (
        <Group>
          <Button variant="default" size="xs" onClick={() => setLimit(limit + shownMore)}>
            {formatCount(others.length - limit)} more
          </Button>
        </Group>
      )}
    </Stack>
  );
}

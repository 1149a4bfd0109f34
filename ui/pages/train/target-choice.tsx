// Choosing the column to predict: each column with what predicting it would mean, and whether it makes sense.
import { Button, Group, Text, TextInput, UnstyledButton } from '@mantine/core';
import { useState } from 'react';
import type { ColumnProfile, DatasetProfile } from '../../api/types.ts';
import { formatCountOf, formatNumber, formatShare } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import classes from './train.module.css';

interface TargetChoiceProps {
  profile: DatasetProfile;
  target: string | null;
  onChoose: (column: string | null) => void;
}

const cardsPerStep = 30;

/** Cards to choose from; the chosen one alone once there is one. */
export function TargetChoice({ profile, target, onChoose }: TargetChoiceProps) {
  const [text, setText] = useState('');
  const [limit, setLimit] = useState(cardsPerStep);
  const chosen = profile.columns.find(({ name }) => name === target);
  if (chosen) {
    return (
      <div className={`card ${classes.chosen}`}>
        <div>
          <b>{chosen.name}</b>
          <Text size="sm" c="dimmed">
            {hintOf(chosen, profile.rowCount).words}
          </Text>
        </div>
        <Button variant="default" size="xs" onClick={() => onChoose(null)}>
          Choose another
        </Button>
      </div>
    );
  }
  const needle = text.trim().toLowerCase();
  const found = profile.columns.filter(({ name }) => name.toLowerCase().includes(needle));
  return (
    <div>
      {profile.columns.length > 12 && (
        <TextInput
          aria-label="Find a column"
          placeholder="Find a column"
          leftSection={<Icon name="search" size={16} />}
          maw={340}
          mb="md"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      <ul className={classes.cards}>
        {found.slice(0, limit).map((column) => (
          <li key={column.name}>
            <TargetCard column={column} rowCount={profile.rowCount} onChoose={onChoose} />
          </li>
        ))}
      </ul>
      {found.length === 0 && <Text c="dimmed">No column has that in its name.</Text>}
      {found.length > limit && (
        <Group mt="md">
          <Button variant="default" onClick={() => setLimit(limit + cardsPerStep)}>
            {found.length - limit} more
          </Button>
        </Group>
      )}
    </div>
  );
}

interface TargetCardProps {
  column: ColumnProfile;
  rowCount: number;
  onChoose: (column: string) => void;
}

function TargetCard({ column, rowCount, onChoose }: TargetCardProps) {
  const { words, isUsable } = hintOf(column, rowCount);
  return (
    <UnstyledButton
      className={`card ${classes.target}`}
      disabled={!isUsable}
      onClick={() => onChoose(column.name)}
    >
      <span className={classes.targetName}>{column.name}</span> <span className={classes.hint}>{words}</span>
    </UnstyledButton>
  );
}

/** What predicting a column means, from what it holds. */
function hintOf(column: ColumnProfile, rowCount: number): { words: string; isUsable: boolean } {
  const { role, distinctCount, missingCount, numeric, topValues } = column;
  const missing = missingCount > 0 ? `, ${formatShare(missingCount / Math.max(1, rowCount))} unknown` : '';
  if (role === 'constant') return { words: 'Always the same: nothing to predict', isUsable: false };
  if (role === 'empty') return { words: 'Empty: nothing to learn from', isUsable: false };
  if (role === 'id') return { words: 'Different in every row: cannot be predicted', isUsable: false };
  if (role === 'date') return { words: 'A date: cannot be predicted yet', isUsable: false };
  if (distinctCount === 2) {
    const values = topValues
      .slice(0, 2)
      .map(({ value, count }) => `${value} ${formatShare(count / Math.max(1, rowCount), 0)}`);
    return {
      words: `One of two${values.length > 0 ? `: ${values.join(', ')}` : ''}${missing}`,
      isUsable: true,
    };
  }
  if (numeric && role === 'numeric') {
    const range = `${formatNumber(numeric.minimum)} to ${formatNumber(numeric.maximum)}`;
    return { words: `A number, ${range}${missing}`, isUsable: true };
  }
  if (role === 'text') return { words: 'Free text: cannot be predicted', isUsable: false };
  return { words: `One of ${formatCountOf(distinctCount, 'value')}${missing}`, isUsable: true };
}

// What would have to be otherwise for another answer: a small form of what is wanted and what cannot change, and the
// changes that work.
import { Button, MultiSelect, NumberInput, SegmentedControl, Select, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import type { ModelField, Prediction } from '../../api/types.ts';
import { formatCell, formatCount, formatNumber, formatShare } from '../../kit/format.ts';
import { ProblemAlert } from '../../kit/problem.tsx';
import classes from './endpoint.module.css';
import type { Row } from './example.ts';

interface OtherwiseProps {
  modelVersionId: string;
  fields: readonly ModelField[];
  row: Row;
  prediction: Prediction;
}

/** A button, then the form. */
export function Otherwise({ modelVersionId, fields, row, prediction }: OtherwiseProps) {
  const others = Object.keys(prediction.probabilities ?? {}).filter((name) => name !== prediction.prediction);
  const [isOpen, setIsOpen] = useState(false);
  const [wantedClass, setWantedClass] = useState<string | null>(others[0] ?? null);
  const [side, setSide] = useState<'atLeast' | 'atMost'>('atLeast');
  const [limit, setLimit] = useState<number>();
  const [fixed, setFixed] = useState<string[]>([]);
  const [increasing, setIncreasing] = useState<string[]>([]);
  const [decreasing, setDecreasing] = useState<string[]>([]);
  const numbers = fields.filter(({ kind }) => kind === 'numeric').map(({ name }) => name);
  const isClass = prediction.probabilities !== undefined;
  const find = useMutation({
    mutationFn: () => {
      const number = limit ?? 0;
      const bound = side === 'atLeast' ? { atLeast: number } : { atMost: number };
      const wanted = isClass ? { class: wantedClass ?? '' } : bound;
      const body = { row, wanted, fixed, increasing, decreasing };
      return client.findCounterfactuals({ versionId: modelVersionId, body });
    },
  });
  if (!isOpen) {
    return (
      <div className={classes.more}>
        <Button variant="default" onClick={() => setIsOpen(true)}>
          What would change it?
        </Button>
      </div>
    );
  }
  return (
    <form
      className={classes.more}
      onSubmit={(event) => {
        event.preventDefault();
        find.mutate();
      }}
    >
      {isClass ? (
        <Select
          label="Wanted"
          allowDeselect={false}
          data={others}
          value={wantedClass}
          onChange={setWantedClass}
        />
      ) : (
        <Stack gap={6}>
          <SegmentedControl
            aria-label="Wanted"
            value={side}
            onChange={(value) => setSide(value as 'atLeast' | 'atMost')}
            data={[
              { value: 'atLeast', label: 'At least' },
              { value: 'atMost', label: 'At most' },
            ]}
          />
          <NumberInput
            aria-label="So much"
            required
            value={limit ?? ''}
            onChange={(value) => setLimit(typeof value === 'number' ? value : undefined)}
          />
        </Stack>
      )}
      <MultiSelect
        label="Cannot change"
        searchable
        data={fields.map(({ name }) => name)}
        value={fixed}
        onChange={setFixed}
      />
      {numbers.length > 0 && (
        <>
          <MultiSelect
            label="Can only rise"
            searchable
            data={numbers.filter((name) => !decreasing.includes(name))}
            value={increasing}
            onChange={setIncreasing}
          />
          <MultiSelect
            label="Can only fall"
            searchable
            data={numbers.filter((name) => !increasing.includes(name))}
            value={decreasing}
            onChange={setDecreasing}
          />
        </>
      )}
      <Button type="submit" variant="default" loading={find.isPending}>
        Look for changes
      </Button>
      {find.error && <ProblemAlert error={find.error} />}
      {find.data && <Found answer={find.data} />}
    </form>
  );
}

type Answer = Awaited<ReturnType<typeof client.findCounterfactuals>>;

function Found({ answer: { counterfactuals, isWantedAlready, triedCount } }: { answer: Answer }) {
  if (isWantedAlready) return <Text size="sm">That is its answer already.</Text>;
  if (counterfactuals.length === 0) {
    return (
      <Text size="sm" role="status">
        None found among {formatCount(triedCount)} rows with few changes. There may be one all the same.
      </Text>
    );
  }
  return (
    <ul className={classes.changes} role="status">
      {counterfactuals.map(({ changes, prediction }) => (
        <li key={changes.map(({ column }) => column).join()}>
          {changes.map(({ column, from, to }) => (
            <div key={column}>
              {column}: {formatCell(from)} → <b>{formatCell(to)}</b>
            </div>
          ))}
          <Text size="sm" c="dimmed">
            Then it says {saidWords(prediction)}.
          </Text>
        </li>
      ))}
    </ul>
  );
}

function saidWords({ prediction, probabilities }: Prediction): string {
  if (typeof prediction === 'number') return formatNumber(prediction);
  const probability = probabilities?.[prediction];
  return probability === undefined ? `“${prediction}”` : `“${prediction}”, ${formatShare(probability, 0)}`;
}

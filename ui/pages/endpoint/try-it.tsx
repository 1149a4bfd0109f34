// A form for one row, filled with an example, and the answer beside it.
import { Button, Group, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { endpointQuery, modelVersionQuery } from '../../api/queries.ts';
import type { Endpoint, Prediction } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { Notice } from '../../kit/notice.tsx';
import { fieldErrors, ProblemAlert } from '../../kit/problem.tsx';
import { Answer, NoAnswer } from './answer.tsx';
import classes from './endpoint.module.css';
import { exampleRow, type FieldValue, type Row } from './example.ts';
import { FieldInput } from './field-input.tsx';
import { Otherwise } from './otherwise.tsx';
import { Why } from './why.tsx';

const shownAtFirst = 24;

/** The first tab. Nothing is asked before the button is pressed: every prediction is counted and paid for. */
export function TryIt({ endpoint }: { endpoint: Endpoint }) {
  const { fields } = endpoint;
  const { canPredict } = useAbilities();
  const queries = useQueryClient();
  const [row, setRow] = useState<Row>(() => exampleRow(fields));
  const [showsAll, setShowsAll] = useState(false);
  const ask = useMutation({
    mutationFn: (asked: Row) => client.predict({ endpointId: endpoint.id, body: { rows: [asked] } }),
    onSuccess: () => queries.invalidateQueries(endpointQuery(endpoint.id)),
  });
  const errors = fieldErrors(ask.error);
  const hasExample = Object.keys(exampleRow(fields)).length > 0;
  const shown = showsAll ? fields : fields.slice(0, shownAtFirst);
  const set = (name: string, value: FieldValue): void => setRow({ ...row, [name]: value });
  const isChanged = ask.data !== undefined && ask.variables !== row;
  return (
    <div className={classes.try}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          ask.mutate(row);
        }}
      >
        <Group justify="space-between" mb="lg">
          <Text c="dimmed" size="sm">
            {hasExample
              ? 'Filled with a typical row. Leave out what you do not know.'
              : 'Fill in what you know; what is typical is not known of this model.'}
          </Text>
          <Group gap="xs">
            {hasExample && (
              <Button size="xs" variant="default" onClick={() => setRow(exampleRow(fields))}>
                Typical row
              </Button>
            )}
            <Button size="xs" variant="default" onClick={() => setRow({})}>
              Empty all
            </Button>
          </Group>
        </Group>
        <div className={classes.fields}>
          {shown.map((field) => (
            <FieldInput
              key={field.name}
              field={field}
              value={row[field.name] ?? null}
              error={errors[field.name]}
              onChange={(value) => set(field.name, value)}
            />
          ))}
        </div>
        {fields.length > shownAtFirst && (
          <Button mt="md" size="xs" variant="subtle" onClick={() => setShowsAll(!showsAll)}>
            {showsAll ? 'Show fewer fields' : `Show all ${fields.length} fields`}
          </Button>
        )}
        <Group mt="xl">
          {canPredict ? (
            <Button type="submit" size="md" loading={ask.isPending}>
              Predict
            </Button>
          ) : (
            <Notice tone="plain">Your role lets you look, but not ask for predictions.</Notice>
          )}
        </Group>
      </form>
      <div className={classes.answer} aria-live="polite">
        {ask.error && <ProblemAlert error={ask.error} />}
        {ask.data?.predictions[0] ? (
          <Answer prediction={ask.data.predictions[0]} warnings={ask.data.warnings} isStale={isChanged} />
        ) : (
          !ask.error && <NoAnswer />
        )}
        {ask.data?.predictions[0] && ask.variables && (
          <Reasons
            key={ask.data.requestId}
            modelVersionId={ask.data.modelVersionId}
            fields={fields}
            row={ask.variables}
            prediction={ask.data.predictions[0]}
          />
        )}
      </div>
    </div>
  );
}

interface ReasonsProps {
  modelVersionId: string;
  fields: Endpoint['fields'];
  row: Row;
  prediction: Prediction;
}

/** What can be asked about an answer, of the version that gave it; nothing of one that was made elsewhere. */
function Reasons({ prediction, ...asked }: ReasonsProps) {
  const version = useQuery(modelVersionQuery(asked.modelVersionId)).data;
  if (version?.format !== 'pilvi') return null;
  return (
    <>
      <Why {...asked} isShare={prediction.probabilities !== undefined} />
      <Otherwise {...asked} prediction={prediction} />
    </>
  );
}

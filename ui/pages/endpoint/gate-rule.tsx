// The one-line rule that a new version has to keep to.
import { Button, Group, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { comparisonsQuery, gateRuleQuery } from '../../api/queries.ts';
import type { GateRule as Rule } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Section } from '../../kit/page.tsx';
import { notifyDone, ProblemAlert } from '../../kit/problem.tsx';
import classes from './compare.module.css';

/** Shows the rule, and lets those who may change it. */
export function GateRule({ endpointId }: { endpointId: string }) {
  const rule = useQuery(gateRuleQuery(endpointId));
  return (
    <Section
      title="The gate"
      description="A rule of one line. Releases and automatic updates are held back by it, with the reasons; without a rule nothing is."
    >
      <Loaded query={rule} skeleton={<Blocks count={1} height={80} />}>
        {(data) => <Form key={data.rule} endpointId={endpointId} data={data} />}
      </Loaded>
    </Section>
  );
}

function Form({ endpointId, data }: { endpointId: string; data: Rule }) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const [text, setText] = useState(data.rule ?? '');
  const save = useMutation({
    mutationFn: (rule: string | null) => client.setGateRule({ endpointId, body: { rule } }),
    onSuccess: async (changed) => {
      queries.setQueryData(gateRuleQuery(endpointId).queryKey, changed);
      await queries.invalidateQueries(comparisonsQuery(endpointId));
      await queries.invalidateQueries({ queryKey: ['comparison'] });
      notifyDone(changed.rule === null ? 'The gate is open.' : 'The rule was set.');
    },
  });
  if (!canEdit) return <Text>{data.rule ?? 'There is no rule.'}</Text>;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(text.trim());
      }}
    >
      <Group align="flex-end" gap="sm">
        <TextInput
          label="Rule"
          placeholder={data.suggestion}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          style={{ flex: '1 1 320px' }}
        />
        <Button type="submit" loading={save.isPending} disabled={text.trim() === '' || text === data.rule}>
          Set the rule
        </Button>
        {data.rule === null ? (
          <Button variant="default" onClick={() => setText(data.suggestion)}>
            Suggest one
          </Button>
        ) : (
          <Button variant="default" onClick={() => save.mutate(null)}>
            Take it away
          </Button>
        )}
      </Group>
      {save.error && <ProblemAlert error={save.error} />}
      <details>
        <summary>What a rule may ask</summary>
        <dl className={classes.measures}>
          {data.measures.map(({ name, words }) => (
            <div key={name}>
              <code>{name}</code>: {words}
            </div>
          ))}
        </dl>
      </details>
    </form>
  );
}

// Setting a cap: for the workspace, a project or a key.
import {
  Button,
  Group,
  Modal,
  NativeSelect,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Text,
} from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { microUsdPerUsd } from '../../../src/base/money.ts';
import { client } from '../../api/client.ts';
import { budgetsQuery, keysQuery, projectsQuery } from '../../api/queries.ts';
import type { Budget } from '../../api/types.ts';
import { ProblemAlert } from '../../kit/problem.tsx';

interface SetBudgetProps {
  /** The cap to change; left out: a new one. */
  budget: Budget | undefined;
  onClose: () => void;
}

type Scope = Budget['scope'];

/** The dialog. */
export function SetBudget({ budget, onClose }: SetBudgetProps) {
  const projects = useQuery(projectsQuery).data ?? [];
  const keys = (useQuery(keysQuery).data ?? []).filter(({ revokedAt }) => revokedAt === null);
  const [kind, setKind] = useState<Scope['kind']>(budget?.scope.kind ?? 'project');
  const [subjectId, setSubjectId] = useState<string | null>(budget ? subjectOf(budget.scope) : null);
  const [period, setPeriod] = useState<Budget['period']>(budget?.period ?? 'month');
  const [usd, setUsd] = useState<number | string>(budget ? budget.capMicroUsd / microUsdPerUsd : 10);
  const queries = useQueryClient();
  const scope = scopeOf(kind, subjectId);
  const save = useMutation({
    mutationFn: (chosen: Scope) =>
      client.setBudget({
        body: { scope: chosen, period, capMicroUsd: Math.round(Number(usd) * microUsdPerUsd) },
      }),
    onSuccess: async () => {
      await queries.invalidateQueries(budgetsQuery);
      onClose();
    },
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={budget ? 'Change the cap' : 'Set a cap'}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (scope) save.mutate(scope);
        }}
      >
        <Stack>
          {!budget && (
            <SegmentedControl
              fullWidth
              aria-label="What the cap is for"
              value={kind}
              onChange={(value) => {
                setKind(value as Scope['kind']);
                setSubjectId(null);
              }}
              data={[
                { value: 'project', label: 'A project' },
                { value: 'key', label: 'A key' },
                { value: 'workspace', label: 'The workspace' },
              ]}
            />
          )}
          {!budget && kind !== 'workspace' && (
            <Select
              label={kind === 'project' ? 'Project' : 'Key'}
              required
              value={subjectId}
              onChange={setSubjectId}
              data={(kind === 'project' ? projects : keys).map(({ id, name }) => ({
                value: id,
                label: name,
              }))}
            />
          )}
          <Group grow align="flex-start">
            <NumberInput
              label="At most"
              required
              data-autofocus
              prefix="$"
              min={0}
              max={9_000_000}
              decimalScale={6}
              thousandSeparator=","
              value={usd}
              onChange={setUsd}
            />
            <NativeSelect
              label="Over"
              value={period}
              onChange={(event) => setPeriod(event.currentTarget.value as Budget['period'])}
              data={[
                { value: 'month', label: 'a calendar month' },
                { value: 'total', label: 'all time' },
              ]}
            />
          </Group>
          <Text size="sm" c="dimmed">
            Work that could pass the cap does not start. What is running is already paid for from what was set
            aside.
          </Text>
          {save.error && <ProblemAlert error={save.error} />}
          <Group justify="flex-end">
            <Button type="submit" disabled={!scope || usd === ''} loading={save.isPending}>
              Set the cap
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function subjectOf(scope: Scope): string | null {
  if (scope.kind === 'project') return scope.projectId;
  return scope.kind === 'key' ? scope.keyId : null;
}

/** Undefined while what it is for has not been chosen. */
function scopeOf(kind: Scope['kind'], subjectId: string | null): Scope | undefined {
  if (kind === 'workspace') return { kind };
  if (subjectId === null) return undefined;
  return kind === 'project' ? { kind, projectId: subjectId } : { kind, keyId: subjectId };
}

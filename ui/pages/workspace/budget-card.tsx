// One cap: what is spent, what is held for running work, what is left.
import { ActionIcon, Button, Group, Text, Tooltip } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { client } from '../../api/client.ts';
import { budgetsQuery } from '../../api/queries.ts';
import type { Budget } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { formatMoney } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import classes from './workspace.module.css';

interface BudgetCardProps {
  budget: Budget;
  name: string;
  onEdit: () => void;
}

/** Nine tenths used: worth a colour. */
const nearlyUsed = 0.9;

/** One line of the list of caps. */
export function BudgetCard({ budget, name, onEdit }: BudgetCardProps) {
  const { canManage } = useAbilities();
  const queries = useQueryClient();
  const { capMicroUsd, spentMicroUsd, reservedMicroUsd, period, scope } = budget;
  const used = spentMicroUsd + reservedMicroUsd;
  const left = Math.max(0, capMicroUsd - used);
  const percent = (amount: number): string =>
    `${capMicroUsd === 0 ? 100 : Math.min(100, (amount / capMicroUsd) * 100)}%`;
  return (
    <li className={`card ${classes.budget}`}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <b>{name}</b>
          <Text size="sm" c="dimmed">
            {formatMoney(capMicroUsd)} {period === 'month' ? 'a month' : 'in all'}
          </Text>
        </div>
        {canManage && (
          <Group gap={4} wrap="nowrap">
            <Button size="xs" variant="default" onClick={onEdit} aria-label={`Change the cap: ${name}`}>
              Change
            </Button>
            {scope.kind !== 'workspace' && (
              <Confirm
                title="Remove this cap?"
                consequence={`${name} is then limited by the cap of the workspace only.`}
                confirmLabel="Remove the cap"
                onConfirm={async () => {
                  await client.removeBudget({ budgetId: budget.id });
                  await queries.invalidateQueries(budgetsQuery);
                }}
              >
                {(ask) => (
                  <Tooltip label="Remove">
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={`Remove the cap: ${name}`}
                      onClick={ask}
                    >
                      <Icon name="trash" size={16} />
                    </ActionIcon>
                  </Tooltip>
                )}
              </Confirm>
            )}
          </Group>
        )}
      </Group>
      <div className={classes.gauge} data-near={used >= capMicroUsd * nearlyUsed || undefined} aria-hidden>
        <span className={classes.spent} style={{ width: percent(spentMicroUsd) }} />
        <span className={classes.held} style={{ width: percent(reservedMicroUsd) }} />
      </div>
      <dl className={classes.amounts}>
        <div>
          <dt>
            <i data-kind="spent" aria-hidden /> Spent
          </dt>
          <dd>{formatMoney(spentMicroUsd)}</dd>
        </div>
        <div>
          <dt>
            <i data-kind="held" aria-hidden /> Held for running work
          </dt>
          <dd>{formatMoney(reservedMicroUsd)}</dd>
        </div>
        <div>
          <dt>Left</dt>
          <dd>{formatMoney(left)}</dd>
        </div>
      </dl>
    </li>
  );
}

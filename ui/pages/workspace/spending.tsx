// Money: caps that cannot be overshot, what is spent and held, and for what.
import { Button, NativeSelect, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import {
  budgetsQuery,
  chargesQuery,
  keysQuery,
  pricesQuery,
  projectsQuery,
  spendingQuery,
} from '../../api/queries.ts';
import type { Budget } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { Empty } from '../../kit/empty.tsx';
import { formatCountOf, formatMoney, formatNumber, formatTime } from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { Icon } from '../../kit/icons.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { More } from '../../kit/more.tsx';
import { Page, Section } from '../../kit/page.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { BudgetCard } from './budget-card.tsx';
import { SetBudget } from './set-budget.tsx';
import { unitWords } from './units.ts';
import classes from './workspace.module.css';

const SpendingChart = lazy(() =>
  import('./spending-chart.tsx').then(({ SpendingChart: component }) => ({ default: component })),
);

/** `/workspace/spending` */
export function Component() {
  const { canManage } = useAbilities();
  const [isOpen, { open, close }] = useDisclosure(false);
  const [edited, setEdited] = useState<Budget>();
  return (
    <Page
      title="Budget"
      description="A cap holds. What might be used is set aside before it starts, so spending can never pass a cap."
      actions={
        canManage && (
          <Button
            leftSection={<Icon name="add" size={16} />}
            onClick={() => {
              setEdited(undefined);
              open();
            }}
          >
            Set a cap
          </Button>
        )
      }
    >
      <Stack gap={48}>
        <Budgets
          onEdit={(budget) => {
            setEdited(budget);
            open();
          }}
        />
        <Spending />
        <Charges />
        <Prices />
      </Stack>
      {isOpen && <SetBudget budget={edited} onClose={close} />}
    </Page>
  );
}

function Budgets({ onEdit }: { onEdit: (budget: Budget) => void }) {
  const budgets = useQuery(budgetsQuery);
  const scopeName = useScopeName();
  return (
    <Loaded query={budgets} skeleton={<Blocks count={2} height={120} />}>
      {(items) =>
        items.length === 0 ? (
          <Empty title="No cap is set">
            Without a cap, nothing limits what trainings and predictions may cost.
          </Empty>
        ) : (
          <ul className={classes.budgets}>
            {items.map((budget) => (
              <BudgetCard
                key={budget.id}
                budget={budget}
                name={scopeName(budget.scope)}
                onEdit={() => onEdit(budget)}
              />
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

const periods = [7, 30, 90, 365];

function Spending() {
  const [days, setDays] = useState(30);
  const spending = useQuery(spendingQuery(days));
  const total = spending.data?.reduce((sum, { amountMicroUsd }) => sum + amountMicroUsd, 0);
  return (
    <Section
      title="Spending by day"
      description={total === undefined ? undefined : `${formatMoney(total)} in the last ${days} days`}
      actions={
        <NativeSelect
          aria-label="Period"
          size="xs"
          value={days}
          onChange={(event) => setDays(Number(event.currentTarget.value))}
          data={periods.map((value) => ({ value: String(value), label: `${value} days` }))}
        />
      }
    >
      <Loaded query={spending} skeleton={<Blocks count={1} height={260} />}>
        {(items) =>
          items.length === 0 ? (
            <Text c="dimmed">Nothing was charged in this time.</Text>
          ) : (
            <Suspense fallback={<Blocks count={1} height={260} />}>
              <SpendingChart items={items} days={days} />
            </Suspense>
          )
        }
      </Loaded>
    </Section>
  );
}

function Charges() {
  const charges = useInfiniteQuery(chargesQuery);
  const projects = useQuery(projectsQuery).data ?? [];
  const items = charges.data ?? [];
  return (
    <Section title="Charges" description="Every amount, newest first.">
      {charges.error && <ProblemAlert error={charges.error} onRetry={() => void charges.refetch()} />}
      {charges.isPending && <Blocks count={1} height={240} />}
      {charges.data && items.length === 0 && <Text c="dimmed">Nothing was charged yet.</Text>}
      {items.length > 0 && (
        <div className={grid.scroll} tabIndex={0} role="region" aria-label="Charges">
          <table className={grid.table}>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">For</th>
                <th scope="col">Project</th>
                <th scope="col" data-number>
                  Quantity
                </th>
                <th scope="col" data-number>
                  Amount
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((charge) => (
                <tr key={charge.id}>
                  <td>{formatTime(charge.at)}</td>
                  <td title={charge.subjectId}>{unitWords[charge.unit].label}</td>
                  <td>{projects.find(({ id }) => id === charge.projectId)?.name ?? '–'}</td>
                  <td data-number>
                    {formatNumber(charge.quantity)} {unitWords[charge.unit].unit}
                  </td>
                  <td data-number>{formatMoney(charge.amountMicroUsd)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More query={charges} label="Show older charges" />
    </Section>
  );
}

function Prices() {
  const prices = useQuery(pricesQuery);
  return (
    <Section title="Prices">
      <Loaded query={prices}>
        {(items) => (
          <dl className={classes.prices}>
            {items.map(({ unit, label, unitPriceMicroUsd, perUnits }) => (
              <div key={unit}>
                <dt>{label}</dt>
                <dd>
                  {formatMoney(unitPriceMicroUsd)} for{' '}
                  {formatCountOf(perUnits, unitWords[unit].one, unitWords[unit].unit)}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </Loaded>
    </Section>
  );
}

/** The name of what a cap is for. */
function useScopeName(): (scope: Budget['scope']) => string {
  const projects = useQuery(projectsQuery).data ?? [];
  const keys = useQuery(keysQuery).data ?? [];
  return (scope) => {
    switch (scope.kind) {
      case 'workspace':
        return 'The whole workspace';
      case 'project':
        return `Project ${projects.find(({ id }) => id === scope.projectId)?.name ?? scope.projectId}`;
      case 'key':
        return `Key ${keys.find(({ id }) => id === scope.keyId)?.name ?? scope.keyId}`;
      default:
        throw scope satisfies never;
    }
  };
}

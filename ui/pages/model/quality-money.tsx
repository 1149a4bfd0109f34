// What decisions cost: the model's own, next to deciding without it; and, with two classes, what each line would cost.
import { Stack, Text } from '@mantine/core';
import type { Evaluation } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { axis } from '../../charts/colors.ts';
import { Facts } from '../../kit/facts.tsx';
import { formatCount, formatShare } from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { Section } from '../../kit/page.tsx';
import { costAt, outcomesAt } from './threshold.ts';
import { amountOf, moneyWords, positiveClassOf } from './words.ts';

interface MoneyProps {
  money: NonNullable<Evaluation['money']>;
  evaluation: Evaluation;
}

/** The section of money. */
export function Money({ money, evaluation }: MoneyProps) {
  const { currency, decisionCount, perDecision, perDecisionWhenRight, threshold } = money;
  const positive = positiveClassOf(evaluation);
  return (
    <Section
      title="What its decisions cost"
      description={`${moneyWords(evaluation) ?? ''} Worked out on the rows that were locked away, from what you said mistakes cost.`}
    >
      <Facts
        items={[
          { label: 'A decision costs', value: amountOf(perDecision, currency) },
          {
            label: `${formatCount(decisionCount)} decisions cost`,
            value: amountOf(perDecision * decisionCount, currency),
            note: `${amountOf(perDecisionWhenRight * decisionCount, currency)} if every one were right`,
          },
          ...(threshold === undefined
            ? []
            : [
                {
                  label: `Says “${positive}” from`,
                  value: formatShare(threshold),
                  note: 'chosen by cost, without the locked rows',
                },
              ]),
        ]}
      />
      <div className={grid.scroll} tabIndex={0} role="region" aria-label="Next to deciding without it">
        <table className={grid.table}>
          <thead>
            <tr>
              <th scope="col">Instead</th>
              <th scope="col" data-number>
                {formatCount(decisionCount)} decisions cost
              </th>
              <th scope="col" data-number>
                The model saves
              </th>
              <th scope="col" data-number>
                Likely range
              </th>
            </tr>
          </thead>
          <tbody>
            {money.alternatives.map(({ answer, perDecision: cost, saving }) => (
              <tr key={answer ?? ''}>
                <td>{answer === null ? 'The likelier class' : `Always “${answer}”`}</td>
                <td data-number>{amountOf(cost * decisionCount, currency)}</td>
                <td data-number>{amountOf(saving.perDecision * decisionCount, currency)}</td>
                <td data-number>
                  {amountOf(saving.lower * decisionCount, '')} to{' '}
                  {amountOf(saving.upper * decisionCount, currency)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Text size="sm" c="dimmed">
        The likely range holds the true saving in 95 of 100 cases.
      </Text>
      {threshold !== undefined && <CostOfLines money={money} evaluation={evaluation} />}
    </Section>
  );
}

function CostOfLines({ money, evaluation }: MoneyProps) {
  const { decisionCount, currency, threshold = 0.5, perDecision } = money;
  const points = Array.from({ length: 101 }, (_, index) => index / 100).flatMap((at) => {
    const outcomes = outcomesAt(evaluation, at);
    const cost = outcomes && costAt(evaluation, outcomes);
    return cost === undefined ? [] : [[at, cost * decisionCount] as const];
  });
  if (points.length === 0) return null;
  const name = `Cost of ${formatCount(decisionCount)} decisions${currency && `, ${currency}`}`;
  return (
    <Stack gap={6} style={{ maxWidth: 720 }}>
      <Text size="sm" fw={600}>
        What each line would cost
      </Text>
      <Chart
        label="Cost by the probability from which on it acts"
        height={300}
        table={{
          columns: ['From this probability on', name],
          rows: points.map(([at, cost]) => [formatShare(at, 0), amountOf(cost, '')]),
        }}
        option={(colors) => ({
          grid: { left: 26, right: 16, top: 12, bottom: 30, containLabel: true },
          xAxis: { ...axis(colors, 'Acts from this probability on'), type: 'value', min: 0, max: 1 },
          yAxis: { ...axis(colors, name), type: 'value', scale: true, nameGap: 66 },
          series: [
            {
              type: 'line',
              symbol: 'none',
              lineStyle: { width: 2.5 },
              data: points.map((point) => [...point]),
            },
            {
              type: 'scatter',
              symbolSize: 15,
              itemStyle: { color: colors.series[1] },
              data: [[threshold, perDecision * decisionCount]],
              z: 5,
            },
          ],
        })}
      />
    </Stack>
  );
}

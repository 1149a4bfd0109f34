// What a model does: how its answer follows each column, where it is weakest, and how it treats groups of people.
import { SimpleGrid, Stack, Text } from '@mantine/core';
import type { Evaluation, ModelVersion } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { axis } from '../../charts/colors.ts';
import { Empty } from '../../kit/empty.tsx';
import { formatCount, formatDate, formatNumber, formatShare } from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { Section } from '../../kit/page.tsx';
import { Fairness } from './fairness.tsx';
import { segmentWords } from './words.ts';

type Trust = NonNullable<Evaluation['trust']>;

/** The tab of behaviour. */
export function Behaviour({ version }: { version: ModelVersion }) {
  const trust = version.evaluation?.trust;
  if (!trust) {
    return (
      <Empty title="Not looked into">
        {version.format === 'onnx'
          ? 'What a model made elsewhere does inside is not known here; it can be asked, and not explained.'
          : 'This file came without an evaluation. Train it here to get one.'}
      </Empty>
    );
  }
  const isShare = version.task === 'binary' || version.task === 'multiclass';
  return (
    <Stack gap={48}>
      <Dependences dependence={trust.dependence} isShare={isShare} target={version.target} />
      {trust.cohorts && <Cohorts report={trust.cohorts} />}
      <Fairness reports={trust.fairness} />
    </Stack>
  );
}

interface DependencesProps {
  dependence: Trust['dependence'];
  isShare: boolean;
  target: string;
}

function Dependences({ dependence, isShare, target }: DependencesProps) {
  const outcome = dependence[0]?.curves.length === 1 ? dependence[0].curves[0]!.outcome : target;
  return (
    <Section
      title="How the answer follows each column"
      description={`Thick: ${isShare ? `the mean probability of “${outcome}”` : `the mean answer for ${outcome}`} when only this column changes. Thin: single rows. It shows what the model does, not what causes what.`}
    >
      {dependence.length === 0 ? (
        <Text c="dimmed">There was no time to work this out; allow a larger budget.</Text>
      ) : (
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing={44} verticalSpacing={36}>
          {dependence.map((one) => (
            <Curve key={one.column} dependence={one} isShare={isShare} />
          ))}
        </SimpleGrid>
      )}
    </Section>
  );
}

function Curve({ dependence, isShare }: { dependence: Trust['dependence'][number]; isShare: boolean }) {
  const { column, values, isOrdered, shares, curves, rows } = dependence;
  const isNumber = isOrdered && values.every((value) => typeof value === 'number');
  const names = values.map((value) => valueWords(value, isOrdered));
  const answer = (value: number): string => (isShare ? formatShare(value) : formatNumber(value));
  const placed = (heights: readonly number[]): (number | number[])[] =>
    heights.map((height, index) => (isNumber ? [Number(values[index]), height] : height));
  const isAlone = curves.length === 1;
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600}>
        {column}
      </Text>
      <Chart
        label={`How the answer follows ${column}`}
        height={280}
        table={{
          columns: [column, isOrdered ? 'Rows up to here' : 'Rows', ...curves.map(({ outcome }) => outcome)],
          rows: names.map((name, index) => [
            name,
            formatShare(shares[index] ?? 0, 0),
            ...curves.map(({ mean }) => answer(mean[index] ?? 0)),
          ]),
        }}
        option={(colors) => ({
          grid: { left: 16, right: 16, top: isAlone ? 12 : 40, bottom: 24, containLabel: true },
          ...(!isAlone && { legend: { top: 0, textStyle: { color: colors.text } } }),
          xAxis: {
            ...axis(colors),
            ...(isNumber
              ? { type: 'value', scale: true }
              : {
                  type: 'category',
                  data: names,
                  axisLabel: { color: colors.text, width: 90, overflow: 'truncate', hideOverlap: true },
                }),
          },
          yAxis: { ...axis(colors), type: 'value', scale: isOrdered },
          series: [
            ...(isAlone && isOrdered ? rows : []).map((heights) => ({
              type: 'line',
              symbol: 'none',
              silent: true,
              lineStyle: { width: 1, opacity: 0.22, color: colors.series[0] },
              data: placed(heights),
            })),
            ...curves.map(({ outcome, mean }, index) => ({
              type: isOrdered ? 'line' : 'bar',
              name: outcome,
              symbolSize: 6,
              barMaxWidth: 34,
              lineStyle: { width: 3 },
              itemStyle: { color: colors.series[index] },
              data: placed(mean),
              z: 3,
            })),
          ],
        })}
      />
    </Stack>
  );
}

function valueWords(value: string | number | boolean, isOrdered: boolean): string {
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return isOrdered ? formatDate(value) : value;
}

function Cohorts({ report }: { report: NonNullable<Trust['cohorts']> }) {
  const { measure, cohorts, lookedAt } = report;
  const isMistakes = measure === 'mistakes';
  const shown = (value: number): string => (isMistakes ? formatShare(value) : formatNumber(value));
  return (
    <Section
      title="Where it is weakest"
      description={
        cohorts.length === 0
          ? `Nowhere in particular: of ${formatCount(lookedAt)} groups of rows, none has clearly larger errors than the others.`
          : `Of ${formatCount(lookedAt)} groups of rows, those where ${isMistakes ? 'it is wrong clearly more often' : 'it is clearly further off'} than elsewhere. Look at these first when you want better data.`
      }
    >
      {cohorts.length > 0 && (
        <div className={grid.scroll} tabIndex={0} role="region" aria-label="Where it is weakest">
          <table className={grid.table}>
            <thead>
              <tr>
                <th scope="col">Rows where</th>
                <th scope="col" data-number>
                  Rows
                </th>
                <th scope="col" data-number>
                  {isMistakes ? 'Wrong' : 'Off by'}
                </th>
                <th scope="col" data-number>
                  Likely range
                </th>
                <th scope="col" data-number>
                  Elsewhere
                </th>
              </tr>
            </thead>
            <tbody>
              {cohorts.map((cohort) => {
                const words = cohort.conditions.map(segmentWords).join(' and ');
                return (
                  <tr key={words}>
                    <td>{words}</td>
                    <td data-number>{formatCount(cohort.rowCount)}</td>
                    <td data-number>{shown(cohort.error)}</td>
                    <td data-number>
                      {shown(cohort.lower)} to {shown(cohort.upper)}
                    </td>
                    <td data-number>{shown(cohort.errorElsewhere)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

// Quality of answers that are numbers: how far off they are, and whether the intervals hold.
import { SimpleGrid } from '@mantine/core';
import type { Evaluation } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { axis } from '../../charts/colors.ts';
import { Facts } from '../../kit/facts.tsx';
import { formatCompact, formatNumber, ofHundred } from '../../kit/format.ts';
import { Section } from '../../kit/page.tsx';

interface NumberQualityProps {
  evaluation: Evaluation;
  target: string;
}

/** Everything for numbers that was measured. */
export function NumberQuality({ evaluation, target }: NumberQualityProps) {
  const { metrics, residuals, residualHistogram, intervalCoverage } = evaluation;
  const facts = [
    { label: 'Half of the answers are closer than', value: metrics['median_absolute_error'] },
    { label: 'Off by on average', value: metrics['mae'] },
    { label: 'Large errors counted more', value: metrics['rmse'] },
  ].flatMap(({ label, value }) => (value === undefined ? [] : [{ label, value: formatNumber(value) }]));
  return (
    <>
      <Section title="How far off it is">
        <Facts
          items={[
            ...facts,
            ...(intervalCoverage === undefined
              ? []
              : [
                  {
                    label: 'Truth inside the interval',
                    value: `${ofHundred(intervalCoverage)} of 100`,
                    note: 'it promises 90',
                  },
                ]),
          ]}
        />
      </Section>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing={44} verticalSpacing={44}>
        {residuals && residuals.length > 0 && <Scatter residuals={residuals} target={target} />}
        {residualHistogram && residualHistogram.counts.length > 1 && <Errors histogram={residualHistogram} />}
      </SimpleGrid>
    </>
  );
}

function Scatter({ residuals, target }: { residuals: NonNullable<Evaluation['residuals']>; target: string }) {
  const values = residuals.flatMap(({ actual, predicted }) => [actual, predicted]);
  const least = Math.min(...values);
  const most = Math.max(...values);
  return (
    <Section
      title="Said against true"
      description="Each dot is a row. On the dashed line the answer was exact."
    >
      <Chart
        label={`Predicted against true ${target}`}
        height={360}
        table={{
          columns: ['True', 'Predicted', 'Difference'],
          rows: residuals.map(({ actual, predicted }) => [
            formatNumber(actual),
            formatNumber(predicted),
            formatNumber(predicted - actual),
          ]),
        }}
        option={(colors) => ({
          grid: { left: 30, right: 16, top: 12, bottom: 30, containLabel: true },
          xAxis: { ...compact(axis(colors, 'True')), type: 'value', scale: true },
          yAxis: { ...compact(axis(colors, 'Said')), type: 'value', scale: true, nameGap: 44 },
          series: [
            {
              type: 'scatter',
              symbolSize: 6,
              itemStyle: { opacity: 0.45, color: colors.series[0] },
              data: residuals.map(({ actual, predicted }) => [actual, predicted]),
            },
            {
              type: 'line',
              symbol: 'none',
              silent: true,
              lineStyle: { type: 'dashed', width: 1.5, color: colors.series[1] },
              data: [
                [least, least],
                [most, most],
              ],
            },
          ],
        })}
      />
    </Section>
  );
}

function Errors({ histogram }: { histogram: NonNullable<Evaluation['residualHistogram']> }) {
  const { edges, counts } = histogram;
  const ranges = counts.map(
    (_, index) => `${formatCompact(edges[index] ?? 0)} to ${formatCompact(edges[index + 1] ?? 0)}`,
  );
  return (
    <Section
      title="Errors, small and large"
      description="True minus said. A hill around zero is good; a hill to one side means it leans."
    >
      <Chart
        label="How often errors of each size occur"
        height={360}
        table={{ columns: ['Error', 'Rows'], rows: counts.map((count, index) => [ranges[index]!, count]) }}
        option={(colors) => ({
          grid: { left: 30, right: 16, top: 12, bottom: 30, containLabel: true },
          xAxis: {
            ...axis(colors, 'Error'),
            type: 'category',
            data: edges.slice(0, -1).map((edge) => formatCompact(edge)),
          },
          yAxis: { ...axis(colors, 'Rows'), type: 'value', nameGap: 40 },
          series: [
            { type: 'bar', barCategoryGap: '12%', itemStyle: { borderRadius: [2, 2, 0, 0] }, data: counts },
          ],
        })}
      />
    </Section>
  );
}

function compact(base: Record<string, unknown>): Record<string, unknown> {
  const label = base['axisLabel'] as object;
  return { ...base, axisLabel: { ...label, formatter: (value: number) => formatCompact(value) } };
}

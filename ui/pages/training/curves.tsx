// How a training got better: the best score over time, and how the newest attempt learns.
import { SimpleGrid } from '@mantine/core';
import type { JobEvent } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { axis } from '../../charts/colors.ts';
import { formatNumber } from '../../kit/format.ts';
import { Section } from '../../kit/page.tsx';
import { bestSoFar, newestCurve, type Measure } from './trials.ts';

interface CurvesProps {
  events: readonly JobEvent[];
  measure: Measure | undefined;
  startIso: string;
}

/** Nothing until there are two points to connect. */
export function Curves({ events, measure, startIso }: CurvesProps) {
  const best = bestSoFar(events, measure, startIso);
  const curve = newestCurve(events);
  const learned = curve?.points.filter(({ trainScore }) => trainScore !== undefined) ?? [];
  if (best.length < 2 && !curve) return null;
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing={44} verticalSpacing={40}>
      {best.length >= 2 && (
        <Section title="Getting better" description="Each dot is an attempt; the line is the best so far.">
          <Chart
            label={`Best ${measure?.label ?? 'score'} over time`}
            table={{
              columns: ['Seconds', 'Attempt', 'Score', 'Best so far'],
              rows: best.map((point) => [
                Number(point.seconds.toFixed(1)),
                point.label,
                formatNumber(point.score),
                formatNumber(point.best),
              ]),
            }}
            option={(colors) => ({
              xAxis: { ...axis(colors, 'Seconds'), type: 'value', min: 0 },
              yAxis: { ...axis(colors), type: 'value', scale: true },
              grid: { left: 8, right: 20, top: 16, bottom: 28, containLabel: true },
              series: [
                {
                  type: 'line',
                  step: 'end',
                  symbol: 'none',
                  lineStyle: { width: 2.5 },
                  data: best.map((point) => [point.seconds, point.best]),
                },
                {
                  type: 'scatter',
                  symbolSize: 7,
                  itemStyle: { color: colors.series[1] },
                  data: best.map((point) => [point.seconds, point.score]),
                },
              ],
            })}
          />
        </Section>
      )}
      {curve && curve.points.length > 1 && (
        <Section
          title="The newest attempt"
          description={
            learned.length > 0
              ? `${curve.label}: where the lines part, it begins to learn by heart.`
              : `${curve.label}, on rows that it does not learn from.`
          }
        >
          <Chart
            label={`How ${curve.label} learns`}
            table={{
              columns: [
                'Round',
                'On rows it has not seen',
                ...(learned.length > 0 ? ['On rows it learns from'] : []),
              ],
              rows: curve.points.map(({ iteration, validationScore, trainScore }) => [
                iteration,
                formatNumber(validationScore),
                ...(trainScore === undefined ? [] : [formatNumber(trainScore)]),
              ]),
            }}
            option={(colors) => ({
              legend: { bottom: 0, textStyle: { color: colors.text }, icon: 'roundRect', itemHeight: 3 },
              grid: { left: 8, right: 20, top: 16, bottom: 44, containLabel: true },
              xAxis: { ...axis(colors), type: 'value', min: 'dataMin', max: 'dataMax' },
              yAxis: { ...axis(colors), type: 'value', scale: true },
              series: [
                {
                  name: 'on rows it has not seen',
                  type: 'line',
                  symbol: 'none',
                  lineStyle: { width: 2.5 },
                  data: curve.points.map((point) => [point.iteration, point.validationScore]),
                },
                ...(learned.length > 0
                  ? [
                      {
                        name: 'on rows it learns from',
                        type: 'line' as const,
                        symbol: 'none',
                        lineStyle: { type: 'dashed' as const },
                        data: learned.map((point) => [point.iteration, point.trainScore]),
                      },
                    ]
                  : []),
              ],
            })}
          />
        </Section>
      )}
    </SimpleGrid>
  );
}

// Which numeric columns move together, as a map and as a list of the strongest pairs.
import { SimpleGrid, Text } from '@mantine/core';
import type { DatasetProfile, DatasetVersion } from '../../api/types.ts';
import { Bars } from '../../charts/bars.tsx';
import { Chart } from '../../charts/chart.tsx';
import { axis } from '../../charts/colors.ts';
import { Empty } from '../../kit/empty.tsx';
import { Section } from '../../kit/page.tsx';
import { Described } from './described.tsx';

type Pairs = DatasetProfile['correlations'];

/** More would not be readable; these are the columns of the strongest pairs. */
const shownColumns = 24;
const shownPairs = 12;

/** The tab of relations. */
export function Relations({ version }: { version: DatasetVersion }) {
  return (
    <Described version={version} skeleton={{ count: 1, height: 420 }}>
      {({ correlations }) =>
        correlations.length === 0 ? (
          <Empty title="Nothing to compare">
            Relations are drawn between columns of numbers; there are fewer than two.
          </Empty>
        ) : (
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing={48} verticalSpacing={40}>
            <Section
              title="The strongest pairs"
              description="1: they rise together. −1: one rises as the other falls."
            >
              <Bars
                label="Strongest pairs"
                maximum={1}
                items={correlations.slice(0, shownPairs).map(({ a, b, value }) => ({
                  name: `${a} and ${b}`,
                  value,
                  text: signed(value),
                  isMarked: Math.abs(value) >= 0.5,
                }))}
              />
              <Text size="sm" c="dimmed">
                Two columns near 1 or −1 say nearly the same. A column that follows the one you want to
                predict that closely may have been written after the outcome: leave such a column out.
              </Text>
            </Section>
            <Section title="All of them" description={mapWords(correlations)}>
              <HeatMap pairs={correlations} />
            </Section>
          </SimpleGrid>
        )
      }
    </Described>
  );
}

function HeatMap({ pairs }: { pairs: Pairs }) {
  const names = namesOf(pairs);
  const position = new Map(names.map((name, index) => [name, index]));
  const cells = pairs.flatMap(({ a, b, value }) => {
    const x = position.get(a);
    const y = position.get(b);
    return x === undefined || y === undefined
      ? []
      : [
          [x, y, round(value)],
          [y, x, round(value)],
        ];
  });
  const diagonal = names.map((_, index) => [index, index, 1]);
  return (
    <Chart
      label="How strongly the numeric columns are related"
      height={Math.max(300, Math.min(560, names.length * 24 + 110))}
      table={{
        columns: ['Column', 'Column', 'Relation'],
        rows: pairs.map(({ a, b, value }) => [a, b, signed(value)]),
      }}
      option={(colors) => ({
        grid: { left: 8, right: 8, top: 8, bottom: 8, containLabel: true },
        xAxis: {
          ...axis(colors),
          type: 'category',
          data: names,
          axisLabel: { color: colors.text, rotate: 40, width: 110, overflow: 'truncate' },
        },
        yAxis: {
          ...axis(colors),
          type: 'category',
          data: names,
          inverse: true,
          axisLabel: { color: colors.text, width: 110, overflow: 'truncate' },
        },
        visualMap: { min: -1, max: 1, show: false, inRange: { color: [...colors.diverging] } },
        tooltip: {
          confine: true,
          renderMode: 'richText',
          backgroundColor: colors.page,
          borderColor: colors.line,
          textStyle: { color: colors.ink, fontSize: 12 },
          formatter: ({ value }: { value: [number, number, number] }) =>
            `${names[value[0]]}\n${names[value[1]]}\n${signed(value[2])}`,
        },
        series: [
          {
            type: 'heatmap',
            data: [...cells, ...diagonal],
            itemStyle: { borderWidth: 1, borderColor: colors.page },
          },
        ],
      })}
    />
  );
}

function namesOf(pairs: Pairs): string[] {
  const names = new Set<string>();
  for (const { a, b } of pairs) {
    for (const name of [a, b]) if (names.size < shownColumns) names.add(name);
  }
  return [...names].sort((a, b) => a.localeCompare(b));
}

function mapWords(pairs: Pairs): string {
  const total = new Set(pairs.flatMap(({ a, b }) => [a, b])).size;
  return total > shownColumns
    ? `The ${shownColumns} columns of the strongest pairs, of ${total}.`
    : 'Dark where two columns are related.';
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function signed(value: number): string {
  return value.toFixed(2).replace('-', '−');
}

// What was charged each day, by kind of use.
import { microUsdPerUsd } from '../../../src/base/money.ts';
import type { Spending } from '../../api/types.ts';
import { Chart } from '../../charts/chart.tsx';
import { axis } from '../../charts/colors.ts';
import { formatMoney } from '../../kit/format.ts';
import { unitWords } from './units.ts';

interface SpendingChartProps {
  items: Spending;
  days: number;
}

const dayMs = 86_400_000;

/** Stacked bars over every day of the period, also those without a charge. */
export function SpendingChart({ items, days }: SpendingChartProps) {
  const axisDays = lastDays(days);
  const units = [...new Set(items.map(({ unit }) => unit))];
  const amounts = new Map(items.map(({ day, unit, amountMicroUsd }) => [`${day} ${unit}`, amountMicroUsd]));
  return (
    <Chart
      label="Spending by day and kind of use"
      height={280}
      table={{
        columns: ['Day', 'For', 'Amount'],
        rows: items.map(({ day, unit, amountMicroUsd }) => [
          day,
          unitWords[unit].label,
          formatMoney(amountMicroUsd),
        ]),
      }}
      option={(colors) => ({
        legend: {
          bottom: 0,
          textStyle: { color: colors.text },
          icon: 'roundRect',
          itemWidth: 12,
          itemHeight: 8,
        },
        grid: { left: 8, right: 8, top: 16, bottom: 40, containLabel: true },
        tooltip: {
          trigger: 'axis',
          renderMode: 'richText',
          confine: true,
          backgroundColor: colors.page,
          borderColor: colors.line,
          textStyle: { color: colors.ink, fontSize: 12 },
          valueFormatter: (value: number) => formatMoney(value * microUsdPerUsd),
        },
        xAxis: {
          ...axis(colors),
          type: 'category',
          data: axisDays,
          axisLabel: { color: colors.text, formatter: (day: string) => dayWords(day) },
        },
        yAxis: {
          ...axis(colors),
          type: 'value',
          axisLabel: { color: colors.text, formatter: (usd: number) => formatMoney(usd * microUsdPerUsd) },
        },
        series: units.map((unit) => ({
          name: unitWords[unit].label,
          type: 'bar',
          stack: 'all',
          barMaxWidth: 28,
          data: axisDays.map((day) => (amounts.get(`${day} ${unit}`) ?? 0) / microUsdPerUsd),
        })),
      })}
    />
  );
}

/** The last days as `2026-11-23`, in UTC as the ledger counts them. */
function lastDays(count: number): string[] {
  const today = Math.floor(Date.now() / dayMs) * dayMs;
  return Array.from({ length: count }, (_, index) =>
    new Date(today - (count - 1 - index) * dayMs).toISOString().slice(0, 10),
  );
}

const short = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

function dayWords(day: string): string {
  return short.format(new Date(`${day}T00:00:00Z`));
}

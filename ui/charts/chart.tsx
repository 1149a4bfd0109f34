// One drawing by ECharts, in the colours of the page, redrawn when light turns to dark. Every chart carries its
// numbers as a table for those who do not see it, and for those who want the exact figures.
import { useComputedColorScheme } from '@mantine/core';
import { BarChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from 'echarts/components';
import { init, use, type EChartsCoreOption, type EChartsType } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { DataGrid } from '../kit/data-grid.tsx';
import classes from './chart.module.css';
import { chartColors, type ChartColors } from './colors.ts';

use([
  BarChart,
  HeatmapChart,
  LineChart,
  ScatterChart,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
  SVGRenderer,
]);

export interface ChartTable {
  columns: readonly string[];
  rows: readonly (readonly (string | number)[])[];
}

interface ChartProps {
  /** What the chart shows, in one sentence. */
  label: string;
  height?: number;
  /** What is drawn; called again when the colours change. */
  option: (colors: ChartColors) => EChartsCoreOption;
  table: ChartTable;
}

const tableRowLimit = 200;

/** A chart and its table. */
export function Chart({ label, height = 280, option, table }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    if (!place.current) return undefined;
    const drawing = init(place.current, undefined, { renderer: 'svg' });
    chart.current = drawing;
    const observer = new ResizeObserver(() => drawing.resize());
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      drawing.dispose();
      chart.current = undefined;
    };
  }, []);
  useEffect(() => {
    const colors = chartColors(scheme);
    chart.current?.setOption({ ...frame(colors), ...option(colors) }, { notMerge: true, lazyUpdate: true });
  });
  return (
    <figure className={classes.figure} aria-label={label}>
      <div ref={place} style={{ height }} aria-hidden />
      <details className={classes.numbers}>
        <summary>Show the numbers</summary>
        <DataGrid
          label={label}
          columns={table.columns.map((name) => ({ name, type: '' }))}
          rows={table.rows.slice(0, tableRowLimit)}
        />
      </details>
    </figure>
  );
}

/** What all charts have in common. The typeface is named, because the widths of words are measured with it. */
function frame(colors: ChartColors): EChartsCoreOption {
  return {
    animationDuration: 250,
    color: [...colors.series],
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colors.text, fontSize: 12 },
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
    tooltip: {
      confine: true,
      // Names come from people's data: drawn as text, never as HTML.
      renderMode: 'richText',
      backgroundColor: colors.page,
      borderColor: colors.line,
      textStyle: { color: colors.ink, fontSize: 12 },
    },
  };
}

// The colours of charts. Series differ in lightness as well as in hue, so that they can be told apart without seeing
// colours; the diverging scale (minus one to one) runs from cloudberry over the page to lake.

export interface ChartColors {
  page: string;
  ink: string;
  text: string;
  line: string;
  series: readonly string[];
  /** From minus one over zero to one. */
  diverging: readonly [string, string, string];
  /** From nothing to much. */
  rising: readonly [string, string];
}

const light: ChartColors = {
  page: '#ffffff',
  ink: '#14262b',
  text: '#566669',
  line: '#dfe7e7',
  series: ['#1b606a', '#e38a14', '#76ad56', '#8a4f7d', '#6aa9c9', '#a02631'],
  diverging: ['#d97706', '#f7f9f8', '#1b606a'],
  rising: ['#eef4f4', '#1b606a'],
};

const dark: ChartColors = {
  page: '#162024',
  ink: '#e4eced',
  text: '#9fb0b4',
  line: '#2a373c',
  series: ['#7cb7bc', '#f2a02f', '#95c17a', '#c08bb4', '#7fb8d6', '#eb868b'],
  diverging: ['#f2a02f', '#1a2428', '#7cb7bc'],
  rising: ['#182529', '#7cb7bc'],
};

/** The colours for a light or a dark page. */
export function chartColors(scheme: 'light' | 'dark'): ChartColors {
  return scheme === 'dark' ? dark : light;
}

/** How axes look: quiet. */
export function axis(colors: ChartColors, name?: string): Record<string, unknown> {
  return {
    name,
    nameLocation: 'middle',
    nameGap: 30,
    nameTextStyle: { color: colors.text },
    axisLine: { lineStyle: { color: colors.line } },
    axisTick: { show: false },
    axisLabel: { color: colors.text },
    splitLine: { lineStyle: { color: colors.line, opacity: 0.6 } },
  };
}

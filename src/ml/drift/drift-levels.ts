// What is much of a measure, as data: pages, alerts and documentation read it.

export const driftMeasures = [
  'psi',
  'kolmogorov-smirnov',
  'jensen-shannon',
  'chi-square',
  'mean-discrepancy',
] as const;
export type DriftMeasure = (typeof driftMeasures)[number];

/** same: as much as chance explains, or too little to matter. unclear: too few values to tell. */
export const driftLevels = ['unclear', 'same', 'little', 'lot'] as const;
export type DriftLevel = (typeof driftLevels)[number];

/** From where on a column moved a little, and a lot. Measures that only test have none. */
export const driftThresholds: Readonly<
  Partial<Record<DriftMeasure, { little: number; lot: number; source: string }>>
> = {
  psi: {
    little: 0.1,
    lot: 0.25,
    source: 'Siddiqi, "Credit risk scorecards", 2006: below 0.1 no change, from 0.25 on a shift',
  },
  'kolmogorov-smirnov': { little: 0.1, lot: 0.2, source: 'a tenth and a fifth of the rows lie elsewhere' },
  'jensen-shannon': {
    little: 0.1,
    lot: 0.2,
    source: 'of a shift that the stability index calls 0.1 and 0.25, rounded',
  },
  'mean-discrepancy': { little: 0.15, lot: 0.3, source: 'of 2, the distance of opposite directions' },
};

/** How often a report may name even one column that only chance has moved. */
export const falseAlarmShare = 0.01;

/** With fewer values than this on a side nothing is said. */
export const leastValues = 30;

/** The level of one measure. */
export function levelOf(measure: DriftMeasure, value: number): Exclude<DriftLevel, 'unclear'> {
  const threshold = driftThresholds[measure];
  if (!threshold || value < threshold.little) return 'same';
  return value < threshold.lot ? 'little' : 'lot';
}

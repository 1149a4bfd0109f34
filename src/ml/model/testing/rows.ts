// Rows to ask the sample models for, beyond their golden rows: what they never saw, nothing at all, the far ends of numbers.

export const oddRows: readonly Record<string, unknown>[] = [
  {},
  { area: 1e308, income: 0, isNew: true, group: 'z', city: 'nowhere', begun: '1600-02-29', note: '' },
  { area: -1e-300, income: -5, group: 'a', city: 'city 3', ended: '2026-12-31T23:59:59.999Z', note: 'ÄÖ 雲' },
  {
    area: 25.5,
    income: 4e4,
    isNew: false,
    group: 'b',
    begun: '2024-02-29',
    ended: '2026-03-01',
    note: 'loud flat',
  },
];

// Chooses the calendar parts of a date column, finds numbers that count time since 1970, and pairs of dates whose
// distance may matter. Looks at inputs only.
import { dateParts, epochMs, type DatePart, type EpochUnit } from './date-features.ts';
import type { ColumnEncoding } from './encoding.ts';

const dayMs = 86_400_000;
const mostDateColumns = 5;

/** The entry of a date column; undefined when every value is the same. */
export function fitDates(
  values: Float64Array,
  column: string,
  unit?: EpochUnit,
): Extract<ColumnEncoding, { kind: 'date' }> | undefined {
  const present = values.filter((value) => value === value).map((value) => epochMs(value, unit));
  const distinct = (of: (date: Date) => number): boolean => {
    const first = of(new Date(present[0]!));
    return present.some((value) => of(new Date(value)) !== first);
  };
  if (!distinct((date) => date.getTime())) return undefined;
  const hasYears = distinct((date) => date.getUTCFullYear());
  const hasMonths = distinct((date) => date.getUTCMonth());
  const hasHours = distinct((date) => date.getUTCHours() * 60 + date.getUTCMinutes());
  const hasDays = distinct((date) => Math.floor(date.getTime() / dayMs));
  const varying = new Set<DatePart>([
    'epochDays',
    ...(hasDays ? (['day', 'weekday', 'isWeekend', 'isMonthEnd', 'weekSine', 'weekCosine'] as const) : []),
    ...(hasYears ? (['year'] as const) : []),
    ...(hasMonths ? (['month', 'yearDay', 'yearSine', 'yearCosine'] as const) : []),
    ...(hasHours ? (['hour', 'daySine', 'dayCosine'] as const) : []),
  ]);
  const parts = dateParts.filter((part) => varying.has(part));
  return { kind: 'date', column, parts, ...(unit && { unit }) };
}

const timeName =
  /(?:^|[^a-z])(?:at|on|ts|time|date|timestamp|epoch|unix|created|updated)(?:[^a-z]|$)|(?:At|On|Time|Date|Stamp)$/i;
/** From 2001 to 2096. */
const plausibleMs = { low: 978_307_200_000, high: 4_000_000_000_000 };

/** The unit, where whole numbers count time since 1970 as their column's name and their size say. */
export function epochUnitOf(present: Float64Array, column: string): EpochUnit | undefined {
  if (!timeName.test(column) || !present.every(Number.isInteger)) return undefined;
  const fits = (scale: number): boolean =>
    present.every((value) => value * scale >= plausibleMs.low && value * scale <= plausibleMs.high);
  if (fits(1000)) return 'seconds';
  return fits(1) ? 'milliseconds' : undefined;
}

/** Distances between the first date columns, each pair once, the one that is mostly later after the other. */
export function fitDifferences(
  dates: readonly { column: string; values: Float64Array; unit?: EpochUnit }[],
): ColumnEncoding[] {
  const differences: ColumnEncoding[] = [];
  const columns = dates.slice(0, mostDateColumns);
  columns.forEach((one, index) => {
    for (const other of columns.slice(index + 1)) {
      const distances = one.values
        .map((value, row) => epochMs(other.values[row]!, other.unit) - epochMs(value, one.unit))
        .filter((value) => value === value);
      if (distances.every((value) => value === distances[0])) continue;
      const isLater = distances.reduce((count, value) => count + (value >= 0 ? 1 : -1), 0) >= 0;
      const [from, column] = isLater ? [one.column, other.column] : [other.column, one.column];
      differences.push({ kind: 'difference', column, from });
    }
  });
  return differences;
}

// Parts of the rows that can be said in a few words: one value of a column, or a stretch of its numbers. What cohorts and
// groups of people are made of.
import type { Column } from '../frame/frame.ts';

/** `is`: one value, or missing when null. `between`: above `from` up to `to`; null leaves that side open. */
export type Condition =
  | { column: string; kind: 'is'; value: string | null }
  | { column: string; kind: 'between'; from: number | null; to: number | null };

export interface Segment {
  condition: Condition;
  /** Ascending. */
  rows: Int32Array;
}

const mostValues = 12;
const stretches = 4;

/** The segments of a column that rows fall into, none of them empty; none for dates and texts, but for what is missing. */
export function segmentsOf(column: Column): Segment[] {
  const { name } = column;
  switch (column.kind) {
    case 'categorical':
      return byValue(name, column.codes, (code) => column.categories[code] ?? null);
    case 'boolean':
      return byValue(name, column.values, (value) =>
        value !== value ? null : value === 0 ? 'false' : 'true',
      );
    case 'numeric':
      return byStretch(name, column.values);
    case 'date':
      return missingOnly(name, column.values, (value) => value !== value);
    case 'text':
      return missingOnly(name, column.values, (value) => value === null);
    default:
      return column satisfies never;
  }
}

/** The rows that are in both. */
export function inBoth(a: Int32Array, b: Int32Array): Int32Array {
  const others = new Set(b);
  return a.filter((row) => others.has(row));
}

/** Most frequent first; values beyond the first dozen have too few rows to tell anything of. */
function byValue(
  column: string,
  values: ArrayLike<number>,
  nameOf: (value: number) => string | null,
): Segment[] {
  const rowsOf = new Map<string | null, number[]>();
  for (let row = 0; row < values.length; row++) {
    const value = nameOf(values[row]!);
    const rows = rowsOf.get(value);
    if (rows) rows.push(row);
    else rowsOf.set(value, [row]);
  }
  return [...rowsOf]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, mostValues)
    .map(([value, rows]) => ({ condition: { column, kind: 'is', value }, rows: Int32Array.from(rows) }));
}

/** Quarters of the rows, and those that are missing; few different numbers are values. */
function byStretch(column: string, values: Float64Array): Segment[] {
  const present = values.filter((value) => value === value).sort();
  if (new Set(present).size <= stretches)
    return byValue(column, values, (value) => (value === value ? String(value) : null));
  const edges = new Set<number>();
  for (let part = 1; part < stretches; part++)
    edges.add(present[Math.floor((part * present.length) / stretches)]!);
  const limits = [null, ...edges, null];
  const parts = limits.slice(1).map((to, index): Segment => {
    const from = limits[index]!;
    const isIn = (value: number): boolean =>
      (from === null || value > from) && (to === null || value <= to) && value === value;
    return { condition: { column, kind: 'between', from, to }, rows: rowsWhere(values, isIn) };
  });
  const missing = missingOnly(column, values, (value) => value !== value);
  return [...parts, ...missing].filter(({ rows }) => rows.length > 0);
}

function missingOnly<T>(column: string, values: ArrayLike<T>, isMissing: (value: T) => boolean): Segment[] {
  const rows = rowsWhere(values, isMissing);
  return rows.length === 0 ? [] : [{ condition: { column, kind: 'is', value: null }, rows }];
}

function rowsWhere<T>(values: ArrayLike<T>, isWanted: (value: T) => boolean): Int32Array {
  return Int32Array.from({ length: values.length }, (_, row) => row).filter((row) => isWanted(values[row]!));
}

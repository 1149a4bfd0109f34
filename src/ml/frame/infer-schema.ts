// Guesses column kinds from raw text columns, for callers that have no schema (a bare CSV).
// Conversion itself never guesses: it follows the schema found here (frame.ts, form `text`).
import type { ColumnKind, ColumnSchema } from './schema.ts';
import { readValue, RefusedValue } from './values.ts';

const booleanPairs = [
  new Set(['true', 'false']),
  new Set(['yes', 'no']),
  new Set(['t', 'f']),
  new Set(['y', 'n']),
];
const longTextCharacters = 30;
/** With a larger share of codes among their values, columns are no prose. */
export const mostCodes = 0.9;
const sampleSize = 1000;

/**
 * The kind that every present value of each column fits: numeric, date, boolean, else categorical, or text where
 * values are mostly distinct and long (30 characters on average, or several words) and no codes.
 */
export function inferSchema(columns: Readonly<Record<string, readonly (string | null)[]>>): ColumnSchema[] {
  return Object.entries(columns).map(([name, values]) => ({ name, kind: inferKind(values) }));
}

function inferKind(values: readonly (string | null)[]): ColumnKind {
  const present = values.filter((value): value is string => value !== null && value.trim() !== '');
  if (present.length === 0) return 'categorical';
  for (const kind of ['numeric', 'date'] as const) {
    if (present.every((value) => !(readValue(value, kind, 'text') instanceof RefusedValue))) return kind;
  }
  const distinct = new Set(present);
  const lowered = new Set([...distinct].slice(0, 3).map((value) => value.trim().toLowerCase()));
  if (distinct.size <= 2 && booleanPairs.some((pair) => [...lowered].every((value) => pair.has(value))))
    return 'boolean';
  return isFreeText(present.length, distinct) ? 'text' : 'categorical';
}

/** Whether distinct texts among `presentCount` values read as prose rather than as categories. */
export function isFreeText(presentCount: number, distinct: ReadonlySet<string>): boolean {
  if (distinct.size < 20 || distinct.size < presentCount * 0.5) return false;
  // From all of them: data is often sorted.
  const step = Math.ceil(distinct.size / sampleSize);
  const sample = [...distinct].filter((_, index) => index % step === 0);
  if (sample.filter(isCode).length > sample.length * mostCodes) return false;
  const characters = sample.reduce((sum, value) => sum + value.length, 0) / sample.length;
  const words = sample.reduce((sum, value) => sum + value.split(/\s+/).length, 0) / sample.length;
  return characters >= longTextCharacters || words >= 3;
}

/** Whether a value is one run of plain letters and digits, such as a part number, a UUID or a hash: no prose, however long. */
export function isCode(value: string): boolean {
  return /^\s*[A-Za-z0-9_{}-]+\s*$/.test(value);
}

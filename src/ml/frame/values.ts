// One value from outside (JSON, or the text of a CSV field) read as a column kind. Strict: what does not fit is
// refused with a sentence, never guessed. Numbers, booleans and dates become a float64 (NaN = missing), categories
// and texts a string (null = missing).
import type { ColumnKind } from './schema.ts';

/** `json`: values have JSON types. `text`: every value is the raw text of a field, as in CSV. */
export type ValueForm = 'json' | 'text';

/** A value that was refused, and why. */
export class RefusedValue {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** A number (NaN = missing), a string (null = missing), or the reason why not. */
export type ReadValue = number | string | null | RefusedValue;

/**
 * Reads `value` as `kind`. In JSON form: numeric takes finite numbers, boolean takes true and false, date takes
 * ISO 8601 text or milliseconds since 1970, categorical takes text (numbers and booleans by their JSON text), text
 * takes text. In text form: the usual spellings of each; empty is missing, and for numbers, booleans and dates so are
 * NA, N/A, NaN, null, None and ?.
 */
export function readValue(value: unknown, kind: ColumnKind, form: ValueForm): ReadValue {
  const isWord = kind === 'categorical' || kind === 'text';
  if (value === null || value === undefined) return isWord ? null : NaN;
  if (form === 'text' && typeof value === 'string') return readText(value, kind, isWord);
  switch (kind) {
    case 'numeric':
      if (typeof value !== 'number' && typeof value !== 'bigint') return refuse('a number', value);
      return Math.abs(Number(value)) === Infinity ? refuse('a finite number', value) : Number(value);
    case 'boolean':
      return typeof value === 'boolean' ? Number(value) : refuse('true or false', value);
    case 'date':
      return readDate(value);
    case 'categorical':
      if (typeof value === 'string') return value;
      if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
      if (typeof value === 'number') return value === value ? String(value) : null;
      return refuse('text', value);
    case 'text':
      return typeof value === 'string' ? value : refuse('text', value);
    default:
      return kind satisfies never;
  }
}

/**
 * Milliseconds since 1970 of an ISO 8601 date or date-time (`2026-11-22`, `2026-11-22T10:00:00Z`, a space for the T,
 * slashes for the hyphens); without an offset it is UTC. `undefined` when the text is none.
 */
export function parseDateMs(text: string): number | undefined {
  const match = datePattern.exec(text.trim());
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const timeMs = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour ?? 0),
    Number(minute ?? 0),
    Number(second ?? 0),
  );
  const date = new Date(timeMs);
  const isReal =
    date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && Number(hour ?? 0) < 24;
  if (!isReal || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59) return undefined;
  const fractionMs = fraction ? Math.floor(Number(`0.${fraction}`) * 1000) : 0;
  return timeMs + fractionMs - offsetMs(offset);
}

const datePattern =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;
const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const missingWords = new Set(['', 'na', 'n/a', 'nan', 'null', 'none', '?']);
const booleanWords = new Map(
  Object.entries({ true: 1, t: 1, yes: 1, y: 1, '1': 1, false: 0, f: 0, no: 0, n: 0, '0': 0 }),
);

function readText(field: string, kind: ColumnKind, isWord: boolean): ReadValue {
  if (isWord) return field === '' ? null : field;
  const text = field.trim();
  if (missingWords.has(text.toLowerCase())) return NaN;
  if (kind === 'numeric') {
    const value = numberPattern.test(text) ? Number(text) : NaN;
    return Number.isFinite(value) ? value : refuse('a number', field);
  }
  if (kind === 'boolean') return booleanWords.get(text.toLowerCase()) ?? refuse('true or false', field);
  return parseDateMs(text) ?? refuse('a date such as 2026-11-22 or 2026-11-22T10:00:00Z', field);
}

function readDate(value: unknown): ReadValue {
  if (typeof value === 'string') {
    return value === ''
      ? NaN
      : (parseDateMs(value) ?? refuse('a date such as 2026-11-22 or 2026-11-22T10:00:00Z', value));
  }
  if (typeof value === 'number')
    return value !== value || Math.abs(value) <= 8.64e15 ? value : refuse('a date', value);
  if (value instanceof Date) return value.getTime();
  return refuse('a date as ISO 8601 text, or milliseconds since 1970', value);
}

function offsetMs(offset: string | undefined): number {
  if (offset === undefined || offset === 'Z') return 0;
  const digits = offset.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0);
  return (offset.startsWith('-') ? -minutes : minutes) * 60_000;
}

function refuse(expected: string, value: unknown): RefusedValue {
  const shown =
    typeof value === 'string'
      ? `"${value.slice(0, 40)}"`
      : typeof value === 'number'
        ? String(value)
        : describe(value);
  return new RefusedValue(`must be ${expected}, got ${shown}`);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object'
    ? 'an object'
    : `${typeof value === 'boolean' ? 'the boolean' : 'the'} ${String(value).slice(0, 40)}`;
}

// Numbers, money, times and sizes as people read them. English, with dates that cannot be misread (23 Nov 2026).
import { microUsdPerUsd } from '../../src/base/money.ts';

const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compacts = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const dates = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const times = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});
const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** `12,345`. */
export function formatCount(value: number): string {
  return counts.format(value);
}

/** `12 rows`, `1 row`. */
export function formatCountOf(value: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(value)} ${value === 1 ? noun : plural}`;
}

/** `12.3K`, for axes and narrow places. */
export function formatCompact(value: number): string {
  return compacts.format(value);
}

/** A measured number with about four digits that matter: `0.8734`, `12,345`, `1.2e-9`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return String(value);
  if (size >= 1e12 || size < 1e-4) return value.toExponential(2);
  if (size >= 1000)
    return new Intl.NumberFormat('en', { maximumFractionDigits: size >= 1e5 ? 0 : 1 }).format(value);
  return new Intl.NumberFormat('en', { maximumSignificantDigits: 4 }).format(value);
}

/** A measured difference with its sign: `+42.62`, `−251`. */
export function formatDifference(value: number): string {
  const sign = value === 0 ? '' : value < 0 ? '−' : '+';
  return `${sign}${formatNumber(Math.abs(value))}`;
}

/** `87.3%`; the ends keep their meaning: 99.96% is never shown as 100%. */
export function formatShare(share: number, digits = 1): string {
  const percent = share * 100;
  if (share > 0 && percent < 0.1) return '< 0.1%';
  if (share < 1 && percent > 99.9) return '> 99.9%';
  return `${percent.toFixed(percent === 100 || percent === 0 ? 0 : digits)}%`;
}

/** `87` of "87 of 100"; a share below one is never rounded up to 100. */
export function ofHundred(share: number): number {
  const rounded = Math.round(share * 100);
  return share < 1 && rounded === 100 ? 99 : rounded;
}

/** `$1,234.50`; amounts below a cent keep the digits that show them. */
export function formatMoney(microUsd: number): string {
  const usd = microUsd / microUsdPerUsd;
  const isTiny = microUsd !== 0 && Math.abs(usd) < 0.01;
  return new Intl.NumberFormat('en', {
    style: 'currency',
    currency: 'USD',
    ...(isTiny ? { maximumSignificantDigits: 2 } : {}),
  }).format(usd);
}

const byteUnits = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** `1.2 MB`, in powers of a thousand. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${byteUnits[unit]}`;
}

/** `20 s`, `1 min 30 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 10 && seconds % 1 > 0.05) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return join(Math.floor(whole / 60), 'min', whole % 60, 's');
  return join(Math.floor(whole / 3600), 'h', Math.round((whole % 3600) / 60), 'min');
}

/** `23 Nov 2026`. */
export function formatDate(iso: string): string {
  return dates.format(new Date(iso));
}

/** `23 Nov 2026, 14:05`, in the reader's time zone. */
export function formatTime(iso: string): string {
  return times.format(new Date(iso));
}

/** `3 minutes ago`, `in 2 days`; a date when it is further away than a month. */
export function formatAgo(iso: string, nowMs: number): string {
  const seconds = (Date.parse(iso) - nowMs) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return seconds > 0 ? 'in a moment' : 'just now';
  if (size < 45 * 60) return ago.format(Math.round(seconds / 60), 'minute');
  if (size < 22 * 3600) return ago.format(Math.round(seconds / 3600), 'hour');
  if (size < 30 * 86_400) return ago.format(Math.round(seconds / 86_400), 'day');
  return formatDate(iso);
}

/** Seconds between two times, or until `nowMs` while the second is missing. */
export function secondsBetween(startIso: string, endIso: string | null, nowMs: number): number {
  return Math.max(0, ((endIso === null ? nowMs : Date.parse(endIso)) - Date.parse(startIso)) / 1000);
}

/** A value of a table as text; missing is an em dash. */
export function formatCell(value: unknown): string {
  if (value === null || value === undefined) return '—';
  if (typeof value === 'number')
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

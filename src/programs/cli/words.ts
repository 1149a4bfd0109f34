// How figures read in the terminal: sizes, counts, durations, times, scores.
import { formatUsd } from '../../base/money.ts';
import { inThousands } from '../../base/words.ts';

/** `12.3 MiB` */
export function bytesInWords(sizeBytes: number | null | undefined): string {
  if (sizeBytes === null || sizeBytes === undefined) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, sizeBytes)) / 10)));
  const value = sizeBytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** `48,842` */
export function countInWords(count: number | null | undefined): string {
  return count === null || count === undefined ? '' : inThousands(count);
}

/** `850 ms`, `12.3 s`, `4 min 5 s` */
export function durationInWords(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A time of the API as `2026-01-31 14:05` in the reader's time zone. */
export function timeInWords(isoTime: string | null | undefined): string {
  if (!isoTime) return '';
  const time = new Date(isoTime);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** Four significant digits, as scores and statistics are read. */
export function scoreInWords(score: number | null | undefined): string {
  if (score === null || score === undefined) return '';
  return Number.isFinite(score) ? String(Number(score.toPrecision(4))) : String(score);
}

/** `$1.25` */
export function usdInWords(amountMicroUsd: number | null | undefined): string {
  return amountMicroUsd === null || amountMicroUsd === undefined ? '' : formatUsd(amountMicroUsd);
}

/** With a capital letter at its start. */
export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// A table as CSV (RFC 4180).
import type { TableData } from '../../api/types.ts';

/** Header and rows; missing values are empty fields. */
export function csvOf({ columns, rows }: TableData): string {
  const lines = [columns.map(({ name }) => field(name)), ...rows.map((row) => row.map(field))];
  return `${lines.map((cells) => cells.join(',')).join('\r\n')}\r\n`;
}

function field(value: string | number | boolean | null): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

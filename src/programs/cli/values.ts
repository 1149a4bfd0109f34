// Readers of option values. A value that cannot be read is wrong usage, told with what would be right.
import { InvalidArgumentError, Option } from 'commander';
import { microUsdPerUsd } from '../../base/money.ts';
import { parseDurationMs } from '../../base/time.ts';

/** A reader of whole numbers from `minimum` to `maximum`. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
}

/** A number between two bounds, both included. */
export function numberWithin(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a number from ${minimum} to ${maximum}.`);
  };
}

/** Any number. */
export function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number.');
}

/** A JSON object. */
export function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below, like any other value that is no object.
  }
  throw new InvalidArgumentError('It must be a JSON object, such as {"age": 31}.');
}

/** `60s`, `5m`, `1h`, or plain seconds; in seconds. */
export function durationSeconds(text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined && durationMs >= 1000 && durationMs <= 86_400_000) return durationMs / 1000;
  throw new InvalidArgumentError('It must be a time from 1s to 24h, such as 60s, 5m or 1h.');
}

/** US dollars, in micro-dollars. */
export function usd(text: string): number {
  const match = /^\$?(\d+(?:\.\d{1,6})?)$/.exec(text.trim());
  if (match) return Math.round(Number(match[1]) * microUsdPerUsd);
  throw new InvalidArgumentError('It must be an amount in US dollars, such as 20 or 0.50.');
}

/** A public key for Ed25519; for options that may be given several times. */
export function publicKeys(text: string, before: string[] | undefined): string[] {
  if (/^[0-9a-f]{64}$/i.test(text)) return [...(before ?? []), text.toLowerCase()];
  throw new InvalidArgumentError('It must be a public key: 64 hexadecimal digits.');
}

/** For options that may be given several times. */
export function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

/** For lists with commas that may be given several times. */
export function collectList(text: string, before: string[][] | undefined): string[][] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes(''))
    throw new InvalidArgumentError('It must be a list with commas, such as age,income.');
  return [...(before ?? []), items];
}

/** Names with commas between them, or a JSON list where names hold commas themselves. */
export function nameList(text: string): string[] {
  const names = text.trimStart().startsWith('[')
    ? jsonList(text)
    : text.split(',').map((name) => name.trim());
  if (names.every((name) => typeof name === 'string' && name !== '')) return names as string[];
  throw new InvalidArgumentError(
    'It must be names with commas, such as age,income, or a JSON list of names.',
  );
}

function jsonList(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [undefined];
  } catch {
    return [undefined];
  }
}

/** For `NAME=VALUE` options that may be given several times. */
export function collectPair(
  text: string,
  before: Record<string, string> | undefined,
): Record<string, string> {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must have the form NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Numbers between which a column stays; either may be left out. */
export interface ColumnRange {
  column: string;
  from: number | null;
  to: number | null;
}

/** For ranges that may be given for several columns: `age=18..65`, `price=..100`. */
export function collectRange(text: string, before: ColumnRange[] | undefined): ColumnRange[] {
  const found = /^(?<column>.+)=(?<from>[^=]*?)\.\.(?<to>[^=]*)$/s.exec(text)?.groups;
  const numberOf = (end: string): number | null => (end.trim() === '' ? null : Number(end));
  const range = found && {
    column: found['column']!,
    from: numberOf(found['from']!),
    to: numberOf(found['to']!),
  };
  if (!range || Number.isNaN(range.from) || Number.isNaN(range.to) || (range.from ?? range.to) === null)
    throw new InvalidArgumentError(
      'It must have the form COLUMN=FROM..TO, such as age=18..65 or price=..100.',
    );
  return [...(before ?? []), range];
}

/** An option that takes one of some words. */
export function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words);
}

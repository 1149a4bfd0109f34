// Small readers for JSON that nobody vouches for: each returns the value in the type it claims, or throws
// `model-file-invalid` naming the place. Only for model files, whose bundle must stay small.
import { invalid } from './header.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function objectAt(value: unknown, place: string): Fields {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw invalid(`${place} is not an object`);
  return value as Fields;
}

export function listAt<T>(
  value: unknown,
  place: string,
  maximum: number,
  read: (item: unknown, place: string) => T,
): T[] {
  if (!Array.isArray(value) || value.length > maximum)
    throw invalid(`${place} is not a list of at most ${maximum}`);
  return value.map((item, index) => read(item, `${place}[${index}]`));
}

export function textAt(value: unknown, place: string): string {
  if (typeof value !== 'string' || value.length > 100_000) throw invalid(`${place} is not a text`);
  return value;
}

export function numberAt(value: unknown, place: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(`${place} is not a number`);
  return value;
}

export function countAt(value: unknown, place: string): number {
  const number = numberAt(value, place);
  if (!Number.isSafeInteger(number) || number < 0) throw invalid(`${place} is not a whole number`);
  return number;
}

export function wordAt<T extends string>(value: unknown, place: string, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw invalid(`${place} is not one of ${words.join(', ')}`);
  return word;
}

/** Throws unless `condition` holds. */
export function demand(condition: boolean, what: string): asserts condition {
  if (!condition) throw invalid(what);
}

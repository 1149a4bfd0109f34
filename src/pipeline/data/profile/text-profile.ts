// What the distinct values of one column of texts, with how often each occurs, say about it. Values come one at a time
// and are not kept.
import type { DatasetProfile } from '../../../contract/dataset.ts';
import { isCode } from '../../../ml/frame/infer-schema.ts';
import { isNumber } from '../import/value-forms.ts';
import { histogramOf } from './number-profile.ts';

type Column = DatasetProfile['columns'][number];

export interface TextFigures {
  presentCount: number;
  distinctCount: number;
  topValues: Column['topValues'];
  /** Of the lengths in characters. */
  histogram: Column['histogram'];
  meanCharacters: number;
  meanWords: number;
  /** How many of the distinct values are codes rather than prose. */
  codeCount: number;
  /** How many of the present values read as numbers, and one that does not. */
  numberCount: number;
  notNumber: string | null;
}

export interface TextProfiler {
  add(value: string, count: number): void;
  end(): TextFigures;
}

const maxShownCharacters = 100;

/** Collects the figures of one column. */
export function textProfiler(size: { bins: number; top: number }): TextProfiler {
  let presentCount = 0;
  let distinctCount = 0;
  let characters = 0;
  let words = 0;
  let codeCount = 0;
  let numberCount = 0;
  let notNumber: string | null = null;
  let top: Column['topValues'] = [];
  const lengths = new Map<number, number>();

  return {
    add(value, count) {
      presentCount += count;
      distinctCount++;
      characters += value.length * count;
      words += countWords(value) * count;
      lengths.set(value.length, (lengths.get(value.length) ?? 0) + count);
      if (isCode(value)) codeCount++;
      if (isNumber(value.trim())) numberCount += count;
      else notNumber ??= shown(value);
      if (top.length < size.top || count >= top.at(-1)!.count) {
        top.push({ value: shown(value), count });
        top.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
        top = top.slice(0, size.top);
      }
    },
    end: () => ({
      presentCount,
      distinctCount,
      topValues: distinctCount <= size.top ? top : top.filter(({ count }) => count > 1),
      histogram: lengthHistogram(lengths, presentCount, size.bins),
      meanCharacters: presentCount === 0 ? 0 : characters / presentCount,
      meanWords: presentCount === 0 ? 0 : words / presentCount,
      codeCount,
      numberCount,
      notNumber,
    }),
  };
}

function lengthHistogram(
  lengths: ReadonlyMap<number, number>,
  count: number,
  bins: number,
): Column['histogram'] {
  const values = new Float64Array(count);
  let filled = 0;
  for (const [length, times] of [...lengths].sort(([a], [b]) => a - b)) {
    values.fill(length, filled, filled + times);
    filled += times;
  }
  return histogramOf(values, Math.min(bins, lengths.size));
}

function countWords(value: string): number {
  let count = 0;
  let isInside = false;
  for (let index = 0; index < value.length; index++) {
    const isSpace = value.charCodeAt(index) <= 0x20;
    if (!isSpace && !isInside) count++;
    isInside = !isSpace;
  }
  return count;
}

function shown(value: string): string {
  return value.length <= maxShownCharacters ? value : `${value.slice(0, maxShownCharacters - 1)}…`;
}

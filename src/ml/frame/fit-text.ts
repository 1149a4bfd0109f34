// Chooses the terms of a text column: the most frequent that are in several rows but not in all, by kind, weighed by
// inverse document frequency. It reads inputs of training rows only, and no target.
import { log } from '../model/arithmetic.ts';
import type { TermList, TextEncoding } from './text-features.ts';
import { maximumTextCharacters, readTerms, type TermKind } from './text-terms.ts';

const mostTerms: Readonly<Record<TermKind, number>> = { words: 2048, pairs: 1024, grams: 1024 };
const fewestTerms = 16;
/** Of all terms of all text columns, a byte for each row. */
const maximumBytes = 96 * 1024 * 1024;
/** Evenly spaced rows that terms are counted in: enough to know which are frequent. */
const mostRows = 20_000;
const mostCharacters = 3_000_000;
const fewestRowsOfTerm = 2;

/** @param columnCount how many text columns share the room */
export function fitText(
  column: string,
  values: readonly (string | null)[],
  columnCount: number,
): TextEncoding {
  const read = sampleOf(values);
  const counts = countRows(read);
  const byMemory = maximumBytes / Math.max(1, values.length) / columnCount;
  // Of fewer rows, fewer terms can be told from chance.
  const share = Math.min(1, byMemory / 4096, values.length / 1000) / Math.sqrt(columnCount);
  const listOf = (kind: TermKind): TermList =>
    chosenTerms(counts[kind], read.length, Math.max(fewestTerms, Math.floor(mostTerms[kind] * share)));
  return { kind: 'text', column, words: listOf('words'), pairs: listOf('pairs'), grams: listOf('grams') };
}

function sampleOf(values: readonly (string | null)[]): string[] {
  const present = values.filter((value): value is string => value !== null);
  const step = Math.max(1, present.length / mostRows);
  const sample: string[] = [];
  let characterCount = 0;
  // In strides, so that a cut at the limit of characters leaves rows of the whole column.
  const strideCount = 16;
  for (let stride = 0; stride < strideCount; stride++) {
    for (let at = stride * step; at < present.length; at += step * strideCount) {
      const text = present[Math.floor(at)]!;
      characterCount += Math.min(text.length, maximumTextCharacters);
      sample.push(text);
      if (characterCount > mostCharacters) return sample;
    }
  }
  return sample;
}

/** In how many texts each term is. */
function countRows(texts: readonly string[]): Record<TermKind, Map<number, number>> {
  const counts = {
    words: new Map<number, number>(),
    pairs: new Map<number, number>(),
    grams: new Map<number, number>(),
  };
  const lastText = {
    words: new Map<number, number>(),
    pairs: new Map<number, number>(),
    grams: new Map<number, number>(),
  };
  texts.forEach((text, index) =>
    readTerms(text, (kind, hash) => {
      if (lastText[kind].get(hash) === index) return;
      lastText[kind].set(hash, index);
      counts[kind].set(hash, (counts[kind].get(hash) ?? 0) + 1);
    }),
  );
  return counts;
}

function chosenTerms(counts: ReadonlyMap<number, number>, textCount: number, most: number): TermList {
  const repeated: [hash: number, count: number][] = [];
  // Most terms occur once: no list is made of them.
  for (const [hash, count] of counts)
    if (count >= fewestRowsOfTerm && count < textCount) repeated.push([hash, count]);
  const chosen = repeated.sort(([a, countOfA], [b, countOfB]) => countOfB - countOfA || a - b).slice(0, most);
  return {
    hashes: chosen.map(([hash]) => hash),
    weights: chosen.map(([, count]) => Number((1 + log((1 + textCount) / (1 + count))).toPrecision(5))),
  };
}

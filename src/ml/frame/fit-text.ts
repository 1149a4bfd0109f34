// Chooses the terms of a text column: the most frequent that are in several rows but not in all, by kind, weighed by
// inverse document frequency. It reads inputs of training rows only, and no target.
import { log } from '../model/arithmetic.ts';
import { termTable, type TermTable } from './term-table.ts';
import type { TermList, TextEncoding } from './text-features.ts';
import { maximumTextCharacters, readTerms, type TermKind } from './text-terms.ts';

const mostTerms: Readonly<Record<TermKind, number>> = { words: 2048, pairs: 1024, grams: 1024 };
const fewestTerms = 16;
/** Of all terms of all text columns, a byte for each row. */
const maximumBytes = 96 * 1024 * 1024;
/** Evenly spaced rows that terms are counted in: enough to know which are frequent. */
const mostRows = 20_000;
const mostCharacters = 1_500_000;
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
interface TermCounts {
  table: TermTable;
  counts: Int32Array;
}

function countRows(texts: readonly string[]): Record<TermKind, TermCounts> {
  const characterCount = texts.reduce((sum, text) => sum + Math.min(text.length, maximumTextCharacters), 0);
  const newCounts = (termsPerCharacter: number): TermCounts & { lastText: Int32Array } => {
    const capacity = termsPerCharacter * characterCount + texts.length + 1;
    return {
      table: termTable(capacity),
      counts: new Int32Array(capacity),
      lastText: new Int32Array(capacity),
    };
  };
  // A word may be a character, and n characters between boundaries have n runs of three and n - 1 of four.
  const all = { words: newCounts(1), pairs: newCounts(1), grams: newCounts(2) };
  texts.forEach((text, index) =>
    readTerms(text, (kind, hash) => {
      const { table, counts, lastText } = all[kind];
      const place = table.add(hash);
      if (lastText[place] === index + 1) return;
      lastText[place] = index + 1;
      counts[place]!++;
    }),
  );
  return all;
}

function chosenTerms({ table, counts }: TermCounts, textCount: number, most: number): TermList {
  const places: number[] = [];
  for (let place = 0; place < table.size(); place++)
    if (counts[place]! >= fewestRowsOfTerm && counts[place]! < textCount) places.push(place);
  const { hashes } = table;
  places.sort((a, b) => counts[b]! - counts[a]! || hashes[a]! - hashes[b]!);
  const chosen = places.slice(0, most);
  const weightOf = (count: number): number => 1 + log((1 + textCount) / (1 + count));
  return {
    hashes: chosen.map((place) => hashes[place]!),
    weights: chosen.map((place) => Number(weightOf(counts[place]!).toPrecision(5))),
  };
}

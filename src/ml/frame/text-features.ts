// A text as numbers: what it looks like as a whole, and the weight of each term that its encoding knows. A term weighs
// its count times its inverse document frequency (Spärck Jones 1972), as a share of the text's known terms of that kind;
// the root of that share makes each text a vector of length one. Weights are whole numbers up to 30: a byte each, most
// of them zero, which linear models keep sparse, and few enough for the narrow bins of trees. Equal bits everywhere: nothing but + - * / and sqrt, and own logarithms.
import { log } from '../model/arithmetic.ts';
import { readTerms, termKinds, type TermKind } from './text-terms.ts';

/** Terms by their hashes, the most frequent first, and what each weighs. */
export interface TermList {
  hashes: readonly number[];
  weights: readonly number[];
}

export interface TextEncoding extends Readonly<Record<TermKind, TermList>> {
  kind: 'text';
  column: string;
}

/** Features before those of the terms, in the order they are written in. */
export const textShapes = ['characters', 'words', 'digits', 'capitals'] as const;

/** Trees see only so many words, the most frequent: they try each feature at each question. */
export const mostWordsForTrees = 512;

/** The weight of a term that is alone in its text. */
export const heaviestTerm = 30;

/** How many features a text becomes. */
export function textWidth(encoding: TextEncoding): number {
  return termKinds.reduce<number>((sum, kind) => sum + encoding[kind].hashes.length, textShapes.length);
}

/** Writes the features of one text into `out` from `start`. */
export function textEncoder(
  encoding: TextEncoding,
): (text: string | null, out: Float64Array, start: number) => void {
  const width = textWidth(encoding);
  let place: number = textShapes.length;
  const lists = termKinds.map((kind) => {
    const { hashes, weights } = encoding[kind];
    const first = place;
    place += hashes.length;
    return { kind, weights, first, places: new Map(hashes.map((hash, index) => [hash, first + index])) };
  });
  const placesOf = Object.fromEntries(lists.map(({ kind, places }) => [kind, places])) as Record<
    TermKind,
    Map<number, number>
  >;
  const found: number[] = [];
  return (text, out, start) => {
    out.fill(0, start, start + width);
    if (text === null) {
      out.fill(NaN, start, start + textShapes.length);
      return;
    }
    found.length = 0;
    const shape = readTerms(text, (kind, hash) => {
      const at = placesOf[kind].get(hash);
      if (at === undefined) return;
      if (out[start + at] === 0) found.push(at);
      out[start + at]!++;
    });
    const characters = Math.max(1, shape.characterCount);
    out[start] = log(1 + shape.characterCount);
    out[start + 1] = log(1 + shape.wordCount);
    out[start + 2] = shape.digitCount / characters;
    out[start + 3] = shape.capitalCount / characters;
    for (const { weights, first } of lists) weigh(found, { weights, first, out, start });
  };
}

/** Turns the counts of one kind of terms into their weights. */
function weigh(
  found: readonly number[],
  {
    weights,
    first,
    out,
    start,
  }: { weights: readonly number[]; first: number; out: Float64Array; start: number },
): void {
  const end = first + weights.length;
  let sum = 0;
  for (const at of found) if (at >= first && at < end) sum += out[start + at]! * weights[at - first]!;
  for (const at of found) {
    if (at < first || at >= end) continue;
    const share = (out[start + at]! * weights[at - first]!) / sum;
    out[start + at] = Math.max(1, Math.round(heaviestTerm * Math.sqrt(share)));
  }
}

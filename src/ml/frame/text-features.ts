// A text as numbers: what it looks like as a whole, and the weight of each term that its encoding knows. A term weighs
// its count times its inverse document frequency (Spärck Jones 1972), as a share of the text's known terms of that kind;
// the root of that share makes each text a vector of length one. Weights are whole numbers up to 30: a byte each, most
// of them zero, which linear models keep sparse, and few enough for the narrow bins of trees. Equal bits everywhere: nothing but + - * / and sqrt, and own logarithms.
import { log } from '../model/arithmetic.ts';
import { termTable } from './term-table.ts';
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

/** Tells the features of one text that are not zero. */
export type TextReader = (text: string | null, write: (feature: number, value: number) => void) => void;

/** The reader of an encoding's texts. */
export function textReader(encoding: TextEncoding): TextReader {
  let first: number = textShapes.length;
  const lists = termKinds.map((kind) => {
    const { hashes, weights } = encoding[kind];
    const table = termTable(hashes.length);
    for (const hash of hashes) table.add(hash);
    const list = { weights, first, table, counts: new Int32Array(hashes.length), found: [] as number[] };
    first += hashes.length;
    return list;
  });
  const listOf = Object.fromEntries(termKinds.map((kind, index) => [kind, lists[index]!])) as Record<
    TermKind,
    (typeof lists)[number]
  >;
  return (text, write) => {
    if (text === null) {
      for (let feature = 0; feature < textShapes.length; feature++) write(feature, NaN);
      return;
    }
    const shape = readTerms(text, (kind, hash) => {
      const { table, counts, found } = listOf[kind];
      const place = table.placeOf(hash);
      if (place >= 0 && counts[place]!++ === 0) found.push(place);
    });
    const characters = Math.max(1, shape.characterCount);
    write(0, log(1 + shape.characterCount));
    write(1, log(1 + shape.wordCount));
    write(2, shape.digitCount / characters);
    write(3, shape.capitalCount / characters);
    for (const { weights, counts, found, first: start } of lists) {
      let sum = 0;
      for (const place of found) sum += counts[place]! * weights[place]!;
      for (const place of found) {
        const share = (counts[place]! * weights[place]!) / sum;
        write(start + place, Math.max(1, Math.round(heaviestTerm * Math.sqrt(share))));
        counts[place] = 0;
      }
      found.length = 0;
    }
  };
}

/** Writes the features of one text into `out` from `start`. */
export function textEncoder(
  encoding: TextEncoding,
): (text: string | null, out: Float64Array, start: number) => void {
  const width = textWidth(encoding);
  const read = textReader(encoding);
  return (text, out, start) => {
    out.fill(0, start, start + width);
    read(text, (feature, value) => (out[start + feature] = value));
  };
}

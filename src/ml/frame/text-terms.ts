// What a text is made of, in any script: words, pairs of neighbouring words, and runs of 3 and 4 characters inside words
// (which find stems, misspellings and parts of compounds), each known by a hash of 32 bits (Weinberger et al., "Feature
// hashing", ICML 2009). Vocabularies made of hashes hold no text of anybody.
//
// Unicode's own tables differ between runtimes, so the rules are few and fixed here: letters of Latin-1, Greek and
// Cyrillic lose their case; every character of a script without spaces, every emoji and symbol is a word of its own.

export const termKinds = ['words', 'pairs', 'grams'] as const;
export type TermKind = (typeof termKinds)[number];

/** Figures of a text as a whole. */
export interface TextShape {
  characterCount: number;
  wordCount: number;
  digitCount: number;
  capitalCount: number;
}

/** What lies behind is not read. */
export const maximumTextCharacters = 20_000;

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;
const salts = { words: fnvOffset, pairs: fnvOffset ^ 0x5bd1e995, grams: fnvOffset ^ 0x2c1b3c6d };
const gramLengths = [3, 4];
const wordBoundary = 32;
const longestWord = 64;

/** Calls `add` for every term of `text`, as often as it occurs. */
export function readTerms(text: string, add: (kind: TermKind, hash: number) => void): TextShape {
  const length = Math.min(text.length, maximumTextCharacters);
  const shape: TextShape = { characterCount: length, wordCount: 0, digitCount: 0, capitalCount: 0 };
  // Between boundaries, so that runs at the ends of words are told from those inside.
  const word = new Uint16Array(longestWord + 2);
  word[0] = wordBoundary;
  let wordLength = 0;
  let before: number | undefined;
  const endWord = (hasGrams: boolean): void => {
    if (wordLength === 0) return;
    const hash = hashOf(word, { from: 1, to: wordLength + 1, salt: salts.words });
    add('words', hash);
    if (before !== undefined) add('pairs', finish(mix(mix(salts.pairs, before), hash)));
    before = hash;
    shape.wordCount++;
    if (hasGrams) addGrams(word, wordLength, add);
    wordLength = 0;
  };
  for (let index = 0; index < length; index++) {
    const raw = text.charCodeAt(index);
    const unit = lowerCase(raw);
    if (unit !== raw) shape.capitalCount++;
    if (unit >= 48 && unit <= 57) shape.digitCount++;
    if (isAlone(unit)) {
      endWord(true);
      word[++wordLength] = unit;
      if (isPairStart(unit) && index + 1 < length) word[++wordLength] = text.charCodeAt(++index);
      endWord(false);
    } else if (!isLetterOrDigit(unit)) endWord(true);
    else if (wordLength < longestWord) word[++wordLength] = unit;
  }
  endWord(true);
  return shape;
}

/** `word` lies at 1 to `length`; a boundary is before it, and is set behind it. */
function addGrams(word: Uint16Array, length: number, add: (kind: TermKind, hash: number) => void): void {
  word[length + 1] = wordBoundary;
  for (const gramLength of gramLengths) {
    for (let from = 0; from + gramLength <= length + 2; from++)
      add('grams', hashOf(word, { from, to: from + gramLength, salt: salts.grams }));
  }
}

function hashOf(units: Uint16Array, { from, to, salt }: { from: number; to: number; salt: number }): number {
  let hash = salt;
  for (let index = from; index < to; index++) hash = mix(hash, units[index]!);
  return finish(hash);
}

function mix(hash: number, value: number): number {
  return Math.imul(hash ^ value, fnvPrime);
}

function finish(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

/** Capitals of ASCII, Latin-1, Greek and Cyrillic. */
function lowerCase(unit: number): number {
  if (unit < 0x80) return unit >= 65 && unit <= 90 ? unit + 32 : unit;
  if (unit >= 0xc0 && unit <= 0xde) return unit === 0xd7 ? unit : unit + 32;
  if (unit >= 0x391 && unit <= 0x3a9) return unit + 32;
  if (unit >= 0x400 && unit <= 0x42f) return unit < 0x410 ? unit + 80 : unit + 32;
  return unit;
}

const tellingMarks = new Set([...'!?$%¢£¤¥'].map((mark) => mark.charCodeAt(0)));

/** Words of their own: telling marks, symbols, characters of scripts without spaces, both halves of an emoji. */
function isAlone(unit: number): boolean {
  if (unit < 0x20a0) return tellingMarks.has(unit);
  if (unit < 0x2e80) return unit <= 0x20cf || (unit >= 0x2190 && unit < 0x2c00);
  return !(unit >= 0x3000 && unit <= 0x303f) && !(unit >= 0xfe00 && unit <= 0xff0f);
}

function isPairStart(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Asked of what is not alone. */
function isLetterOrDigit(unit: number): boolean {
  if (unit < 0x80) return (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57);
  if (unit < 0xc0) return unit === 0xaa || unit === 0xb5 || unit === 0xba;
  if (unit === 0xd7 || unit === 0xf7) return false;
  return unit < 0x2000 || (unit > 0x206f && unit < 0x2e80);
}

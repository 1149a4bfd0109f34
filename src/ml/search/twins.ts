// Rows that occur more than once, as after joining a table with itself, adding a file twice, or multiplying rare rows. If
// one of them is learned from and its twin is judged by, the model is praised for what it has memorised.
//
// In tables of few values, rows equal each other by chance; new rows will do so as well, and nothing is wrong. Chance
// leaves a trace: where two rows agree in all columns, many more agree in all columns but one. So the number of rows with
// a twin that chance explains is told from the rows that differ in a single column: a row with d of them, in a column in
// which two rows agree with probability q, has d q / (1 - q) twins by chance. Far more than that are copies. A text is
// not equal to another by chance, so texts are never the one column that differs.
import { seededRandom, shuffle } from '../../base/random.ts';
import { inThousands } from '../../base/words.ts';
import type { Column } from '../frame/frame.ts';

/** Sets of equal rows. */
export interface Twins {
  /** The number of each row's set, from 0; most sets are one row. */
  sets: Int32Array;
  /** Rows that have a twin. */
  rowCount: number;
  /** How many rows have one by chance, about. */
  expectedCount: number;
}

/** Fewer rows than this, or than this share of all, flatter no score. */
const fewestTwins = 10;
const leastShare = 0.005;
/** So many times more twins than chance brings are copies. */
const suspiciousRatio = 2;
/** Fewer different rows, or one set of a larger share, are values that recur: dividing by them would teach nothing. */
const fewestSets = 20;
const largestSetShare = 0.05;
/** What chance brings is counted on so many values, drawn at random by rows. */
const mostCells = 500_000;
const fewestSampledRows = 2000;

/** Copies among `rows`, as far as these columns tell; `undefined` when there are no more equal rows than chance brings. */
export function findTwins(columns: readonly Column[], rows: Int32Array, seed: number): Twins | undefined {
  if (columns.length === 0) return undefined;
  const sums = hashRows(columns, rows);
  const { sets, sizes } = gather(keysOf(sums));
  const rowCount = countRows(sets, (set) => sizes[set]! > 1);
  if (rowCount < Math.max(fewestTwins, leastShare * rows.length)) return undefined;
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  if (sizes.length < fewestSets || largest > Math.max(fewestSets, largestSetShare * rows.length))
    return undefined;
  const shares = chanceShares(columns, rows, seed);
  if (shares.found <= suspiciousRatio * shares.expected) return undefined;
  const explained = shares.found === 0 ? 0 : shares.expected / shares.found;
  return { sets, rowCount, expectedCount: Math.round(rowCount * explained) };
}

/** Rows of the first part of which an equal one is in the second. */
export function twinsAcross({ sets }: Twins, rows: Int32Array, others: Int32Array): number {
  const there = new Set(Array.from(others, (row) => sets[row]!));
  return rows.filter((row) => there.has(sets[row]!)).length;
}

/** What people are told; `cut` is how many rows to judge by have a twin that is learned from. */
export function twinWarning({ sets, rowCount, expectedCount }: Twins, cut: number): string {
  const found = `${inThousands(rowCount)} of ${inThousands(sets.length)} rows occur more than once: equal in every column that the model learns from. Chance explains about ${inThousands(expectedCount)} of them, so the rest are probably copies.`;
  const done =
    cut === 0
      ? 'Equal rows were kept on the same side whenever rows to learn from were divided from rows to judge by, so the scores are not flattered.'
      : `${cut} of the rows that the model was judged by are also among those it learned from, because the rows were divided as you asked: the scores are better than they will be on new rows.`;
  return `${found} ${done} If they were added by mistake, for instance by joining tables, remove them and train again.`;
}

/** Two sums for each row, of the hashes of its values: to leave a column out is to take its part away. */
interface Sums {
  high: Int32Array;
  low: Int32Array;
}

function hashRows(columns: readonly Column[], rows: Int32Array): Sums {
  const sums = { high: new Int32Array(rows.length), low: new Int32Array(rows.length) };
  columns.forEach((column, index) => addHashes(sums, { column, index, rows, sign: 1 }));
  return sums;
}

function addHashes(
  { high, low }: Sums,
  { column, index, rows, sign }: { column: Column; index: number; rows: Int32Array; sign: 1 | -1 },
): void {
  const hashAt = hasherOf(column);
  const mark = Math.imul(index + 1, 0x9e3779b1);
  for (let at = 0; at < rows.length; at++) {
    const value = hashAt(rows[at]!);
    high[at]! += sign * mix(value ^ mark);
    low[at]! += sign * mix(Math.imul(value, 0x85ebca6b) + mark);
  }
}

/** A hash of a column's value in a row; missing values are equal. */
function hasherOf(column: Column): (row: number) => number {
  if (column.kind === 'categorical') return (row) => column.codes[row]!;
  if (column.kind === 'text') {
    // Numbered by first occurrence: of long texts, a hash of 32 bits would make twins of strangers.
    const numbers = new Map<string | null, number>();
    return (row) => {
      const text = column.values[row]!;
      const number = numbers.get(text) ?? numbers.size;
      numbers.set(text, number);
      return number;
    };
  }
  const value = new Float64Array(1);
  const halves = new Int32Array(value.buffer);
  return (row) => {
    // Adding 0 makes -0 equal to 0.
    value[0] = column.values[row]! + 0;
    return Number.isNaN(value[0]) ? 0x7ff80000 : mix(halves[0]!) ^ Math.imul(halves[1]!, 0xc2b2ae35);
  };
}

/** The finishing steps of MurmurHash3 (Appleby). */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** 53 bits of both sums: among a million rows, two that differ share them once in ten thousand tables. */
function keysOf({ high, low }: Sums): Float64Array {
  const keys = new Float64Array(high.length);
  for (let at = 0; at < keys.length; at++) keys[at] = (high[at]! >>> 0) * 0x20_0000 + (low[at]! & 0x1f_ffff);
  return keys;
}

/** Equal keys, numbered by first occurrence: an open hash table, since a `Map` of a million takes ten times as long. */
function gather(keys: Float64Array): { sets: Int32Array; sizes: Int32Array } {
  const bits = Math.ceil(Math.log2(keys.length * 2 + 2));
  const slots = new Int32Array(2 ** bits).fill(-1);
  const sets = new Int32Array(keys.length);
  const firsts = new Int32Array(keys.length);
  const sizes = new Int32Array(keys.length);
  const keysPerSlot = 2 ** (53 - bits);
  let setCount = 0;
  for (let row = 0; row < keys.length; row++) {
    const key = keys[row]!;
    let slot = (key / keysPerSlot) | 0;
    while (slots[slot]! >= 0 && keys[firsts[slots[slot]!]!] !== key) slot = (slot + 1) & (slots.length - 1);
    if (slots[slot]! < 0) {
      slots[slot] = setCount;
      firsts[setCount++] = row;
    }
    sets[row] = slots[slot]!;
    sizes[slots[slot]!]!++;
  }
  return { sets, sizes: sizes.slice(0, setCount) };
}

function countRows(sets: Int32Array, holds: (set: number) => boolean): number {
  let count = 0;
  for (const set of sets) if (holds(set)) count++;
  return count;
}

/** The share of rows that have a twin, and the share that chance explains, both of the rows that are looked at. */
function chanceShares(
  columns: readonly Column[],
  all: Int32Array,
  seed: number,
): { found: number; expected: number } {
  const limit = Math.max(fewestSampledRows, Math.floor(mostCells / columns.length));
  const rows = limit >= all.length ? all : shuffle(all.slice(), seededRandom(seed)).slice(0, limit);
  const sums = hashRows(columns, rows);
  const { sets, sizes } = gather(keysOf(sums));
  const found = countRows(sets, (set) => sizes[set]! > 1) / rows.length;
  let expected = 0;
  columns.forEach((column, index) => {
    if (column.kind === 'text') return;
    const agreement = agreementOf(column, rows);
    if (agreement >= 1) return;
    const odds = agreement / (1 - agreement);
    addHashes(sums, { column, index, rows, sign: -1 });
    const near = gather(keysOf(sums));
    addHashes(sums, { column, index, rows, sign: 1 });
    let share = 0;
    for (let at = 0; at < rows.length; at++) {
      const differing = near.sizes[near.sets[at]!]! - sizes[sets[at]!]!;
      share += (1 - Math.exp(-differing * odds)) / rows.length;
    }
    expected = Math.max(expected, share);
  });
  return { found, expected };
}

/** The probability that two rows agree in a column. */
function agreementOf(column: Column, rows: Int32Array): number {
  const { sizes } = gather(keysOf(hashRows([column], rows)));
  let pairs = 0;
  for (const size of sizes) pairs += size * (size - 1);
  return rows.length < 2 ? 1 : pairs / (rows.length * (rows.length - 1));
}

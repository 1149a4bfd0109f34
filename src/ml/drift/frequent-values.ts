// The most frequent values of a column and how often each occurs: a count-min sketch (Cormode and Muthukrishnan, "An
// improved data stream summary", 2005) with the heaviest values by name. Up to `mostNamed` different values every count
// is exact; beyond that counts are never too small, and with a chance of 98 % for each value too large by at most 1 % of
// all (e / width; 1 - e^-depth).
import { hashes, hashText } from './value-hash.ts';

export const mostNamed = 128;
const width = 272;
const depth = 4;
export const cellCount: number = width * depth;
/** What lies behind is not read. */
export const longestValue = 200;

export interface FrequentValues {
  /** Of all values, named or not. */
  total: number;
  /** Values were seen that have no name here. */
  isOverfull: boolean;
  /** At most {@link mostNamed}; counts are upper bounds. */
  readonly named: Map<string, number>;
  readonly cells: Float64Array;
  /** The rarest of the named, while it is known. */
  least?: { name: string; count: number } | undefined;
}

export function frequentValues(): FrequentValues {
  return { total: 0, isOverfull: false, named: new Map(), cells: new Float64Array(cellCount) };
}

/** Adds `value`, `count` times. */
export function addFrequent(sketch: FrequentValues, value: string, count: number): void {
  const name = value.slice(0, longestValue);
  hashText(name);
  const estimate = addToCells(sketch.cells, count);
  sketch.total += count;
  const known = sketch.named.get(name);
  if (known !== undefined) {
    sketch.named.set(name, known + count);
    if (sketch.least?.name === name) sketch.least = undefined;
  } else if (sketch.named.size < mostNamed && !sketch.isOverfull) sketch.named.set(name, count);
  else {
    sketch.isOverfull = true;
    const least = (sketch.least ??= leastOf(sketch.named));
    if (estimate <= least.count) return;
    sketch.least = undefined;
    sketch.named.delete(least.name);
    sketch.named.set(name, estimate);
  }
}

/** How often `value` occurs: at least so often as it does. */
export function countOf(sketch: FrequentValues, value: string): number {
  const name = value.slice(0, longestValue);
  const known = sketch.named.get(name);
  if (known !== undefined) return known;
  if (!sketch.isOverfull) return 0;
  hashText(name);
  let least = Infinity;
  for (let row = 0; row < depth; row++) least = Math.min(least, sketch.cells[cellOf(row)]!);
  return least;
}

/** Adds all that `other` has seen. */
export function mergeFrequent(sketch: FrequentValues, other: FrequentValues): void {
  const names = new Set([...sketch.named.keys(), ...other.named.keys()]);
  const counted = [...names].map((name) => [name, countOf(sketch, name) + countOf(other, name)] as const);
  counted.sort(byCount);
  for (let cell = 0; cell < cellCount; cell++) sketch.cells[cell]! += other.cells[cell]!;
  sketch.total += other.total;
  sketch.isOverfull ||= other.isOverfull || counted.length > mostNamed;
  sketch.least = undefined;
  sketch.named.clear();
  for (const [name, count] of counted.slice(0, mostNamed)) sketch.named.set(name, count);
}

/** The named values, most frequent first. */
export function topValues(sketch: FrequentValues): { value: string; count: number }[] {
  return [...sketch.named].sort(byCount).map(([value, count]) => ({ value, count }));
}

/** The sketch of values whose counts are all known, for reading one back. */
export function exactFrequent(named: Iterable<readonly [string, number]>): FrequentValues {
  const sketch = frequentValues();
  for (const [name, count] of named) addFrequent(sketch, name, count);
  return sketch;
}

/** Adds to the cells of the value whose hashes were just made; returns how often it occurs at most. */
function addToCells(cells: Float64Array, count: number): number {
  let least = Infinity;
  for (let row = 0; row < depth; row++) least = Math.min(least, (cells[cellOf(row)]! += count));
  return least;
}

/** Two hashes do for all rows (Kirsch and Mitzenmacher, 2006). */
function cellOf(row: number): number {
  return row * width + (((hashes[0]! + Math.imul(row, hashes[1]!)) >>> 0) % width);
}

function leastOf(named: ReadonlyMap<string, number>): { name: string; count: number } {
  let least = { name: '', count: Infinity };
  for (const [name, count] of named) if (count < least.count) least = { name, count };
  return least;
}

/** Most frequent first; equals by name, so that the order never depends on that of the values. */
function byCount([a, countA]: readonly [string, number], [b, countB]: readonly [string, number]): number {
  return countB - countA || (a < b ? -1 : a > b ? 1 : 0);
}

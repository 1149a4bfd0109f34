// How columns hang together, two by two: correlations, columns that are equal, and columns of which one gives away the
// other (a code beside its label). Values come as doubles; texts as hashes, which are equal where the texts are.

export interface PairColumn {
  name: string;
  /** Whether the doubles are numbers, and not hashes of texts. */
  isNumeric: boolean;
  /** NaN is missing. */
  values: Float64Array;
}

export interface Correlation {
  a: string;
  b: string;
  value: number;
}

export interface Pairs {
  /** Strongest first. */
  correlations: Correlation[];
  /** Columns with the same value in every row. */
  equal: [string, string][];
  /** Columns whose values determine each other one to one, or nearly so. */
  telling: { a: string; b: string; correlation: number | null }[];
}

/** From here on, one number says almost all about the other. */
const tellingCorrelation = 0.995;
const minRows = 10;

/** Looks at all pairs of `columns`; `maxCorrelated` bounds how many numeric columns are correlated. */
export function comparePairs(columns: readonly PairColumn[], maxCorrelated: number): Pairs {
  const equal = pairsBy(columns, ({ values }) => values);
  const isEqual = new Set(equal.map(pairKey));
  const groups = new Map(columns.map((column) => [column, groupsOf(column.values)]));
  const groupings = columns.filter((column) => groups.get(column) !== undefined);
  const oneToOne = pairsBy(groupings, (column) => groups.get(column)!).filter(
    (pair) => !isEqual.has(pairKey(pair)),
  );
  const correlations = correlate(columns.filter(({ isNumeric }) => isNumeric).slice(0, maxCorrelated));
  const known = new Set([...equal, ...oneToOne].map(pairKey));
  const strong = correlations.filter(
    ({ a, b, value }) => Math.abs(value) >= tellingCorrelation && !known.has(pairKey([a, b])),
  );
  return {
    correlations,
    equal,
    telling: [
      ...oneToOne.map(([a, b]) => ({ a, b, correlation: null })),
      ...strong.map(({ a, b, value }) => ({ a, b, correlation: value })),
    ],
  };
}

/** Pairs of columns for which `contentOf` gives equal arrays; of three equal ones, each with the first. */
function pairsBy(
  columns: readonly PairColumn[],
  contentOf: (column: PairColumn) => Float64Array | Int32Array,
): [string, string][] {
  const byHash = new Map<number, { name: string; content: Float64Array | Int32Array }[]>();
  const pairs: [string, string][] = [];
  for (const column of columns) {
    const content = contentOf(column);
    if (content.length < minRows) continue;
    const alike = byHash.get(hashOf(content)) ?? [];
    const same = alike.find((other) => isSame(other.content, content));
    if (same) pairs.push([same.name, column.name]);
    else byHash.set(hashOf(content), [...alike, { name: column.name, content }]);
  }
  return pairs;
}

/**
 * Each row's group: rows with the same value have the same number, numbered as they first occur. Undefined where groups
 * say nothing, with all rows in one or nearly every row in its own.
 */
function groupsOf(values: Float64Array): Int32Array | undefined {
  const numbers = new Map<number, number>();
  const groups = new Int32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    let group = numbers.get(value);
    if (group === undefined) {
      numbers.set(value, (group = numbers.size));
      if (numbers.size > values.length / 2) return undefined;
    }
    groups[row] = group;
  }
  return numbers.size >= 2 ? groups : undefined;
}

function correlate(columns: readonly PairColumn[]): Correlation[] {
  const found: Correlation[] = [];
  for (const [index, a] of columns.entries()) {
    for (const b of columns.slice(index + 1)) {
      const value = pearson(a.values, b.values);
      if (value !== null) found.push({ a: a.name, b: b.name, value: Math.round(value * 1e6) / 1e6 });
    }
  }
  return found.sort((one, other) => Math.abs(other.value) - Math.abs(one.value));
}

/** Over the rows in which both are finite; null when that leaves nothing to compare. */
export function pearson(a: Float64Array, b: Float64Array): number | null {
  let count = 0;
  let meanA = 0;
  let meanB = 0;
  let squaresA = 0;
  let squaresB = 0;
  let products = 0;
  // Welford's update, so that large values of little spread keep their digits.
  for (let row = 0; row < a.length; row++) {
    const x = a[row]!;
    const y = b[row]!;
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    count++;
    const distanceA = x - meanA;
    const distanceB = y - meanB;
    meanA += distanceA / count;
    meanB += distanceB / count;
    squaresA += distanceA * (x - meanA);
    squaresB += distanceB * (y - meanB);
    products += distanceA * (y - meanB);
  }
  const spread = Math.sqrt(squaresA) * Math.sqrt(squaresB);
  if (count < minRows || !(spread > 0) || !Number.isFinite(products / spread)) return null;
  return Math.max(-1, Math.min(1, products / spread));
}

/** FNV-1a over the bytes, four at a time. */
function hashOf(content: Float64Array | Int32Array): number {
  const words = new Uint32Array(content.buffer, content.byteOffset, content.byteLength / 4);
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return hash >>> 0;
}

function isSame(a: Float64Array | Int32Array, b: Float64Array | Int32Array): boolean {
  for (let row = 0; row < a.length; row++) if (!Object.is(a[row], b[row])) return false;
  return true;
}

function pairKey(pair: readonly [string, string]): string {
  return JSON.stringify(pair);
}

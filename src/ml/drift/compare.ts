// Which columns have moved between two sets of rows, and how far, from their sketches alone. A column has moved when a
// measure of distance is large AND chance does not explain it, with all columns of the report taken together: of many
// rows the smallest difference is certain, of few a large one is luck.
import { assert } from '../../base/assert.ts';
import { rankError } from '../learners/quantile-sketch.ts';
import { countsBetween, shownEdges, tenthsOf } from './bins.ts';
import {
  runLength,
  validCount,
  type CategorySketch,
  type ColumnSketch,
  type Spread,
  type TextSketch,
} from './column-sketch.ts';
import { falseAlarmShare, leastValues, levelOf, type DriftLevel, type DriftMeasure } from './drift-levels.ts';
import { countOf, topValues, type FrequentValues } from './frequent-values.ts';
import {
  chiSquare,
  jensenShannonDistance,
  kolmogorovSmirnov,
  meanDiscrepancy,
  sharesOf,
  stabilityIndex,
  sumOf,
} from './measures.ts';
import { correctedForMany } from './p-values.ts';

export interface MeasuredDrift {
  measure: DriftMeasure;
  value: number;
  /** Of a test, before it is corrected; null of a distance. */
  pValue: number | null;
}

/** The same bins or values on both sides, as shares. */
export interface Distribution {
  /** Inner edges of the bins of numbers: one fewer than bins. Null for values. */
  edges: number[] | null;
  /** Null for bins; the last is all others, where `hasOthers`. */
  values: string[] | null;
  hasOthers: boolean;
  reference: number[];
  current: number[];
}

export interface ColumnDrift {
  column: string;
  level: DriftLevel;
  /** The measure that the level and the order of columns go by: the stability index. */
  psi: number;
  /** Chance of such a difference where nothing has moved, corrected for all columns. */
  pValue: number;
  measures: MeasuredDrift[];
  /** Of the values, or of the lengths of texts. */
  distribution: Distribution;
}

/** Compares the columns that both sides have, in the reference's order. */
export function compareColumns(
  reference: ReadonlyMap<string, ColumnSketch>,
  current: ReadonlyMap<string, ColumnSketch>,
): ColumnDrift[] {
  const compared: Compared[] = [];
  for (const [column, sketch] of reference) {
    const other = current.get(column);
    if (other?.kind === sketch.kind) compared.push({ column, ...compareSketches(sketch, other) });
  }
  // Columns that are too empty to tell anything of are no tests.
  const tested = compared.filter(({ isClear }) => isClear);
  const corrected = correctedForMany(tested.map(({ pValue }) => pValue));
  const pValueOf = new Map(tested.map(({ column }, index) => [column, corrected[index]!]));
  return compared.map(({ isClear, levelIfReal, ...drift }) => {
    const pValue = pValueOf.get(drift.column) ?? 1;
    const level = !isClear ? 'unclear' : pValue <= falseAlarmShare ? levelIfReal : 'same';
    return { ...drift, pValue, level };
  });
}

type Compared = Omit<ColumnDrift, 'level'> & {
  /** There are values enough on both sides. */
  isClear: boolean;
  /** What is said unless chance explains it. */
  levelIfReal: DriftLevel;
};

function compareSketches(reference: ColumnSketch, current: ColumnSketch): Omit<Compared, 'column'> {
  const isClear = Math.min(validCount(reference), validCount(current)) >= leastValues;
  if (reference.kind === 'number' && current.kind === 'number')
    return { isClear, ...compareSpreads(reference.spread, current.spread) };
  if (reference.kind === 'category' && current.kind === 'category')
    return { isClear, ...compareValues(reference, current) };
  assert(reference.kind === 'text' && current.kind === 'text', 'sketches of two kinds cannot be compared');
  return { isClear, ...compareTexts(reference, current) };
}

type Difference = Omit<Compared, 'column' | 'isClear'>;

function compareSpreads(reference: Spread, current: Spread): Difference {
  const [a, b] = [reference.quantiles.levels(), current.quantiles.levels()];
  const tenths = tenthsOf(a);
  const [countsA, countsB] = [countsBetween(a, tenths), countsBetween(b, tenths)];
  const psi = stabilityIndex(countsA, countsB);
  const lossy = [a, b].filter(({ valueCount }) => valueCount > runLength).length;
  const distance = kolmogorovSmirnov(a, b, lossy * rankError(runLength, falseAlarmShare));
  const edges = shownEdges(a, b);
  return {
    psi,
    pValue: distance.pValue,
    levelIfReal: levelOf('psi', psi),
    measures: [
      { measure: 'psi', value: psi, pValue: null },
      { measure: 'kolmogorov-smirnov', value: distance.statistic, pValue: distance.pValue },
      { measure: 'jensen-shannon', value: jensenShannonDistance(countsA, countsB), pValue: null },
    ],
    distribution: {
      edges,
      values: null,
      hasOthers: false,
      reference: sharesOf(countsBetween(a, edges)),
      current: sharesOf(countsBetween(b, edges)),
    },
  };
}

/** Values that are compared by name, the reference's most frequent and those of now; the others are one. */
const comparedValues = 40;
const shownValues = 8;

function compareValues(reference: CategorySketch, current: CategorySketch): Difference {
  const names = commonNames(reference.values, current.values, comparedValues);
  const [countsA, countsB] = [reference, current].map(({ values }) => countsOf(values, names));
  const psi = stabilityIndex(countsA!, countsB!);
  const test = chiSquare(countsA!, countsB!);
  const shown = commonNames(reference.values, current.values, shownValues);
  const [shownA, shownB] = [reference, current].map(({ values }) => sharesOf(countsOf(values, shown)));
  return {
    psi,
    pValue: test.pValue,
    levelIfReal: levelOf('psi', psi),
    measures: [
      { measure: 'psi', value: psi, pValue: null },
      { measure: 'chi-square', value: test.statistic, pValue: test.pValue },
      { measure: 'jensen-shannon', value: jensenShannonDistance(countsA!, countsB!), pValue: null },
    ],
    distribution: {
      edges: null,
      values: shown,
      hasOthers: shownA!.at(-1)! > 0 || shownB!.at(-1)! > 0,
      reference: shownA!,
      current: shownB!,
    },
  };
}

function compareTexts(reference: TextSketch, current: TextSketch): Difference {
  const lengths = compareSpreads(reference.lengths, current.lengths);
  const words = meanDiscrepancy(reference.terms, current.terms);
  const wordsLevel = levelOf('mean-discrepancy', words.statistic);
  const isWords = words.pValue <= lengths.pValue && wordsLevel !== 'same';
  return {
    ...lengths,
    // Two tests of one column.
    pValue: Math.min(1, 2 * Math.min(lengths.pValue, words.pValue)),
    levelIfReal: isWords ? wordsLevel : lengths.levelIfReal,
    measures: [
      ...lengths.measures,
      { measure: 'mean-discrepancy', value: words.statistic, pValue: words.pValue },
    ],
  };
}

/** The most frequent values of both, by their greater share. */
function commonNames(a: FrequentValues, b: FrequentValues, most: number): string[] {
  const shareOf = (name: string): number =>
    Math.max(countOf(a, name) / (a.total || 1), countOf(b, name) / (b.total || 1));
  const names = [
    ...new Set([...topValues(a).slice(0, most), ...topValues(b).slice(0, most)].map(({ value }) => value)),
  ];
  const shares = new Map(names.map((name) => [name, shareOf(name)]));
  return names.sort((one, other) => shares.get(other)! - shares.get(one)!).slice(0, most);
}

/** How often each of `names` occurs, and all others together. */
function countsOf(values: FrequentValues, names: readonly string[]): number[] {
  const counts = names.map((name) => countOf(values, name));
  return [...counts, Math.max(0, values.total - sumOf(counts))];
}

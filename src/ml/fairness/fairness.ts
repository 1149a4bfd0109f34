// How a model treats groups of people: for each group of a protected column, how often it is chosen, found and falsely
// chosen, and whether its probabilities hold; with intervals, because small groups show large differences by chance. Measures
// and names after Hardt, Price & Srebro (NeurIPS 2016) and Chouldechova (2017); the ratio of selection rates is flagged
// below four fifths (the rule of the US Uniform Guidelines, 1978). It tells; what is just, people decide.
import { seededRandom, type Random } from '../../base/random.ts';
import { segmentsOf, type Condition } from '../explain/segments.ts';
import type { Column } from '../frame/frame.ts';
import type { Scored } from '../metrics/metrics.ts';
import { exactShare, type Share } from './exact-interval.ts';

export interface FairnessReport {
  column: string;
  /** Largest first. */
  groups: FairnessGroup[];
  /** Groups too small to say anything of. */
  leftOut: number;
}

/** Shares with an interval of 95 %; absent where no row could show them. */
export interface FairnessGroup {
  condition: Condition;
  rowCount: number;
  /** Two classes: the positive class was said. */
  selectionRate?: Share;
  /** Against the group with the highest selection rate. */
  selectionRatio?: Share & { isBelowFourFifths: boolean };
  /** Of those that have the positive class, the share that was found; of the others, the share falsely chosen. */
  truePositiveRate?: Share;
  falsePositiveRate?: Share;
  /** Mean probability of the positive class less how often it came true. */
  calibrationGap?: Share;
  /** Classes: answered rightly. */
  accuracy?: Share;
  /** Numbers: mean of answer less truth, and mean distance. */
  meanError?: Share;
  meanDistance?: Share;
}

const fewestRows = 20;
const mostGroups = 10;
const draws = 500;
const mostDrawnRows = 2000;
const intervalErrors = 1.96;
const fourFifths = 0.8;

/** The report for one column over the rows that were scored; by seed, for the bootstrap. */
export function fairnessOf(column: Column, scored: Scored, seed: number): FairnessReport {
  const segments = segmentsOf(column).toSorted((a, b) => b.rows.length - a.rows.length);
  const large = segments.filter(({ rows }) => rows.length >= fewestRows).slice(0, mostGroups);
  const random = seededRandom(seed);
  const groups = large.map(({ condition, rows }): FairnessGroup => ({
    condition,
    rowCount: rows.length,
    ...measuresOf(scored, rows, random),
  }));
  return {
    column: column.name,
    groups: scored.task === 'binary' ? withRatios(groups) : groups,
    leftOut: segments.length - large.length,
  };
}

function measuresOf(scored: Scored, rows: Int32Array, random: Random): Partial<FairnessGroup> {
  const { task, actual, predicted, probabilities, positiveClass } = scored;
  if (task === 'regression') {
    const errors = Float64Array.from(rows, (row) => predicted[row]! - actual[row]!);
    return {
      meanError: bootstrapMean(errors, random),
      meanDistance: bootstrapMean(errors.map(Math.abs), random),
    };
  }
  const isRight = (row: number): boolean => predicted[row] === actual[row];
  const accuracy = shareWhere(rows, isRight);
  if (task !== 'binary') return { ...(accuracy && { accuracy }) };
  const isChosen = (row: number): boolean => predicted[row] === positiveClass;
  const isPositive = (row: number): boolean => actual[row] === positiveClass;
  const selectionRate = shareWhere(rows, isChosen);
  const truePositiveRate = shareWhere(rows.filter(isPositive), isChosen);
  const falsePositiveRate = shareWhere(
    rows.filter((row) => !isPositive(row)),
    isChosen,
  );
  const gaps = Float64Array.from(
    rows,
    (row) => probabilities[2 * row + positiveClass]! - Number(isPositive(row)),
  );
  return {
    ...(selectionRate && { selectionRate }),
    ...(truePositiveRate && { truePositiveRate }),
    ...(falsePositiveRate && { falsePositiveRate }),
    calibrationGap: bootstrapMean(gaps, random),
    ...(accuracy && { accuracy }),
  };
}

function shareWhere(rows: Int32Array, isWanted: (row: number) => boolean): Share | undefined {
  return rows.length === 0 ? undefined : exactShare(rows.filter(isWanted).length, rows.length);
}

/** Intervals of a ratio of two rates by its logarithm (Katz et al., Biometrics 1978). */
function withRatios(groups: readonly FairnessGroup[]): FairnessGroup[] {
  const rateOf = ({ selectionRate }: FairnessGroup): number => selectionRate?.value ?? 0;
  const highest = groups.toSorted((a, b) => rateOf(b) - rateOf(a))[0];
  if (!highest || rateOf(highest) === 0) return [...groups];
  return groups.map((group) => {
    if (group === highest) return group;
    const value = rateOf(group) / rateOf(highest);
    const [own, other] = [smoothed(group), smoothed(highest)];
    const margin =
      intervalErrors *
      Math.sqrt((1 - own.rate) / (own.count * own.rate) + (1 - other.rate) / (other.count * other.rate));
    const centre = own.rate / other.rate;
    const lower = value === 0 ? 0 : centre * Math.exp(-margin);
    const upper = centre * Math.exp(margin);
    return { ...group, selectionRatio: { value, lower, upper, isBelowFourFifths: value < fourFifths } };
  });
}

/** With half a row more of each kind, so that rates of 0 and 1 have an interval too. */
function smoothed({ selectionRate, rowCount }: FairnessGroup): { rate: number; count: number } {
  const count = rowCount + 1;
  return { count, rate: ((selectionRate?.value ?? 0) * rowCount + 0.5) / count };
}

/** Percentile bootstrap (Efron 1979); of many rows, the normal distribution that it comes to. */
function bootstrapMean(values: Float64Array, random: Random): Share {
  const value = values.reduce((sum, one) => sum + one, 0) / values.length;
  if (values.length > mostDrawnRows) {
    const squares = values.reduce((sum, one) => sum + (one - value) ** 2, 0);
    const margin = intervalErrors * Math.sqrt(squares / (values.length - 1) / values.length);
    return { value, lower: value - margin, upper: value + margin };
  }
  const means = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    for (let index = 0; index < values.length; index++) sum += values[random.below(values.length)]!;
    means[draw] = sum / values.length;
  }
  return { value, ...middleOf(means) };
}

function middleOf(values: Float64Array): Pick<Share, 'lower' | 'upper'> {
  const sorted = values.sort();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  return { lower: at(0.025), upper: at(0.975) };
}

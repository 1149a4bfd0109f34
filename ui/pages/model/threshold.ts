// What happens when one acts from a probability on: counts and rates from the ROC curve and the sizes of the classes.
import type { Evaluation } from '../../api/types.ts';
import { positiveClassOf } from './words.ts';

export interface Outcomes {
  total: number;
  /** Rows that are acted on. */
  flagged: number;
  flaggedShare: number;
  falseAlarms: number;
  missed: number;
  recall: number;
  falsePositiveRate: number;
  /** Undefined when nothing is acted on. */
  precision: number | undefined;
}

/** Money for a decision with these outcomes; undefined where nobody said what decisions cost. */
export function costAt(evaluation: Evaluation, outcomes: Outcomes): number | undefined {
  const { money } = evaluation;
  const positive = positiveClassOf(evaluation);
  if (!money?.costs || money.costs.classes.length !== 2) return undefined;
  const { classes, matrix } = money.costs;
  const yes = positive === undefined ? -1 : classes.indexOf(positive);
  if (yes < 0) return undefined;
  const no = 1 - yes;
  const { total, flagged, falseAlarms, missed } = outcomes;
  const found = flagged - falseAlarms;
  const sum =
    falseAlarms * matrix[no]![yes]! +
    missed * matrix[yes]![no]! +
    found * matrix[yes]![yes]! +
    (total - flagged - missed) * matrix[no]![no]!;
  return sum / total;
}

/** Outcomes on the holdout at `threshold`; undefined where the evaluation does not hold what is needed. */
export function outcomesAt(evaluation: Evaluation, threshold: number): Outcomes | undefined {
  const { rocCurve, confusionMatrix } = evaluation;
  const positive = positiveClassOf(evaluation);
  if (!rocCurve || !confusionMatrix || positive === undefined) return undefined;
  const totals = confusionMatrix.counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const total = totals.reduce((sum, count) => sum + count, 0);
  const positives = totals[confusionMatrix.classes.indexOf(positive)] ?? 0;
  const negatives = total - positives;
  if (positives === 0 || negatives === 0) return undefined;
  // The last point, from strict to lenient, that is still at least as strict as the threshold.
  const point = rocCurve
    .toSorted((a, b) => b.threshold - a.threshold)
    .findLast((each) => each.threshold >= threshold) ?? { truePositiveRate: 0, falsePositiveRate: 0 };
  const found = Math.round(point.truePositiveRate * positives);
  const falseAlarms = Math.round(point.falsePositiveRate * negatives);
  const flagged = found + falseAlarms;
  return {
    total,
    flagged,
    flaggedShare: flagged / total,
    falseAlarms,
    missed: positives - found,
    recall: point.truePositiveRate,
    falsePositiveRate: point.falsePositiveRate,
    precision: flagged === 0 ? undefined : found / flagged,
  };
}

// What decisions come to in money on rows that a model never saw, next to what deciding without it would cost: always the
// same answer, or the likelier class. Savings with an interval of 95 %, from the differences row by row.
import { decide } from '../model/calibration.ts';
import { thresholdOf, type DecisionCosts } from '../model/costs.ts';
import type { Scored } from './metrics.ts';

export interface MoneyReport {
  currency: string;
  /** Decisions that totals are told for. */
  decisionCount: number;
  /** Money for one decision, on average. */
  perDecision: number;
  /** The same for somebody who is always right. */
  perDecisionWhenRight: number;
  /** Binary: the probability of the positive class above which it is decided for. */
  threshold?: number;
  /** `costs[actual][decided]`, where there are not too many classes to show. */
  costs?: { classes: string[]; matrix: number[][] };
  alternatives: MoneyAlternative[];
}

/** A way to decide that needs no costs: always `answer`, or, without one, whichever class is likelier. */
export interface MoneyAlternative {
  answer: string | null;
  perDecision: number;
  /** What the model saves for each decision against this; its interval is from `lower` to `upper`. */
  saving: { perDecision: number; lower: number; upper: number };
}

const mostShownClasses = 50;
const mostAlways = 2;
/** Of the normal distribution, for 95 of 100. */
const intervalErrors = 1.96;

/** The report; `scored.predicted` holds what the model decided. */
export function moneyReport(input: {
  scored: Scored;
  classes: readonly string[];
  costs: DecisionCosts;
  decisionWeights: readonly number[];
}): MoneyReport {
  const { scored, classes, costs, decisionWeights } = input;
  const { matrix, currency, decisionCount } = costs;
  const paid = costOfRows(scored, matrix, (row) => scored.predicted[row]!);
  const likelier = decide(
    scored.probabilities,
    classes.map(() => 1),
  );
  const always = classes
    .map((answer, decided) => ({ answer, rows: costOfRows(scored, matrix, () => decided) }))
    .sort((a, b) => mean(a.rows) - mean(b.rows))
    .slice(0, mostAlways);
  return {
    currency,
    decisionCount,
    perDecision: mean(paid),
    perDecisionWhenRight: mean(costOfRows(scored, matrix, (row) => scored.actual[row]!)),
    ...(scored.task === 'binary' && {
      threshold: thresholdOf(matrix, decisionWeights, scored.positiveClass),
    }),
    ...(classes.length <= mostShownClasses && { costs: { classes: [...classes], matrix } }),
    alternatives: [
      ...always.map(({ answer, rows }) => alternativeOf(answer, rows, paid)),
      alternativeOf(
        null,
        costOfRows(scored, matrix, (row) => likelier[row]!),
        paid,
      ),
    ],
  };
}

function alternativeOf(answer: string | null, rows: Float64Array, paid: Float64Array): MoneyAlternative {
  const saved = rows.map((cost, row) => cost - paid[row]!);
  const perDecision = mean(saved);
  const margin = intervalErrors * standardError(saved);
  return {
    answer,
    perDecision: mean(rows),
    saving: { perDecision, lower: perDecision - margin, upper: perDecision + margin },
  };
}

function costOfRows(
  { actual }: Scored,
  matrix: DecisionCosts['matrix'],
  decidedOf: (row: number) => number,
): Float64Array {
  return actual.map((truth, row) => matrix[truth]![decidedOf(row)]!);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the mean; 0 for one row, which tells nothing of differences. */
function standardError(values: Float64Array): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

// How good a model is, in words that need no course in statistics. The figures come from the locked holdout: rows that
// took no part in the training.
import type { Evaluation, ModelVersionSummary, Task } from '../../api/types.ts';
import { formatCount, formatNumber, ofHundred } from '../../kit/format.ts';

/** One line of words for a list: `right in 87 of 100`, `off by about 3.2`. */
export function goodnessShort(version: Pick<ModelVersionSummary, 'task' | 'evaluation'>): string {
  const metrics = version.evaluation?.metrics ?? {};
  if (version.task === 'regression') {
    const error = typicalError(metrics);
    return error === undefined ? '' : `off by about ${formatNumber(error)}`;
  }
  if (version.task === 'ranking') {
    const gain = metrics['ndcg'];
    return gain === undefined ? '' : `${ofHundred(gain)} of 100 of the best order`;
  }
  const accuracy = metrics['accuracy'];
  return accuracy === undefined ? '' : `right in ${ofHundred(accuracy)} of 100`;
}

/** The headline of a model's page. */
export function goodnessHeadline(task: Task, evaluation: Evaluation): string {
  if (task === 'regression') {
    const error = typicalError(evaluation.metrics);
    return error === undefined
      ? 'Trained, not measured'
      : `Off by about ${formatNumber(error)} in a typical case`;
  }
  if (task === 'ranking') {
    const gain = evaluation.metrics['ndcg'];
    return gain === undefined
      ? 'Trained, not measured'
      : `Its first ten are worth ${ofHundred(gain)} of 100 of the best order`;
  }
  const accuracy = evaluation.metrics['accuracy'];
  return accuracy === undefined ? 'Trained, not measured' : `Right in ${ofHundred(accuracy)} of 100 cases`;
}

/** What to compare the headline with: the best that can be done without a model. */
export function goodnessContext(task: Task, evaluation: Evaluation): string | undefined {
  if (task === 'regression') {
    const share = evaluation.metrics['r2'];
    if (share === undefined) return undefined;
    if (share <= 0) return 'That is no better than always answering with the average.';
    return `It explains ${ofHundred(share)} of 100 parts of the differences between cases; always answering with the average explains none.`;
  }
  if (task === 'ranking') {
    const rank = evaluation.metrics['mrr'];
    return rank === undefined
      ? undefined
      : `In a typical group the first relevant row stands at place ${formatNumber(Math.round(10 / rank) / 10)}.`;
  }
  const always = majorityShare(evaluation);
  if (!always) return undefined;
  return `Always answering “${always.name}” would be right in ${ofHundred(always.share)} of 100.`;
}

/** The most frequent class of the holdout and its share: the answer that needs no model. */
export function majorityShare(evaluation: Evaluation): { name: string; share: number } | undefined {
  const matrix = evaluation.confusionMatrix;
  if (!matrix || evaluation.rowCount === 0) return undefined;
  const totals = matrix.counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const total = totals.reduce((sum, count) => sum + count, 0);
  const largest = Math.max(...totals);
  const name = matrix.classes[totals.indexOf(largest)];
  return name === undefined || total === 0 ? undefined : { name, share: largest / total };
}

/** Median error where there is one, else the mean one. */
function typicalError(metrics: Record<string, number>): number | undefined {
  return (
    metrics['median_absolute_error'] ?? metrics['mae'] ?? metrics['mean_absolute_error'] ?? metrics['rmse']
  );
}

/** How much of the headline's circle is filled: cases that are right, differences explained, or worth of the order. */
export function goodnessShare(task: Task, { metrics }: Evaluation): number {
  const name = { binary: 'accuracy', multiclass: 'accuracy', regression: 'r2', ranking: 'ndcg' }[task];
  return Math.min(1, Math.max(0, metrics[name] ?? 0));
}

/** Of two classes: how many of the ones looked for are found, and how many alarms are right. */
export function findWords(evaluation: Evaluation): string | undefined {
  const { recall, precision } = evaluation.metrics;
  const positive = positiveClassOf(evaluation);
  if (evaluation.task !== 'binary' || recall === undefined || precision === undefined || !positive)
    return undefined;
  return `Of 100 that are “${positive}” it finds ${ofHundred(recall)}. When it says “${positive}”, it is right ${ofHundred(precision)} times of 100.`;
}

/** `1,250 EUR`; as many digits as matter. */
export function amountOf(value: number, currency: string): string {
  const figure = Math.abs(value) >= 1000 ? formatCount(value) : formatNumber(value);
  return `${figure}${currency && ` ${currency}`}`;
}

/** What deciding by the model is worth: the saving against the best that needs no model, for all decisions. */
export function moneyWords({ money }: Evaluation): string | undefined {
  const always = money?.alternatives.filter(({ answer }) => answer !== null) ?? [];
  const [best] = always.toSorted((a, b) => a.perDecision - b.perDecision);
  if (!money || !best) return undefined;
  const total = (value: number): string => amountOf(Math.abs(value) * money.decisionCount, money.currency);
  const decisions = `for ${formatCount(money.decisionCount)} decisions`;
  const { perDecision, lower, upper } = best.saving;
  if (lower > 0)
    return `It saves ${total(perDecision)} ${decisions}, compared with always saying “${best.answer}”.`;
  if (upper < 0)
    return `It costs ${total(perDecision)} more ${decisions} than always saying “${best.answer}”.`;
  return `Its decisions cost about as much as always saying “${best.answer}”.`;
}

type Segment = NonNullable<Evaluation['trust']>['fairness'][number]['groups'][number]['condition'];

/** `age above 30 up to 45`, `city is missing`. */
export function segmentWords(segment: Segment): string {
  const { column } = segment;
  if (segment.kind === 'is')
    return segment.value === null ? `${column} is missing` : `${column} is ${segment.value}`;
  const { from, to } = segment;
  return [column, from !== null && `above ${formatNumber(from)}`, to !== null && `up to ${formatNumber(to)}`]
    .filter((part) => part !== false)
    .join(' ');
}

/** The class that curves and thresholds are about. */
export function positiveClassOf({ positiveClass, confusionMatrix }: Evaluation): string | undefined {
  return positiveClass ?? confusionMatrix?.classes.at(-1);
}

// Which losses are worth trying for numbers beside the squared one. Trees with the Poisson loss learn shares rather than
// differences (their link is a logarithm), which suits counts and amounts; nothing of it asks for whole numbers (Gourieroux,
// Monfort and Trognon 1984). Metrics that do not square errors are better served by learning the absolute ones.
import type { Metric } from '../metrics/metrics.ts';
import type { Target } from './task.ts';

const metricsOfDistance = new Set(['mae', 'mape', 'median_absolute_error']);

/** The losses other than the default that suit a target and its metric; for numbers only. */
export function otherLosses(
  { task, values }: Pick<Target, 'task' | 'values'>,
  { name }: Pick<Metric, 'name'>,
): string[] {
  if (task !== 'regression') return [];
  const isAmount = values.every((value) => value >= 0) && values.some((value) => value > 0);
  return [...(isAmount ? ['poisson'] : []), ...(metricsOfDistance.has(name) ? ['absolute'] : [])];
}

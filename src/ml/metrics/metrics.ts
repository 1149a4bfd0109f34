// The measures of quality, declared as data: forms, documentation, the leaderboard and the command line read this.
// Definitions are scikit-learn's; names are its snake_case names.
import { present } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import type { Task } from '../frame/schema.ts';
import { averagePrecision, areaUnderRoc } from './ranking.ts';
import {
  meanAveragePrecision,
  meanReciprocalRank,
  normalisedGain,
  queriesOf,
  usualDepth,
  type RankedQueries,
} from './queries.ts';
import * as classes from './classification.ts';
import * as numbers from './regression.ts';

/** What was predicted for some rows, and what was true. */
export interface Scored {
  task: Task;
  /** Class indices, or values. */
  actual: Float64Array;
  /** Regression: a value for each row. Classification: the class chosen for each row. */
  predicted: Float64Array;
  /** Classification: row-major probabilities, `classCount` for each row. */
  probabilities: Float64Array;
  classCount: number;
  /** Binary: index of the class that counts as positive. */
  positiveClass: number;
  /** One for each row, when rows count differently. */
  weights?: Float64Array;
  /** Ranking: the number of each row's group. */
  groups?: Int32Array;
  /** Classification: what a decision costs, `costs[actual][decided]`. */
  costs?: readonly (readonly number[])[];
}

export interface Metric {
  name: string;
  label: string;
  /** One sentence for people who are not experts. */
  plainWords: string;
  tasks: readonly Task[];
  greaterIsBetter: boolean;
  /** What it looks at: the chosen class, the probabilities, or the predicted value. */
  needs: 'class' | 'probability' | 'value';
  compute: (scored: Scored) => number;
}

const classification: readonly Task[] = ['binary', 'multiclass'];
const regression: readonly Task[] = ['regression'];
const ranking: readonly Task[] = ['ranking'];

export const metrics: readonly Metric[] = [
  {
    name: 'auc',
    label: 'Area under the ROC curve',
    plainWords:
      'How often the model ranks a random row of the class above a random other row: 0.5 is guessing, 1 is perfect.',
    tasks: classification,
    greaterIsBetter: true,
    needs: 'probability',
    compute: (scored) => classes.overClasses(scored, areaUnderRoc),
  },
  {
    name: 'log_loss',
    label: 'Log loss',
    plainWords: 'How surprised the model is by the truth: 0 is perfect, and confident mistakes cost most.',
    tasks: classification,
    greaterIsBetter: false,
    needs: 'probability',
    compute: classes.logLoss,
  },
  {
    name: 'accuracy',
    label: 'Accuracy',
    plainWords: 'The share of rows for which the predicted class is the true one.',
    tasks: classification,
    greaterIsBetter: true,
    needs: 'class',
    compute: classes.accuracy,
  },
  {
    name: 'balanced_accuracy',
    label: 'Balanced accuracy',
    plainWords:
      'Accuracy computed for each class and averaged, so that rare classes count as much as frequent ones.',
    tasks: classification,
    greaterIsBetter: true,
    needs: 'class',
    compute: classes.balancedAccuracy,
  },
  {
    name: 'f1',
    label: 'F1 (macro)',
    plainWords: 'The balance of precision and recall, computed for each class and averaged.',
    tasks: classification,
    greaterIsBetter: true,
    needs: 'class',
    compute: classes.macroF1,
  },
  {
    name: 'precision',
    label: 'Precision',
    plainWords:
      'Of the rows that the model calls positive, the share that are; with three or more classes, the average over them.',
    tasks: classification,
    greaterIsBetter: true,
    needs: 'class',
    compute: classes.precision,
  },
  {
    name: 'recall',
    label: 'Recall',
    plainWords:
      'Of the rows that are positive, the share that the model finds; with three or more classes, the average over them.',
    tasks: classification,
    greaterIsBetter: true,
    needs: 'class',
    compute: classes.recall,
  },
  {
    name: 'average_precision',
    label: 'Average precision',
    plainWords:
      'How pure the top of the ranking is, over all cut-offs: best for rare classes; guessing gives the share of the class.',
    tasks: classification,
    greaterIsBetter: true,
    needs: 'probability',
    compute: (scored) => classes.overClasses(scored, averagePrecision),
  },
  {
    name: 'brier',
    label: 'Brier score',
    plainWords: 'The average squared error of the probabilities: 0 is perfect.',
    tasks: classification,
    greaterIsBetter: false,
    needs: 'probability',
    compute: classes.brier,
  },
  {
    name: 'cost',
    label: 'Cost of a decision',
    plainWords: 'The money that a decision costs on average, by the costs that you gave for each mistake.',
    tasks: classification,
    greaterIsBetter: false,
    needs: 'class',
    compute: classes.meanCost,
  },
  {
    name: 'rmse',
    label: 'Root mean squared error',
    plainWords: 'The typical size of an error in units of the target, where large errors count more.',
    tasks: regression,
    greaterIsBetter: false,
    needs: 'value',
    compute: numbers.rootMeanSquaredError,
  },
  {
    name: 'mae',
    label: 'Mean absolute error',
    plainWords: 'The average size of an error in units of the target.',
    tasks: regression,
    greaterIsBetter: false,
    needs: 'value',
    compute: numbers.meanAbsoluteError,
  },
  {
    name: 'r2',
    label: 'R squared',
    plainWords:
      'The share of the variation of the target that the model explains: 1 is perfect, 0 is no better than the mean.',
    tasks: regression,
    greaterIsBetter: true,
    needs: 'value',
    compute: numbers.rSquared,
  },
  {
    name: 'mape',
    label: 'Mean absolute percentage error',
    plainWords:
      'The average error as a share of the true value (0.1 is 10 %); it makes no sense where true values are near zero.',
    tasks: regression,
    greaterIsBetter: false,
    needs: 'value',
    compute: numbers.meanAbsolutePercentageError,
  },
  {
    name: 'median_absolute_error',
    label: 'Median absolute error',
    plainWords: 'Half of the errors are smaller than this, in units of the target.',
    tasks: regression,
    greaterIsBetter: false,
    needs: 'value',
    compute: numbers.medianAbsoluteError,
  },
  {
    name: 'ndcg',
    label: 'NDCG of the first ten',
    plainWords:
      'How near the first ten of each group come to the best order, where high places and high relevance count most: 1 is perfect.',
    tasks: ranking,
    greaterIsBetter: true,
    needs: 'value',
    compute: (scored) => normalisedGain(rankedQueries(scored), usualDepth),
  },
  {
    name: 'map',
    label: 'Mean average precision',
    plainWords:
      'How pure the top of each group is, over all places; every relevance above 0 counts the same: 1 is perfect.',
    tasks: ranking,
    greaterIsBetter: true,
    needs: 'value',
    compute: (scored) => meanAveragePrecision(rankedQueries(scored)),
  },
  {
    name: 'mrr',
    label: 'Mean reciprocal rank',
    plainWords:
      'How far up the first relevant row of each group stands: 1 at the top, 0.5 at the second place.',
    tasks: ranking,
    greaterIsBetter: true,
    needs: 'value',
    compute: (scored) => meanReciprocalRank(rankedQueries(scored)),
  },
];

const defaultMetrics: Record<Task, string> = {
  binary: 'auc',
  multiclass: 'log_loss',
  regression: 'rmse',
  ranking: 'ndcg',
};
const aliases: Readonly<Record<string, string>> = {
  roc_auc: 'auc',
  logloss: 'log_loss',
  f1_macro: 'f1',
  brier_score: 'brier',
  expected_cost: 'cost',
  money: 'cost',
  root_mean_squared_error: 'rmse',
  mean_absolute_error: 'mae',
  mean_absolute_percentage_error: 'mape',
};

/**
 * The metric called `name` (hyphens count as underscores; `auto` is AUC, log loss, RMSE or NDCG by task).
 * @throws Problem `invalid-request` when there is none for the task
 */
export function metricFor(name: string, task: Task): Metric {
  const plain = name.trim().toLowerCase().replaceAll('-', '_');
  const wanted = plain === 'auto' ? defaultMetrics[task] : (aliases[plain] ?? plain);
  const metric = metrics.find((candidate) => candidate.name === wanted && candidate.tasks.includes(task));
  if (metric) return metric;
  const offered = metrics
    .filter((candidate) => candidate.tasks.includes(task))
    .map((candidate) => candidate.name);
  throw new Problem(
    'invalid-request',
    `There is no metric "${name.slice(0, 60)}" for a ${task} task. Use one of: ${offered.join(', ')}.`,
    {
      errors: [{ field: 'metric', message: `must be one of ${offered.join(', ')}` }],
    },
  );
}

/** All metrics of the task; those that are not defined on these rows (AUC of one class, costs that nobody gave) are left out. */
export function allMetrics(scored: Scored): Record<string, number> {
  const values: Record<string, number> = {};
  for (const metric of metrics) {
    if (!metric.tasks.includes(scored.task)) continue;
    const value = metric.compute(scored);
    if (Number.isFinite(value)) values[metric.name] = value;
  }
  return values;
}

/** The value turned so that more is better: what searches compare. Undefined values become the worst. */
export function utilityOf(metric: Metric, value: number): number {
  if (value !== value) return -Infinity;
  return metric.greaterIsBetter ? value : -value;
}

function rankedQueries({ predicted, actual, groups }: Scored): RankedQueries {
  return {
    scores: predicted,
    relevance: actual,
    queries: queriesOf(present(groups, 'the groups of a ranking')),
  };
}

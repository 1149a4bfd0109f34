// The worker's half of a plan: looks at the target column alone and says which task it poses.
import type { Recipe } from '../../contract/training.ts';
import { hasClasses } from '../../ml/frame/schema.ts';
import { metricFor } from '../../ml/metrics/metrics.ts';
import { checkDirections } from '../../ml/search/column-constraints.ts';
import { decisionCosts } from '../../ml/search/costs.ts';
import { readTarget } from '../../ml/search/task.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import { readColumns } from '../data/read-columns.ts';
import { constraintsOf } from './engine-recipe.ts';
import { frameOf } from './frame.ts';
import type { TrainingPlan } from './train.ts';

export type PlanTaskInput = { contentPath: string; recipe: Recipe };
export type PlanTaskOutput = Pick<
  TrainingPlan,
  'task' | 'taskReason' | 'metric' | 'metricMeaning' | 'classes' | 'positiveClass' | 'warnings'
>;

/** Classes that a plan names; more are counted only by the training. */
const mostClassesShown = 50;

export const run: Task<PlanTaskInput, PlanTaskOutput> = async ({ contentPath, recipe }, { workFolder }) => {
  const columns = await readColumns(contentPath, { workFolder, columns: [recipe.target] });
  const [column] = frameOf(columns).columns;
  const target = readTarget(column!, {
    task: recipe.task,
    ...(recipe.positiveClass !== null && { positiveClass: recipe.positiveClass }),
  });
  checkDirections(constraintsOf(recipe), target.task, 'body.');
  const metric = metricFor(recipe.metric, target.task);
  decisionCosts(recipe.costs ?? undefined, target, { metric, place: 'body.' });
  return {
    task: target.task,
    taskReason: target.reason,
    metric: metric.name,
    metricMeaning: metric.plainWords,
    classes: hasClasses(target.task) ? countClasses(target.classes, target.values) : null,
    positiveClass: target.task === 'binary' ? target.classes[target.positiveClass]! : null,
    warnings: target.warnings,
  };
};

function countClasses(classes: readonly string[], values: Float64Array): { name: string; count: number }[] {
  const counts = new Uint32Array(classes.length);
  for (const value of values) counts[value]!++;
  return classes
    .map((name, index) => ({ name, count: counts[index]! }))
    .toSorted((a, b) => b.count - a.count)
    .slice(0, mostClassesShown);
}

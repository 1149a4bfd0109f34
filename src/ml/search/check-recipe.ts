// Whether the numbers of a recipe make sense by themselves; what they mean for a table is checked where it is read.
import { Problem } from '../../base/problems.ts';
import type { Recipe } from './recipe.ts';

/** @throws Problem `invalid-request` that names the fields */
export function checkRecipe({ budget, folds, holdoutShare, maxPredictMs, seed }: Recipe): void {
  const isPositive = (value: number | undefined): boolean =>
    value === undefined || (Number.isFinite(value) && value > 0);
  const errors = [
    budget.seconds === undefined &&
      budget.trials === undefined && { field: 'budget', message: 'must have seconds or trials' },
    !isPositive(budget.seconds) && { field: 'budget.seconds', message: 'must be above 0' },
    !(
      budget.trials === undefined ||
      (Number.isInteger(budget.trials) && budget.trials >= 1 && budget.trials <= 10_000)
    ) && {
      field: 'budget.trials',
      message: 'must be a whole number from 1 to 10000',
    },
    !isPositive(budget.memoryBytes) && { field: 'budget.memoryBytes', message: 'must be above 0' },
    !isPositive(maxPredictMs) && { field: 'maxPredictMs', message: 'must be above 0' },
    !(folds === undefined || (Number.isInteger(folds) && folds >= 2 && folds <= 20)) && {
      field: 'folds',
      message: 'must be a whole number from 2 to 20',
    },
    !(holdoutShare === undefined || (holdoutShare >= 0.05 && holdoutShare <= 0.5)) && {
      field: 'holdoutShare',
      message: 'must be from 0.05 to 0.5',
    },
    !Number.isSafeInteger(seed) && { field: 'seed', message: 'must be a whole number' },
  ].filter((error) => error !== false);
  if (errors.length > 0)
    throw new Problem('invalid-request', `The recipe: "${errors[0]!.field}" ${errors[0]!.message}.`, {
      errors,
    });
}

// The engine's recipe (ml/search/recipe.ts) for one of the contract.
import type { Recipe } from '../../contract/training.ts';
import type { ColumnConstraints } from '../../ml/model/manifest.ts';
import type { Recipe as SearchRecipe } from '../../ml/search/recipe.ts';

/** What a search is asked; `memoryBytes` is what it may take beyond the frame. */
export function searchRecipe(recipe: Recipe, memoryBytes: number): SearchRecipe {
  const { seconds, trials } = recipe.budget;
  return {
    target: recipe.target,
    task: recipe.task,
    metric: recipe.metric,
    // Counted in trials, time steers nothing: that is what makes the bytes the same.
    budget: { memoryBytes, ...(trials === null ? { seconds } : { trials }) },
    seed: recipe.seed,
    holdoutShare: recipe.holdoutShare,
    refit: recipe.refit,
    compact: recipe.compact,
    backgroundRows: recipe.backgroundRows,
    excludedColumns: recipe.excludedColumns,
    constraints: constraintsOf(recipe),
    protectedColumns: recipe.protectedColumns ?? [],
    ...(recipe.costs && { costs: recipe.costs }),
    ...(recipe.groupColumn !== null && { groupColumn: recipe.groupColumn }),
    ...(recipe.maxPredictMs !== null && { maxPredictMs: recipe.maxPredictMs }),
    ...(recipe.timeColumn !== null && { timeColumn: recipe.timeColumn }),
    ...(recipe.folds !== null && { folds: recipe.folds }),
    ...(recipe.positiveClass !== null && { positiveClass: recipe.positiveClass }),
  };
}

/** What a model must keep to. */
export function constraintsOf({ constraints }: Recipe): ColumnConstraints {
  const { increasing, decreasing, interactionGroups } = constraints;
  return { increasing, decreasing, ...(interactionGroups && { interactionGroups }) };
}

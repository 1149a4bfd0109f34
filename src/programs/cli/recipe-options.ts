// The options of a recipe, the same for `pilvi fit` (no server) and `pilvi training start`.
import { Option, type Command } from 'commander';
import type { Recipe } from '../../contract/training.ts';
import { addCostOptions, costsOf, type CostOptions } from './cost-options.ts';
import { choice, collect, collectList, durationSeconds, numberWithin, usd, wholeNumber } from './values.ts';

/** What the options are read as. */
export interface RecipeOptions extends CostOptions {
  target: string;
  task: 'auto' | 'binary' | 'multiclass' | 'regression' | 'ranking';
  metric: string;
  positiveClass?: string;
  exclude?: string[];
  group?: string;
  time?: string;
  protect?: string[];
  increasing?: string[];
  decreasing?: string[];
  together?: string[][];
  budget: number;
  trials?: number;
  memory?: number;
  maxUsd?: number;
  maxPredictMs?: number;
  compact?: boolean;
  seed: number;
  folds?: number;
  holdout: number;
  refit: boolean;
  backgroundRows: boolean;
}

/** Declares the options that say what to learn, and how long. */
export function addRecipeOptions(command: Command): Command {
  return addCostOptions(addSearchOptions(command));
}

function addSearchOptions(command: Command): Command {
  return command
    .requiredOption('--target <column>', 'the column to predict')
    .addOption(
      new Option('--budget <time>', 'how long to search, such as 60s, 5m or 1h')
        .argParser(durationSeconds)
        .default(60, '60s'),
    )
    .option('--metric <name>', 'the measure to be good at, such as auc or rmse; auto fits the task', 'auto')
    .addOption(
      choice('--task <task>', 'the kind of task', [
        'auto',
        'binary',
        'multiclass',
        'regression',
        'ranking',
      ]).default('auto'),
    )
    .option('--seed <number>', 'same seed, data and trials: same model', wholeNumber(0, 4_294_967_295), 1)
    .option('--trials <number>', 'stop after so many trials', wholeNumber(1, 10_000))
    .option('--exclude <column>', 'a column not to learn from; may be given several times', collect)
    .option(
      '--group <column>',
      'rows with equal values here are never both learned from and judged by; a ranking orders the rows of each',
    )
    .option(
      '--protect <column>',
      'a column that tells groups of people apart, to report how each is treated; may be given several times',
      collect,
    )
    .option('--time <column>', 'dates or numbers: learned from earlier rows, judged by later ones')
    .option(
      '--increasing <column>',
      'a number with which the answer may only rise; may be given several times',
      collect,
    )
    .option(
      '--decreasing <column>',
      'a number with which the answer may only fall; may be given several times',
      collect,
    )
    .option(
      '--together <columns>',
      'columns, with commas, that may act together; others then act on their own; may be given several times',
      collectList,
    )
    .option(
      '--max-predict-ms <number>',
      'milliseconds that the answer to one row may take on this machine',
      numberWithin(0.001, 60_000),
    )
    .option('--compact', 'one model in place of one for each fold: a smaller file and quicker answers')
    .option('--positive-class <class>', 'of two classes, the one that metrics are about')
    .option('--folds <number>', 'folds of the cross-validation', wholeNumber(2, 20))
    .option(
      '--holdout <share>',
      'share of the rows that only the final score sees',
      numberWithin(0.05, 0.5),
      0.2,
    )
    .option('--no-refit', 'do not learn once more, from all rows, when the model has been judged')
    .option(
      '--no-background-rows',
      'keep no rows of the data in the model file; explanations are then less exact',
    )
    .option('--memory <mib>', 'memory for the search, in MiB', wholeNumber(256, 1_048_576));
}

/** Declares what only a server can keep to: money. */
export function addPriceOption(command: Command): Command {
  return command.option('--max-usd <amount>', 'refuse to start if it could cost more', usd);
}

/** The recipe that the options say, without the names of dataset and model. */
export function recipeOf(options: RecipeOptions): Omit<Recipe, 'datasetVersionId' | 'modelName'> {
  return {
    target: options.target,
    task: options.task,
    metric: options.metric,
    positiveClass: options.positiveClass ?? null,
    excludedColumns: options.exclude ?? [],
    groupColumn: options.group ?? null,
    timeColumn: options.time ?? null,
    constraints: {
      increasing: options.increasing ?? [],
      decreasing: options.decreasing ?? [],
      interactionGroups: options.together ?? null,
    },
    protectedColumns: options.protect ?? [],
    costs: costsOf(options),
    budget: {
      seconds: options.budget,
      trials: options.trials ?? null,
      memoryMiB: options.memory ?? null,
      maxMicroUsd: options.maxUsd ?? null,
    },
    maxPredictMs: options.maxPredictMs ?? null,
    compact: options.compact ?? false,
    seed: options.seed,
    folds: options.folds ?? null,
    holdoutShare: options.holdout,
    refit: options.refit,
    backgroundRows: options.backgroundRows,
  };
}

// What can be set of a linear model.
import type { LearnerSpec } from './learner.ts';

export const linearSpec: LearnerSpec = {
  name: 'linear',
  label: 'Linear model',
  plainWords:
    'A weighted sum of the columns: ridge, lasso and elastic net, logistic or Poisson regression. Simple, fast and steady with few rows; it cannot see interplay between columns.',
  tasks: ['binary', 'multiclass', 'regression'],
  hyperparameters: [
    {
      name: 'l2',
      label: 'L2 penalty',
      plainWords: 'Pulls weights towards zero, in rows: as if that many rows said that nothing matters.',
      type: 'number',
      default: 1,
      min: 0,
      max: 1_000_000,
      scale: 'log',
      search: { min: 0.01, max: 1000 },
    },
    {
      name: 'l1',
      label: 'L1 penalty',
      plainWords: 'Sets weights of columns that help little to exactly zero: the larger, the more of them.',
      type: 'number',
      default: 0,
      min: 0,
      max: 1_000_000,
      search: { choices: [0, 0, 1, 3, 10, 30] },
    },
    {
      name: 'loss',
      label: 'Loss',
      plainWords:
        'For numbers: squared distance, or the deviance of counts (poisson), whose answers are always above zero.',
      type: 'choice',
      choices: ['squared', 'poisson'],
      default: 'squared',
    },
    {
      name: 'iterations',
      label: 'Steps',
      plainWords: 'The most steps of the solver.',
      type: 'integer',
      default: 200,
      min: 1,
      max: 10_000,
    },
  ],
  abilities: {
    missingValues: false,
    categories: false,
    weights: true,
    earlyStopping: false,
    constraints: false,
  },
};

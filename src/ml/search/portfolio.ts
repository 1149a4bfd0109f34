// What the search tries first: settings known to be good, most useful first. What it tries then is in proposals.ts. The order is
// made by hand: one learned by bench/portfolio.ts (23 November 2026, 15 public and 5 made-up tables) was not better on
// tables that it was not learned from (docs/benchmarks.md).
import type { Hyperparameters, Learner } from '../learners/learner.ts';
import { learnerNamed } from '../learners/learners.ts';

export interface Candidate {
  learner: string;
  hyperparameters: Hyperparameters;
  label: string;
  /** Share of the time left that it may take, when time is the budget. */
  timeShare: number;
  /** Not of the portfolio: given up when far behind after the first fold. */
  isExploring: boolean;
}

export interface PortfolioEntry {
  learner: string;
  label: string;
  hyperparameters: Hyperparameters;
  timeShare?: number;
}

export const portfolio: readonly PortfolioEntry[] = [
  { learner: 'baseline', label: 'Baseline', hyperparameters: {}, timeShare: 0.05 },
  { learner: 'linear', label: 'Linear model', hyperparameters: { l2: 1 }, timeShare: 0.15 },
  {
    learner: 'boosted-trees',
    label: 'Boosted trees',
    hyperparameters: { learningRate: 0.1, maxLeaves: 31, patience: 25 },
    timeShare: 0.6,
  },
  {
    learner: 'boosted-trees',
    label: 'Boosted trees, absolute errors',
    hyperparameters: { learningRate: 0.1, maxLeaves: 31, patience: 25, loss: 'absolute' },
    timeShare: 0.5,
  },
  { learner: 'extra-trees', label: 'Extra trees', hyperparameters: {}, timeShare: 0.3 },
  {
    learner: 'boosted-trees',
    label: 'Boosted trees, small and careful',
    hyperparameters: {
      learningRate: 0.05,
      maxLeaves: 12,
      minRowsPerLeaf: 10,
      featureShare: 0.6,
      rowShare: 0.8,
      l2: 1,
    },
  },
  {
    learner: 'categorical-boosting',
    label: 'Categorical boosting',
    hyperparameters: { depth: 5, learningRate: 0.08, patience: 25 },
    timeShare: 0.5,
  },
  {
    learner: 'categorical-boosting',
    label: 'Categorical boosting, amounts',
    hyperparameters: { depth: 5, learningRate: 0.08, patience: 25, loss: 'poisson' },
    timeShare: 0.5,
  },
  {
    learner: 'categorical-boosting',
    label: 'Categorical boosting, absolute errors',
    hyperparameters: { depth: 5, learningRate: 0.08, patience: 25, loss: 'absolute' },
    timeShare: 0.5,
  },
  {
    learner: 'boosted-trees',
    label: 'Boosted trees, random borders',
    hyperparameters: {
      learningRate: 0.06,
      maxLeaves: 48,
      borders: 'random',
      featureShare: 1,
      minRowsPerLeaf: 5,
    },
  },
  { learner: 'random-forest', label: 'Random forest', hyperparameters: {}, timeShare: 0.4 },
  {
    learner: 'neighbours',
    label: 'Nearest neighbours',
    hyperparameters: { neighbours: 20 },
    timeShare: 0.15,
  },
  { learner: 'naive-bayes', label: 'Naive Bayes', hyperparameters: {}, timeShare: 0.1 },
  {
    learner: 'boosted-trees',
    label: 'Boosted trees, large',
    hyperparameters: {
      learningRate: 0.05,
      maxLeaves: 80,
      minRowsPerLeaf: 15,
      featureShare: 0.5,
      rowShare: 0.9,
      l2: 3,
    },
  },
  { learner: 'network', label: 'Neural network', hyperparameters: {}, timeShare: 0.4 },
  {
    learner: 'linear',
    label: 'Linear model, few columns',
    hyperparameters: { l1: 10, l2: 1 },
    timeShare: 0.3,
  },
  { learner: 'linear', label: 'Linear model, strong penalty', hyperparameters: { l2: 50 }, timeShare: 0.3 },
];

/** Says whether a learner with such settings can do what a recipe asks for, within its budget. */
export type Fitness = (learner: Learner, hyperparameters: Hyperparameters) => boolean;

/** Entry `index` of the portfolio of learners that fit; undefined behind its end. */
export function portfolioCandidate(index: number, fits: Fitness): Candidate | undefined {
  const entry = portfolio.filter(({ learner, hyperparameters }) =>
    fits(learnerNamed(learner), hyperparameters),
  )[index];
  return entry && { timeShare: 1, isExploring: false, ...entry };
}

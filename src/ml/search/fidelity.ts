// Proposals for large tables are first judged on a sample: where one fold of boosted trees takes a noticeable part of the
// time, a proposal first learns from a quarter of the first fold's rows, then from all of them, and only then from every fold
// (successive halving, one trial at a time: Jamieson and Talwalkar 2016; Li et al., ASHA, 2020). Only where time is the
// budget: counted in trials, time steers nothing. What each trial was judged on is part of its report.
import { hasClasses } from '../frame/schema.ts';
import { splitRows } from '../frame/split.ts';
import type { Prepared } from './prepare.ts';
import type { Trial } from './trial.ts';

/** What a proposal is judged on before it learns from all rows. */
export interface Rung {
  /** Of the training part; they lie within the first fold's training rows. */
  rows: Int32Array;
  /** Below this it is given up. */
  leastUtility: number;
}

const sampleShare = 0.25;
const fewestSampleRows = 4000;
/** Of all time, what one fold of boosted trees takes where a sample is worth its while. */
const noticeableShare = 0.01;
/** One of so many goes on. */
const halving = 3;

/**
 * Tells for each proposal, by the trials so far, what it must first show on a sample; undefined where it is trained on
 * everything at once.
 */
export function sampler(prepared: Prepared): (trials: readonly Trial[]) => Rung | undefined {
  const { seconds, trials: trialBudget } = prepared.recipe.budget;
  const rowCount = prepared.folds[0]!.training.length;
  const isLarge = rowCount * sampleShare >= fewestSampleRows && prepared.target.task !== 'ranking';
  if (!isLarge || seconds === undefined || trialBudget !== undefined) return () => undefined;
  let rows: Int32Array | undefined;
  return (trials) => {
    if (!(secondsPerFold(trials) >= noticeableShare * seconds)) return undefined;
    rows ??= sampleOf(prepared);
    return { rows, leastUtility: bestThird(trials) };
  };
}

/** Of the quickest boosted trial that was trained on everything; NaN before there is one. */
function secondsPerFold(trials: readonly Trial[]): number {
  const taken = trials
    .filter(({ report }) => report.state === 'finished' && report.learner === 'boosted-trees')
    .map(({ secondsPerModel }) => secondsPerModel);
  return taken.length === 0 ? NaN : Math.min(...taken);
}

/** Classes in the shares that they have. */
function sampleOf({ folds, training, target, recipe }: Prepared): Int32Array {
  const all = folds[0]!.training;
  const strata = hasClasses(target.task)
    ? { strata: Int32Array.from(all, (row) => training.actual[row]!) }
    : {};
  const options = { rowCount: all.length, share: sampleShare, seed: recipe.seed + 6, ...strata };
  return splitRows(options).second.map((position) => all[position]!);
}

/** What the best third of proposals reached on the sample; the first ones all go on. */
function bestThird(trials: readonly Trial[]): number {
  const reached = trials
    .map(({ sampleUtility }) => sampleUtility)
    .filter((utility) => utility !== undefined)
    .sort((a, b) => b - a);
  return reached.length < halving ? -Infinity : reached[Math.floor(reached.length / halving) - 1]!;
}

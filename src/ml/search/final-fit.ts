// The last step of a search: what was chosen, and judged on rows that it had never seen, learns once more, from those rows
// too. Settings, seeds and weights stay; a fold's model still leaves out the rows of its fold, which tell it when to stop.
// No figure speaks of the new models: those that are told belong to the ones before, which knew less.
import { present } from '../../base/assert.ts';
import type { RowModel } from '../model/row-model.ts';
import type { EnsembleChoice } from './ensemble.ts';
import { modelMs, type LatencyLimit } from './latency.ts';
import { allRows, withViews, type Fold, type Prepared } from './prepare.ts';
import { fitFold, type FitContext, type Trial } from './trial.ts';

/** A training is begun when this much more than it took before is left. */
const margin = 1.5;
/** The most that may be kept free for it, of the whole time, for tables on which more rows matter. */
const mostShare = 0.2;
/** Beyond so many rows, a quarter more of them makes less and less of a difference. */
const rowsThatMatter = 20_000;
const trialsInEnsembles = 3;

export interface FinalFit {
  /** Of each choice, one for each model that it has; the old one where there was no time for a new one. */
  models: RowModel[][];
  /** Whether all of them are new. */
  isComplete: boolean;
}

/** Milliseconds that a search of `wholeMs` keeps free to train the best of its trials again. */
export function finalFitMs(
  { recipe, training }: Prepared,
  trials: readonly Trial[],
  wholeMs: number,
): number {
  if (recipe.refit === false) return 0;
  const best = trials
    .filter(({ report, candidate }) => report.state === 'finished' && candidate.learner !== 'baseline')
    .toSorted((a, b) => b.utility - a.utility)
    .slice(0, trialsInEnsembles);
  const seconds = best.reduce((sum, { report }) => sum + report.seconds, 0);
  const share = mostShare * Math.min(1, rowsThatMatter / training.actual.length);
  return Math.min(share * wholeMs, seconds * 1000 * margin);
}

/** Trains the models of `choices` again, the weightiest first, until `deadlineMs`. */
export async function finalFit(
  context: FitContext & { deadlineMs?: number; latency?: LatencyLimit },
  choices: readonly EnsembleChoice[],
): Promise<FinalFit> {
  const { prepared, clock, pause, deadlineMs = Infinity, latency } = context;
  const models = choices.map(({ trial }) => [...trial.models]);
  const folds = allFolds(prepared);
  let isComplete = true;
  const byWeight = choices.map((_, index) => index).sort((a, b) => choices[b]!.weight - choices[a]!.weight);
  for (const index of byWeight) {
    const { trial } = choices[index]!;
    const expectedMs = (margin * trial.report.seconds * 1000) / prepared.folds.length;
    for (let number = 0; number < trial.models.length; number++) {
      await pause();
      const hasTime = clock.monotonicMs() + expectedMs < deadlineMs;
      const fold = trial.compact ? prepared.folds.length : number;
      const model = hasTime ? await fitAgain(context, trial, { number, fold: folds[fold]! }) : undefined;
      if (model) models[index]![number] = model;
      else isComplete = false;
    }
  }
  const isQuickEnough = !latency || answerMs(context, models) <= latency.modelsMs;
  return isQuickEnough
    ? { models, isComplete }
    : { models: choices.map(({ trial }) => trial.models), isComplete: false };
}

/** The new model; undefined when the time was up before it had learned all that it wanted to. */
async function fitAgain(
  context: FitContext & { deadlineMs?: number },
  trial: Trial,
  { number, fold }: { number: number; fold: Fold },
): Promise<RowModel | undefined> {
  const { prepared, clock, deadlineMs } = context;
  const truth = prepared.everything;
  const control = deadlineMs === undefined ? {} : { deadlineMs };
  const { model } = await fitFold(context, trial, { number, fold, truth }, control);
  return deadlineMs !== undefined && clock.monotonicMs() >= deadlineMs ? undefined : model;
}

/**
 * The same folds with all other rows to learn from: those locked away, and with an order of time also later ones.
 * Behind them, where models may be compact, all rows.
 */
function allFolds({ folds, whole, everything: { table } }: Prepared): Fold[] {
  const rows = folds.map(({ validation }) => {
    const isLeftOut = new Uint8Array(table.rowCount);
    for (const row of validation) isLeftOut[row] = 1;
    const training = Int32Array.from({ length: table.rowCount }, (_, row) => row).filter(
      (row) => !isLeftOut[row],
    );
    return { training, validation };
  });
  return withViews(whole ? [...rows, allRows(table.rowCount)] : rows, table);
}

/** What one row takes with all models. */
function answerMs({ prepared, clock }: FitContext, models: readonly RowModel[][]): number {
  return models.reduce(
    (sum, own) => sum + own.length * modelMs(prepared, present(own[0], 'a member has models'), clock),
    0,
  );
}

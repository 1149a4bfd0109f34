// The last step of a search: what was chosen, and judged on rows that it had never seen, learns once more, from those rows
// too. Settings, seeds and weights stay; a fold's model still leaves out the rows of its fold, which tell it when to stop.
// No figure speaks of the new models: those that are told belong to the ones before, which knew less.
import { present } from '../../base/assert.ts';
import type { RowModel } from '../model/row-model.ts';
import type { EnsembleChoice } from './ensemble.ts';
import { modelMs, type LatencyLimit } from './latency.ts';
import type { Fit, FitContext } from './fit-crew.ts';
import type { Prepared } from './prepare.ts';
import { settledSettings } from './compact.ts';
import { orderOf, type Trial } from './trial.ts';

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
  { recipe, training, everything }: Prepared,
  trials: readonly Trial[],
  wholeMs: number,
): number {
  if (recipe.refit === false || !everything) return 0;
  const best = trials
    .filter(({ report, candidate }) => report.state === 'finished' && candidate.learner !== 'baseline')
    .toSorted((a, b) => b.utility - a.utility)
    .slice(0, trialsInEnsembles);
  const seconds = best.reduce((sum, { report }) => sum + report.seconds, 0);
  const share = mostShare * Math.min(1, rowsThatMatter / training.actual.length);
  return Math.min(share * wholeMs, seconds * 1000 * margin);
}

/** Trains the models of `choices` again, the weightiest first, until `deadlineMs`. `everything` must be there. */
export async function finalFit(
  context: FitContext & { deadlineMs?: number; latency?: LatencyLimit },
  choices: readonly EnsembleChoice[],
): Promise<FinalFit> {
  const { clock, pause, crew, deadlineMs = Infinity, latency } = context;
  const models = choices.map(({ trial }) => [...trial.models]);
  const byWeight = choices.map((_, index) => index).sort((a, b) => choices[b]!.weight - choices[a]!.weight);
  const wanted = byWeight.flatMap((choice) => models[choice]!.map((_, place) => ({ choice, place })));
  let isComplete = true;
  await crew.each(wanted.length, async (index, fit) => {
    await pause();
    const { choice, place } = wanted[index]!;
    const { trial } = choices[choice]!;
    const hasTime = clock.monotonicMs() + margin * trial.secondsPerModel * 1000 < deadlineMs;
    const model = hasTime ? await fitAgain(context, { trial, place, fit }) : undefined;
    if (model) models[choice]![place] = model;
    else isComplete = false;
    return true;
  });
  const isQuickEnough = !latency || answerMs(context, models) <= latency.modelsMs;
  return isQuickEnough
    ? { models, isComplete }
    : { models: choices.map(({ trial }) => trial.models), isComplete: false };
}

/** The new model; undefined when the time was up before it had learned all that it wanted to. */
async function fitAgain(
  { prepared, deadlineMs }: FitContext & { deadlineMs?: number },
  { trial, place, fit }: { trial: Trial; place: number; fit: Fit },
): Promise<RowModel | undefined> {
  const fold = trial.isWhole ? prepared.folds.length : place;
  const { trained } = await fit(
    {
      ...orderOf(trial, { part: 'everything', fold }),
      ...(trial.isWhole && { hyperparameters: settledSettings(trial) }),
    },
    deadlineMs === undefined ? {} : { deadlineMs },
  );
  return trained.endedBy === 'deadline' ? undefined : trained.model;
}

/** What one row takes with all models. */
function answerMs({ prepared, clock }: FitContext, models: readonly RowModel[][]): number {
  return models.reduce(
    (sum, own) => sum + own.length * modelMs(prepared, present(own[0], 'a member has models'), clock),
    0,
  );
}

// Makes models compact: each chosen trial is trained once more, on all training rows, in place of one model for each fold. The
// file is smaller and answers are quicker, at the cost of what averaging fold models brings. Where early stopping decided,
// the mean of the folds is taken over. Calibration and intervals stay those of the out-of-fold predictions: a model of all
// rows leaves none over to judge it by but the locked ones.
import { present } from '../../base/assert.ts';
import type { Hyperparameters, HyperparameterValue } from '../learners/learner.ts';
import type { Prepared } from './prepare.ts';
import { fitFold, type FitContext, type Trial } from './trial.ts';

/** What more rows than a fold has may cost beyond their share. */
const costlier = 1.3;
/** How many trials are chosen, by guess. */
const likelyChosen = 3;

/**
 * Replaces the models of trials by one each. Those that would take too long keep the models they have.
 * @returns sentences that say what was done
 */
export async function compact(
  trials: readonly Trial[],
  context: FitContext & { deadlineMs?: number },
): Promise<string[]> {
  const { prepared, clock, deadlineMs = Infinity } = context;
  const kept: Trial[] = [];
  for (const trial of trials) {
    const hasTime = clock.monotonicMs() + secondsOf(trial, prepared) * 1000 < deadlineMs;
    if (!hasTime || !(await fitWhole(trial, context))) kept.push(trial);
  }
  const count = trials.length - kept.length;
  const rowCount = prepared.training.actual.length;
  const done = `${count === 1 ? 'One model was' : `${count} models were`} trained once more on all ${rowCount} training rows; cross-validated scores are those of the fold models before.`;
  return [
    ...(count > 0 ? [done] : []),
    ...kept.map(({ report }) => `There was no time to train "${report.label}" once more on all rows.`),
  ];
}

/** Milliseconds that a search keeps free for it; none where it is not asked for. */
export function compactMs(prepared: Prepared, trials: readonly Trial[]): number {
  if (!prepared.recipe.compact) return 0;
  const best = trials.toSorted((a, b) => b.utility - a.utility).slice(0, likelyChosen);
  return best.reduce((sum, trial) => sum + secondsOf(trial, prepared) * 1000, 0);
}

function secondsOf({ report }: Trial, { folds }: Prepared): number {
  return (report.seconds / folds.length) * costlier;
}

/** False, and nothing is changed, when the time was up before it had learned all that it wanted to. */
async function fitWhole(trial: Trial, context: FitContext & { deadlineMs?: number }): Promise<boolean> {
  const { prepared, clock, deadlineMs } = context;
  const settings = settledSettings(trial);
  const { model } = await fitFold(
    context,
    { ...trial, compact: settings },
    {
      number: 0,
      fold: present(prepared.whole, 'models may become compact'),
      truth: prepared.training,
    },
    deadlineMs === undefined ? {} : { deadlineMs },
  );
  if (deadlineMs !== undefined && clock.monotonicMs() >= deadlineMs) return false;
  trial.models = [model];
  trial.compact = settings;
  return true;
}

/** The trial's settings, and the means of what its folds settled. */
function settledSettings({ report, settled }: Trial): Hyperparameters {
  const means = Object.keys(settled[0] ?? {}).map((name): [string, HyperparameterValue] => {
    const values = settled.map((one) => Number(one[name]));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [name, values.every(Number.isInteger) ? Math.max(1, Math.round(mean)) : mean];
  });
  return { ...report.hyperparameters, ...Object.fromEntries(means) };
}

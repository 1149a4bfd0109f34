// Trains the chosen trials once more, each on all training rows, in place of one model for each fold: a smaller file and
// quicker answers, at the cost of what averaging fold models brings. Where early stopping decided, it is taken over as the
// mean of the folds. Calibration and intervals stay those of the out-of-fold predictions: the rows that such a model was
// judged by do not exist.
import { present } from '../../base/assert.ts';
import type { Hyperparameters, HyperparameterValue } from '../learners/learner.ts';
import type { Prepared } from './prepare.ts';
import { fitFold, type FitContext, type Trial } from './trial.ts';

/** What more rows than a fold has may cost beyond their share. */
const costlier = 1.3;

/**
 * Replaces the models of trials. Those that would take too long keep the models they have.
 * @param context `deadlineMs`: monotonic time by which all must be over; absent when time is not the budget
 * @returns sentences that say what was done
 */
export async function fitSingleModels(
  context: FitContext & { deadlineMs?: number },
  trials: readonly Trial[],
): Promise<string[]> {
  const { prepared, clock, deadlineMs = Infinity } = context;
  const kept: Trial[] = [];
  for (const trial of trials) {
    const endMs = clock.monotonicMs() + singleModelSeconds(trial, prepared) * 1000;
    if (!(endMs < deadlineMs && (await fitOne(context, trial)))) kept.push(trial);
  }
  const count = trials.length - kept.length;
  const rowCount = prepared.training.actual.length;
  return [
    ...(count > 0
      ? [
          `${count === 1 ? 'One model was' : `${count} models were`} trained once more on all ${rowCount} training rows; their cross-validated scores are those of the fold models before.`,
        ]
      : []),
    ...kept.map(({ report }) => `There was no time to train "${report.label}" once more on all rows.`),
  ];
}

/** What training once more takes, estimated by the folds. */
export function singleModelSeconds({ report }: Trial, { folds }: Prepared): number {
  return (report.seconds / folds.length) * costlier;
}

/** The trial's settings, and the means of what its folds settled. */
export function settledSettings({ report, settled }: Trial): Hyperparameters {
  const means = Object.keys(settled[0] ?? {}).map((name): [string, HyperparameterValue] => {
    const values = settled.map((one) => Number(one[name]));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [name, values.every(Number.isInteger) ? Math.max(1, Math.round(mean)) : mean];
  });
  return { ...report.hyperparameters, ...Object.fromEntries(means) };
}

async function fitOne(context: FitContext & { deadlineMs?: number }, trial: Trial): Promise<boolean> {
  const { prepared, deadlineMs } = context;
  const { model, endedBy } = await fitFold(
    context,
    trial,
    {
      number: prepared.folds.length,
      fold: present(prepared.whole, 'the view for all rows'),
      truth: prepared.training,
      hyperparameters: settledSettings(trial),
    },
    deadlineMs === undefined ? {} : { deadlineMs },
  );
  if (endedBy === 'deadline') return false;
  trial.models = [model];
  trial.isWhole = true;
  return true;
}

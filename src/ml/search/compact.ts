// Trains the chosen trials once more, each on all training rows, in place of one model for each fold: a smaller file and
// quicker answers, at the cost of what averaging fold models brings. Where early stopping decided, it is taken over as the
// mean of the folds. Calibration and intervals stay those of the out-of-fold predictions: the rows that such a model was
// judged by do not exist.
import type { Hyperparameters, HyperparameterValue } from '../learners/learner.ts';
import type { Fit, FitContext } from './fit-crew.ts';
import { orderOf, type Trial } from './trial.ts';

/** What more rows than a fold has may cost beyond their share. */
const costlier = 1.3;

/**
 * Replaces the models of trials. Those that would take too long keep the models they have.
 * @param context `deadlineMs`: monotonic time by which all must be over; absent when time is not the budget
 * @returns sentences that say what was done
 */
export async function fitCompactModels(
  context: FitContext & { deadlineMs?: number },
  trials: readonly Trial[],
): Promise<string[]> {
  const { prepared, clock, crew, deadlineMs = Infinity } = context;
  const isFitted: boolean[] = [];
  await crew.each(trials.length, async (index, fit) => {
    const trial = trials[index]!;
    const endMs = clock.monotonicMs() + compactModelSeconds(trial) * 1000;
    isFitted[index] = endMs < deadlineMs && (await fitOne(context, trial, fit));
    return true;
  });
  const kept = trials.filter((_, index) => !isFitted[index]);
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
export function compactModelSeconds({ secondsPerModel }: Trial): number {
  return secondsPerModel * costlier;
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

async function fitOne(
  { prepared, deadlineMs }: FitContext & { deadlineMs?: number },
  trial: Trial,
  fit: Fit,
): Promise<boolean> {
  const order = orderOf(trial, { part: 'training', fold: prepared.folds.length });
  const { trained } = await fit(
    { ...order, hyperparameters: settledSettings(trial) },
    deadlineMs === undefined ? {} : { deadlineMs },
  );
  if (trained.endedBy === 'deadline') return false;
  trial.models = [trained.model];
  trial.isWhole = true;
  return true;
}

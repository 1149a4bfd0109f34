// Trains the chosen members once more, each on all training rows, in place of one model for each fold: a smaller file and
// quicker answers, at the cost of what averaging fold models brings. Where early stopping decided, it is taken over as the
// mean of the folds. Calibration and intervals stay those of the out-of-fold predictions: the rows that a refitted model
// was judged by do not exist.
import { present } from '../../base/assert.ts';
import { seededRandom } from '../../base/random.ts';
import type { Clock } from '../../base/time.ts';
import type { KernelThreads } from '../kernels/threads.ts';
import { learnerNamed } from '../learners/learners.ts';
import type { Hyperparameters, HyperparameterValue } from '../learners/learner.ts';
import type { Prepared } from './prepare.ts';
import { trainRows, type Trial } from './trial.ts';

export interface RefitInput {
  prepared: Prepared;
  clock: Clock;
  pause: () => Promise<void>;
  threads?: KernelThreads;
  /** Monotonic time by which all must be over; absent when time is not the budget. */
  deadlineMs?: number;
}

/** What more rows than a fold has may cost beyond their share. */
const costlier = 1.3;

/**
 * Replaces the models of trials. Those that would take too long keep the models they have.
 * @returns sentences that say what was done
 */
export async function refit(trials: readonly Trial[], input: RefitInput): Promise<string[]> {
  const { prepared, clock, deadlineMs = Infinity } = input;
  const kept: Trial[] = [];
  for (const trial of trials) {
    const endMs = clock.monotonicMs() + refitSeconds(trial, prepared) * 1000;
    const model = endMs < deadlineMs ? await trainWhole(trial, input) : undefined;
    if (model) trial.models = [model];
    else kept.push(trial);
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
export function refitSeconds({ report }: Trial, { folds }: Prepared): number {
  return (report.seconds / folds.length) * costlier;
}

async function trainWhole(trial: Trial, { prepared, ...control }: RefitInput) {
  const whole = present(prepared.whole, 'the view for all rows');
  const { model, endedBy } = await trainRows(
    { prepared, ...control },
    {
      learner: learnerNamed(trial.report.learner),
      hyperparameters: settledSettings(trial),
      rows: whole.training,
      views: whole.views,
      seed: seededRandom(prepared.recipe.seed + 7).below(2_147_483_647),
    },
  );
  return endedBy === 'deadline' ? undefined : model;
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

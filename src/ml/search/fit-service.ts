// Models of folds on other threads: what is sent to them, and a thread's side of it. The table lies in shared memory and is
// not copied; what learners make of it, such as bins, each thread makes for itself.
import { Problem } from '../../base/problems.ts';
import type { Clock } from '../../base/time.ts';
import { assert } from '../../base/assert.ts';
import type { Feature } from '../frame/encoding.ts';
import { tableRows } from '../frame/table-rows.ts';
import type { KernelThreads } from '../kernels/threads.ts';
import type { Constraints } from '../learners/constraints.ts';
import { pauseBy } from '../learners/learner.ts';
import type { FoldRows } from './divide.ts';
import { openFits, type FitOrder, type Fitted, type Fittable } from './fit.ts';
import { withViews, type Truth } from './prepare.ts';

/** What trainings are of, in a form that can be sent. Rows of the training part come first. */
export interface FitMaterial {
  target: Fittable['target'];
  features: readonly Feature[];
  columns: readonly (Float64Array | Uint8Array)[];
  truth: Truth;
  trainingRowCount: number;
  folds: readonly FoldRows[];
  /** Whether the last of them stands for all others. */
  hasWhole: boolean;
  constraints?: Constraints;
}

export type FitMessage =
  /** Nothing, to forget what there was. */
  | { kind: 'material'; material?: FitMaterial }
  /** `abandoned` is shared, and becomes 1 when nobody wants the model any more. */
  | { kind: 'fit'; order: FitOrder; leftMs?: number; abandoned: Int32Array };

/** Threads that the host brings, which train models or serve the kernels of one that is trained elsewhere. */
export interface TrainingThreads extends KernelThreads {
  /**
   * Hands a message to thread `index`, and its answer back.
   * @throws Problem that the training ended with; any other error when the thread is gone
   */
  ask: (index: number, message: FitMessage) => Promise<Fitted | undefined>;
}

/** Answers the messages of {@link TrainingThreads.ask} on the thread that they were sent to. */
export function openFitService(clock: Clock): (message: FitMessage) => Promise<Fitted | undefined> {
  let fit: ReturnType<typeof openFits> | undefined;
  return async (message) => {
    if (message.kind === 'material') {
      fit = message.material && openFits(fittableOf(message.material));
      return undefined;
    }
    const { order, leftMs, abandoned } = message;
    assert(fit, 'a training has something to learn from');
    const pause = pauseBy(clock);
    return await fit(order, {
      clock,
      pause: async () => {
        await pause();
        if (Atomics.load(abandoned, 0) === 1) throw abandonedFit();
      },
      ...(leftMs !== undefined && { deadlineMs: clock.monotonicMs() + leftMs }),
    });
  };
}

/** What a training ends with that nobody waits for any more. */
export function abandonedFit(): Problem {
  return new Problem('cancelled', 'Nobody waits for this model any more.');
}

function fittableOf(material: FitMaterial): Fittable {
  const { target, features, columns, truth, trainingRowCount, hasWhole, constraints } = material;
  const table = { rowCount: truth.actual.length, features, columns };
  const folds = withViews(material.folds, tableRows(table, 0, trainingRowCount));
  return {
    target,
    training: {
      actual: truth.actual.subarray(0, trainingRowCount),
      ...(truth.groups && { groups: truth.groups.subarray(0, trainingRowCount) }),
    },
    folds: hasWhole ? folds.slice(0, -1) : folds,
    ...(hasWhole && { whole: folds.at(-1)! }),
    everything: { table, ...truth },
    ...(constraints && { constraints }),
  };
}

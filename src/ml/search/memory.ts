// The memory limit of a search, kept to before anyone has to end the process: what a training takes is told beforehand, and
// learners and sizes that do not fit are not tried; what the process takes is measured, where the host does, and a trial that
// comes too near to the limit is ended, so that the search goes on with others and ends with a model.
import { Problem } from '../../base/problems.ts';
import { completeHyperparameters } from '../learners/learner.ts';
import type { Fitness } from './portfolio.ts';
import type { Prepared } from './prepare.ts';

/** What the host measures. */
export interface MemoryGauge {
  /** What the process may take until it is ended. */
  limitBytes: number;
  /** What it takes now. Called often: must be quick. */
  takenBytes: () => number;
}

/** A trial is ended when it has taken so much of all memory. */
const mostTaken = 0.94;
/** Beyond so much, only the best trials are kept, and chosen models do not learn again. */
const scarceFrom = 0.75;
/** Trials in a row that memory ended, after which no other is begun. */
const mostEnded = 3;
/** Bytes of a value as a number, and in its bin. */
const bytesPerValue = 9;

export interface MemoryWatch {
  /** `pause`, which ends what runs when memory does, while trials run. @throws Problem `memory-limit` */
  pause: () => Promise<void>;
  /** Whether trials run, so that what is ended is a trial. */
  isTrying: boolean;
  /** Whether what could be given back should be. */
  isScarce: () => boolean;
}

export function watchMemory(pause: () => Promise<void>, gauge: MemoryGauge | undefined): MemoryWatch {
  const share = (): number => (gauge ? gauge.takenBytes() / gauge.limitBytes : 0);
  const watch: MemoryWatch = {
    isTrying: false,
    isScarce: () => share() > scarceFrom,
    pause: async () => {
      await pause();
      if (!watch.isTrying || share() <= mostTaken) return;
      throw new Problem(
        'memory-limit',
        `This needed more memory than there is left of ${mebibytes(gauge!.limitBytes)} MiB.`,
      );
    },
  };
  return watch;
}

/** Whether the memory has ended the last trials, so that others would fare no better. */
export function isOutOfMemory(trials: readonly { report: { problem?: { code: string } } }[]): boolean {
  const last = trials.slice(-mostEnded);
  return last.length === mostEnded && last.every(({ report }) => report.problem?.code === 'memory-limit');
}

export interface MemoryPlan {
  /** Whether one training of a learner with such settings fits beside the table. */
  fits: Fitness;
  /** Labels of learners that did not with all settings that were asked about. */
  leftOut: ReadonlySet<string>;
}

/** Plans with the recipe's memory; without such a limit everything fits. */
export function planMemory({ recipe, target, training, everything }: Prepared): MemoryPlan {
  const { memoryBytes = Infinity } = recipe.budget;
  const { table, actual } = everything ?? training;
  const size = {
    rowCount: actual.length,
    featureCount: table.features.length,
    outputCount: target.classes.length > 2 ? target.classes.length : 1,
  };
  const leftBytes = memoryBytes - size.rowCount * size.featureCount * bytesPerValue;
  const leftOut = new Set<string>();
  return {
    leftOut,
    fits: ({ spec, trainingBytes }, hyperparameters) => {
      if (!trainingBytes || leftBytes === Infinity) return true;
      const isFitting = trainingBytes(size, completeHyperparameters(spec, hyperparameters)) <= leftBytes;
      if (!isFitting) leftOut.add(spec.label);
      return isFitting;
    },
  };
}

/** What people are told of a search that memory bounded. */
export function memoryWarnings(
  { recipe }: Prepared,
  { leftOut }: MemoryPlan,
  trials: readonly { report: { problem?: { code: string } } }[],
): string[] {
  const endedCount = trials.filter(({ report }) => report.problem?.code === 'memory-limit').length;
  return [
    ...(leftOut.size > 0
      ? [
          `${[...leftOut].join(', ')}: not tried, or not with all settings, because training would not fit the ${mebibytes(recipe.budget.memoryBytes!)} MiB that it may take.`,
        ]
      : []),
    ...(endedCount > 0
      ? [`${endedCount} trials were ended because they came too near to the memory limit.`]
      : []),
  ];
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 2 ** 20);
}

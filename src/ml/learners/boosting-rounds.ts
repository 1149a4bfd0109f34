// What all boosting has in common: rounds one after another, until there are enough, validation rows show no more
// progress, or time is over.
import { concatenate } from '../../base/numbers.ts';
import {
  isLate,
  type CurvePoint,
  type TrainedModel,
  type TrainingControl,
  type TrainingInput,
} from './learner.ts';

export interface Rounds {
  control: TrainingControl;
  iterations: number;
  /** Rounds of an earlier model, which these go on from; 0 unless told. */
  firstRound?: number;
  /** Rounds without progress after which to stop. */
  patience: number;
  /** Adds one round; `false` when the deadline came first, and the round does not count. */
  add: (round: number) => Promise<boolean>;
  /** Loss on the validation rows, if there are any. */
  validationScore: (() => number) | undefined;
}

/** Runs rounds, numbered from `firstRound`; `kept` of all are the model: those up to the best. @throws Problem `cancelled` */
export async function runRounds(
  rounds: Rounds,
): Promise<{ kept: number; curve: CurvePoint[]; endedBy: TrainedModel['endedBy'] }> {
  const { control, firstRound = 0, validationScore } = rounds;
  const curve: CurvePoint[] = [];
  const progress = {
    best: firstRound > 0 && validationScore ? validationScore() : Infinity,
    iteration: firstRound,
  };
  let endedBy: TrainedModel['endedBy'] = 'iterations';
  let iteration = firstRound;
  while (iteration < firstRound + rounds.iterations) {
    const isWhole = await rounds.add(iteration);
    if (!isWhole) {
      endedBy = 'deadline';
      break;
    }
    iteration++;
    if (validationScore) {
      const score = validationScore();
      curve.push({ iteration, validationScore: score });
      if (score < progress.best - 1e-12) Object.assign(progress, { best: score, iteration });
      if (iteration % 20 === 0) control.onCurve?.(curve.slice(-20));
      if (iteration - progress.iteration >= rounds.patience) {
        endedBy = 'early-stopping';
        break;
      }
    }
    await control.pause();
    if (isLate(control)) {
      endedBy = 'deadline';
      break;
    }
  }
  return { kept: validationScore ? progress.iteration : iteration, curve, endedBy };
}

/** Rows of the table in the order in which the kernels number them at first: those that stop the training come last. */
export function positionsOf({ rows, validationRows }: TrainingInput): Int32Array {
  return validationRows ? concatenate(Int32Array, [rows, validationRows]) : rows;
}

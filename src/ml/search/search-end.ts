// When a search in time stops training, so that what comes behind fits into the time: choosing, the holdout, importance,
// curves, and learning again.
import { compactModelSeconds } from './compact.ts';
import { finalFitMs } from './final-fit.ts';
import type { Prepared } from './prepare.ts';
import type { Trial } from './trial.ts';
import { rowsForCurves } from './trust.ts';

/** Of the time left when the models are chosen. */
export const mostShareOfFitting = 0.7;
/** Models that are chosen, by guess, and at most. */
const likelyChosen = 4;
const mostChosen = 6;

/**
 * When training must end so that the rest fits: a twentieth of the time and 200 ms; what the holdout takes with the
 * costliest trials an ensemble may hold, and importance and curves, which make do with less, with those it is likely to
 * hold; and what learning again takes.
 */
export function searchEnd(
  { startMs, endMs }: { startMs: number; endMs?: number },
  prepared: Prepared,
  trials: readonly Trial[],
): number | undefined {
  if (endMs === undefined) return undefined;
  const holdoutCount = prepared.holdout.actual.length;
  const importanceRows = Math.min(holdoutCount, 150) * prepared.encoding.length;
  const costliest = trials.map((trial) => trial.secondsPerRow).toSorted((a, b) => b - a);
  const best = trials.toSorted((a, b) => b.utility - a.utility).map((trial) => trial.secondsPerRow);
  const sum = (seconds: readonly number[]): number => seconds.reduce((all, one) => all + one, 0);
  const predictingSeconds =
    prepared.folds.length *
    (sum(costliest.slice(0, mostChosen)) * holdoutCount +
      sum(best.slice(0, likelyChosen)) * (importanceRows + rowsForCurves(holdoutCount)));
  const fittingSeconds = prepared.recipe.compact
    ? trials
        .map((trial) => compactModelSeconds(trial))
        .sort((a, b) => b - a)
        .slice(0, likelyChosen)
        .reduce((sum, seconds) => sum + seconds, 0)
    : 0;
  const wholeMs = endMs - startMs;
  const finishingMs = (predictingSeconds + fittingSeconds / mostShareOfFitting) * 1000;
  const evaluatingMs = Math.min(wholeMs * 0.35, wholeMs * 0.05 + 200 + finishingMs);
  return endMs - evaluatingMs - finalFitMs(prepared, trials, wholeMs);
}

// Greedy ensemble selection (Caruana et al., ICML 2004): trials are added one at a time, with repetition, whichever
// makes the average of out-of-fold predictions best. The best average on the way is the ensemble.
import { present } from '../../base/assert.ts';
import { utilityOf } from '../metrics/metrics.ts';
import { queriesOf } from '../metrics/queries.ts';
import type { Prepared, Truth } from './prepare.ts';
import { metricOf, truthOf, validationRows, type Trial } from './trial.ts';

const steps = 20;
const mostCandidates = 12;
const mostRows = 8000;
/** Steps without a better average after which there is no hope of one. */
const patienceSteps = 5;

export interface EnsembleChoice {
  trial: Trial;
  /** Weights sum to one. */
  weight: number;
}

/** What the chosen trials may cost together. */
export interface Limit {
  most: number;
  costOf: (trial: Trial) => number;
}

/** Chooses among finished trials; `goOn` is asked between steps. At least one trial must have finished. */
export async function selectEnsemble(
  prepared: Prepared,
  trials: readonly Trial[],
  goOn: () => Promise<boolean>,
  limit?: Limit,
): Promise<EnsembleChoice[]> {
  // The baseline says the same of every row of a fold: in an average it could only blur.
  const better = trials.filter(
    (trial) => trial.report.state === 'finished' && trial.candidate.learner !== 'baseline',
  );
  const finished = better.length > 0 ? better : trials.filter((trial) => trial.report.state === 'finished');
  const candidates = finished.sort((a, b) => b.utility - a.utility).slice(0, mostCandidates);
  const { utility, predictions } = evaluatorOf(prepared, candidates);
  const counts = candidates.map(() => 0);
  const isAffordable = (index: number): boolean => {
    if (!limit || counts[index]! > 0) return true;
    const chosen = candidates.filter((_, at) => counts[at]! > 0 || at === index);
    return chosen.length === 1 || chosen.reduce((sum, trial) => sum + limit.costOf(trial), 0) <= limit.most;
  };
  let sum = new Float64Array(predictions[0]!.length);
  let best = { utility: -Infinity, counts: candidates.map((_, index) => Number(index === 0)) };
  let bestStep = 0;
  for (let step = 1; step <= steps; step++) {
    let chosen = -1;
    let chosenUtility = -Infinity;
    for (let index = 0; index < candidates.length; index++) {
      if (!(await goOn())) return choicesOf(candidates, best.counts);
      if (!isAffordable(index)) continue;
      const value = utility(sum.map((total, at) => (total + predictions[index]![at]!) / step));
      if (value > chosenUtility) {
        chosen = index;
        chosenUtility = value;
      }
    }
    if (chosen < 0) break;
    counts[chosen]!++;
    sum = sum.map((total, at) => total + predictions[chosen]![at]!);
    if (chosenUtility > best.utility + 1e-12) {
      best = { utility: chosenUtility, counts: [...counts] };
      bestStep = step;
    } else if (step - bestStep >= patienceSteps) break;
  }
  return choicesOf(candidates, best.counts);
}

/** Out-of-fold predictions of the ensemble for all validation rows. */
export function ensemblePredictions(choices: readonly EnsembleChoice[]): Float64Array {
  const sum = new Float64Array(choices[0]!.trial.predictions.length);
  for (const { trial, weight } of choices) {
    for (let index = 0; index < sum.length; index++)
      sum[index] = sum[index]! + weight * trial.predictions[index]!;
  }
  return sum;
}

/** The metric over about 8,000 evenly spaced validation rows: enough to choose by, and quick. */
function evaluatorOf(
  prepared: Prepared,
  candidates: readonly Trial[],
): { utility: (predictions: Float64Array) => number; predictions: Float64Array[] } {
  const rows = validationRows(prepared);
  const truth = truthOf(prepared.training, rows);
  const positions = prepared.target.task === 'ranking' ? evenQueries(truth) : evenRows(rows.length);
  const chosen = truthOf(truth, positions);
  const width = candidates[0]!.predictions.length / rows.length;
  const predictions = candidates.map((trial) => {
    const part = new Float64Array(positions.length * width);
    positions.forEach((position, index) =>
      part.set(trial.predictions.subarray(position * width, (position + 1) * width), index * width),
    );
    return part;
  });
  const { metric } = prepared;
  return {
    predictions,
    utility: (values) => utilityOf(metric, metricOf(prepared, chosen, values)),
  };
}

function evenRows(rowCount: number): Int32Array {
  const stride = Math.max(1, Math.ceil(rowCount / mostRows));
  return Int32Array.from({ length: Math.ceil(rowCount / stride) }, (_, index) => index * stride);
}

/** Every so many groups, whole. */
function evenQueries({ groups }: Truth): Int32Array {
  const { rows, starts } = queriesOf(present(groups, 'the groups of a ranking'));
  const stride = Math.max(1, Math.ceil(rows.length / mostRows));
  return Int32Array.from(
    [...starts.keys()]
      .filter((query) => query % stride === 0)
      .flatMap((query) => [...rows.subarray(starts[query], starts[query + 1])]),
  );
}

function choicesOf(candidates: readonly Trial[], counts: readonly number[]): EnsembleChoice[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return candidates.flatMap((trial, index) =>
    counts[index]! > 0 ? [{ trial, weight: counts[index]! / total }] : [],
  );
}

// Fits calibration (model/calibration.ts) to out-of-fold probabilities: none, a temperature, Platt's scaling or isotonic
// curves, whichever has the least log loss on rows that it was not fitted to; a simpler one unless that is worse. Also chooses decision weights for metrics that look at the chosen class.
import { exp, log } from '../model/arithmetic.ts';
import { calibrate, decide, type Calibration } from '../model/calibration.ts';
import { minimise } from '../learners/minimise.ts';
import { utilityOf, type Metric, type Scored } from '../metrics/metrics.ts';
import { logLoss } from '../metrics/classification.ts';
import { foldRows } from '../frame/split.ts';
import type { DecisionCosts } from '../model/costs.ts';
import { fitIsotonic } from './isotonic.ts';
import { fitCostWeights } from './threshold.ts';

const fewestRows = 100;
/** A slope and some offsets need no more. */
const mostRows = 8000;
const smallest = 1e-9;
/** Curves have many parameters: with fewer rows they are not tried. */
const fewestIsotonicRows = 1000;
/** Of the log loss, what a form must lower it by to be taken instead of a simpler one; curves also fit to chance. */
const leastGain = 0.001;
const leastIsotonicGain = 0.01;

/** `whole` holds out-of-fold probabilities. Same seed, same calibration. */
export async function fitCalibration(whole: Scored, seed: number): Promise<Calibration> {
  const stride = Math.ceil(whole.actual.length / mostRows);
  const scored = rowsOf(
    whole,
    Int32Array.from({ length: Math.floor(whole.actual.length / stride) }, (_, index) => index * stride),
  );
  const { actual, classCount } = scored;
  if (actual.length < Math.max(fewestRows, classCount * 20)) return { kind: 'none' };
  const folds = foldRows({ rowCount: actual.length, foldCount: 2, seed, strata: Int32Array.from(actual) });
  const parts = folds.map(({ training, validation }) => ({
    training: rowsOf(scored, training),
    held: rowsOf(scored, validation),
  }));
  let best: Form = { gain: 0, fit: () => Promise.resolve({ kind: 'none' }) };
  let least = Infinity;
  for (const form of [best, ...formsFor(actual.length)]) {
    let loss = 0;
    for (const { training, held } of parts) {
      const probabilities = held.probabilities.slice();
      calibrate(await form.fit(training), probabilities, classCount);
      loss += logLoss({ ...held, probabilities }) / parts.length;
    }
    if (loss < least * (1 - form.gain)) {
      best = form;
      least = loss;
    }
  }
  return best.fit(scored);
}

interface Form {
  gain: number;
  fit: (scored: Scored) => Promise<Calibration>;
}

/** From simple to free. */
function formsFor(rowCount: number): Form[] {
  const forms: Form[] = [false, true].map((hasOffsets) => ({
    gain: leastGain,
    fit: (scored) => fitScaling(scored, hasOffsets),
  }));
  if (rowCount >= fewestIsotonicRows)
    forms.push({
      gain: leastIsotonicGain,
      fit: (scored) => Promise.resolve({ kind: 'isotonic', curves: fitIsotonic(scored) }),
    });
  return forms;
}

/**
 * Weights of the classes in the decision. With costs, what they ask for (threshold.ts). Else for the metric: all equal
 * for accuracy and for metrics of probabilities; for the others the best of weights by rarity (p to the power -a, a from
 * 0 to 1) on out-of-fold rows.
 */
export function fitDecisionWeights(scored: Scored, metric: Metric, costs?: DecisionCosts): number[] {
  if (costs) return fitCostWeights(scored, costs.matrix);
  const equal = Array.from({ length: scored.classCount }, () => 1);
  if (metric.needs !== 'class' || metric.name === 'precision' || metric.name === 'recall') return equal;
  const counts = new Float64Array(scored.classCount);
  for (const index of scored.actual) counts[index]!++;
  let best = equal;
  let bestUtility = utilityOf(
    metric,
    metric.compute({ ...scored, predicted: decide(scored.probabilities, equal) }),
  );
  for (let step = 1; step <= 10; step++) {
    const weights = Array.from(counts, (count) =>
      exp((-step / 10) * log(Math.max(1, count) / scored.actual.length)),
    );
    const utility = utilityOf(
      metric,
      metric.compute({ ...scored, predicted: decide(scored.probabilities, weights) }),
    );
    if (utility > bestUtility + 1e-4) {
      best = weights;
      bestUtility = utility;
    }
  }
  return best;
}

/**
 * One slope and, with `hasOffsets`, an offset for each class (the first stays zero), by maximum likelihood with a slight
 * pull to "no change".
 */
async function fitScaling(
  { actual, probabilities, classCount }: Scored,
  hasOffsets: boolean,
): Promise<Calibration> {
  const rowCount = actual.length;
  const logs = probabilities.map((probability) => log(Math.max(smallest, probability)));
  const scores = new Float64Array(classCount);
  const { point } = await minimise(
    {
      size: hasOffsets ? classCount : 1,
      evaluate: (parameters, gradient) => {
        const slope = 1 + parameters[0]!;
        gradient.fill(0);
        let loss = 0;
        for (let row = 0; row < rowCount; row++) {
          const truth = actual[row]!;
          let highest = -Infinity;
          for (let k = 0; k < classCount; k++) {
            scores[k] = slope * logs[row * classCount + k]! + (k === 0 || !hasOffsets ? 0 : parameters[k]!);
            highest = Math.max(highest, scores[k]!);
          }
          let sum = 0;
          for (let k = 0; k < classCount; k++) sum += exp(scores[k]! - highest);
          loss += highest + log(sum) - scores[truth]!;
          for (let k = 0; k < classCount; k++) {
            const error = exp(scores[k]! - highest) / sum - (k === truth ? 1 : 0);
            gradient[0]! += error * logs[row * classCount + k]!;
            if (k > 0 && hasOffsets) gradient[k]! += error;
          }
        }
        for (let k = 0; k < parameters.length; k++) {
          loss += (parameters[k]! * parameters[k]!) / 2;
          gradient[k] = (gradient[k]! + parameters[k]!) / rowCount;
        }
        return loss / rowCount;
      },
    },
    new Float64Array(hasOffsets ? classCount : 1),
    { iterations: 100, tolerance: 1e-7, leastProgress: 1e-10, goOn: () => Promise.resolve(true) },
  );
  const slope = 1 + point[0]!;
  // A slope at or below zero would turn the ranking around: probabilities that bad are left as they are.
  if (!(slope > 0.01)) return { kind: 'none' };
  const offsets = Array.from({ length: classCount }, (_, k) => (k === 0 || !hasOffsets ? 0 : point[k]!));
  return { kind: 'scaling', slope, offsets };
}

function rowsOf(scored: Scored, rows: Int32Array): Scored {
  const { classCount } = scored;
  const probabilities = new Float64Array(rows.length * classCount);
  rows.forEach((row, index) =>
    probabilities.set(
      scored.probabilities.subarray(row * classCount, (row + 1) * classCount),
      index * classCount,
    ),
  );
  const at = (values: Float64Array): Float64Array => Float64Array.from(rows, (row) => values[row]!);
  return { ...scored, actual: at(scored.actual), predicted: at(scored.predicted), probabilities };
}

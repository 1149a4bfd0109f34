// What holds the truth in so many of 100 cases, by conformal prediction: from the rows that one split left out, or
// cross-conformal (Vovk 2015; CV+ of Barber et al. 2021) from those that each fold left out. Intervals are quantiles of
// the residuals in bands of predicted size (Mondrian), so that uncertain regions get wider ones; sets of classes are cut
// at a quantile of the probability that the truth was given.
import type { Scored } from '../metrics/metrics.ts';
import type { IntervalTable } from '../model/intervals.ts';
import type { PredictionSets } from '../model/sets.ts';

const rowsPerBand = 200;
const mostBands = 10;
const fewestRows = 20;
const usualCoverage = 0.9;

/** The table for intervals that hold `coverage` of the truths; undefined with fewer rows than that takes (20). */
export function fitIntervals(
  actual: Float64Array,
  predicted: Float64Array,
  coverage = usualCoverage,
): IntervalTable | undefined {
  const rowCount = actual.length;
  if (rowCount < fewestRows) return undefined;
  const order = Int32Array.from(predicted, (_, row) => row).sort(
    (a, b) => predicted[a]! - predicted[b]! || a - b,
  );
  const wanted = Math.min(mostBands, Math.max(1, Math.floor(rowCount / rowsPerBand)));
  const table: IntervalTable = { coverage, edges: [], lower: [], upper: [] };
  let from = 0;
  for (let band = 0; band < wanted; band++) {
    let to = Math.round(((band + 1) * rowCount) / wanted);
    // Equal predictions stay in one band.
    while (to < rowCount && predicted[order[to]!] === predicted[order[to - 1]!]) to++;
    if (to <= from) continue;
    const residuals = Float64Array.from(
      order.subarray(from, to),
      (row) => actual[row]! - predicted[row]!,
    ).sort();
    const tail = (1 - coverage) / 2;
    table.lower.push(Math.min(0, quantile(residuals, tail)));
    table.upper.push(Math.max(0, quantile(residuals, 1 - tail)));
    if (to < rowCount) table.edges.push(predicted[order[to - 1]!]!);
    from = to;
  }
  return table;
}

/** Sets that hold `coverage` of the truths, from calibrated probabilities; undefined with fewer rows than that takes (20). */
export function fitSets(
  { actual, probabilities, classCount }: Pick<Scored, 'actual' | 'probabilities' | 'classCount'>,
  coverage = usualCoverage,
): PredictionSets | undefined {
  if (actual.length < fewestRows) return undefined;
  const ofTruths = actual.map((truth, row) => probabilities[row * classCount + truth]!).sort();
  return { coverage, leastProbability: quantile(ofTruths, 1 - coverage) };
}

/** The conformal quantile: one rank further out than the plain one, for the row that is to come. */
function quantile(sorted: Float64Array, share: number): number {
  const rank =
    share < 0.5 ? Math.floor((sorted.length + 1) * share) - 1 : Math.ceil((sorted.length + 1) * share) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, rank))]!;
}

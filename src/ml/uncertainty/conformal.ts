// Prediction intervals by cross-conformal prediction (Vovk 2015; CV+ of Barber et al. 2021): quantiles of the residuals
// of out-of-fold predictions, in bands of predicted size (Mondrian), so that uncertain regions get wider intervals.
import type { IntervalTable } from '../model/intervals.ts';

const rowsPerBand = 200;
const mostBands = 10;

/** The table for intervals that hold `coverage` of the truths; undefined with fewer rows than that takes (20). */
export function fitIntervals(
  actual: Float64Array,
  predicted: Float64Array,
  coverage = 0.9,
): IntervalTable | undefined {
  const rowCount = actual.length;
  if (rowCount < 20) return undefined;
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

/** The conformal quantile: one rank further out than the plain one, for the row that is to come. */
function quantile(sorted: Float64Array, share: number): number {
  const rank =
    share < 0.5 ? Math.floor((sorted.length + 1) * share) - 1 : Math.ceil((sorted.length + 1) * share) - 1;
  return sorted[Math.min(sorted.length - 1, Math.max(0, rank))]!;
}

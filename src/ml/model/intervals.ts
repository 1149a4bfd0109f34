// Prediction intervals from a table: by how much the truth fell below or above predictions of this size in
// cross-validation. The table is fitted in uncertainty/conformal.ts.

export interface IntervalTable {
  /** Share of truths that the interval is meant to hold, such as 0.9. */
  coverage: number;
  /** Upper ends of all bands of predicted values but the last. */
  edges: number[];
  /** For each band, what to add to the prediction for the lower and the upper end. */
  lower: number[];
  upper: number[];
}

/** The interval around one prediction; its ends are finite, whatever the table says. */
export function intervalOf(table: IntervalTable, prediction: number): { lower: number; upper: number } {
  let band = 0;
  while (band < table.edges.length && prediction > table.edges[band]!) band++;
  return { lower: finite(prediction + table.lower[band]!), upper: finite(prediction + table.upper[band]!) };
}

function finite(value: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value));
}

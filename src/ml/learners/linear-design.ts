// The columns as a linear model sees them, and the two products that solving it takes. Numbers are standardised on the
// training rows; weights of terms, nearly all zero, are kept sparse and are only scaled.
import type { FeatureTable } from '../frame/encoding.ts';
import { heaviestTerm } from '../frame/text-features.ts';
import { standardise } from '../model/linear.ts';

/**
 * The columns as a linear model sees them, for the training rows only. Weights are numbered: 0 the intercept, then a
 * value and a missing weight for each number, then one for each category code and one for missing.
 */
export interface Design {
  weightCount: number;
  numbers: {
    feature: number;
    centre: number;
    inverseSpread: number;
    /** Standardised; for sparse columns, of `sparseRows` alone. */
    values: Float64Array;
    /** Positions of the rows that are not zero, where these are few. */
    sparseRows: Int32Array | undefined;
    isMissing: Uint8Array | undefined;
    weight: number;
  }[];
  categories: { feature: number; levelCount: number; levels: Uint8Array; weight: number }[];
}

/** The design of `rows` of a table. */
export function designOf(table: FeatureTable, rows: Int32Array): Design {
  const design: Design = { weightCount: 1, numbers: [], categories: [] };
  table.features.forEach((feature, index) => {
    const column = table.columns[index]!;
    if (feature.kind === 'category') {
      const levelCount = feature.levelCount + 1;
      const levels = Uint8Array.from(rows, (row) =>
        column[row] === column[row] ? column[row]! : levelCount - 1,
      );
      design.categories.push({ feature: index, levelCount, levels, weight: design.weightCount });
      design.weightCount += levelCount;
      return;
    }
    if (column instanceof Uint8Array) {
      addTerms(design, index, column, rows);
      return;
    }
    const { centre, spread, missingCount } = momentsOf(column, rows);
    if (spread === 0 && missingCount === 0) return;
    const inverseSpread = spread > 0 ? 1 / spread : 0;
    const values = Float64Array.from(rows, (row) =>
      column[row] === column[row] ? standardise(column[row]!, centre, inverseSpread) : 0,
    );
    const isMissing =
      missingCount > 0 ? Uint8Array.from(rows, (row) => (column[row] === column[row] ? 0 : 1)) : undefined;
    design.numbers.push({
      feature: index,
      centre,
      inverseSpread,
      values,
      sparseRows: undefined,
      isMissing,
      weight: design.weightCount,
    });
    design.weightCount += 2;
  });
  return design;
}

/**
 * Weights of terms (frame/text-features.ts) stay zero where they are zero, and are only scaled: the terms of a text are a
 * vector of length one, as the penalty expects.
 */
function addTerms(design: Design, feature: number, column: Uint8Array, rows: Int32Array): void {
  let count = 0;
  for (const row of rows) if (column[row]! > 0) count++;
  if (count === 0) return;
  const sparseRows = new Int32Array(count);
  let next = 0;
  for (let position = 0; position < rows.length; position++)
    if (column[rows[position]!]! > 0) sparseRows[next++] = position;
  const inverseSpread = 1 / heaviestTerm;
  design.numbers.push({
    feature,
    centre: 0,
    inverseSpread,
    values: Float64Array.from(sparseRows, (position) =>
      standardise(column[rows[position]!]!, 0, inverseSpread),
    ),
    sparseRows,
    isMissing: undefined,
    weight: design.weightCount,
  });
  design.weightCount += 2;
}

/** Mean and standard deviation of the present values of `rows`. */
export function momentsOf(
  column: ArrayLike<number>,
  rows: Int32Array,
): { centre: number; spread: number; missingCount: number } {
  let sum = 0;
  let count = 0;
  for (const row of rows) {
    const value = column[row]!;
    if (value !== value) continue;
    sum += value;
    count++;
  }
  const centre = count > 0 ? sum / count : 0;
  let squares = 0;
  for (const row of rows) {
    const value = column[row]!;
    if (value === value) squares += (value - centre) * (value - centre);
  }
  const spread = count > 0 ? Math.sqrt(squares / count) : 0;
  // A spread that is only rounding error is none.
  return {
    centre,
    spread: spread > 1e-12 * Math.abs(centre) ? spread : 0,
    missingCount: rows.length - count,
  };
}

/** scores = design x weights */
export function addScores(design: Design, weights: Float64Array, scores: Float64Array): void {
  scores.fill(weights[0]!);
  for (const { values, sparseRows, isMissing, weight } of design.numbers) {
    const slope = weights[weight]!;
    if (sparseRows) {
      for (let index = 0; index < sparseRows.length; index++) {
        const row = sparseRows[index]!;
        scores[row] = scores[row]! + slope * values[index]!;
      }
      continue;
    }
    for (let row = 0; row < scores.length; row++) scores[row] = scores[row]! + slope * values[row]!;
    if (!isMissing) continue;
    const missing = weights[weight + 1]!;
    for (let row = 0; row < scores.length; row++) scores[row] = scores[row]! + missing * isMissing[row]!;
  }
  for (const { levels, weight } of design.categories) {
    for (let row = 0; row < scores.length; row++)
      scores[row] = scores[row]! + weights[weight + levels[row]!]!;
  }
}

/** gradient = design' x slopes */
export function gatherSlopes(design: Design, slopes: Float64Array, gradient: Float64Array): void {
  for (let row = 0; row < slopes.length; row++) gradient[0]! += slopes[row]!;
  for (const { values, sparseRows, isMissing, weight } of design.numbers) {
    let sum = 0;
    let missing = 0;
    if (sparseRows)
      for (let index = 0; index < sparseRows.length; index++)
        sum += slopes[sparseRows[index]!]! * values[index]!;
    else for (let row = 0; row < slopes.length; row++) sum += slopes[row]! * values[row]!;
    if (isMissing) for (let row = 0; row < slopes.length; row++) missing += slopes[row]! * isMissing[row]!;
    gradient[weight] = sum;
    gradient[weight + 1] = missing;
  }
  for (const { levels, weight } of design.categories) {
    for (let row = 0; row < slopes.length; row++) {
      const at = weight + levels[row]!;
      gradient[at] = gradient[at]! + slopes[row]!;
    }
  }
}

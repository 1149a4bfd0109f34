// A weighted sum: numbers, shifted and scaled, times a weight (missing ones have a weight of their own), plus one
// weight for each category code (missing ones too).
import type { Link } from './row-model.ts';

export interface LinearModel {
  kind: 'linear';
  link: Link;
  /** Intercepts, one for each raw output. */
  base: Float64Array;
  /** Numeric terms: feature index, its centre, one over its spread. */
  numberFeature: Uint16Array;
  centre: Float64Array;
  inverseSpread: Float64Array;
  /** For each numeric term, a weight for each raw output. */
  numberWeights: Float64Array;
  missingWeights: Float64Array;
  /** Categorical terms: feature index, and where its codes begin in `levelWeights`; one more offset ends the last. */
  categoryFeature: Uint16Array;
  levelOffsets: Int32Array;
  /** For each level (codes, then missing), a weight for each raw output. */
  levelWeights: Float64Array;
}

/** Standardised values beyond this many spreads count as this many: a wild value must not run away with the answer. */
export const largestStandardised = 8;

/** Adds the terms' values for row-major `rows` to `raw`. */
export function applyLinear(
  model: LinearModel,
  input: { rows: Float64Array; rowCount: number; featureCount: number },
  raw: Float64Array,
): void {
  const rawCount = model.base.length;
  for (let row = 0; row < input.rowCount; row++) {
    const start = row * input.featureCount;
    const out = row * rawCount;
    addNumbers(model, input.rows, start, { raw, out });
    addCategories(model, input.rows, start, { raw, out });
  }
}

/** The standardised value of a present number. */
export function standardise(value: number, centre: number, inverseSpread: number): number {
  const scaled = (value - centre) * inverseSpread;
  return scaled > largestStandardised
    ? largestStandardised
    : scaled < -largestStandardised
      ? -largestStandardised
      : scaled;
}

interface Target {
  raw: Float64Array;
  out: number;
}

function addNumbers(model: LinearModel, rows: Float64Array, start: number, { raw, out }: Target): void {
  const { numberFeature, centre, inverseSpread, numberWeights, missingWeights, base } = model;
  const rawCount = base.length;
  for (let term = 0; term < numberFeature.length; term++) {
    const value = rows[start + numberFeature[term]!]!;
    const isMissing = value !== value;
    const scaled = isMissing ? 1 : standardise(value, centre[term]!, inverseSpread[term]!);
    const weights = isMissing ? missingWeights : numberWeights;
    for (let k = 0; k < rawCount; k++) raw[out + k]! += scaled * weights[term * rawCount + k]!;
  }
}

function addCategories(model: LinearModel, rows: Float64Array, start: number, { raw, out }: Target): void {
  const { categoryFeature, levelOffsets, levelWeights, base } = model;
  const rawCount = base.length;
  for (let term = 0; term < categoryFeature.length; term++) {
    const code = rows[start + categoryFeature[term]!]!;
    const last = levelOffsets[term + 1]! - 1;
    const level = code !== code ? last : Math.min(last - 1, levelOffsets[term]! + code);
    for (let k = 0; k < rawCount; k++) raw[out + k]! += levelWeights[level * rawCount + k]!;
  }
}

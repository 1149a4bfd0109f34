// What trees may not learn. Monotone: answers may only rise (or only fall) with a number; splits that would break this
// are refused, and the outputs of their sides are kept apart for all that grows below (LightGBM's basic method).
// Interactions: features may meet on one branch only if a group holds them all (Lou et al., KDD 2013, turned round).
import { Problem } from '../../base/problems.ts';
import type { UnitSums } from '../kernels/tree-kernels.ts';
import type { Feature } from '../frame/encoding.ts';
import type { BinnedFeature } from './bins.ts';

export interface Constraints {
  /** For each feature of the table: 1 when answers may only rise with it, -1 when only fall, 0 when it is free. */
  monotone?: readonly number[];
  /** Groups of features, by position in the table; a feature that is in none meets no other. */
  interactionGroups?: readonly (readonly number[])[];
}

/** Outputs that a leaf may have. */
export interface Bounds {
  low: number;
  high: number;
}

export const noBounds: Bounds = { low: -Infinity, high: Infinity };

/** @throws Problem `invalid-request` naming what does not fit the table */
export function checkConstraints(
  { monotone, interactionGroups }: Constraints,
  features: readonly Feature[],
): void {
  if (monotone && monotone.length !== features.length)
    throw fault('monotone', `must have one direction for each of the ${features.length} features`);
  monotone?.forEach((direction, index) => {
    if (![-1, 0, 1].includes(direction)) throw fault('monotone', 'may hold -1, 0 and 1 only');
    if (direction !== 0 && features[index]!.kind === 'category')
      throw fault('monotone', `cannot order the categories of "${features[index]!.name}": give it 0`);
  });
  for (const feature of interactionGroups?.flat() ?? [])
    if (!Number.isInteger(feature) || feature < 0 || feature >= features.length)
      throw fault('interactionGroups', `may hold positions from 0 to ${features.length - 1} only`);
}

/** A problem with a constraint. */
export function fault(field: string, message: string): Problem {
  return new Problem('invalid-request', `Constraints: "${field}" ${message}.`, {
    errors: [{ field, message }],
  });
}

/** Best output of these sums, within the bounds. */
export function boundedOutput({ gradient, hessian }: UnitSums, l2: number, { low, high }: Bounds): number {
  return Math.min(high, Math.max(low, -gradient / (hessian + l2)));
}

/** Gain of a leaf that has this output; the same as gradient^2 / (hessian + l2) at the best one. */
export function gainOfOutput({ gradient, hessian }: UnitSums, l2: number, output: number): number {
  return -(2 * gradient * output + (hessian + l2) * output * output);
}

/** Gain of a division under bounds; -Infinity when it goes against `direction`. */
export function boundedGain(
  left: UnitSums,
  total: UnitSums,
  { l2, bounds, direction }: { l2: number; bounds: Bounds; direction: number },
): number {
  const right = { gradient: total.gradient - left.gradient, hessian: total.hessian - left.hessian };
  const leftOutput = boundedOutput(left, l2, bounds);
  const rightOutput = boundedOutput(right, l2, bounds);
  if (direction * (rightOutput - leftOutput) < 0) return -Infinity;
  return gainOfOutput(left, l2, leftOutput) + gainOfOutput(right, l2, rightOutput);
}

/** Bounds of the two sides: a monotone question keeps them apart, at the middle of their outputs. */
export function boundsOfSides(
  left: UnitSums,
  right: UnitSums,
  { l2, bounds, direction }: { l2: number; bounds: Bounds; direction: number },
): { left: Bounds; right: Bounds } {
  if (direction === 0) return { left: bounds, right: bounds };
  const middle = (boundedOutput(left, l2, bounds) + boundedOutput(right, l2, bounds)) / 2;
  const below = { low: bounds.low, high: middle };
  const above = { low: middle, high: bounds.high };
  return direction > 0 ? { left: below, right: above } : { left: above, right: below };
}

/** Whether binned feature `other` may be asked about on a branch that asked about `asked` (positions in the table). */
export function mayMeet(
  groups: readonly (readonly number[])[],
  asked: ReadonlySet<number>,
  other: number,
): boolean {
  if (asked.size === 0 || (asked.size === 1 && asked.has(other))) return true;
  return groups.some(
    (group) => group.includes(other) && [...asked].every((feature) => group.includes(feature)),
  );
}

/** Direction of a binned feature. */
export function directionOf(constraints: Constraints | undefined, { feature }: BinnedFeature): number {
  return constraints?.monotone?.[feature] ?? 0;
}

// Money is a whole number of micro-dollars: 1 USD = 1,000,000. No fraction of it exists anywhere.
import { assert } from './assert.ts';

/** A whole number of micro US dollars. Safe up to nine billion dollars. */
export type MicroUsd = number;

export const microUsdPerUsd = 1_000_000;

/** Throws unless `amount` is a whole, safe, non-negative number of micro-dollars. */
export function assertMicroUsd(amount: number, what: string): asserts amount is MicroUsd {
  assert(
    Number.isSafeInteger(amount) && amount >= 0,
    `${what} must be a whole number of micro-dollars >= 0, got ${amount}`,
  );
}

/** The price of `quantity` units at `unitPriceMicroUsd` for each `perUnits` units, rounded up to a micro-dollar. */
export function priceOf(quantity: number, unitPriceMicroUsd: MicroUsd, perUnits = 1): MicroUsd {
  assert(quantity >= 0 && Number.isFinite(quantity), `quantity must be finite and >= 0, got ${quantity}`);
  return Math.ceil((quantity * unitPriceMicroUsd) / perUnits);
}

/** `$1.25`, or up to six decimals where cents would hide the amount: `$0.000125`. */
export function formatUsd(amount: MicroUsd): string {
  const usd = amount / microUsdPerUsd;
  if (amount === 0 || Math.abs(usd) >= 0.01) return `$${usd.toFixed(2)}`;
  return `$${usd.toFixed(6).replace(/0+$/, '')}`;
}

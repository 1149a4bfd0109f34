// The price list, as data, and the arithmetic over it. Prices are what running Pilvi costs on rented machines in
// 2026, so that a budget means something on a laptop too; nothing else in the code knows a price.
import { assert } from '../../base/assert.ts';
import { priceOf, type MicroUsd } from '../../base/money.ts';
import type { Usage, UsageUnit } from '../../platform/ports/meter.ts';

export interface Price {
  unit: UsageUnit;
  label: string;
  /** Price of `perUnits` units. */
  unitPriceMicroUsd: MicroUsd;
  perUnits: number;
}

export const prices: readonly Price[] = [
  { unit: 'training-second', label: 'Training, per second', unitPriceMicroUsd: 100, perUnits: 1 },
  { unit: 'prediction', label: 'Predictions, per 1,000', unitPriceMicroUsd: 50_000, perUnits: 1_000 },
  {
    unit: 'batch-prediction',
    label: 'Predictions in batches, per 1,000',
    unitPriceMicroUsd: 1_000,
    perUnits: 1_000,
  },
  // About 6 cents an hour, what two gibibytes of memory and a share of a core are rented for. To be confirmed.
  {
    unit: 'replica-minute',
    label: 'Replicas kept ready, per minute',
    unitPriceMicroUsd: 1_000,
    perUnits: 1,
  },
  { unit: 'stored-gib-hour', label: 'Storage, per GiB and hour', unitPriceMicroUsd: 32, perUnits: 1 },
  { unit: 'imported-gib', label: 'Imported data, per GiB', unitPriceMicroUsd: 20_000, perUnits: 1 },
  { unit: 'query-second', label: 'SQL queries, per second', unitPriceMicroUsd: 100, perUnits: 1 },
];

const priceByUnit = new Map(prices.map((price) => [price.unit, price]));

/** The price of all of `usage`, each line rounded up to a micro-dollar. */
export function quote(usage: readonly Usage[]): MicroUsd {
  return usage.reduce((sum, line) => sum + quoteLine(line), 0);
}

/** The price of one line of usage. */
export function quoteLine({ unit, quantity }: Usage): MicroUsd {
  const { unitPriceMicroUsd, perUnits } = priceOfUnit(unit);
  return priceOf(quantity, unitPriceMicroUsd, perUnits);
}

/** How many whole units `amountMicroUsd` buys. */
export function affordableQuantity(unit: UsageUnit, amountMicroUsd: MicroUsd): number {
  const { unitPriceMicroUsd, perUnits } = priceOfUnit(unit);
  return Math.max(0, Math.floor((amountMicroUsd * perUnits) / unitPriceMicroUsd));
}

/**
 * What each line of `used` costs when at most `limitMicroUsd` may be charged in all: what does not fit any more is
 * not charged.
 */
export function chargesWithin(
  used: readonly Usage[],
  limitMicroUsd: MicroUsd,
): (Usage & { amountMicroUsd: MicroUsd })[] {
  let leftMicroUsd = limitMicroUsd;
  return used
    .filter((line) => line.quantity > 0)
    .map((line) => {
      const amountMicroUsd = Math.min(quoteLine(line), leftMicroUsd);
      leftMicroUsd -= amountMicroUsd;
      return { ...line, amountMicroUsd };
    });
}

function priceOfUnit(unit: UsageUnit): Price {
  const price = priceByUnit.get(unit);
  assert(price, `"${unit}" has no price`);
  return price;
}

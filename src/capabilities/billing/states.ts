// The states of a reservation, and the periods that budgets are counted in.
import { toIso } from '../../base/time.ts';

/** `held`: the amount is set aside. `settled`: some of it was charged. `released`: none of it was. */
export const reservationStates = ['held', 'settled', 'released'] as const;
export type ReservationState = (typeof reservationStates)[number];

export type BudgetPeriod = 'month' | 'total';

/** The calendar month of a moment in UTC, such as `2026-11`. */
export function monthOf(timeMs: number): string {
  return toIso(timeMs).slice(0, 7);
}

/** The calendar day of a moment in UTC, such as `2026-11-22`. */
export function dayOf(timeMs: number): string {
  return toIso(timeMs).slice(0, 10);
}

/** The clock hour of a moment in UTC, such as `2026-11-22T10`. */
export function hourOf(timeMs: number): string {
  return toIso(timeMs).slice(0, 13);
}

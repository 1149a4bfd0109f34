// Rows in the order of time: a model that will predict what comes later is learned from earlier rows and judged by later
// ones (Tashman 2000; Bergmeir and Benitez 2012 on evaluating forecasts). The latest rows are the holdout; each fold
// learns from all rows before those that it is judged by.
import { Problem } from '../../base/problems.ts';
import { columnNamed, type Frame } from '../frame/frame.ts';
import type { Recipe } from './recipe.ts';

/** Folds are judged by blocks of this part of the rows, the latest; before it, all have something to learn from. */
const judgedShare = 0.5;

/**
 * The time of each row, by the recipe's column; rows without one count as the earliest. `undefined` when the recipe names
 * no column. @throws Problem `column-unknown`, or `invalid-request` for a column that has no order
 */
export function readTimes(
  frame: Frame,
  { timeColumn, groupColumn, target }: Pick<Recipe, 'timeColumn' | 'groupColumn' | 'target'>,
): Float64Array | undefined {
  if (timeColumn === undefined) return undefined;
  const column = columnNamed(frame, timeColumn);
  const isOrdered = column.kind === 'date' || column.kind === 'numeric';
  checkTime({ name: timeColumn, isOrdered }, { target, isGrouped: groupColumn !== undefined });
  if (!isOrdered) return undefined;
  return Float64Array.from(column.values, (value) => (Number.isNaN(value) ? -Infinity : value));
}

/** @throws Problem `invalid-request` naming what keeps a column from telling the time; `place` begins the field's name */
export function checkTime(
  { name, isOrdered }: { name: string; isOrdered: boolean },
  { target, isGrouped, place = '' }: { target: string; isGrouped: boolean; place?: string },
): void {
  const reason =
    (name === target && `The target "${target}" cannot tell the time as well.`) ||
    (!isOrdered && `"${name}" holds neither dates nor numbers, so it tells no order.`) ||
    (isGrouped && 'Rows cannot be divided by time and by groups at once: name one of the two columns.');
  if (!reason) return;
  throw new Problem('invalid-request', `${reason} Choose another column, or leave it out.`, {
    errors: [{ field: `${place}timeColumn`, message: reason }],
  });
}

/** The latest rows, about `share` of them, behind all others; rows of one moment stay together where that is possible. */
export function splitByTime(times: Float64Array, share: number): { first: Int32Array; second: Int32Array } {
  const order = orderOf(times);
  const at = cutAt(order, times, Math.round(order.length * (1 - share)));
  return { first: order.slice(0, at).sort(), second: order.slice(at).sort() };
}

/** Folds in the order of time. Each is judged by a block of rows and learns from all rows before it. */
export function foldsByTime(
  times: Float64Array,
  foldCount: number,
): { training: Int32Array; validation: Int32Array }[] {
  const order = orderOf(times);
  const share = foldCount === 1 ? 0.2 : judgedShare;
  const cuts = Array.from({ length: foldCount }, (_, fold) =>
    cutAt(order, times, Math.round(order.length * (1 - share + (share * fold) / foldCount))),
  );
  const ends = [...cuts.slice(1), order.length];
  return cuts.flatMap((start, fold) =>
    ends[fold]! > start
      ? [{ training: order.slice(0, start).sort(), validation: order.slice(start, ends[fold]).sort() }]
      : [],
  );
}

/** What people may want to know of rows that lie in the order of a date. */
export function orderWarning(frame: Frame, { timeColumn, groupColumn, target }: Recipe): string | undefined {
  if (timeColumn !== undefined || groupColumn !== undefined) return undefined;
  const ordered = frame.columns.find(
    (column) => column.kind === 'date' && column.name !== target && isInOrder(column.values),
  );
  return (
    ordered &&
    `The rows are in the order of "${ordered.name}". If the model is to predict what comes later, name that column as the time: judged by later rows, it may turn out worse than it looks here.`
  );
}

/** Whether times never fall, and are not nearly all the same. */
function isInOrder(times: ArrayLike<number>): boolean {
  let changes = 0;
  let latest = -Infinity;
  for (let row = 0; row < times.length; row++) {
    const time = times[row]!;
    if (Number.isNaN(time)) continue;
    if (time < latest) return false;
    if (time > latest) changes++;
    latest = time;
  }
  return changes >= Math.min(30, times.length / 2);
}

/** Rows by time; those of one moment as they come. */
function orderOf(times: Float64Array): Int32Array {
  return Int32Array.from(times, (_, row) => row).sort((a, b) => times[a]! - times[b]! || a - b);
}

/** The place nearest behind `wanted` at which time goes on; before it, when there is none behind; never an end. */
function cutAt(order: Int32Array, times: Float64Array, wanted: number): number {
  const last = order.length - 1;
  const start = Math.min(last, Math.max(1, wanted));
  const goesOn = (at: number): boolean => times[order[at]!]! > times[order[at - 1]!]!;
  for (let at = start; at <= last; at++) if (goesOn(at)) return at;
  for (let at = start - 1; at >= 1; at--) if (goesOn(at)) return at;
  return start;
}

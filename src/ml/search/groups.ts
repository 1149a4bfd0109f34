// Rows that belong together, such as all visits of a patient: a model that is judged on rows of a patient it has learned
// from looks better than it is. The column that names the groups is not learned from.
import { Problem } from '../../base/problems.ts';
import { columnNamed, type Column, type Frame } from '../frame/frame.ts';
import type { Recipe } from './recipe.ts';

/** One for the holdout, two for learning and validation. */
const fewestGroups = 3;

/**
 * The number of each row's group, by the values of the recipe's column; a row without a value is a group of its own.
 * `undefined` when the recipe names no column. @throws Problem `column-unknown` or `invalid-request`
 */
export function readGroups(
  frame: Frame,
  { groupColumn, target }: Pick<Recipe, 'groupColumn' | 'target'>,
): Int32Array | undefined {
  if (groupColumn === undefined) return undefined;
  if (groupColumn === target) throw refusal(`The target "${target}" cannot tell the groups apart as well.`);
  const valueAt = readerOf(columnNamed(frame, groupColumn));
  const numbers = new Map<number | string, number>();
  let count = 0;
  return Int32Array.from({ length: frame.rowCount }, (_, row) => {
    const value = valueAt(row);
    const number = (value === null ? undefined : numbers.get(value)) ?? count++;
    if (value !== null) numbers.set(value, number);
    return number;
  });
}

/** @throws Problem `invalid-request` when there are too few to divide */
export function checkGroups(groups: Int32Array, name: string): void {
  const count = new Set(groups).size;
  if (count < fewestGroups)
    throw refusal(
      `The rows that can be used have ${count === 1 ? 'one value' : `${count} values`} in "${name}"; at least ${fewestGroups} groups are needed, to learn from some and judge by others.`,
    );
}

/** What a ranking without groups is told; `place` begins the name of the field. */
export function missingGroups(place = ''): Problem {
  return new Problem(
    'invalid-request',
    'A ranking orders the rows of each group: say which column tells the groups (queries) apart.',
    { errors: [{ field: `${place}groupColumn`, message: 'is needed for a ranking' }] },
  );
}

function readerOf(column: Column): (row: number) => number | string | null {
  if (column.kind === 'text') return (row) => column.values[row]!;
  // Categories that are not known have no name to tell them apart by.
  const values = column.kind === 'categorical' ? column.codes : column.values;
  const isMissing = (value: number): boolean => (column.kind === 'categorical' ? value < 0 : value !== value);
  return (row) => (isMissing(values[row]!) ? null : values[row]!);
}

function refusal(detail: string): Problem {
  return new Problem('invalid-request', `${detail} Choose another column, or leave it out.`, {
    errors: [{ field: 'groupColumn', message: detail }],
  });
}

// Whether the columns that a recipe names are there, and may be what it says they are: known before any data is read.
import { Problem } from '../../base/problems.ts';
import type { ColumnType } from '../../contract/dataset.ts';
import type { Recipe } from '../../contract/training.ts';
import { checkColumnConstraints } from '../../ml/search/column-constraints.ts';
import { missingGroups } from '../../ml/search/groups.ts';
import { checkTime } from '../../ml/search/time-order.ts';
import type { ReadyVersion } from '../data/data.ts';
import { constraintsOf } from './engine-recipe.ts';

/** Types that have an order which may be that of time. */
const timeTypes: ReadonlySet<ColumnType> = new Set(['date', 'datetime', 'integer', 'number']);

/** @throws Problem `column-unknown`, `target-unusable` or `invalid-request` naming each field that is wrong */
export function checkColumns(recipe: Recipe, columns: ReadyVersion['columns']): void {
  const { target, excludedColumns, groupColumn, timeColumn, protectedColumns } = recipe;
  const names = new Set(columns.map((column) => column.name));
  const unknown = [
    { field: 'body.target', name: target },
    ...excludedColumns.map((name) => ({ field: 'body.excludedColumns', name })),
    ...protectedColumns.map((name) => ({ field: 'body.protectedColumns', name })),
    ...(groupColumn === null ? [] : [{ field: 'body.groupColumn', name: groupColumn }]),
    ...(timeColumn === null ? [] : [{ field: 'body.timeColumn', name: timeColumn }]),
  ].filter(({ name }) => !names.has(name));
  if (unknown.length > 0) {
    throw new Problem(
      'column-unknown',
      `The dataset has no column ${unknown.map(({ name }) => `"${name}"`).join(', ')}. It has: ${[...names].slice(0, 20).join(', ')}${names.size > 20 ? ', ...' : ''}.`,
      { errors: unknown.map(({ field, name }) => ({ field, message: `no column "${name}"` })) },
    );
  }
  if (excludedColumns.includes(target)) {
    throw new Problem('target-unusable', 'The target is among the excluded columns.', {
      errors: [{ field: 'body.excludedColumns', message: 'contains the target' }],
    });
  }
  if (recipe.task === 'ranking' && groupColumn === null) throw missingGroups('body.');
  if (groupColumn === target) {
    throw new Problem('invalid-request', 'The target cannot tell the groups of rows apart as well.', {
      errors: [{ field: 'body.groupColumn', message: 'is the target' }],
    });
  }
  const time = columns.find(({ name }) => name === timeColumn);
  if (time) {
    const isOrdered = timeTypes.has(time.type);
    checkTime({ name: time.name, isOrdered }, { target, isGrouped: groupColumn !== null, place: 'body.' });
  }
  checkColumnConstraints(constraintsOf(recipe), {
    target,
    place: 'body.',
    columns: columns.map(({ name, type }) => ({
      name,
      isOrdered: type === 'integer' || type === 'number' || type === 'boolean',
    })),
  });
}

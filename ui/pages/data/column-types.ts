// Column types in plain words.
import type { ColumnProfile, ColumnType } from '../../api/types.ts';

export const typeWords: Record<ColumnType, string> = {
  integer: 'Whole number',
  number: 'Number',
  boolean: 'Yes or no',
  date: 'Date',
  datetime: 'Date and time',
  text: 'Text',
};

/** How a training reads a column. */
export const roleWords: Record<ColumnProfile['role'], string> = {
  numeric: 'Number',
  categorical: 'Category',
  boolean: 'Yes or no',
  date: 'Date',
  text: 'Text',
  id: 'Identifier',
  constant: 'Always the same',
  empty: 'Empty',
};

/** Several columns of a kind: `11 categories`. */
export const rolePlurals: Record<ColumnProfile['role'], string> = {
  numeric: 'numbers',
  categorical: 'categories',
  boolean: 'yes or no',
  date: 'dates',
  text: 'texts',
  id: 'identifiers',
  constant: 'always the same',
  empty: 'empty',
};

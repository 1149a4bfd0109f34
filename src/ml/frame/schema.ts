// What a table looks like, as data: the kinds of columns and the kinds of tasks. Types only, so that the
// prediction side (model/) can use them without carrying the rest of the shelf.

/** `numeric`: any number. `categorical`: one of a set of texts. `date`: a moment (UTC). `text`: free text. */
export type ColumnKind = 'numeric' | 'categorical' | 'boolean' | 'date' | 'text';

export const columnKinds: readonly ColumnKind[] = ['numeric', 'categorical', 'boolean', 'date', 'text'];

/** One column as callers see it. */
export interface ColumnSchema {
  name: string;
  kind: ColumnKind;
  /** The known values of a categorical column. Left out, the builders collect them from the data. */
  categories?: readonly string[];
}

/** `binary`: one of two classes. `multiclass`: one of three or more. `regression`: a number. */
export type Task = 'binary' | 'multiclass' | 'regression';

export const tasks: readonly Task[] = ['binary', 'multiclass', 'regression'];

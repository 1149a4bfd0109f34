// What a table looks like, as data: the kinds of columns and the kinds of tasks. So little that the
// prediction side (model/) can use it without carrying the rest of the shelf.

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

/**
 * `binary`: one of two classes. `multiclass`: one of three or more. `regression`: a number. `ranking`: a number that says
 * nothing but how high a row stands within its group.
 */
export type Task = 'binary' | 'multiclass' | 'regression' | 'ranking';

export const tasks: readonly Task[] = ['binary', 'multiclass', 'regression', 'ranking'];

/** Whether answers are classes with probabilities; else they are one number. */
export function hasClasses(task: Task): boolean {
  return task === 'binary' || task === 'multiclass';
}

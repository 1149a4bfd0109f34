// Reads the target column: which task it poses, why, and each row's class or value. Refuses targets that cannot be
// learned, saying what to do instead.
import { Problem } from '../../base/problems.ts';
import { inThousands } from '../../base/words.ts';
import type { Column } from '../frame/frame.ts';
import type { Task } from '../frame/schema.ts';
import { mostRelevance } from '../metrics/queries.ts';
import type { Recipe } from './recipe.ts';

export interface Target {
  task: Task;
  reason: string;
  /** Class indices or values of the usable rows. */
  values: Float64Array;
  /** Rows of the frame that have a usable target. */
  rows: Int32Array;
  withoutTarget: number;
  classes: string[];
  /** Index of the positive class; 0 when not binary. */
  positiveClass: number;
  warnings: string[];
}

const fewestRows = 10;
const mostClasses = 250;
const mostNumberClasses = 20;
const positiveWords = ['true', 'yes', 'y', 't', '1', 'positive', 'pos'];

/** @throws Problem `target-unusable`, `too-few-rows` or `too-many-classes` */
export function readTarget(column: Column, recipe: Pick<Recipe, 'task' | 'positiveClass'>): Target {
  if (column.kind === 'date') {
    throw unusable(
      column.name,
      'holds dates, and Pilvi learns classes and numbers',
      'Choose another column, or make a number of it, such as days until.',
    );
  }
  const present = presentRows(column);
  const rowCount = column.kind === 'categorical' ? column.codes.length : column.values.length;
  if (present.length === 0)
    throw unusable(column.name, 'has no values', 'Choose another column, or fill this one.');
  if (present.length < fewestRows) throw tooFew(column.name, present.length);
  const names = classNamesOf(column, present);
  const { task, reason } = chooseTask(column, names, present.length, recipe.task);
  const target =
    task === 'regression' || task === 'ranking'
      ? numberTarget(column, present, { task, reason })
      : classTarget(column, names, { present, task, reason, recipe });
  if (target.rows.length < fewestRows) throw tooFew(column.name, target.rows.length);
  return { ...target, withoutTarget: rowCount - present.length };
}

type PartialTarget = Omit<Target, 'withoutTarget'>;

function presentRows(column: Column): Int32Array {
  const isPresent = (row: number): boolean => {
    if (column.kind === 'categorical') return column.codes[row]! >= 0;
    if (column.kind === 'text') return column.values[row] !== null;
    return Number.isFinite(column.values[row]);
  };
  const count = column.kind === 'categorical' ? column.codes.length : column.values.length;
  return Int32Array.from({ length: count }, (_, row) => row).filter(isPresent);
}

/** Distinct values as text: numbers by size, categories as their column orders them, texts by code units. */
function classNamesOf(column: Column, present: Int32Array): string[] {
  if (column.kind === 'categorical') {
    const codes = new Set(Array.from(present, (row) => column.codes[row]!));
    return [...codes].sort((a, b) => a - b).map((code) => column.categories[code]!);
  }
  if (column.kind === 'text') return [...new Set(Array.from(present, (row) => column.values[row]!))].sort();
  const numbers = [...new Set(Array.from(present, (row) => column.values[row]!))].sort((a, b) => a - b);
  return column.kind === 'boolean'
    ? numbers.map((value) => (value === 0 ? 'false' : 'true'))
    : numbers.map(String);
}

function chooseTask(
  column: Column,
  names: readonly string[],
  rowCount: number,
  wanted: Recipe['task'],
): { task: Task; reason: string } {
  const count = names.length;
  if (count === 1) {
    throw unusable(
      column.name,
      `has the same value, "${names[0]!.slice(0, 40)}", in every row`,
      'Choose a column whose values differ.',
    );
  }
  const isNumeric = column.kind === 'numeric';
  if (wanted === 'ranking') {
    if (!isNumeric && column.kind !== 'boolean')
      throw unusable(
        column.name,
        'does not hold numbers, so it cannot say how relevant a row is',
        `Choose a column of whole numbers from 0 (not relevant) to ${mostRelevance}, or of true and false.`,
      );
    return { task: wanted, reason: 'You asked for it.' };
  }
  if (wanted === 'regression' && !isNumeric) {
    throw unusable(
      column.name,
      'does not hold numbers, so it cannot be a regression',
      'Choose classification, or make the column numeric.',
    );
  }
  if (wanted === 'binary' && count !== 2) {
    throw unusable(
      column.name,
      `has ${count} different values, and a binary task has two`,
      'Choose "multiclass", "regression" or "auto".',
    );
  }
  if (wanted === 'multiclass' && count === 2)
    return { task: 'binary', reason: 'You asked for classes, and the target has two.' };
  if (wanted !== 'auto') return { task: wanted, reason: 'You asked for it.' };
  if (count === 2)
    return {
      task: 'binary',
      reason: `The target has two different values: "${names[0]}" and "${names[1]}".`,
    };
  if (!isNumeric)
    return {
      task: 'multiclass',
      reason: `The target is not a number and has ${inThousands(count)} different values.`,
    };
  return numberTask(names, rowCount);
}

/** Whole numbers that count from 0 or 1 without a gap are class codes (digits, grades); any others are amounts. */
function numberTask(names: readonly string[], rowCount: number): { task: Task; reason: string } {
  const first = Number(names[0]);
  const isCode =
    names.length <= mostNumberClasses &&
    (first === 0 || first === 1) &&
    names.every((name, index) => Number(name) === first + index);
  if (isCode && rowCount >= names.length * 10) {
    return {
      task: 'multiclass',
      reason: `The target counts from ${first} to ${names.at(-1)} without a gap, which looks like codes of classes. Choose "regression" if it is an amount.`,
    };
  }
  return {
    task: 'regression',
    reason: `The target is a number with ${inThousands(names.length)} different values.`,
  };
}

function numberTarget(
  column: Column,
  present: Int32Array,
  { task, reason }: { task: 'regression' | 'ranking'; reason: string },
): PartialTarget {
  const { values } = column as Column & { kind: 'numeric' | 'boolean' };
  return {
    task,
    reason,
    rows: present,
    values: Float64Array.from(present, (row) => values[row]!),
    classes: [],
    positiveClass: 0,
    warnings: [],
  };
}

function classTarget(
  column: Column,
  names: readonly string[],
  {
    present,
    task,
    reason,
    recipe,
  }: { present: Int32Array; task: Task; reason: string; recipe: Pick<Recipe, 'positiveClass'> },
): PartialTarget {
  if (names.length === present.length || names.length > present.length / 2) {
    throw unusable(
      column.name,
      `has ${names.length} different values in ${present.length} rows, so nearly every row is a class of its own`,
      'Choose a column whose values repeat, or group them.',
    );
  }
  if (names.length > mostClasses) {
    throw new Problem(
      'too-many-classes',
      `The target "${column.name}" has ${names.length} classes; the most is ${mostClasses}.`,
    );
  }
  const nameOf = namer(column);
  const counts = new Map<string, number>();
  for (const row of present) counts.set(nameOf(row), (counts.get(nameOf(row)) ?? 0) + 1);
  const kept = names.filter((name) => counts.get(name)! >= 2);
  const lonely = names.length - kept.length;
  if (kept.length < 2) {
    throw new Problem(
      'too-few-rows',
      `The target "${column.name}" has fewer than two classes with at least two rows each.`,
    );
  }
  const codeOf = new Map(kept.map((name, code) => [name, code]));
  const rows = present.filter((row) => codeOf.has(nameOf(row)));
  const warnings =
    lonely > 0 ? [`${lonely} classes of the target have one row each; these rows were left out.`] : [];
  const isBinary = kept.length === 2;
  return {
    task: isBinary ? 'binary' : task,
    reason: isBinary && task !== 'binary' ? `${reason} Two of them have at least two rows.` : reason,
    rows,
    values: Float64Array.from(rows, (row) => codeOf.get(nameOf(row))!),
    classes: kept,
    positiveClass: isBinary ? positiveIndex(kept, counts, recipe.positiveClass) : 0,
    warnings,
  };
}

function namer(column: Column): (row: number) => string {
  if (column.kind === 'categorical') return (row) => column.categories[column.codes[row]!]!;
  if (column.kind === 'text') return (row) => column.values[row]!;
  if (column.kind === 'boolean') return (row) => (column.values[row] === 0 ? 'false' : 'true');
  return (row) => String(column.values[row]);
}

/** The class asked for, else one that reads as "yes", else the rarer one. */
function positiveIndex(
  classes: readonly string[],
  counts: ReadonlyMap<string, number>,
  wanted: string | undefined,
): number {
  if (wanted !== undefined) {
    const index = classes.indexOf(wanted);
    if (index < 0) {
      throw new Problem(
        'invalid-request',
        `The positive class "${wanted.slice(0, 60)}" is not a value of the target. Its values are "${classes.join('" and "')}".`,
        {
          errors: [{ field: 'positiveClass', message: `must be one of ${classes.join(', ')}` }],
        },
      );
    }
    return index;
  }
  const affirmative = classes.findIndex((name) => positiveWords.includes(name.trim().toLowerCase()));
  if (affirmative >= 0) return affirmative;
  return counts.get(classes[0]!)! < counts.get(classes[1]!)! ? 0 : 1;
}

function unusable(name: string, what: string, remedy: string): Problem {
  return new Problem('target-unusable', `The column "${name}" ${what}. ${remedy}`);
}

function tooFew(name: string, rowCount: number): Problem {
  return new Problem(
    'too-few-rows',
    `Only ${rowCount} rows have a usable value in "${name}"; at least ${fewestRows} are needed.`,
  );
}

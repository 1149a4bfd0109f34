// How the answer follows a column: partial dependence (Friedman 2001), the mean answer when every row has the same value
// there, and individual conditional expectation (Goldstein et al. 2015), the same for single rows. What the model does,
// not what the world would do: where columns depend on each other, some of the rows asked about cannot exist.
import type { Column, Frame } from '../frame/frame.ts';
import { rowAt, valueAt } from '../frame/frame.ts';
import { hasClasses } from '../frame/schema.ts';
import type { Predictor } from '../model/predictor.ts';

export interface Dependence {
  column: string;
  /** Numbers and dates (as ISO text) ascending; classes and true or false by frequency. */
  values: (string | number | boolean)[];
  isOrdered: boolean;
  /** Share of rows with a value at most this far: how well the data covers it. For values without an order, their own share. */
  shares: number[];
  /** One for each outcome: the positive class, up to five classes, or the number itself. */
  curves: { outcome: string; mean: number[] }[];
  /** Single rows, by the first outcome: `rows[row][value]`. */
  rows: number[][];
}

const mostOrderedValues = 15;
const mostValues = 10;
const mostOutcomes = 5;
const shownRows = 25;

/** The curves of one column over the rows of a frame; nothing for texts and columns with a single value. */
export function dependenceOn(name: string, frame: Frame, predictor: Predictor): Dependence | undefined {
  const column = frame.columns.find((candidate) => candidate.name === name);
  const grid = column && gridOf(column);
  if (!column || !grid || grid.values.length < 2) return undefined;
  const rows = Array.from({ length: frame.rowCount }, (_, row) => rowAt(frame, row));
  const outcomes = outcomesOf(predictor);
  const curves = outcomes.map((outcome) => ({ outcome, mean: [] as number[] }));
  const single: number[][] = rows.slice(0, shownRows).map(() => []);
  for (const value of grid.values) {
    const { predictions } = predictor.predictRows(rows.map((row) => ({ ...row, [name]: value })));
    for (const { outcome, mean } of curves) {
      const answers = predictions.map(({ prediction, probabilities }) =>
        probabilities ? probabilities[outcome]! : Number(prediction),
      );
      mean.push(answers.reduce((sum, answer) => sum + answer, 0) / answers.length);
      if (outcome === outcomes[0]) single.forEach((curve, row) => curve.push(answers[row]!));
    }
  }
  return { column: name, ...grid, curves, rows: single };
}

function outcomesOf({ manifest }: Predictor): string[] {
  const { task, classes, positiveClass, target } = manifest;
  if (!hasClasses(task)) return [target];
  return positiveClass === undefined ? classes.slice(0, mostOutcomes) : [positiveClass];
}

type Grid = Pick<Dependence, 'values' | 'isOrdered' | 'shares'>;

function gridOf(column: Column): Grid | undefined {
  switch (column.kind) {
    case 'text':
      return undefined;
    case 'categorical':
    case 'boolean':
      return frequentValues(column);
    default:
      return quantiles(column.values, (value) =>
        column.kind === 'date' ? new Date(value).toISOString() : value,
      );
  }
}

function quantiles(values: Float64Array, shown: (value: number) => string | number): Grid {
  const present = values.filter((value) => value === value).sort();
  const picked = new Set(
    Array.from(
      { length: mostOrderedValues },
      (_, index) => present[Math.round((index * (present.length - 1)) / (mostOrderedValues - 1))],
    ),
  );
  picked.delete(undefined);
  const numbers = Array.from(picked, (value) => value!);
  const shares = numbers.map((value) => present.findLastIndex((one) => one <= value) + 1);
  return {
    values: numbers.map(shown),
    isOrdered: true,
    shares: shares.map((count) => count / present.length),
  };
}

function frequentValues(column: Column): Grid {
  const counts = new Map<string | number | boolean, number>();
  const rowCount = column.kind === 'categorical' ? column.codes.length : column.values.length;
  for (let row = 0; row < rowCount; row++) {
    const value = valueAt(column, row);
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a).slice(0, mostValues);
  return {
    values: sorted.map(([value]) => value),
    isOrdered: false,
    shares: sorted.map(([, count]) => count / rowCount),
  };
}

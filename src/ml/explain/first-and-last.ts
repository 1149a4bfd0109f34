// How features moved the answer of a model that has no parts to add up (neighbours, networks). Each feature's move is the
// mean of what it does as the first one known and as the last one: exact Shapley values where features act alone or in
// pairs, an approximation where more act together. What is left of the whole move is shared out by size. Unknown
// features stand at the average number, or at no category.
import { applyModel, type RowModel } from '../model/row-model.ts';

export interface FirstAndLast {
  /** The answer when nothing is known, and the answer here. */
  base: Float64Array;
  here: Float64Array;
  /** For each feature, how it moved `output`; they sum to what `here` differs from `base`. */
  values: Float64Array;
}

/** A model that compares with the average of its numbers. */
export type CentredModel = RowModel & { numberFeature: Uint16Array; centre: Float64Array };

/** Moves of one encoded row. Takes two answers for each feature. */
export function firstAndLast(
  model: CentredModel,
  row: Float64Array,
  { output, outputCount }: { output: number; outputCount: number },
): FirstAndLast {
  const unknown = new Float64Array(row.length).fill(NaN);
  model.numberFeature.forEach((feature, term) => (unknown[feature] = model.centre[term]!));
  const moving = [...row.keys()].filter((feature) => !Object.is(row[feature], unknown[feature]));
  const rows = [
    unknown,
    row,
    ...moving.flatMap((feature) => [
      changed(unknown, feature, row[feature]!),
      changed(row, feature, unknown[feature]!),
    ]),
  ];
  const answers = answersOf(model, rows, outputCount);
  const at = (index: number): number => answers[index * outputCount + output]!;
  const values = new Float64Array(row.length);
  moving.forEach((feature, index) => {
    const asFirst = at(2 + 2 * index) - at(0);
    const asLast = at(1) - at(3 + 2 * index);
    values[feature] = (asFirst + asLast) / 2;
  });
  shareOut(values, moving, at(1) - at(0));
  return { base: answers.slice(0, outputCount), here: answers.slice(outputCount, 2 * outputCount), values };
}

function changed(row: Float64Array, feature: number, value: number): Float64Array {
  const copy = row.slice();
  copy[feature] = value;
  return copy;
}

function answersOf(model: RowModel, rows: readonly Float64Array[], outputCount: number): Float64Array {
  const featureCount = rows[0]!.length;
  const input = new Float64Array(rows.length * featureCount);
  rows.forEach((row, index) => input.set(row, index * featureCount));
  const answers = new Float64Array(rows.length * outputCount);
  applyModel(model, { rows: input, rowCount: rows.length, featureCount }, answers);
  return answers;
}

/** Makes the values of `moving` sum to `whole`, each by its share of the sizes; equally where all are zero. */
function shareOut(values: Float64Array, moving: readonly number[], whole: number): void {
  const left = whole - values.reduce((sum, value) => sum + value, 0);
  const sizes = values.reduce((sum, value) => sum + Math.abs(value), 0);
  for (const feature of moving)
    values[feature]! += left * (sizes > 0 ? Math.abs(values[feature]!) / sizes : 1 / moving.length);
}

// How features moved the answer of a model that has no parts to add up (neighbours, networks). Each feature's move is the
// mean of what it does as the first one known and as the last one: exact Shapley values where features act alone or in
// pairs, an approximation where more act together. What is left of the whole move is shared out by size. Unknown
// features stand at the average number, at no category, at no words.
import type { NeighboursModel } from '../model/neighbours.ts';
import type { NetworkModel } from '../model/network.ts';
import { applyModel } from '../model/row-model.ts';

export interface FirstAndLast {
  /** The answer when nothing is known, and the answer here. */
  base: Float64Array;
  here: Float64Array;
  /** For each feature, how it moved `output`; they sum to what `here` differs from `base`. */
  values: Float64Array;
}

export type WholeModel = NeighboursModel | NetworkModel;

/** Moves of one encoded row. Takes two answers for each feature. */
export function firstAndLast(
  model: WholeModel,
  row: Float64Array,
  { output, outputCount }: { output: number; outputCount: number },
): FirstAndLast {
  const unknown = unknownRow(model, row);
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

/** The row with all that the model looks at unknown: numbers at their average, no category, no words. */
function unknownRow(model: WholeModel, row: Float64Array): Float64Array {
  const unknown = row.slice();
  const categories = model.kind === 'network' ? model.categoryFeature : model.codeFeature;
  for (const feature of categories) unknown[feature] = NaN;
  if (model.kind === 'network') for (const feature of model.countFeature) unknown[feature] = 0;
  model.numberFeature.forEach((feature, term) => (unknown[feature] = model.centre[term]!));
  return unknown;
}

function changed(row: Float64Array, feature: number, value: number): Float64Array {
  const copy = row.slice();
  copy[feature] = value;
  return copy;
}

function answersOf(model: WholeModel, rows: readonly Float64Array[], outputCount: number): Float64Array {
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

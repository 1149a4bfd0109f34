// What tests of learning share: tables of features from plain columns, trainings on all rows, answers for tables.
import { systemClock } from '../../base/time.ts';
import { copyFeatureRow, type FeatureTable } from '../frame/encoding.ts';
import { applyModel, outputCountOf, type RowModel } from '../model/row-model.ts';
import { pauseBy, type LearnedTask, type TrainingInput } from './learner.ts';

/** A table of `columns`; those in `levelCounts` are categories with so many levels, the others numbers. */
export function featureTable(
  columns: Float64Array[],
  levelCounts: Readonly<Record<number, number>> = {},
): FeatureTable {
  return {
    rowCount: columns[0]!.length,
    features: columns.map((_, index) => ({
      name: `f${index}`,
      column: `f${index}`,
      kind: index in levelCounts ? 'category' : 'number',
      levelCount: levelCounts[index] ?? 0,
    })),
    columns,
  };
}

/** A training on all rows of a table, with defaults, unless `changes` say otherwise. */
export function trainingOn(
  table: FeatureTable,
  task: LearnedTask,
  target: Float64Array,
  changes: Partial<TrainingInput> = {},
): TrainingInput {
  return {
    table,
    task,
    target,
    classCount: task === 'regression' ? 0 : target.reduce((most, value) => Math.max(most, value), 1) + 1,
    rows: Int32Array.from({ length: table.rowCount }, (_, row) => row),
    hyperparameters: {},
    seed: 1,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
    ...changes,
  };
}

/** What a model answers for every row of a table: its values, or the shares of the classes, row-major. */
export function answersFor(
  model: RowModel,
  table: FeatureTable,
  { task, classCount }: { task: LearnedTask; classCount: number },
): Float64Array {
  const featureCount = table.features.length;
  const rows = new Float64Array(table.rowCount * featureCount);
  for (let row = 0; row < table.rowCount; row++)
    copyFeatureRow(table, row, rows.subarray(row * featureCount, (row + 1) * featureCount));
  const out = new Float64Array(table.rowCount * outputCountOf(task, classCount));
  applyModel(model, { rows, rowCount: table.rowCount, featureCount }, out);
  return out;
}

// What each column is worth to a model: how much its score falls when the column's values are shuffled among rows
// (Breiman 2001; Fisher, Rudin & Dominici 2019). All features of a column are shuffled together;
// one made of two columns is shuffled with either.
import { seededRandom, shuffle } from '../../base/random.ts';
import type { FeatureTable } from '../frame/encoding.ts';
import type { ColumnImportance } from '../model/manifest.ts';

export interface PermutationInput {
  table: FeatureTable;
  /** Rows of the table to measure on. */
  rows: Int32Array;
  seed: number;
  /** Quality (more is better) of the model on row-major encoded rows, in the order of `rows`. */
  utilityOf: (encoded: Float64Array) => Promise<number>;
  /** Asked before each column; `false` leaves the rest unmeasured. */
  goOn: () => Promise<boolean>;
}

/** Most important first; columns that there was no time for are left out. */
export async function permutationImportance(input: PermutationInput): Promise<ColumnImportance[]> {
  const { table, rows, seed } = input;
  const featureCount = table.features.length;
  const encoded = new Float64Array(rows.length * featureCount);
  for (let index = 0; index < rows.length; index++) {
    for (let feature = 0; feature < featureCount; feature++)
      encoded[index * featureCount + feature] = table.columns[feature]![rows[index]!]!;
  }
  const whole = await input.utilityOf(encoded);
  const order = shuffle(
    Int32Array.from(rows, (_, index) => index),
    seededRandom(seed),
  );
  const losses: { column: string; importance: number }[] = [];
  for (const [column, features] of featuresByColumn(table)) {
    if (!(await input.goOn())) break;
    const shuffled = encoded.slice();
    for (let index = 0; index < rows.length; index++) {
      for (const feature of features)
        shuffled[index * featureCount + feature] = encoded[order[index]! * featureCount + feature]!;
    }
    const loss = whole - (await input.utilityOf(shuffled));
    losses.push({ column, importance: Number.isFinite(loss) ? loss : 0 });
  }
  const total = losses.reduce((sum, { importance }) => sum + Math.max(0, importance), 0);
  return losses
    .map(({ column, importance }) => ({
      column,
      importance,
      share: total > 0 ? Math.max(0, importance) / total : 0,
    }))
    .sort((a, b) => b.importance - a.importance);
}

function featuresByColumn(table: FeatureTable): Map<string, number[]> {
  const byColumn = new Map<string, number[]>();
  const add = (column: string, index: number): void => {
    const known = byColumn.get(column);
    if (known) known.push(index);
    else byColumn.set(column, [index]);
  };
  table.features.forEach(({ column, from }, index) => {
    add(column, index);
    if (from !== undefined) add(from, index);
  });
  return byColumn;
}

// What tests of learning share: tables of features from plain columns.
import type { FeatureTable } from '../frame/encoding.ts';

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

// What of a table one training may see. A view has all features, in the same places, so that models of all views read
// the same rows; what is not to be seen is the same for every row, which no learner can learn from.
import type { Feature, FeatureTable } from './encoding.ts';

export interface ViewOptions {
  /** Statistics of this fold are seen, those of others are not; without it, none are. */
  fold?: number;
  /** For learners that see only the order of numbers: without other scales of them, and with fewer words. */
  ordersOnly?: boolean;
}

/** The view of a table; the table itself where there is nothing to hide. */
export function viewOf(table: FeatureTable, { fold, ordersOnly = false }: ViewOptions): FeatureTable {
  const isSeen = (feature: Feature): boolean =>
    (feature.fold === undefined || feature.fold === fold) && !(ordersOnly && feature.isForScales);
  if (table.features.every(isSeen)) return table;
  // Not bytes, which learners take for the weights of terms.
  const blank = new Float64Array(table.rowCount);
  return {
    ...table,
    source: table.source ?? table,
    columns: table.columns.map((column, index) => (isSeen(table.features[index]!) ? column : blank)),
  };
}

/** How many features a view shows. */
export function seenFeatureCount(features: readonly Feature[], { ordersOnly = false }: ViewOptions): number {
  return features.filter((feature) => feature.fold === undefined && !(ordersOnly && feature.isForScales))
    .length;
}

// What is wrong with the values of a column themselves, beside how they are spread: missing, of another kind, outside of
// what the reference had, never seen there.
import { shareOutside } from './bins.ts';
import { validCount, type ColumnSketch } from './column-sketch.ts';
import { estimateDistinct } from './distinct-count.ts';
import { countOf } from './frequent-values.ts';

export interface ColumnQuality {
  column: string;
  missingShare: number;
  referenceMissingShare: number;
  /** Of values that are none of the column's kind. */
  invalidShare: number;
  /** Of numbers below the reference's least or above its greatest; null for other columns. */
  outsideShare: number | null;
  /** Of values that the reference never had; null where it had too many to know. */
  unseenShare: number | null;
  /** Up to five such values, most frequent first. */
  unseenValues: string[];
  /** About. */
  distinctCount: number;
  referenceDistinctCount: number;
}

const shownUnseen = 5;

/** The quality of a column of which `reference` tells what is usual. */
export function qualityOf(column: string, reference: ColumnSketch, current: ColumnSketch): ColumnQuality {
  const rows = current.rowCount || 1;
  return {
    column,
    missingShare: current.missingCount / rows,
    referenceMissingShare: reference.missingCount / (reference.rowCount || 1),
    invalidShare: current.invalidCount / rows,
    outsideShare: outsideOf(reference, current),
    ...unseenOf(reference, current),
    distinctCount: estimateDistinct(current.distinct),
    referenceDistinctCount: estimateDistinct(reference.distinct),
  };
}

function outsideOf(reference: ColumnSketch, current: ColumnSketch): number | null {
  if (reference.kind !== 'number' || current.kind !== 'number' || validCount(reference) === 0) return null;
  const { minimum, maximum } = reference.spread.moments;
  const now = current.spread.moments;
  if (now.minimum >= minimum && now.maximum <= maximum) return 0;
  // The sketch may have lost the few that the moments saw.
  const least = now.count === 0 ? 0 : 1 / now.count;
  return Math.max(least, shareOutside(current.spread.quantiles.levels(), minimum, maximum));
}

function unseenOf(
  reference: ColumnSketch,
  current: ColumnSketch,
): Pick<ColumnQuality, 'unseenShare' | 'unseenValues'> {
  if (reference.kind !== 'category' || current.kind !== 'category' || reference.values.isOverfull)
    return { unseenShare: null, unseenValues: [] };
  let seen = 0;
  for (const name of reference.values.named.keys()) seen += countOf(current.values, name);
  const unseen = [...current.values.named].filter(([name]) => !reference.values.named.has(name));
  const total = current.values.total;
  return {
    unseenShare: total === 0 ? 0 : Math.max(0, total - seen) / total,
    unseenValues: unseen
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, shownUnseen)
      .map(([name]) => name),
  };
}

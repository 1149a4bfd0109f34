// What the columns of a training held, in a few words each: hints for the forms that ask for their values later.
// Typical values only; the model file itself carries none of this.
import type { Column, Frame } from '../../ml/frame/frame.ts';

export interface FieldSummary {
  name: string;
  minimum: number | null;
  maximum: number | null;
  /** The median, or the most frequent value; null for free text, which is nobody's business. */
  example: string | number | boolean | null;
  /** 0 to 1. */
  missingShare: number;
}

/** A summary of every column of `frame` but the target. */
export function summariseFields(frame: Frame, target: string): FieldSummary[] {
  return frame.columns
    .filter(({ name }) => name !== target)
    .map((column) => summarise(column, frame.rowCount));
}

function summarise(column: Column, rowCount: number): FieldSummary {
  const { name } = column;
  if (column.kind === 'text') {
    const missing = column.values.reduce((count, value) => count + (value === null ? 1 : 0), 0);
    return { name, minimum: null, maximum: null, example: null, missingShare: share(missing, rowCount) };
  }
  if (column.kind === 'categorical') {
    const { missing, mostFrequent } = countCategories(column.codes, column.categories.length);
    return {
      name,
      minimum: null,
      maximum: null,
      example: column.categories[mostFrequent] ?? null,
      missingShare: share(missing, rowCount),
    };
  }
  const sorted = column.values.filter((value) => Number.isFinite(value)).toSorted();
  const missingShare = share(rowCount - sorted.length, rowCount);
  const median = sorted[sorted.length >> 1];
  if (median === undefined) return { name, minimum: null, maximum: null, example: null, missingShare };
  if (column.kind === 'boolean')
    return { name, minimum: null, maximum: null, example: median !== 0, missingShare };
  const example = column.kind === 'date' ? new Date(median).toISOString().slice(0, 10) : median;
  return { name, minimum: sorted[0]!, maximum: sorted.at(-1)!, example, missingShare };
}

function countCategories(
  codes: Int32Array,
  categoryCount: number,
): { missing: number; mostFrequent: number } {
  const counts = new Uint32Array(categoryCount);
  let missing = 0;
  for (const code of codes) {
    if (code < 0) missing++;
    else counts[code]!++;
  }
  return { missing, mostFrequent: counts.indexOf(counts.reduce((most, count) => Math.max(most, count), 0)) };
}

function share(count: number, rowCount: number): number {
  return rowCount === 0 ? 0 : count / rowCount;
}

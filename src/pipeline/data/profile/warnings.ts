// What to look out for in a dataset, from its profile.
import type { DatasetProfile } from '../../../contract/dataset.ts';
import type { Pairs } from './pairs.ts';
import type { TextFigures } from './text-profile.ts';

type Column = DatasetProfile['columns'][number];
type Warning = DatasetProfile['warnings'][number];

/** A profiled column with the figures that warnings need and profiles do not show. */
export interface ColumnFigures {
  column: Column;
  skewness: number;
  text: TextFigures | null;
}

const maxPairs = 20;
const mostlyMissingShare = 0.5;
const strongSkewness = 3;
const manyCategories = 1000;
const mixedShare = 0.5;

/** The warnings, those about the whole dataset last. */
export function warningsFor(
  figures: readonly ColumnFigures[],
  pairs: Pairs,
  counts: { rowCount: number; duplicateRowCount: number | null },
): Warning[] {
  const { rowCount, duplicateRowCount } = counts;
  const warnings: Warning[] = [];
  const tell = (code: Warning['code'], columns: string[], message: string): void => {
    warnings.push({ code, columns, message });
  };
  for (const { column, skewness, text } of figures) {
    const { name, role, missingCount, distinctCount } = column;
    const presentCount = rowCount - missingCount;
    if (role === 'constant') tell('constant', [name], `"${name}" has the same value in every row.`);
    if (role === 'id')
      tell('id-like', [name], `"${name}" is different in every row, like an id: it cannot help to predict.`);
    if (missingCount > rowCount * mostlyMissingShare)
      tell(
        'mostly-missing',
        [name],
        `"${name}" is missing in ${percent(missingCount, rowCount)} of the rows.`,
      );
    if (text && text.numberCount < text.presentCount && text.numberCount >= text.presentCount * mixedShare)
      tell(
        'mixed-types',
        [name],
        `"${name}" is text, although ${percent(text.numberCount, text.presentCount)} of its values are numbers; one that is not: "${text.notNumber}".`,
      );
    if (
      role === 'categorical' &&
      distinctCount > Math.min(manyCategories, presentCount / 2) &&
      presentCount >= 100
    )
      tell('high-cardinality', [name], `"${name}" has ${distinctCount} different values.`);
    if (role === 'numeric' && Math.abs(skewness) > strongSkewness && distinctCount > 20)
      tell(
        'skewed',
        [name],
        `"${name}" is strongly skewed: a few ${skewness > 0 ? 'large' : 'small'} values stretch its range.`,
      );
  }
  for (const [a, b] of pairs.equal.slice(0, maxPairs))
    tell('duplicate-column', [a, b], `"${b}" has the same values as "${a}".`);
  for (const { a, b, correlation } of pairs.telling.slice(0, maxPairs))
    tell(
      'leakage-suspect',
      [a, b],
      correlation === null
        ? `"${a}" and "${b}" determine each other: if one is the target, the other gives it away.`
        : `"${a}" and "${b}" almost determine each other (correlation ${correlation.toFixed(4)}): if one is the target, the other gives it away.`,
    );
  if (duplicateRowCount !== null && duplicateRowCount > 0)
    tell(
      'duplicate-rows',
      [],
      `${duplicateRowCount} ${duplicateRowCount === 1 ? 'row is' : 'rows are'} the same as an earlier one.`,
    );
  return warnings;
}

function percent(part: number, whole: number): string {
  const value = (part / whole) * 100;
  // 99.96 % is not all of it.
  const text = value < 100 && value > 99 ? (Math.floor(value * 10) / 10).toFixed(1) : value.toFixed(0);
  return `${text} %`;
}

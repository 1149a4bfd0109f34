// How a training would read a column.
import type { ColumnType, DatasetProfile } from '../../../contract/dataset.ts';
import type { NumberFigures } from './number-profile.ts';
import { mostCodes } from '../../../ml/frame/infer-schema.ts';
import type { TextFigures } from './text-profile.ts';

type Role = DatasetProfile['columns'][number]['role'];

/** Below so many rows, all values being different says nothing. */
const minIdRows = 20;
const idName = /(?:^|[^a-z])(?:id|uuid|guid|key|no|nr|number|index|row)$|(?:Id|ID|Key|No|Nr|Number|Index)$/;
const maxIdCharacters = 64;

/** The role of a column with these figures. */
export function roleOf(column: {
  name: string;
  type: ColumnType;
  rowCount: number;
  missingCount: number;
  distinctCount: number;
  /** Rows that the figures of the values are from. */
  sampled: number;
  number: NumberFigures | undefined;
  text: TextFigures | undefined;
}): Role {
  const { type, number, text, missingCount, distinctCount, rowCount } = column;
  if (missingCount === rowCount) return 'empty';
  if (distinctCount === 1 && missingCount === 0) return 'constant';
  const figures = (number ?? text)!;
  const allDiffer =
    figures.presentCount >= minIdRows &&
    figures.presentCount === column.sampled &&
    figures.distinctCount === figures.presentCount &&
    distinctCount >= (rowCount - missingCount) * 0.9;
  switch (type) {
    case 'boolean':
      return 'boolean';
    case 'date':
    case 'datetime':
      return 'date';
    case 'number':
      return 'numeric';
    case 'integer':
      return allDiffer && (idName.test(column.name) || countsUp(number!, rowCount)) ? 'id' : 'numeric';
    case 'text':
      if (isFreeText(text!)) return 'text';
      return allDiffer && text!.meanWords < 1.5 && text!.meanCharacters <= maxIdCharacters
        ? 'id'
        : 'categorical';
    default:
      return type satisfies never;
  }
}

/** Whole numbers, all different, with hardly a gap: a count of the rows. */
function countsUp({ numeric }: NumberFigures, rowCount: number): boolean {
  return numeric !== null && numeric.maximum - numeric.minimum < rowCount * 1.2;
}

/** The rule by which trainings tell free text from categories (ml/frame/infer-schema.ts), on these figures. */
function isFreeText({
  presentCount,
  distinctCount,
  codeCount,
  meanCharacters,
  meanWords,
}: TextFigures): boolean {
  if (codeCount > distinctCount * mostCodes) return false;
  if (distinctCount < 20 || distinctCount < presentCount * 0.5) return false;
  return meanCharacters >= 30 || meanWords >= 3;
}

// From the columns of a dataset version to the frame that learning works on.
import type { Column, Frame } from '../../ml/frame/frame.ts';
import { isFreeText } from '../../ml/frame/infer-schema.ts';
import type { DataColumn } from '../data/read-columns.ts';

/** The frame of `columns`: texts become categories, or free text where they are long and mostly distinct. */
export function frameOf(columns: readonly DataColumn[]): Frame {
  const frameColumns = columns.map(toFrameColumn);
  const [first] = frameColumns;
  return { rowCount: first ? lengthOf(first) : 0, columns: frameColumns };
}

function toFrameColumn(column: DataColumn): Column {
  const { name } = column;
  switch (column.type) {
    case 'integer':
    case 'number':
      return { name, kind: 'numeric', values: column.values };
    case 'boolean':
      return { name, kind: 'boolean', values: column.values };
    case 'date':
    case 'datetime':
      return { name, kind: 'date', values: column.values };
    case 'text': {
      const { codes, categories } = column;
      const presentCount = codes.reduce((count, code) => count + (code >= 0 ? 1 : 0), 0);
      if (!isFreeText(presentCount, new Set(categories)))
        return { name, kind: 'categorical', codes, categories };
      return {
        name,
        kind: 'text',
        values: Array.from(codes, (code) => (code < 0 ? null : categories[code]!)),
      };
    }
    default:
      return column satisfies never;
  }
}

function lengthOf(column: Column): number {
  return column.kind === 'categorical' ? column.codes.length : column.values.length;
}

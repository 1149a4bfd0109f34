// From the columns of a dataset version to the frame that learning works on.
import type { Column, Frame } from '../../ml/frame/frame.ts';
import { isFreeText } from '../../ml/frame/infer-schema.ts';
import type { ColumnKind } from '../../ml/frame/schema.ts';
import type { DataColumn } from '../data/read-columns.ts';

/**
 * The frame of `columns`: texts become categories, or free text where they are long and mostly distinct, or else what they
 * are in the frame `like`.
 */
export function frameOf(columns: readonly DataColumn[], like?: Frame): Frame {
  const frameColumns = columns.map((column) =>
    toFrameColumn(column, like?.columns.find(({ name }) => name === column.name)?.kind),
  );
  const [first] = frameColumns;
  return { rowCount: first ? lengthOf(first) : 0, columns: frameColumns };
}

function toFrameColumn(column: DataColumn, kind?: ColumnKind): Column {
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
      const isText = kind ? kind === 'text' : isFreeText(presentCount, new Set(categories));
      if (!isText) return { name, kind: 'categorical', codes, categories };
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

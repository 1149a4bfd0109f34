// The first rows of a file as they would be read, each column with its type to correct.
import { NativeSelect } from '@mantine/core';
import type { ColumnType, ImportPreview } from '../../api/types.ts';
import { DataGrid } from '../../kit/data-grid.tsx';
import { typeWords } from './column-types.ts';

interface PreviewTableProps {
  preview: ImportPreview;
  isStale: boolean;
  onType: (column: string, type: ColumnType) => void;
}

const typeChoices = Object.entries(typeWords).map(([value, label]) => ({ value, label }));
const rowLimit = 12;

/** A dozen rows: enough to see whether the file is understood. */
export function PreviewTable({ preview, isStale, onType }: PreviewTableProps) {
  return (
    <DataGrid
      label="The first rows"
      columns={preview.columns}
      rows={preview.rows.slice(0, rowLimit)}
      isStale={isStale}
      below={({ name, type }) => (
        <NativeSelect
          size="xs"
          aria-label={`Type of ${name}`}
          data={typeChoices}
          value={type}
          onChange={(event) => onType(name, event.currentTarget.value as ColumnType)}
        />
      )}
    />
  );
}

// The first rows of a file as they would be read, each column with its type to correct.
import { Button, Group, NativeSelect, Text } from '@mantine/core';
import { useState } from 'react';
import type { ColumnType, ImportPreview } from '../../api/types.ts';
import { formatCell, formatCountOf } from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { typeWords } from './column-types.ts';

interface PreviewTableProps {
  preview: ImportPreview;
  isStale: boolean;
  onType: (column: string, type: ColumnType) => void;
}

const typeChoices = Object.entries(typeWords).map(([value, label]) => ({ value, label }));
const rowLimit = 12;
const columnsPerPage = 40;

/** At most a dozen rows and forty columns at once: enough to see, quick even for a thousand columns. */
export function PreviewTable({ preview, isStale, onType }: PreviewTableProps) {
  const [page, setPage] = useState(0);
  const { columns, rows } = preview;
  const pageCount = Math.ceil(columns.length / columnsPerPage);
  const first = Math.min(page, Math.max(0, pageCount - 1)) * columnsPerPage;
  const shown = columns.slice(first, first + columnsPerPage);
  return (
    <div>
      <div
        className={grid.scroll}
        tabIndex={0}
        role="region"
        aria-label="The first rows"
        data-stale={isStale || undefined}
      >
        <table className={grid.table}>
          <thead>
            <tr>
              {shown.map(({ name, type }) => (
                <th key={name} scope="col">
                  <span className={grid.name} title={name}>
                    {name}
                  </span>
                  <NativeSelect
                    size="xs"
                    aria-label={`Type of ${name}`}
                    data={typeChoices}
                    value={type}
                    onChange={(event) => onType(name, event.currentTarget.value as ColumnType)}
                  />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, rowLimit).map((row, index) => (
              <tr key={index}>
                {shown.map(({ name, type }, offset) => {
                  const value = row[first + offset];
                  return (
                    <td key={name} data-number={type === 'integer' || type === 'number' || undefined}>
                      <span data-missing={value === null || undefined}>{formatCell(value)}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Group justify="space-between" mt="xs">
        <Text size="sm" c="dimmed">
          {formatCountOf(columns.length, 'column')}
          {pageCount > 1 && `, ${first + 1} to ${first + shown.length} shown`}
        </Text>
        {pageCount > 1 && (
          <Group gap="xs">
            <Button size="xs" variant="default" disabled={first === 0} onClick={() => setPage(page - 1)}>
              Columns before
            </Button>
            <Button
              size="xs"
              variant="default"
              disabled={first + shown.length >= columns.length}
              onClick={() => setPage(page + 1)}
            >
              More columns
            </Button>
          </Group>
        )}
      </Group>
    </div>
  );
}

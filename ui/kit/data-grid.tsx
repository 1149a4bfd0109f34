// A table of data as it is: it scrolls on its own, and wide ones are shown forty columns at a time, so that a thousand
// columns are as quick as ten.
import { Button, Group, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { formatCell, formatCountOf } from './format.ts';
import grid from './grid.module.css';

interface Column {
  name: string;
  type: string;
}

interface DataGridProps {
  label: string;
  columns: readonly Column[];
  rows: readonly (readonly unknown[])[];
  /** What stands below a column's name; its type unless given. */
  below?: (column: Column) => ReactNode;
  /** Words for the types; a type without one is shown as it is. */
  typeWords?: Readonly<Record<string, string>>;
  /** Number of the first row; shows a column of row numbers. */
  firstRow?: number;
  isStale?: boolean;
}

const columnsPerPage = 40;
const numberTypes =
  /^(integer|number|tinyint|smallint|int|bigint|hugeint|u?int\d*|float|real|double|decimal)/i;

/** Rows and columns. */
export function DataGrid({
  label,
  columns,
  rows,
  below,
  typeWords = {},
  firstRow,
  isStale = false,
}: DataGridProps) {
  const [page, setPage] = useState(0);
  const pageCount = Math.max(1, Math.ceil(columns.length / columnsPerPage));
  const first = Math.min(page, pageCount - 1) * columnsPerPage;
  const shown = columns.slice(first, first + columnsPerPage);
  return (
    <div>
      <div
        className={grid.scroll}
        // A region that scrolls must be reachable by keyboard.
        tabIndex={0}
        role="region"
        aria-label={label}
        data-stale={isStale || undefined}
      >
        <table className={grid.table}>
          <thead>
            <tr>
              {firstRow !== undefined && (
                <th scope="col">
                  <span className={grid.type}>Row</span>
                </th>
              )}
              {shown.map((column, index) => (
                <th key={index} scope="col" data-number={(!below && isNumber(column)) || undefined}>
                  <span className={grid.name} title={column.name}>
                    {column.name}
                  </span>
                  {below ? (
                    below(column)
                  ) : (
                    <span className={grid.type}>{(typeWords[column.type] ?? column.type).toLowerCase()}</span>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {firstRow !== undefined && <td className={grid.rowNumber}>{firstRow + index}</td>}
                {shown.map((column, offset) => (
                  <Cell key={offset} value={row[first + offset]} isNumber={isNumber(column)} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {pageCount > 1 && (
        <Group justify="space-between" mt="xs">
          <Text size="sm" c="dimmed">
            {formatCountOf(columns.length, 'column')}, {first + 1} to {first + shown.length} shown
          </Text>
          <Group gap="xs">
            <Button size="xs" variant="default" disabled={first === 0} onClick={() => setPage(page - 1)}>
              Columns before
            </Button>
            <Button
              size="xs"
              variant="default"
              disabled={page >= pageCount - 1}
              onClick={() => setPage(page + 1)}
            >
              More columns
            </Button>
          </Group>
        </Group>
      )}
    </div>
  );
}

function Cell({ value, isNumber: isNumeric }: { value: unknown; isNumber: boolean }) {
  const isMissing = value === null || value === undefined;
  const text = formatCell(value);
  return (
    <td data-number={isNumeric || undefined} title={text.length > 40 ? text : undefined}>
      <span data-missing={isMissing || undefined}>{text}</span>
    </td>
  );
}

function isNumber(column: Column): boolean {
  return numberTypes.test(column.type);
}

// The rows themselves, fifty at a time.
import { Button, Group, NumberInput, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { rowsQuery } from '../../api/queries.ts';
import type { DatasetVersion } from '../../api/types.ts';
import { DataGrid } from '../../kit/data-grid.tsx';
import { formatCount } from '../../kit/format.ts';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { typeWords } from '../data/column-types.ts';

const rowsPerPage = 50;

/** The tab of rows. */
export function Rows({ version }: { version: DatasetVersion }) {
  const [offset, setOffset] = useState(0);
  const rows = useQuery(rowsQuery(version.id, offset, rowsPerPage));
  const total = version.rowCount ?? 0;
  const last = Math.max(0, Math.floor((total - 1) / rowsPerPage) * rowsPerPage);
  return (
    <Loaded query={rows} skeleton={<Blocks count={1} height={480} />}>
      {(data) => (
        <>
          <Group justify="space-between" mb="sm">
            <Text size="sm" c="dimmed" role="status">
              Rows {formatCount(total === 0 ? 0 : offset + 1)} to {formatCount(offset + data.rows.length)} of{' '}
              {formatCount(total)}
            </Text>
            <Group gap="xs">
              <NumberInput
                aria-label="Go to row"
                placeholder="Go to row"
                size="xs"
                w={110}
                hideControls
                min={1}
                max={total}
                thousandSeparator=","
                onChange={(value) => {
                  const row = Number(value);
                  if (row >= 1 && row <= total) setOffset(Math.floor((row - 1) / rowsPerPage) * rowsPerPage);
                }}
              />
              <Button
                size="xs"
                variant="default"
                disabled={offset === 0}
                onClick={() => setOffset(Math.max(0, offset - rowsPerPage))}
              >
                Before
              </Button>
              <Button
                size="xs"
                variant="default"
                disabled={offset >= last}
                onClick={() => setOffset(offset + rowsPerPage)}
              >
                Next
              </Button>
            </Group>
          </Group>
          <DataGrid
            label="Rows"
            columns={version.columns}
            typeWords={typeWords}
            rows={data.rows}
            firstRow={offset + 1}
            isStale={rows.isPlaceholderData}
          />
        </>
      )}
    </Loaded>
  );
}

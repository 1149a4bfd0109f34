// Questions in SQL over the datasets of the project, with the answer as a table and as a file.
import { Button, Group, Kbd, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { saveBlob } from '../../api/download.ts';
import { datasetsQuery } from '../../api/queries.ts';
import type { Dataset, QueryResult } from '../../api/types.ts';
import { DataGrid } from '../../kit/data-grid.tsx';
import { formatCountOf, formatDuration } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { Notice } from '../../kit/notice.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import classes from './dataset.module.css';
import { SqlEditor } from './sql-editor.tsx';
import { csvOf } from './csv.ts';

interface QueryProps {
  projectId: string;
  dataset: Dataset;
}

const shownRows = 500;
const fetchedRows = 10_000;

/** The tab of SQL. */
export function Query({ projectId, dataset }: QueryProps) {
  const datasets = useQuery(datasetsQuery(projectId));
  const [sql, setSql] = useState(() => `SELECT *\nFROM ${quoted(dataset.name)}\nLIMIT 100`);
  const run = useMutation({
    mutationFn: (text: string) =>
      client.runQuery({ projectId, body: { sql: text, maxRows: fetchedRows } }, { attempts: 1 }),
  });
  const tables = Object.fromEntries(
    (datasets.data ?? [dataset]).map(({ name, latestVersion }) => [
      quoted(name),
      (latestVersion?.columns ?? []).map((column) => quoted(column.name)),
    ]),
  );
  return (
    <Stack gap="lg">
      <div className={classes.editor}>
        <SqlEditor value={sql} tables={tables} onChange={setSql} onRun={(text) => run.mutate(text)} />
      </div>
      <Group gap="md">
        <Button
          loading={run.isPending}
          onClick={() => run.mutate(sql)}
          leftSection={<Icon name="play" size={16} />}
        >
          Run
        </Button>
        <Text size="sm" c="dimmed">
          <Kbd size="xs">Ctrl</Kbd> or <Kbd size="xs">⌘</Kbd> + <Kbd size="xs">Enter</Kbd>. Each dataset is a
          table by its name; reading only.
        </Text>
      </Group>
      {run.error && <ProblemAlert error={run.error} />}
      {run.data && <Result result={run.data} />}
    </Stack>
  );
}

function Result({ result }: { result: QueryResult }) {
  const { table, rowCount, truncated, elapsedMs } = result;
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm" c="dimmed" role="status">
          {formatCountOf(rowCount, 'row')} in {formatDuration(elapsedMs / 1000)}
          {table.rows.length > shownRows && `, the first ${shownRows} shown`}
        </Text>
        <Button
          size="xs"
          variant="default"
          leftSection={<Icon name="download" size={14} />}
          onClick={() => saveBlob(new Blob([csvOf(table)], { type: 'text/csv' }), 'query.csv')}
        >
          Download as CSV
        </Button>
      </Group>
      {truncated && (
        <Notice tone="careful">
          There are more rows than were fetched. Add a condition or a LIMIT to see the ones you need.
        </Notice>
      )}
      <DataGrid label="Result" columns={table.columns} rows={table.rows.slice(0, shownRows)} />
    </Stack>
  );
}

/** A name as SQL writes it, with quotes only where they are needed. */
function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

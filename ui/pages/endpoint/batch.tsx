// A CSV file in, a CSV file out: the same rows in the same order, with the answers.
import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { saveBlob } from '../../api/download.ts';
import { endpointQuery, serverQuery } from '../../api/queries.ts';
import type { Endpoint } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { DataGrid } from '../../kit/data-grid.tsx';
import { DropArea } from '../../kit/drop-area.tsx';
import { formatBytes, formatCountOf } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Section } from '../../kit/page.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { firstRowsOf } from './read-csv.ts';

const previewRows = 8;

/** The tab of files. */
export function Batch({ endpoint }: { endpoint: Endpoint }) {
  const { canPredict } = useAbilities();
  const limits = useQuery(serverQuery).data?.limits;
  const queries = useQueryClient();
  const [refusals, setRefusals] = useState<string[]>([]);
  const answer = useMutation({
    mutationFn: async (file: File) => {
      const download = await client.predictCsv(
        { endpointId: endpoint.id, stream: file, contentType: 'text/csv' },
        { attempts: 1, timeoutMs: 3_600_000 },
      );
      const blob = await download.blob();
      return { blob, fileName: answerName(file.name), table: await firstRowsOf(blob, previewRows) };
    },
    onSuccess: async ({ blob, fileName }) => {
      saveBlob(blob, fileName);
      await queries.invalidateQueries(endpointQuery(endpoint.id));
    },
  });
  if (!canPredict) return <Notice tone="plain">Your role lets you look, but not ask for predictions.</Notice>;
  const names = endpoint.fields.map(({ name }) => name);
  return (
    <Stack gap="xl">
      <Text c="dimmed" maw={640}>
        The first line names the columns: {names.slice(0, 4).join(', ')}
        {names.length > 4 && ` and ${formatCountOf(names.length - 4, 'other')}`}. A column that is missing
        counts as not known; others are ignored.
        {limits && ` At most ${formatCountOf(limits.maxPredictionRows, 'row')}.`}
      </Text>
      <DropArea
        title="Drop a CSV file here"
        hint="The answers come back as a CSV file, rows in the same order."
        buttonLabel="Choose a file"
        isBusy={answer.isPending}
        isSingle
        refusals={refusals}
        onFiles={([file]) => {
          const isCsv = file !== undefined && /\.csv$/i.test(file.name) && file.size > 0;
          setRefusals(isCsv ? [] : ['That is not a CSV file with rows in it.']);
          if (isCsv) answer.mutate(file);
        }}
      />
      {answer.error && <ProblemAlert error={answer.error} />}
      {answer.data && (
        <Section
          title="The answers"
          description={`Saved as ${answer.data.fileName}, ${formatBytes(answer.data.blob.size)}. The first rows:`}
          actions={
            <Group>
              <Button
                size="xs"
                variant="default"
                leftSection={<Icon name="download" size={14} />}
                onClick={() => saveBlob(answer.data.blob, answer.data.fileName)}
              >
                Save again
              </Button>
            </Group>
          }
        >
          <DataGrid
            label="The first answers"
            columns={answer.data.table.columns.map((name) => ({ name, type: '' }))}
            rows={answer.data.table.rows}
          />
        </Section>
      )}
    </Stack>
  );
}

/** `customers.csv` becomes `customers-predictions.csv`. */
function answerName(fileName: string): string {
  return `${fileName.replace(/\.csv$/i, '')}-predictions.csv`;
}

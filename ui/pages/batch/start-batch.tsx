// The dialog that starts a batch: which rows, what comes out, and the price before anything is spent.
import {
  Alert,
  Button,
  Checkbox,
  Group,
  Modal,
  SegmentedControl,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { batchQuoteQuery, datasetsQuery } from '../../api/queries.ts';
import type { BatchInput, BatchQuote, BatchThrough } from '../../api/types.ts';
import { finishUpload, startUploads, useUploads } from '../../api/uploads.ts';
import { DropArea } from '../../kit/drop-area.tsx';
import { formatCountOf, formatDuration, formatMoney, formatShare } from '../../kit/format.ts';
import { ProblemAlert } from '../../kit/problem.tsx';

interface StartBatchProps {
  projectId: string;
  through: BatchThrough;
  onClose: () => void;
}

/** The dialog. */
export function StartBatch({ projectId, through, onClose }: StartBatchProps) {
  const [input, setInput] = useState<BatchInput>();
  const [format, setFormat] = useState<'parquet' | 'csv'>('csv');
  const [keepsColumns, setKeepsColumns] = useState(true);
  const [refuses, setRefuses] = useState(false);
  const [datasetName, setDatasetName] = useState('');
  const queries = useQueryClient();
  const quote = useQuery({
    ...batchQuoteQuery(projectId, input ?? nothing, through),
    enabled: input !== undefined,
  });
  const start = useMutation({
    mutationFn: () =>
      client.createBatch({
        projectId,
        body: {
          input: input ?? nothing,
          through,
          output: {
            format,
            columns: keepsColumns ? null : [],
            badRows: refuses ? 'refuse' : 'mark',
            datasetName: datasetName.trim() === '' ? null : datasetName,
          },
          maxMicroUsd: quote.data?.maximumMicroUsd ?? null,
        },
      }),
    onSuccess: async () => {
      if (input?.kind === 'upload') finishUpload(input.uploadId);
      await queries.invalidateQueries({ queryKey: ['batches'] });
      onClose();
    },
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title="Start a batch"
      size="lg"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate();
        }}
      >
        <Stack>
          <RowsChoice projectId={projectId} onChoose={setInput} />
          <Group align="end">
            <div>
              <Text size="sm" fw={500} mb={4}>
                File to download
              </Text>
              <SegmentedControl
                aria-label="File to download"
                value={format}
                onChange={(value) => setFormat(value as 'parquet' | 'csv')}
                data={[
                  { value: 'csv', label: 'CSV' },
                  { value: 'parquet', label: 'Parquet' },
                ]}
              />
            </div>
            <TextInput
              style={{ flex: 1, minWidth: 220 }}
              label="Also keep it as a dataset called"
              placeholder="Leave empty for the file alone"
              maxLength={120}
              value={datasetName}
              onChange={(event) => setDatasetName(event.currentTarget.value)}
            />
          </Group>
          <Checkbox
            label="Put the columns of the table before the answers"
            checked={keepsColumns}
            onChange={(event) => setKeepsColumns(event.currentTarget.checked)}
          />
          <Checkbox
            label="Stop at a row that does not fit"
            description="Otherwise such a row gets no answer, costs nothing, and a column says why."
            checked={refuses}
            onChange={(event) => setRefuses(event.currentTarget.checked)}
          />
          {input && quote.isPending && <Text c="dimmed">Counting the rows…</Text>}
          {quote.error && <ProblemAlert error={quote.error} />}
          {input && quote.data && <Price quote={quote.data} />}
          {start.error && <ProblemAlert error={start.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Not now
            </Button>
            <Button type="submit" loading={start.isPending} disabled={!quote.data || quote.isError || !input}>
              Start the batch
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Stands in while nothing is chosen; it is never asked about. */
const nothing: BatchInput = { kind: 'dataset-version', versionId: '-' };

function Price({ quote }: { quote: BatchQuote }) {
  const { rowCount, maximumMicroUsd, estimatedSeconds, modelName, versionNumber, warnings } = quote;
  return (
    <Alert
      color="gray"
      title={`At most ${formatMoney(maximumMicroUsd)}, about ${formatDuration(estimatedSeconds)}`}
    >
      <Text size="sm">
        {formatCountOf(rowCount, 'row')} through {modelName}, version {versionNumber}. Rows without an answer
        are not charged.
      </Text>
      {warnings.map((warning) => (
        <Text key={warning} size="sm" mt={4}>
          {warning}
        </Text>
      ))}
    </Alert>
  );
}

/** A dataset of the project, or a file from this computer. */
function RowsChoice({
  projectId,
  onChoose,
}: {
  projectId: string;
  onChoose: (input: BatchInput | undefined) => void;
}) {
  const [way, setWay] = useState<'dataset' | 'file'>('dataset');
  const datasets = useQuery(datasetsQuery(projectId)).data ?? [];
  const ready = datasets.filter(({ latestVersion }) => latestVersion?.state === 'ready');
  return (
    <Stack gap="xs">
      <SegmentedControl
        fullWidth
        aria-label="Which rows"
        value={way}
        onChange={(value) => {
          setWay(value as 'dataset' | 'file');
          onChoose(undefined);
        }}
        data={[
          { value: 'dataset', label: 'A dataset' },
          { value: 'file', label: 'A file' },
        ]}
      />
      {way === 'dataset' ? (
        <Select
          label="Dataset"
          placeholder="Choose one"
          searchable
          data={ready.map(({ latestVersion, name }) => ({ value: latestVersion!.id, label: name }))}
          onChange={(versionId) =>
            onChoose(versionId === null ? undefined : { kind: 'dataset-version', versionId })
          }
        />
      ) : (
        <FileChoice projectId={projectId} onChoose={onChoose} />
      )}
    </Stack>
  );
}

function FileChoice({ projectId, onChoose }: { projectId: string; onChoose: (input: BatchInput) => void }) {
  const [key, setKey] = useState<string>();
  const item = useUploads(projectId).find((upload) => upload.key === key);
  const [asked, setAsked] = useState<string>();
  if (item?.state === 'sent' && item.uploadId !== undefined && asked !== item.uploadId) {
    setAsked(item.uploadId);
    onChoose({ kind: 'upload', uploadId: item.uploadId, options: {} });
  }
  return (
    <>
      <DropArea
        title={item ? item.fileName : 'Drop a file here'}
        hint={hintOf(item)}
        buttonLabel="Choose a file"
        isBusy={item?.state === 'sending'}
        isSingle
        refusals={[]}
        onFiles={([file]) => {
          if (file) setKey(startUploads(projectId, [file])[0]);
        }}
      />
      {item?.state === 'failed' && <ProblemAlert error={item.error} />}
    </>
  );
}

function hintOf(item: ReturnType<typeof useUploads>[number] | undefined): string {
  if (!item) return 'CSV, JSON lines or Parquet. The first line of a CSV file names the columns.';
  if (item.state === 'sent') return 'It has arrived.';
  return item.state === 'sending'
    ? `${formatShare(item.sentBytes / Math.max(1, item.sizeBytes), 0)} sent`
    : 'Try again.';
}

// Many rows at once: the batches that went through an endpoint or a version, and the way to a new one.
import { ActionIcon, Button, Group, List as Bullets, Menu, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { client } from '../../api/client.ts';
import { saveDownload } from '../../api/download.ts';
import { batchesQuery, isActive } from '../../api/queries.ts';
import type { Batch, BatchThrough } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { Empty } from '../../kit/empty.tsx';
import { formatBytes, formatCountOf, formatMoney } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { More } from '../../kit/more.tsx';
import { notifyProblem } from '../../kit/problem.tsx';
import { StateMark } from '../../kit/state.tsx';
import { When } from '../../kit/when.tsx';
import { StartBatch } from './start-batch.tsx';

interface BatchesProps {
  projectId: string;
  through: BatchThrough;
}

/** The list, with the button that starts one. */
export function Batches({ projectId, through }: BatchesProps) {
  const { canEdit } = useAbilities();
  const batches = useInfiniteQuery(batchesQuery(projectId, through));
  const [isOpen, dialog] = useDisclosure(false);
  const start = canEdit && (
    <Button onClick={dialog.open} leftSection={<Icon name="data" size={16} />}>
      Start a batch
    </Button>
  );
  return (
    <Stack gap="lg">
      <Loaded query={batches} skeleton={<Blocks height={68} />}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="No batch yet" action={start}>
              A batch sends a whole table through the model, of any size, in the background. You see the price
              first, and get a file or a dataset with an answer in every row.
            </Empty>
          ) : (
            <>
              <Group justify="space-between">
                <Text c="dimmed" maw={560}>
                  Whole tables, answered in the background. They go on when you close this page.
                </Text>
                {start}
              </Group>
              <List label="Batches">
                {items.map((batch) => (
                  <BatchLine key={batch.id} batch={batch} />
                ))}
              </List>
            </>
          )
        }
      </Loaded>
      <More query={batches} label="Show older ones" />
      {isOpen && <StartBatch projectId={projectId} through={through} onClose={dialog.close} />}
    </Stack>
  );
}

function BatchLine({ batch }: { batch: Batch }) {
  const { state, progress, createdAt, chargedMicroUsd } = batch;
  return (
    <ListLine
      mark={<StateMark state={state} share={progress.share} />}
      title={batch.inputLabel}
      about={
        <>
          {aboutBatch(batch)}
          <Details batch={batch} />
        </>
      }
      figures={[
        <When key="when" iso={createdAt} />,
        chargedMicroUsd === null
          ? `up to ${formatMoney(batch.reservedMicroUsd)}`
          : formatMoney(chargedMicroUsd),
      ]}
      actions={<Actions batch={batch} />}
    />
  );
}

function aboutBatch(batch: Batch): string {
  const { state, progress, problem, rowCount, answeredRowCount } = batch;
  switch (state) {
    case 'queued':
      return `${formatCountOf(rowCount, 'row')}, waiting for a free worker`;
    case 'running':
      return progress.message || 'starting';
    case 'failed':
      return problem?.detail ?? 'It failed';
    case 'cancelled':
      return 'Cancelled; nothing was charged';
    case 'succeeded': {
      const unanswered = rowCount - (answeredRowCount ?? rowCount);
      const whole = `${formatCountOf(rowCount, 'row')} by ${batch.modelName}, version ${batch.versionNumber}`;
      return unanswered === 0 ? whole : `${whole}; ${formatCountOf(unanswered, 'row')} without an answer`;
    }
    default:
      throw state satisfies never;
  }
}

/** What somebody should know before using the result. */
function Details({ batch }: { batch: Batch }) {
  const shown = batch.problems.slice(0, 3);
  const notes = [...batch.warnings, ...shown.map(({ row, message }) => `Row ${row}: ${message}`)];
  if (notes.length === 0) return null;
  return (
    <Bullets size="sm" mt={4} component="ul">
      {notes.map((note) => (
        <Bullets.Item key={note}>{note}</Bullets.Item>
      ))}
    </Bullets>
  );
}

function Actions({ batch }: { batch: Batch }) {
  const { canEdit } = useAbilities();
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ['batches'] });
  const batchId = batch.id;
  const cancel = useMutation({
    mutationFn: () => client.cancelBatch({ batchId }),
    onError: notifyProblem,
    onSuccess: refresh,
  });
  const save = useMutation({
    mutationFn: async () =>
      saveDownload(await client.downloadBatch({ batchId }), `predictions.${batch.output.format}`),
    onError: notifyProblem,
  });
  if (isActive(batch.state))
    return (
      canEdit && (
        <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel
        </Button>
      )
    );
  const remove = async (): Promise<void> => {
    await client.deleteBatch({ batchId });
    await refresh();
  };
  return (
    <Confirm
      title="Remove this batch?"
      consequence="Its file is deleted. A dataset that was made from it stays."
      confirmLabel="Remove the batch"
      onConfirm={remove}
    >
      {(ask) => (
        <Group gap="xs" wrap="nowrap">
          {batch.fileSizeBytes !== null && (
            <Button
              size="xs"
              variant="default"
              visibleFrom="sm"
              leftSection={<Icon name="download" size={14} />}
              loading={save.isPending}
              onClick={() => save.mutate()}
            >
              Download ({formatBytes(batch.fileSizeBytes)})
            </Button>
          )}
          <Menu position="bottom-end" width={220} disabled={!canEdit && batch.fileSizeBytes === null}>
            <Menu.Target>
              <ActionIcon variant="default" size={30} aria-label={`More about ${batch.inputLabel}`}>
                <Icon name="more" size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {batch.fileSizeBytes !== null && (
                <Menu.Item leftSection={<Icon name="download" size={16} />} onClick={() => save.mutate()}>
                  Download the file
                </Menu.Item>
              )}
              {batch.datasetId !== null && (
                <Menu.Item
                  component={Link}
                  to={paths.dataset(batch.projectId, batch.datasetId)}
                  leftSection={<Icon name="data" size={16} />}
                >
                  Open the dataset
                </Menu.Item>
              )}
              {canEdit && (
                <Menu.Item color="lingonberry" leftSection={<Icon name="trash" size={16} />} onClick={ask}>
                  Remove the batch
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        </Group>
      )}
    </Confirm>
  );
}

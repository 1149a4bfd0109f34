// Before a file becomes a dataset: how it would be read, corrected where that is wrong, then imported.
import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate, useParams, useSearchParams } from 'react-router';
import { client } from '../../api/client.ts';
import { datasetQuery, datasetsQuery, previewQuery } from '../../api/queries.ts';
import type { ColumnType, ImportOptions, ImportSource } from '../../api/types.ts';
import { finishUpload } from '../../api/uploads.ts';
import { paths } from '../../app/paths.ts';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Page, Section } from '../../kit/page.tsx';
import { fieldErrors, ProblemAlert, problemOf } from '../../kit/problem.tsx';
import classes from './import.module.css';
import { PreviewTable } from './preview-table.tsx';
import { ReadingOptions } from './reading-options.tsx';

/** `/projects/:projectId/data/import/:uploadId`, where `uploadId` may also be a version's id, `url` or `path`. */
export function Component() {
  const { projectId = '', uploadId = '' } = useParams();
  const [search] = useSearchParams();
  const datasetId = search.get('into') ?? undefined;
  const source = sourceOf(uploadId, search.get('at') ?? '');
  const fileName = useFileName(source);
  const dataset = useQuery({ ...datasetQuery(datasetId ?? ''), enabled: datasetId !== undefined });
  const [options, setOptions] = useState<ImportOptions>({});
  const preview = useQuery(previewQuery(projectId, source, options));
  const title = dataset.data ? `New version of ${dataset.data.name}` : 'Check before importing';
  return (
    <Page
      title={title}
      trail={[{ label: 'Data', to: paths.data(projectId) }]}
      description={
        fileName ? `This is how Pilvi reads ${fileName}. Correct what is wrong; nothing is stored yet.` : ''
      }
    >
      {preview.data === undefined && preview.error ? (
        <Stack>
          <ProblemAlert error={preview.error} onRetry={() => void preview.refetch()} />
          <ReadingOptions detected={{}} chosen={options} onChange={setOptions} isOpenAtFirst />
        </Stack>
      ) : (
        <Loaded query={preview} skeleton={<Blocks count={2} height={220} />}>
          {(data) => (
            <Stack gap="xl">
              <ImportForm
                key={fileName}
                projectId={projectId}
                datasetId={datasetId}
                source={source}
                options={options}
                suggestedName={nameFrom(fileName)}
              />
              {preview.error && <ProblemAlert error={preview.error} />}
              {data.warnings.map((warning) => (
                <Notice key={warning} tone="careful">
                  {warning}
                </Notice>
              ))}
              <ReadingOptions detected={data.options} chosen={options} onChange={setOptions} />
              <Section
                title="The first rows"
                description="The type below each name says how its values are understood. Choose another where it is wrong."
              >
                <PreviewTable
                  preview={data}
                  isStale={preview.isFetching}
                  onType={(column, type) => setOptions(withType(options, column, type))}
                />
              </Section>
            </Stack>
          )}
        </Loaded>
      )}
    </Page>
  );
}

interface ImportFormProps {
  projectId: string;
  datasetId: string | undefined;
  source: ImportSource;
  options: ImportOptions;
  suggestedName: string;
}

function ImportForm({ projectId, datasetId, source, options, suggestedName }: ImportFormProps) {
  const [name, setName] = useState(suggestedName);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const start = useMutation({
    mutationFn: () =>
      datasetId === undefined
        ? client.createDataset({ projectId, body: { name, source, options } })
        : client.createDatasetVersion({ datasetId, body: { source, options } }),
    onSuccess: async ({ dataset }) => {
      if (source.kind === 'upload') finishUpload(source.uploadId);
      queries.setQueryData(datasetQuery(dataset.id).queryKey, dataset);
      await queries.invalidateQueries(datasetsQuery(projectId));
      await navigate(paths.dataset(projectId, dataset.id));
    },
  });
  const nameError =
    fieldErrors(start.error)['name'] ??
    (start.error && problemOf(start.error).code === 'already-exists'
      ? problemOf(start.error).detail
      : undefined);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate();
      }}
    >
      <Stack>
        <Group align="flex-start" gap="md">
          {datasetId === undefined && (
            <TextInput
              label="Name of the dataset"
              required
              maxLength={120}
              miw={{ base: '100%', xs: 320 }}
              value={name}
              error={nameError}
              onChange={(event) => setName(event.currentTarget.value)}
            />
          )}
          <Button
            type="submit"
            loading={start.isPending}
            className={datasetId === undefined ? classes.beside : undefined}
          >
            {datasetId === undefined ? 'Import' : 'Import as a new version'}
          </Button>
        </Group>
        {start.error && nameError === undefined && <ProblemAlert error={start.error} />}
      </Stack>
    </form>
  );
}

function sourceOf(uploadId: string, address: string): ImportSource {
  if (uploadId === 'url') return { kind: 'url', url: address };
  if (uploadId === 'path') return { kind: 'path', path: address };
  return uploadId.startsWith('dsv_')
    ? { kind: 'version', versionId: uploadId }
    : { kind: 'upload', uploadId };
}

/** What the source is called; empty while it is not known yet. */
function useFileName(source: ImportSource): string {
  const id = source.kind === 'upload' ? source.uploadId : source.kind === 'version' ? source.versionId : '';
  const name = useQuery({
    queryKey: ['source-name', id],
    queryFn: async ({ signal }) =>
      source.kind === 'version'
        ? (await client.getDatasetVersion({ versionId: id }, { signal })).sourceLabel
        : (await client.getUpload({ uploadId: id }, { signal })).fileName,
    enabled: id !== '',
    staleTime: Infinity,
  });
  if (source.kind === 'url') return source.url;
  if (source.kind === 'path') return source.path;
  return name.data ?? '';
}

/** `orders-2026.csv.gz` becomes `orders-2026`. */
function nameFrom(fileName: string): string {
  const last = fileName.split(/[/\\]/).at(-1) ?? '';
  return last
    .replace(/[?#].*$/, '')
    .replace(/(\.[a-z0-9]{1,8}){1,2}$/i, '')
    .slice(0, 120);
}

function withType(options: ImportOptions, column: string, type: ColumnType): ImportOptions {
  return { ...options, columns: { ...options.columns, [column]: { type } } };
}

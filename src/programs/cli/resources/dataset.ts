// `pilvi dataset`: files become datasets with versions; look into them, ask them in SQL.
import type { Command } from 'commander';
import type { ImportOptions } from '../../../contract/dataset.ts';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor, Client, InputFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { download } from '../download.ts';
import { findDataset, findDatasetVersion } from '../find.ts';
import { addImportOptions, importOptionsOf, type ImportFlags } from '../import-options.ts';
import { followJob } from '../jobs.ts';
import { sendFile } from '../send-file.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable, type Cell } from '../table.ts';
import { print } from '../terminal.ts';
import { wholeNumber } from '../values.ts';
import { bytesInWords, countInWords, scoreInWords, timeInWords } from '../words.ts';
import { basename } from 'node:path';

type Dataset = AnswerFor<'getDataset'>;
type Version = AnswerFor<'getDatasetVersion'>;
type Profile = AnswerFor<'getDatasetProfile'>;
type Table = AnswerFor<'getDatasetRows'>;
type Source = InputFor<'createDataset'>['body']['source'];

export function addDatasetCommands(program: Command): void {
  const dataset = program.command('dataset').description('datasets and their versions');
  dataset.command('list').description('the datasets of the project').action(act(listDatasets, showDatasets));
  addImportOptions(
    dataset
      .command('create')
      .description('make a dataset from a file, or an address that begins with https://')
      .argument('<file>', 'CSV, TSV, JSON Lines or Parquet, plain or gzip')
      .option('--name <name>', 'its name; left out, that of the file')
      .option('--no-wait', 'return when the import has started'),
  ).action(act(createDataset, showVersion));
  addImportOptions(
    dataset
      .command('update')
      .description('import another version of a dataset')
      .argument('<dataset>', 'name or id')
      .argument('<file>', 'as for create')
      .option('--no-wait', 'return when the import has started'),
  ).action(act(updateDataset, showVersion));
  addImportOptions(
    dataset
      .command('preview')
      .description('how a file would be read, without importing it')
      .argument('<file>', 'as for create'),
  ).action(act(previewFile, showPreview));
  dataset
    .command('show')
    .description('one version: state, columns, warnings')
    .argument('<dataset>', 'NAME, NAME@VERSION or an id')
    .action(act(showDataset, showVersion));
  dataset
    .command('versions')
    .description('the versions of a dataset, newest first')
    .argument('<dataset>', 'name or id')
    .action(act(listVersions, showVersions));
  dataset
    .command('profile')
    .description('what a version holds, column by column')
    .argument('<dataset>', 'NAME, NAME@VERSION or an id')
    .action(act(profile, showProfile));
  dataset
    .command('rows')
    .description('some rows of a version')
    .argument('<dataset>', 'NAME, NAME@VERSION or an id')
    .option('--offset <number>', 'rows to skip', wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .option('--limit <number>', 'rows to show', wholeNumber(1, 500), 20)
    .action(act(rows, showTable));
  dataset
    .command('query')
    .description('SQL over the datasets of the project; each is a table by its name')
    .argument('<sql>', 'one SELECT')
    .option('--max-rows <number>', 'rows to return at most', wholeNumber(1, 100_000), 1000)
    .action(act(query, showQuery));
  dataset
    .command('delete')
    .description('delete a dataset and its versions')
    .argument('<dataset>', 'name or id')
    .action(act(deleteDataset, showDeleted));
  dataset
    .command('download')
    .description('a version as a Parquet file')
    .argument('<dataset>', 'NAME, NAME@VERSION or an id')
    .requiredOption('--out <file>', 'where to write it')
    .action(act(downloadVersion, showDownload));
}

async function listDatasets(session: Session) {
  const client = await session.client();
  return Array.fromAsync(listAll(client.listDatasets, { projectId: await session.projectId() }));
}

interface CreateOptions extends ImportFlags {
  name?: string;
  wait: boolean;
}

async function createDataset(session: Session, options: CreateOptions, file: string): Promise<Version> {
  const [client, projectId, imports] = await prepareImport(session, options);
  const source = await sourceOf(session, projectId, file);
  const name =
    options.name ?? basename(file).replace(/(\.(csv|tsv|txt|jsonl|ndjson|json|parquet))?(\.gz)?$/i, '');
  const { version } = await client.createDataset({ projectId, body: { name, source, options: imports } });
  return settle(session, client, version, options.wait);
}

async function updateDataset(
  session: Session,
  options: CreateOptions,
  reference: string,
  file: string,
): Promise<Version> {
  const [client, projectId, imports] = await prepareImport(session, options);
  const { id: datasetId } = await findDataset(client, projectId, reference);
  const source = await sourceOf(session, projectId, file);
  const { version } = await client.createDatasetVersion({ datasetId, body: { source, options: imports } });
  return settle(session, client, version, options.wait);
}

async function previewFile(session: Session, options: ImportFlags, file: string) {
  const [client, projectId, imports] = await prepareImport(session, options);
  const source = await sourceOf(session, projectId, file);
  return client.previewImport({ projectId, body: { source, options: imports } });
}

async function showDataset(session: Session, _options: object, reference: string) {
  return findDatasetVersion(await session.client(), await session.projectId(), reference);
}

async function listVersions(session: Session, _options: object, reference: string) {
  const client = await session.client();
  const { id: datasetId } = await findDataset(client, await session.projectId(), reference);
  return Array.fromAsync(listAll(client.listDatasetVersions, { datasetId }));
}

async function profile(session: Session, _options: object, reference: string) {
  const { id: versionId, profileJobId } = await showDataset(session, {}, reference);
  // Of a large table it may take longer than a request does.
  if (profileJobId !== null) await followJob(session, profileJobId, { cancelWhenInterrupted: false });
  return (await session.client()).getDatasetProfile({ versionId });
}

async function rows(
  session: Session,
  { offset, limit }: { offset: number; limit: number },
  reference: string,
) {
  const { id: versionId } = await showDataset(session, {}, reference);
  return (await session.client()).getDatasetRows({ versionId, offset, limit });
}

async function query(session: Session, { maxRows }: { maxRows: number }, sql: string) {
  const client = await session.client();
  const projectId = await session.projectId();
  return client.runQuery({ projectId, body: { sql, maxRows } }, { signal: session.signal });
}

async function deleteDataset(session: Session, _options: object, reference: string) {
  const client = await session.client();
  const dataset = await findDataset(client, await session.projectId(), reference);
  await client.deleteDataset({ datasetId: dataset.id });
  return { deleted: dataset.id, name: dataset.name };
}

async function downloadVersion(session: Session, { out }: { out: string }, reference: string) {
  const { id: versionId } = await showDataset(session, {}, reference);
  const client = await session.client();
  return download(
    session,
    await client.downloadDatasetVersion({ versionId }, { signal: session.signal }),
    out,
  );
}

async function prepareImport(
  session: Session,
  options: ImportFlags,
): Promise<[Client, string, ImportOptions]> {
  const imports = importOptionsOf(options);
  return [await session.client(), await session.projectId(), imports];
}

/** Where the server gets the file from: an address, or an upload that is made here. */
async function sourceOf(session: Session, projectId: string, file: string): Promise<Source> {
  if (/^https?:\/\//i.test(file)) return { kind: 'url', url: file };
  return { kind: 'upload', uploadId: await sendFile(session, projectId, file) };
}

async function settle(session: Session, client: Client, version: Version, wait: boolean): Promise<Version> {
  if (!wait) return version;
  await followJob(session, version.jobId, { cancelWhenInterrupted: true });
  return client.getDatasetVersion({ versionId: version.id });
}

function showDatasets(datasets: Dataset[]): void {
  printTable(
    ['name', 'version', 'state', 'rows', 'columns', 'size', 'created', 'id'],
    datasets.map(({ id, name, latestVersion: latest, createdAt }) => [
      name,
      latest?.number,
      latest?.state,
      latest?.rowCount,
      latest?.columns.length,
      bytesInWords(latest?.sizeBytes),
      timeInWords(createdAt),
      id,
    ]),
    'No datasets yet; "pilvi dataset create FILE" makes one.',
  );
}

function showVersion(version: Version): void {
  printProperties([
    ['version', `${version.number} (${version.id})`],
    ['dataset', version.datasetId],
    ['state', version.state],
    ['from', version.sourceLabel],
    ['rows', countInWords(version.rowCount)],
    ['size', bytesInWords(version.sizeBytes)],
    ['SHA-256', version.contentSha256],
    ['created', timeInWords(version.createdAt)],
    ['problem', version.problem?.detail],
    ['what to do', version.problem?.remedy],
    ...version.warnings.map((warning) => ['warning', warning] as const),
  ]);
  if (version.columns.length === 0) return;
  print('');
  printTable(
    ['column', 'type'],
    version.columns.map(({ name, type }) => [name, type]),
    '',
  );
}

function showVersions(versions: Version[]): void {
  printTable(
    ['version', 'state', 'rows', 'size', 'from', 'created', 'id'],
    versions.map((version) => [
      version.number,
      version.state,
      version.rowCount,
      bytesInWords(version.sizeBytes),
      version.sourceLabel,
      timeInWords(version.createdAt),
      version.id,
    ]),
    'No versions yet.',
  );
}

function showPreview(preview: AnswerFor<'previewImport'>): void {
  const { columns: _columns, ...options } = preview.options;
  printProperties([
    ...Object.entries(options).map(([name, value]) => [name, JSON.stringify(value)] as const),
    ...preview.warnings.map((warning) => ['warning', warning] as const),
  ]);
  print('');
  showTable(preview);
}

function showProfile({ rowCount, duplicateRowCount, columns, warnings }: Profile): void {
  printProperties([
    ['rows', countInWords(rowCount)],
    ['duplicate rows', countInWords(duplicateRowCount)],
    ...warnings.map(({ message }) => ['warning', message] as const),
  ]);
  print('');
  printTable(
    ['column', 'role', 'missing', 'distinct', 'minimum', 'mean', 'maximum', 'most frequent'],
    columns.map((column) => [
      column.name,
      column.role,
      column.missingCount,
      column.distinctCount,
      column.range?.earliest ?? scoreInWords(column.numeric?.minimum),
      scoreInWords(column.numeric?.mean),
      column.range?.latest ?? scoreInWords(column.numeric?.maximum),
      column.topValues
        .slice(0, 3)
        .map(({ value }) => value)
        .join(', '),
    ]),
    'No columns.',
  );
}

function showTable({ columns, rows: cells }: Pick<Table, 'rows'> & { columns: { name: string }[] }): void {
  printTable(
    columns.map(({ name }) => name),
    cells as Cell[][],
    'No rows.',
  );
}

export function showQuery({ table, rowCount, truncated }: AnswerFor<'runQuery'>): void {
  showTable(table);
  if (truncated) print(`The first ${countInWords(rowCount)} rows; there are more (--max-rows).`);
}

function showDeleted({ name }: { name: string }): void {
  print(`Deleted "${name}".`);
}

export function showDownload({ file, sizeBytes }: { file: string; sizeBytes: number }): void {
  print(`${file} (${bytesInWords(sizeBytes)})`);
}

// `pilvi batch`: many rows through a model on a server, as a job with a price that is quoted first.
import type { Command } from 'commander';
import { Problem } from '../../../base/problems.ts';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor, InputFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { download } from '../download.ts';
import { UsageError } from '../failure.ts';
import { openFile } from '../files.ts';
import { findDatasetVersion, findEndpoint, findModelVersion } from '../find.ts';
import { addImportOptions, importOptionsOf, type ImportFlags } from '../import-options.ts';
import { followJob } from '../jobs.ts';
import { addPriceOption } from '../recipe-options.ts';
import { sendFile } from '../send-file.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { choice, nameList } from '../values.ts';
import { bytesInWords, countInWords, durationInWords, timeInWords, usdInWords } from '../words.ts';

type Batch = AnswerFor<'getBatch'>;
type Quote = AnswerFor<'quoteBatch'>;
type Question = Pick<InputFor<'createBatch'>['body'], 'input' | 'through'>;

interface QuestionOptions extends ImportFlags {
  dataset?: string;
  file?: string;
  model?: string;
  endpoint?: string;
}

interface StartOptions extends QuestionOptions {
  as: 'csv' | 'parquet';
  columns?: string[];
  badRows: 'mark' | 'refuse';
  toDataset?: string;
  maxUsd?: number;
  watch?: boolean;
  out?: string;
  callback?: string;
  callbackSecretFile?: string;
}

export function addBatchCommands(program: Command): void {
  const batch = program.command('batch').description('many rows through a model, as a job');
  addQuestionOptions(
    batch.command('quote').description('what a batch would cost and take, without starting it'),
  ).action(act(quoteBatch, showQuote));
  const start = addQuestionOptions(batch.command('start').description('start a batch'))
    .addOption(choice('--as <format>', 'of the file to download', ['parquet', 'csv']).default('parquet'))
    .option(
      '--columns <names>',
      'columns of the input before the answers, with commas; [] for none',
      nameList,
    )
    .addOption(
      choice('--bad-rows <what>', 'what becomes of rows with a value that does not fit', [
        'mark',
        'refuse',
      ]).default('mark'),
    )
    .option('--to-dataset <name>', 'also keep the result as a version of this dataset')
    .option('--watch', 'show its progress and wait for its end; Ctrl-C cancels it')
    .option('--callback <address>', 'call this address when it has ended')
    .option('--callback-secret-file <file>', 'what the call is signed with: at least 24 characters')
    .option('--out <file>', 'wait for its end and write the result here');
  addPriceOption(start).action(act(startBatch, showBatch));
  batch
    .command('list')
    .description('the batches of the project, newest first')
    .action(act(listBatches, showBatches));
  batch
    .command('show')
    .description('one batch')
    .argument('<batch>', 'an id, or "latest"')
    .action(act(getBatch, showBatch));
  batch
    .command('download')
    .description('the result of a batch that has ended')
    .argument('<batch>', 'an id, or "latest"')
    .requiredOption('--out <file>', 'where to write it')
    .action(
      act(downloadBatch, ({ file, sizeBytes }) => print(`Wrote ${file} (${bytesInWords(sizeBytes)}).`)),
    );
  batch
    .command('cancel')
    .description('ask a batch to end; it then costs nothing')
    .argument('<batch>', 'an id, or "latest"')
    .action(act(cancelBatch, ({ id, state }: Batch) => print(`${id} is ${state}.`)));
  batch
    .command('delete')
    .description('remove a batch that has ended, and its file')
    .argument('<batch>', 'an id, or "latest"')
    .action(act(deleteBatch, ({ deleted }) => print(`Deleted ${deleted}.`)));
}

function addQuestionOptions(command: Command): Command {
  return addImportOptions(
    command
      .option('--dataset <dataset>', 'the rows: NAME, NAME@VERSION or an id')
      .option('--file <file>', 'the rows: a CSV, JSON lines or Parquet file of this machine')
      .option('--model <model>', 'NAME, NAME@VERSION, NAME@ALIAS or an id')
      .option('--endpoint <endpoint>', 'the version behind this endpoint, by name or id'),
  );
}

async function questionOf(session: Session, options: QuestionOptions): Promise<Question> {
  const { dataset, file, model, endpoint } = options;
  if ((dataset === undefined) === (file === undefined))
    throw new UsageError('name the rows with either --dataset or --file');
  if ((model === undefined) === (endpoint === undefined))
    throw new UsageError('name either a --model or an --endpoint');
  const imports = importOptionsOf(options);
  const client = await session.client();
  const projectId = await session.projectId();
  const through =
    endpoint === undefined
      ? {
          kind: 'model-version' as const,
          modelVersionId: (await findModelVersion(client, projectId, model!)).id,
        }
      : { kind: 'endpoint' as const, endpointId: (await findEndpoint(client, projectId, endpoint)).id };
  const input =
    file === undefined
      ? {
          kind: 'dataset-version' as const,
          versionId: (await findDatasetVersion(client, projectId, dataset!)).id,
        }
      : { kind: 'upload' as const, uploadId: await sendFile(session, projectId, file), options: imports };
  return { input, through };
}

async function quoteBatch(session: Session, options: QuestionOptions): Promise<Quote> {
  const body = await questionOf(session, options);
  const client = await session.client();
  return client.quoteBatch({ projectId: await session.projectId(), body });
}

async function startBatch(session: Session, options: StartOptions): Promise<Batch> {
  const question = await questionOf(session, options);
  const client = await session.client();
  const batch = await client.createBatch({
    projectId: await session.projectId(),
    body: {
      ...question,
      output: {
        format: options.as,
        columns: options.columns ?? null,
        badRows: options.badRows,
        datasetName: options.toDataset ?? null,
      },
      callback: await callbackOf(options),
      maxMicroUsd: options.maxUsd ?? null,
    },
  });
  if (!options.watch && options.out === undefined) return batch;
  await followJob(session, batch.jobId, { cancelWhenInterrupted: true });
  if (options.out !== undefined) await downloadBatch(session, { out: options.out }, batch.id);
  return client.getBatch({ batchId: batch.id });
}

/** From a file: what stands in a command can be seen by others of the machine. */
async function callbackOf({
  callback,
  callbackSecretFile,
}: StartOptions): Promise<{ url: string; secret: string } | null> {
  if (callback === undefined && callbackSecretFile === undefined) return null;
  if (callback === undefined || callbackSecretFile === undefined)
    throw new UsageError('--callback and --callback-secret-file go together');
  const secret = await (await openFile(callbackSecretFile)).text();
  return { url: callback, secret: secret.trim() };
}

async function listBatches(session: Session): Promise<Batch[]> {
  const client = await session.client();
  return Array.fromAsync(listAll(client.listBatches, { projectId: await session.projectId() }));
}

async function getBatch(session: Session, _options: object, reference: string): Promise<Batch> {
  const client = await session.client();
  if (reference !== 'latest') return client.getBatch({ batchId: reference });
  const { items } = await client.listBatches({ projectId: await session.projectId(), limit: 1 });
  if (items[0]) return items[0];
  throw new Problem('not-found', 'The project has no batch yet.');
}

async function downloadBatch(session: Session, { out }: { out: string }, reference: string) {
  const { id: batchId } = await getBatch(session, {}, reference);
  const client = await session.client();
  return download(session, await client.downloadBatch({ batchId }, { signal: session.signal }), out);
}

async function cancelBatch(session: Session, _options: object, reference: string): Promise<Batch> {
  const { id: batchId } = await getBatch(session, {}, reference);
  return (await session.client()).cancelBatch({ batchId });
}

async function deleteBatch(session: Session, _options: object, reference: string) {
  const { id: batchId } = await getBatch(session, {}, reference);
  await (await session.client()).deleteBatch({ batchId });
  return { deleted: batchId };
}

function showQuote(quote: Quote): void {
  printProperties([
    ['rows', countInWords(quote.rowCount)],
    ['model', `${quote.modelName}@${quote.versionNumber}`],
    ['costs at most', usdInWords(quote.maximumMicroUsd)],
    ['takes about', durationInWords(quote.estimatedSeconds)],
    ...quote.warnings.map((warning) => ['warning', warning] as const),
  ]);
}

function showBatches(batches: Batch[]): void {
  printTable(
    ['id', 'rows of', 'model', 'state', 'rows', 'answered', 'cost', 'created'],
    batches.map((batch) => [
      batch.id,
      batch.inputLabel,
      `${batch.modelName}@${batch.versionNumber}`,
      batch.state,
      batch.rowCount,
      batch.answeredRowCount,
      usdInWords(batch.chargedMicroUsd),
      timeInWords(batch.createdAt),
    ]),
    'No batches yet; "pilvi batch start --file FILE --model MODEL" starts one.',
  );
}

function showBatch(batch: Batch): void {
  const { answeredRowCount } = batch;
  const unanswered = answeredRowCount === null ? 0 : batch.rowCount - answeredRowCount;
  printProperties([
    ['batch', batch.id],
    ['state', batch.state],
    ['rows of', batch.inputLabel],
    ['model', `${batch.modelName}@${batch.versionNumber}`],
    ['rows', countInWords(batch.rowCount)],
    ['without answer', unanswered > 0 ? countInWords(unanswered) : null],
    [
      'file',
      batch.fileSizeBytes === null ? null : `${batch.output.format}, ${bytesInWords(batch.fileSizeBytes)}`,
    ],
    ['dataset', batch.datasetId && batch.output.datasetName],
    ['reserved', batch.chargedMicroUsd === null ? usdInWords(batch.reservedMicroUsd) : null],
    ['cost', usdInWords(batch.chargedMicroUsd)],
    [
      'callback',
      batch.callback && `${batch.callback.state}, ${batch.callback.url} ${batch.callback.detail}`.trim(),
    ],
    ['problem', batch.problem?.detail],
    ['what to do', batch.problem?.remedy],
    ...batch.warnings.map((warning) => ['warning', warning] as const),
    ...batch.problems.map(({ row, message }) => [`row ${countInWords(row)}`, message] as const),
  ]);
}

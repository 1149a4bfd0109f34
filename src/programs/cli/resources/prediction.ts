// `pilvi prediction`: what endpoints were asked and what they answered, computing it again, and what turned out to be true.
import type { Command } from 'commander';
import type { AnswerFor, InputFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { download } from '../download.ts';
import { UsageError } from '../failure.ts';
import { openFile } from '../files.ts';
import { findEndpoint, findModelVersion } from '../find.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { wholeNumber } from '../values.ts';
import { countInWords, timeInWords } from '../words.ts';
import { showDownload, showQuery } from './dataset.ts';
import { showExplanation, words } from './explanation.ts';

type Found = AnswerFor<'getLoggedPrediction'>;
type Logged = Found['prediction'];
type Outcomes = AnswerFor<'sendOutcomes'>;

const endpointWords = 'name or id of the endpoint';
const idWords = 'id of the prediction: REQUEST-ROW, rows from 0';

export function addPredictionCommands(program: Command): void {
  const prediction = program
    .command('prediction')
    .description('what endpoints were asked and answered, and what turned out to be true');
  prediction
    .command('list')
    .description('logged predictions, newest requests first')
    .argument('<endpoint>', endpointWords)
    .option('--from <time>', 'answered then or later, such as 2026-11-22T10:00:00Z', isoTime)
    .option('--to <time>', 'answered before', isoTime)
    .option('--model <model>', 'answered by this version: NAME@VERSION or an id')
    .option('--with-outcome', 'only those of which it is known what was true')
    .option('--without-outcome', 'only the others')
    .option('--search <text>', 'a part of an id, of a value given or of the answer')
    .option('--limit <number>', 'how many', wholeNumber(1, 200), 20)
    .action(act(listPredictions, showPredictions));
  prediction
    .command('show')
    .description('one prediction, with the model and the data that it comes from')
    .argument('<endpoint>', endpointWords)
    .argument('<id>', idWords)
    .action(act(getPrediction, showPrediction));
  prediction
    .command('rerun')
    .description('compute a prediction again with the same model file, and compare')
    .argument('<endpoint>', endpointWords)
    .argument('<id>', idWords)
    .action(act(rerun, showRerun));
  prediction
    .command('explain')
    .description('why a prediction came out as it did')
    .argument('<endpoint>', endpointWords)
    .argument('<id>', idWords)
    .action(act(explain, showExplanation));
  prediction
    .command('evidence')
    .description('a signed JSON document of all that is known of a prediction')
    .argument('<endpoint>', endpointWords)
    .argument('<id>', idWords)
    .action(act(getEvidence, (evidence) => print(JSON.stringify(evidence, null, 2))));
  prediction
    .command('outcomes')
    .description('say what turned out to be true; sent again, the last one counts')
    .argument('<endpoint>', endpointWords)
    .argument('[file]', 'a CSV file with the columns prediction_id and actual')
    .option('--id <id>', 'without a file: the prediction')
    .option('--actual <value>', 'without a file: what was true')
    .action(act(sendOutcomes, showOutcomes));
  prediction
    .command('query')
    .description('SQL over the log of an endpoint: the table "predictions", outcomes included')
    .argument('<endpoint>', endpointWords)
    .argument('<sql>', 'one SELECT')
    .option('--max-rows <number>', 'rows to return at most', wholeNumber(1, 100_000), 1000)
    .action(act(query, showQuery));
  prediction
    .command('export')
    .description('the log of an endpoint as a Parquet file, outcomes included')
    .argument('<endpoint>', endpointWords)
    .option('--from <time>', 'answered then or later', isoTime)
    .option('--to <time>', 'answered before', isoTime)
    .requiredOption('--out <file>', 'where to write it')
    .action(act(exportLog, showDownload));
}

interface ListOptions {
  from?: string;
  to?: string;
  model?: string;
  withOutcome?: boolean;
  withoutOutcome?: boolean;
  search?: string;
  limit: number;
}

async function listPredictions(session: Session, options: ListOptions, reference: string): Promise<Logged[]> {
  const { model, withOutcome, withoutOutcome, ...rest } = options;
  if (withOutcome && withoutOutcome) throw new UsageError('choose --with-outcome or --without-outcome');
  const client = await session.client();
  const projectId = await session.projectId();
  const { id: endpointId } = await findEndpoint(client, projectId, reference);
  const query: Omit<InputFor<'listLoggedPredictions'>, 'endpointId'> = {
    ...rest,
    ...(withOutcome && { outcome: 'known' }),
    ...(withoutOutcome && { outcome: 'unknown' }),
  };
  if (model !== undefined) query.modelVersionId = (await findModelVersion(client, projectId, model)).id;
  return (await client.listLoggedPredictions({ endpointId, ...query })).items;
}

async function getPrediction(session: Session, _options: object, ...place: [string, string]): Promise<Found> {
  return (await session.client()).getLoggedPrediction(await placeOf(session, place));
}

async function rerun(session: Session, _options: object, ...place: [string, string]) {
  return (await session.client()).rerunPrediction(await placeOf(session, place));
}

async function explain(session: Session, _options: object, ...place: [string, string]) {
  return (await session.client()).explainPrediction(await placeOf(session, place));
}

async function getEvidence(session: Session, _options: object, ...place: [string, string]) {
  return (await session.client()).getPredictionEvidence(await placeOf(session, place));
}

async function sendOutcomes(
  session: Session,
  { id, actual }: { id?: string; actual?: string },
  reference: string,
  file?: string,
): Promise<Outcomes> {
  const isOne = id !== undefined && actual !== undefined;
  if (isOne === (file !== undefined) || (!isOne && (id !== undefined || actual !== undefined)))
    throw new UsageError('name a CSV file, or one outcome with --id and --actual');
  const client = await session.client();
  const { id: endpointId } = await findEndpoint(client, await session.projectId(), reference);
  if (isOne) {
    const body = { outcomes: [{ predictionId: id, actual }] };
    return client.sendOutcomes({ endpointId, body });
  }
  const stream = await openFile(file!);
  return client.sendOutcomesCsv({ endpointId, stream, contentType: 'text/csv' }, { signal: session.signal });
}

async function query(session: Session, { maxRows }: { maxRows: number }, reference: string, sql: string) {
  const client = await session.client();
  const { id: endpointId } = await findEndpoint(client, await session.projectId(), reference);
  return client.queryPredictionLog({ endpointId, body: { sql, maxRows } }, { signal: session.signal });
}

async function exportLog(
  session: Session,
  { out, ...range }: { out: string; from?: string; to?: string },
  reference: string,
) {
  const client = await session.client();
  const { id: endpointId } = await findEndpoint(client, await session.projectId(), reference);
  const source = await client.exportPredictionLog({ endpointId, ...range }, { signal: session.signal });
  return download(session, source, out);
}

async function placeOf(
  session: Session,
  [reference, predictionId]: [string, string],
): Promise<{ endpointId: string; predictionId: string }> {
  const { id } = await findEndpoint(await session.client(), await session.projectId(), reference);
  return { endpointId: id, predictionId };
}

function isoTime(text: string): string {
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs)) throw new UsageError(`"${text}" is no time; write it as 2026-11-22T10:00:00Z`);
  return new Date(timeMs).toISOString();
}

function showPredictions(predictions: Logged[]): void {
  printTable(
    ['answered', 'prediction', 'was', 'given', 'id'],
    predictions.map(({ time, answer, actual, given, id }) => [
      timeInWords(time),
      words(answer.prediction),
      actual,
      Object.entries(given)
        .map(([name, value]) => `${name}=${words(value)}`)
        .join(' '),
      id,
    ]),
    'No such predictions are in the log.',
  );
}

function showPrediction({ prediction, origin }: Found): void {
  const { answer, redacted } = prediction;
  const probability = answer.probabilities?.[String(answer.prediction)];
  const interval =
    answer.lower === undefined || answer.upper === undefined ? '' : ` (${answer.lower} to ${answer.upper})`;
  const from = origin.trainedFrom;
  printProperties([
    ['prediction', `${words(answer.prediction)}${interval}`],
    ['probability', probability],
    ['was', prediction.actual],
    ['answered', timeInWords(prediction.time)],
    ['took', `${prediction.latencyMs} ms`],
    ['asked by', prediction.askedBy],
    ['model', `${origin.modelName}@${origin.versionNumber} (${origin.task} of "${origin.target}")`],
    ['model file', prediction.modelFileSha256],
    ['learned from', from && `${from.datasetName}@${from.datasetVersionNumber}`],
    ['not kept', redacted.join(', ')],
    ['id', prediction.id],
  ]);
  print('');
  printTable(
    ['field', 'given'],
    Object.entries(prediction.given).map(([name, value]) => [name, words(value)]),
    'No fields were given.',
  );
}

function showRerun({ isIdentical, answer, logged }: AnswerFor<'rerunPrediction'>): void {
  if (isIdentical) return print(`Identical to the last bit: ${words(answer.prediction)}.`);
  print(`It differs: ${words(logged.prediction)} was answered, now it is ${words(answer.prediction)}.`);
}

function showOutcomes({ keptCount, unknownCount, unknownIds, unfitCount, unfitIds }: Outcomes): void {
  print(`${countInWords(keptCount)} kept.`);
  if (unknownCount > 0)
    print(`${countInWords(unknownCount)} are of no logged prediction, such as ${unknownIds[0]}.`);
  if (unfitCount > 0) print(`${countInWords(unfitCount)} are no numbers, such as that of ${unfitIds[0]}.`);
}

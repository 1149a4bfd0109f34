// Predictions: an endpoint's answer for rows or for a CSV file. This file is what other folders see. Who answers is
// kept in memory by serving.ts; the answering itself is answer.ts over src/ml/model.
//
// Only what is answered is paid for. Rows are paid from a lease, so that a warm endpoint answers without waiting for
// the database; a CSV file is paid at its end, from what was reserved while it was read.
import { Problem } from '../../base/problems.ts';
import type { predict as predictOperation } from '../../contract/endpoint.ts';
import type { OutputOf } from '../../contract/operation.ts';
import { payerOf, type Context, type Services } from '../../platform/context.ts';
import type { StreamOutput } from '../../platform/http/route.ts';
import type { Database } from '../../platform/ports/database.ts';
import { answerCsv, answerRows } from './answer.ts';
import { getEndpoint, predictionTarget } from '../deploy/deploy.ts';
import type { ModelField } from '../registry/registry.ts';
import { closePredictionLog } from './log/log.ts';
import { FileRecorder, recordAnswers } from './log/recording.ts';
import { statusOverServers, type ServingStatus } from './readiness.ts';
import { Serving, type Answering } from './serving.ts';
import { Spool } from './spool.ts';
import { Tab } from './tab.ts';

export type Predictions = OutputOf<typeof predictOperation>;

/** Predictions reserved ahead for one payer and endpoint at a time: five cents. */
const leaseQuantity = 1_000;
/** Answers to CSV files go to disk beyond this. */
const maxAnswerMemoryBytes = 4_194_304;

/** Rows of JSON values, or what makes them once it is known which fields the answering version reads. */
export type AskedRows = readonly Row[] | ((fields: readonly ReadField[]) => readonly Row[]);
/** A field that a version reads. */
export type ReadField = Pick<ModelField, 'name' | 'kind'>;
type Row = Record<string, unknown>;

/**
 * Answers rows of JSON values; by the version that is asked for, or as the traffic is split.
 * Throws `not-found`, `endpoint-not-ready`, `prediction-input`, `budget-exceeded`.
 */
export async function predict(
  context: Context,
  endpointId: string,
  asked: AskedRows,
  wanted: { modelVersionId?: string | undefined } = {},
): Promise<Predictions> {
  if (typeof asked !== 'function') assertRowCount(context, asked.length);
  const beganMs = context.clock.monotonicMs();
  const serving = servingOf(context);
  const answering = await serving.answering(context, endpointId, wanted.modelVersionId);
  const { projectId, modelVersionId, model, log } = answering;
  const { deploymentId, fields } = log.stream;
  return await serving.metrics.count(context, log.stream, async () => {
    const rows = typeof asked === 'function' ? asked(fields) : asked;
    const askedMs = context.clock.monotonicMs();
    const { predictions, warnings } = await answerRows(model, rows).catch((error: unknown) => {
      serving.tally.failed(deploymentId, error);
      throw error;
    });
    serving.tally.answered(deploymentId, context.clock.monotonicMs() - askedMs);
    context.laps.end('model');
    const lease = context.meter.lease({
      payer: payerOf(context, projectId),
      unit: 'prediction',
      subjectId: endpointId,
      chunkQuantity: leaseQuantity,
    });
    if (!lease.tryUse(rows.length)) await lease.use(rows.length);
    serving.count(endpointId, rows.length);
    context.laps.end('meter');
    await recordAnswers(context, log, { beganMs, rows, answers: predictions });
    context.laps.end('log');
    serving.askShadows(context, endpointId, rows);
    const answer = { requestId: context.requestId, modelVersionId, predictions, warnings };
    return { rowCount: rows.length, answer };
  });
}

/** Throws `prediction-input` for more rows than one request may have. */
export function assertRowCount({ limits }: Pick<Context, 'limits'>, rowCount: number): void {
  const { maxPredictionRows } = limits;
  if (rowCount <= maxPredictionRows) return;
  const message = `The request has ${rowCount} rows; at most ${maxPredictionRows} are taken at once.`;
  throw new Problem('prediction-input', `${message} Send them in parts, or send a CSV file.`, {
    errors: [{ field: 'rows', message: `must be at most ${maxPredictionRows}` }],
  });
}

/** A CSV file of answers, and what belongs to it and has no place in it. */
export interface CsvPredictions {
  output: StreamOutput;
  modelVersionId: string;
  warnings: string[];
}

/**
 * Answers a CSV file with a header, rows in their order: `prediction`, then `probability_<class>` each, or `lower` and
 * `upper`. The answer begins when the whole file was answered, so that whatever is wrong is told as a problem.
 * Throws what {@link predict} throws, and `file-empty`, `file-unreadable`, `field-too-large`, `too-many-columns`.
 */
export async function predictCsv(
  context: Context,
  endpointId: string,
  source: AsyncIterable<Uint8Array>,
): Promise<CsvPredictions> {
  const beganMs = context.clock.monotonicMs();
  const serving = servingOf(context);
  const answering = await serving.answering(context, endpointId);
  return await serving.metrics.count(context, answering.log.stream, async () => {
    const { deploymentId } = answering.log.stream;
    const answered = await answerFile(context, { ...answering, endpointId, beganMs }, source).catch(
      (error: unknown) => {
        serving.tally.failed(deploymentId, error);
        throw error;
      },
    );
    serving.tally.answered(deploymentId, null);
    serving.count(endpointId, answered.rowCount);
    return answered;
  });
}

async function answerFile(
  context: Context,
  {
    endpointId,
    beganMs,
    projectId,
    modelVersionId,
    model,
    log,
  }: Answering & { endpointId: string; beganMs: number },
  source: AsyncIterable<Uint8Array>,
): Promise<{ rowCount: number; answer: CsvPredictions }> {
  const recorder = new FileRecorder(context, log, beganMs);
  const { maxColumns, maxFieldBytes } = context.limits;
  const tab = new Tab(context, payerOf(context, projectId), endpointId);
  const spool = new Spool(maxAnswerMemoryBytes);
  const warnings = new Set<string>();
  let rowCount = 0;
  try {
    for await (const part of answerCsv(model, source, { maxColumns, maxLineBytes: maxFieldBytes })) {
      if (context.signal.aborted)
        throw new Problem('cancelled', 'The caller left, or the server is stopping.');
      recorder.take(rowCount, part);
      rowCount += part.rowCount;
      for (const warning of part.warnings) warnings.add(warning);
      await tab.cover(rowCount);
      await spool.write(part.text);
    }
    await tab.settle(rowCount);
  } catch (error) {
    await spool.discard();
    await tab.release();
    throw error;
  }
  recorder.record();
  const output = {
    contentType: 'text/csv; charset=utf-8',
    body: spool.read(),
    sizeBytes: spool.sizeBytes,
    fileName: 'predictions.csv',
  };
  context.laps.end('model');
  return { rowCount, answer: { output, modelVersionId, warnings: [...warnings] } };
}

/** How ready an endpoint is to answer, over all servers. Throws `not-found`. */
export async function getServingStatus(context: Context, endpointId: string): Promise<ServingStatus> {
  const endpoint = await getEndpoint(context, endpointId);
  const target = await predictionTarget(context, endpointId);
  const serving = servingOf(context);
  const here = { serverId: serving.serverId, versions: serving.readiness(target) };
  return await statusOverServers(context, endpoint, here);
}

/** Begins to make ready what is to be ready before anyone asks. Without it a server begins with its first prediction. */
export function openPredictions(services: Services): void {
  servingOf(services);
}

/** Ends what predictions do in the background for `services` and writes what was counted; before the database closes. */
export async function closePredictions({ database }: Pick<Services, 'database'>): Promise<void> {
  const serving = servings.get(database);
  servings.delete(database);
  await serving?.close();
  await closePredictionLog({ database });
}

/** One for each server of this process, which is one for each database that is open. */
const servings = new WeakMap<Database, Serving>();

function servingOf(services: Services): Serving {
  let serving = servings.get(services.database);
  if (!serving) {
    serving = new Serving(services);
    servings.set(services.database, serving);
  }
  return serving;
}

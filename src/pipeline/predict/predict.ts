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
import { closePredictionLog } from './log/log.ts';
import { FileRecorder, recordAnswers } from './log/recording.ts';
import { statusOverServers, type ServingStatus } from './readiness.ts';
import { Serving } from './serving.ts';
import { Spool } from './spool.ts';
import { Tab } from './tab.ts';

export type Predictions = OutputOf<typeof predictOperation>;

/** Predictions reserved ahead for one payer and endpoint at a time: five cents. */
const leaseQuantity = 1_000;
/** Answers to CSV files go to disk beyond this. */
const maxAnswerMemoryBytes = 4_194_304;

/**
 * Answers `rows` of JSON values.
 * Throws `not-found`, `endpoint-not-ready`, `prediction-input`, `budget-exceeded`.
 */
export async function predict(
  context: Context,
  endpointId: string,
  rows: readonly Record<string, unknown>[],
): Promise<Predictions> {
  const { maxPredictionRows } = context.limits;
  if (rows.length > maxPredictionRows) {
    const message = `The request has ${rows.length} rows; at most ${maxPredictionRows} are taken at once.`;
    throw new Problem('prediction-input', `${message} Send them in parts, or send a CSV file.`, {
      errors: [{ field: 'rows', message: `must be at most ${maxPredictionRows}` }],
    });
  }
  const beganMs = context.clock.monotonicMs();
  const serving = servingOf(context);
  const { projectId, modelVersionId, model, log } = await serving.answering(context, endpointId);
  const { deploymentId } = log.stream;
  const askedMs = context.clock.monotonicMs();
  const { predictions, warnings } = await answerRows(model, rows).catch((error: unknown) => {
    serving.tally.failed(deploymentId, error);
    throw error;
  });
  serving.tally.answered(deploymentId, context.clock.monotonicMs() - askedMs);
  const lease = context.meter.lease({
    payer: payerOf(context, projectId),
    unit: 'prediction',
    subjectId: endpointId,
    chunkQuantity: leaseQuantity,
  });
  if (!lease.tryUse(rows.length)) await lease.use(rows.length);
  serving.count(endpointId, rows.length);
  await recordAnswers(context, log, { beganMs, rows, answers: predictions });
  serving.askShadows(context, endpointId, rows);
  return { requestId: context.requestId, modelVersionId, predictions, warnings };
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
  const { projectId, modelVersionId, model, log } = await serving.answering(context, endpointId);
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
    serving.tally.failed(log.stream.deploymentId, error);
    await spool.discard();
    await tab.release();
    throw error;
  }
  serving.tally.answered(log.stream.deploymentId, null);
  serving.count(endpointId, rowCount);
  recorder.record();
  const output = {
    contentType: 'text/csv; charset=utf-8',
    body: spool.read(),
    sizeBytes: spool.sizeBytes,
    fileName: 'predictions.csv',
  };
  return { output, modelVersionId, warnings: [...warnings] };
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

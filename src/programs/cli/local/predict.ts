// `pilvi predict MODEL FILE`: answers for the rows of a file, in their order, as CSV. With a model file everything
// happens here; with an endpoint the rows go to the server in blocks. Both read the file the same way, guided by the
// kinds of the model's columns, and write the same table.
import type { ColumnKind } from '../../../ml/frame/schema.ts';
import type { PredictedColumns } from '../../../ml/model/predictor.ts';
import { predictionsHeader, predictionsLines } from '../../../pipeline/predict/csv.ts';
import type { Client } from '../../../sdk/types.ts';
import { findEndpoint } from '../find.ts';
import { checkFile, checkTarget, writeWhole } from '../files.ts';
import { importOptionsOf } from '../import-options.ts';
import type { Session } from '../session.ts';
import { note, print, styled } from '../terminal.ts';
import { refuseTrust, trustOf } from '../trust-option.ts';
import { countInWords } from '../words.ts';
import { readRows, type RowBlock } from './import-file.ts';
import type { PredictOptions } from './local.ts';
import { localTaskContext } from './local-task.ts';
import { isModelFile, openModelFile } from './model-file.ts';
import { withWorkFolder } from './work-folder.ts';

/** Rows that a local model answers at once: enough to be quick, few enough to stay responsive. */
const localBlockRows = 5_000;
/** Rows that are sent to a server at once. */
const remoteBlockRows = 1_000;

/** Answers of a model for blocks of rows, wherever it runs. */
interface Answerer {
  fields: readonly { name: string; kind: ColumnKind }[];
  blockRows: number;
  answer(block: RowBlock): Promise<PredictedColumns>;
}

/** What `predict` tells; the answers themselves are in `file`, or in `predictions` where no file was named. */
export interface Predictions {
  rowCount: number;
  warnings: string[];
  file?: string;
  predictions?: Record<string, string | number | Record<string, number>>[];
  /** The CSV for stdout. */
  csv?: string;
}

/** Predicts for the rows of `file`. @throws Problem what cannot be read or does not fit the model */
export async function predict(
  session: Session,
  options: PredictOptions,
  model: string,
  file: string,
): Promise<Predictions> {
  await checkFile(file);
  if (options.out !== undefined) await checkTarget(options.out);
  const answerer = (await isModelFile(model))
    ? await localModel(model, options)
    : await endpoint(session, model, options);
  const progress = session.progress();
  try {
    return await withWorkFolder(async (workFolder) => {
      const context = localTaskContext({ workFolder, signal: session.signal, progress });
      const rows = await readRows(file, {
        fields: answerer.fields,
        options: importOptionsOf(options),
        context,
      });
      const warnings = new Set(rows.warnings);
      const answers = (async function* (): AsyncGenerator<PredictedColumns> {
        for (let start = 0; start < rows.rowCount; start += answerer.blockRows) {
          session.signal.throwIfAborted();
          const answered = await answerer.answer(
            rows.block(start, Math.min(rows.rowCount, start + answerer.blockRows)),
          );
          for (const warning of answered.warnings) warnings.add(warning);
          progress.update(Math.min(1, (start + answerer.blockRows) / rows.rowCount), 'Predicting');
          yield answered;
          await new Promise(setImmediate);
        }
      })();
      const result = await collect(session, options.out, answers);
      return { rowCount: rows.rowCount, warnings: [...warnings], ...result };
    });
  } finally {
    progress.end();
  }
}

/** Prints the CSV, or where it is. */
export function showPredictions({ file, csv, rowCount, warnings }: Predictions): void {
  for (const warning of warnings) note(`${styled('yellow', 'warning:', process.stderr)} ${warning}`);
  if (csv !== undefined) process.stdout.write(csv);
  else print(`${file} (${countInWords(rowCount)} rows)`);
}

async function localModel(path: string, options: PredictOptions): Promise<Answerer> {
  const predictor = await openModelFile(path, trustOf(options));
  return {
    fields: predictor.manifest.schema,
    blockRows: localBlockRows,
    answer: async ({ columns }) => predictor.predictColumns(columns),
  };
}

async function endpoint(session: Session, reference: string, options: PredictOptions): Promise<Answerer> {
  refuseTrust(options);
  const client = await session.client();
  const [{ id: endpointId, fields }, { limits }] = await Promise.all([
    session.projectId().then((projectId) => findEndpoint(client, projectId, reference)),
    client.getServer(),
  ]);
  return {
    fields,
    blockRows: Math.min(remoteBlockRows, limits.maxPredictionRows),
    answer: async ({ columns, rowCount }) => {
      const rows = Array.from({ length: rowCount }, (_, row) =>
        Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, jsonValue(values[row])])),
      );
      return asColumns(await client.predict({ endpointId, body: { rows } }, { signal: session.signal }));
    },
  };
}

function jsonValue(value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

function asColumns({ predictions, warnings }: Awaited<ReturnType<Client['predict']>>): PredictedColumns {
  const classes = Object.keys(predictions[0]?.probabilities ?? {});
  const numbers = (valueOf: (prediction: (typeof predictions)[number]) => number | undefined): Float64Array =>
    Float64Array.from(predictions, (prediction) => valueOf(prediction) ?? Number.NaN);
  return {
    prediction: predictions.map(({ prediction }) => prediction),
    warnings,
    ...(classes.length > 0 && {
      probabilities: Object.fromEntries(
        classes.map((name) => [name, numbers(({ probabilities }) => probabilities?.[name])]),
      ),
    }),
    ...(predictions[0]?.lower !== undefined && {
      lower: numbers(({ lower }) => lower),
      upper: numbers(({ upper }) => upper),
    }),
  };
}

/** Into the file, into the JSON document, or as text for stdout. */
async function collect(
  session: Session,
  out: string | undefined,
  answers: AsyncIterable<PredictedColumns>,
): Promise<Pick<Predictions, 'file' | 'predictions' | 'csv'>> {
  if (out !== undefined) {
    await writeWhole(out, csvText(answers), session.signal);
    return { file: out };
  }
  if (!session.json) return { csv: (await Array.fromAsync(csvText(answers))).join('') };
  const predictions: NonNullable<Predictions['predictions']> = [];
  for await (const answered of answers) predictions.push(...asDocuments(answered));
  return { predictions };
}

async function* csvText(answers: AsyncIterable<PredictedColumns>): AsyncGenerator<string> {
  let isFirst = true;
  for await (const answered of answers) {
    if (isFirst) yield predictionsHeader(answered);
    isFirst = false;
    yield predictionsLines(answered);
  }
}

function asDocuments({ prediction, probabilities, lower, upper }: PredictedColumns) {
  const classes = Object.entries(probabilities ?? {});
  return prediction.map((value, row) => ({
    prediction: value,
    ...(probabilities && {
      probabilities: Object.fromEntries(classes.map(([name, values]) => [name, values[row]!])),
    }),
    ...(lower && upper && { lower: lower[row]!, upper: upper[row]! }),
  }));
}

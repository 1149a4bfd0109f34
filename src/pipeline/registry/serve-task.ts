// The worker's half of models that are served apart: opens one, ours or an ONNX file, and answers rows for as long as the
// process lives (platform/model-servers). Requests that came together are answered together, where they have the same
// columns; where one of them cannot be answered, each alone.
import { open } from 'node:fs/promises';
import { asProblem, Problem } from '../../base/problems.ts';
import type { ValueForm } from '../../ml/frame/values.ts';
import type { PublicKey } from '../../ml/model/header.ts';
import { openModel } from '../../ml/model/model.ts';
import type { PredictedColumns, PredictedRows, Predictor } from '../../ml/model/predictor.ts';
import { foreignPredictor, type ForeignPredictor } from '../../ml/onnx/foreign.ts';
import type { OnnxSignature } from '../../ml/onnx/signature.ts';
import { withoutZipMaps } from '../../ml/onnx/without-zip-maps.ts';
import { openOnnxSession } from '../../platform/drivers/onnx-runtime.ts';
import type { Task } from '../../platform/ports/jobs.ts';
import type { ModelTaskInput, ModelTaskOutput } from '../../platform/ports/model-servers.ts';

type Row = Readonly<Record<string, unknown>>;

/** Where the file lies on this machine, and what opens it. */
export type ServedFile = { path: string; sizeBytes: number } & (
  | { format: 'onnx'; signature: OnnxSignature }
  /** `trusted`: public keys of which one must have signed the file; null: any file. */
  | { format: 'pilvi'; trusted: readonly PublicKey[] | null }
);

/** What a model is asked, as the two questions of a predictor. */
export type ServedQuestion =
  | { rows: readonly Row[] }
  | { columns: Readonly<Record<string, readonly unknown[]>>; form: ValueForm };

/** The answer as JSON carries it: lists for typed arrays. */
export type ServedAnswer = PredictedRows | ListedColumns;
export type ListedColumns = Omit<PredictedColumns, 'probabilities' | 'lower' | 'upper'> & {
  probabilities?: Record<string, number[]>;
  lower?: number[];
  upper?: number[];
};

type Told = ModelTaskOutput<ServedAnswer>['answers'][number];

/** Of the work to open a model, the part that reading the file is. */
const readingShare = 0.5;

let opened: Predictor | ForeignPredictor | undefined;

export const run: Task<
  ModelTaskInput<ServedFile, ServedQuestion>,
  ModelTaskOutput<ServedAnswer> | null
> = async (input, context) => {
  if (input.kind === 'open') {
    const tell = (share: number): void => context.progress(readingShare * share, 'reading the file');
    opened = await openFile(input.source, tell);
    return null;
  }
  return { answers: await answerAll(opened!, input.questions) };
};

async function openFile(
  file: ServedFile,
  tell: (share: number) => void,
): Promise<Predictor | ForeignPredictor> {
  const bytes = await readWhole(file, tell);
  if (file.format === 'pilvi') return await openModel(bytes, file.trusted ? { trusted: file.trusted } : {});
  const session = await openOnnxSession(withoutZipMaps(bytes));
  return foreignPredictor(file.signature, (asked) => session.run(asked));
}

async function readWhole(
  { path, sizeBytes }: ServedFile,
  tell: (share: number) => void,
): Promise<Uint8Array> {
  await using file = await open(path);
  const bytes = new Uint8Array(sizeBytes);
  let end = 0;
  for await (const chunk of file.createReadStream({ highWaterMark: 4_194_304 })) {
    const part = chunk as Uint8Array;
    if (end + part.length > sizeBytes) throw new Problem('model-file-invalid', 'It is longer than it was.');
    bytes.set(part, end);
    end += part.length;
    tell(end / sizeBytes);
  }
  return bytes.subarray(0, end);
}

async function answerAll(
  model: Predictor | ForeignPredictor,
  questions: readonly ServedQuestion[],
): Promise<Told[]> {
  const told: Told[] = Array.from({ length: questions.length });
  // Those with the same columns get the same warnings: together they read as alone.
  const groups = Map.groupBy(questions.keys(), (index) => columnsOf(questions[index]!));
  for (const indexes of groups.values()) {
    // oxlint-disable-next-line no-await-in-loop -- one model answers one after the other
    const answers = await answerGroup(
      model,
      indexes.map((index) => questions[index]!),
    );
    indexes.forEach((index, place) => (told[index] = answers[place]!));
  }
  return told;
}

/** What questions have in common that may be asked together; different for each that goes alone. */
function columnsOf(question: ServedQuestion): unknown {
  if (!('rows' in question)) return question;
  return JSON.stringify([...new Set(question.rows.flatMap((row) => Object.keys(row)))].toSorted());
}

async function answerGroup(
  model: Predictor | ForeignPredictor,
  questions: readonly ServedQuestion[],
): Promise<Told[]> {
  if (questions.length === 1) return [await answerOne(model, questions[0]!)];
  const parts = questions.map((question) => ('rows' in question ? question.rows : []));
  try {
    const { predictions, warnings } = await model.predictRows(parts.flat());
    let from = 0;
    return parts.map((rows) => ({
      answer: { predictions: predictions.slice(from, (from += rows.length)), warnings },
    }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const alone: Told[] = [];
    // oxlint-disable-next-line no-await-in-loop -- one model answers one after the other
    for (const question of questions) alone.push(await answerOne(model, question));
    return alone;
  }
}

async function answerOne(model: Predictor | ForeignPredictor, question: ServedQuestion): Promise<Told> {
  try {
    if ('rows' in question) return { answer: await model.predictRows(question.rows) };
    return { answer: listed(await model.predictColumns(question.columns, question.form)) };
  } catch (error) {
    const { code, message: detail, errors } = asProblem(error);
    if (code === 'internal') throw error;
    return { problem: { code, detail, ...(errors && { errors }) } };
  }
}

function listed({ probabilities, lower, upper, ...rest }: PredictedColumns): ListedColumns {
  return {
    ...rest,
    ...(probabilities && {
      probabilities: Object.fromEntries(
        Object.entries(probabilities).map(([name, values]) => [name, Array.from(values)]),
      ),
    }),
    ...(lower && { lower: Array.from(lower) }),
    ...(upper && { upper: Array.from(upper) }),
  };
}

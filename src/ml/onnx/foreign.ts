// Predictions of a foreign ONNX model: rows checked field by field as those for models made here, turned into tensors,
// run by whoever has a runtime, and read back. It answers what the model says and nothing beyond: no intervals, no
// likely classes, no calibration.
import { Problem, type FieldError } from '../../base/problems.ts';
import { hasClasses } from '../frame/schema.ts';
import { readValue, RefusedValue, type ReadValue, type ValueForm } from '../frame/values.ts';
import {
  addError,
  checkLengths,
  fieldOf,
  ignoredFields,
  maximumErrors,
  refusal,
  type PredictedColumns,
  type PredictedRows,
  type Prediction,
} from '../model/predictor.ts';
import type { InputType, OnnxInput } from './signature-inputs.ts';
import { unsupported, type OnnxSignature } from './signature.ts';
import type { Feed, FeedAnswer, GraphRun } from './tensors.ts';

/** Runs a graph; gives the wanted outputs in their order. */
export type RunGraph = (run: GraphRun) => Promise<FeedAnswer[]>;

/** A predictor whose answers take a while, because they are computed elsewhere. */
export interface ForeignPredictor {
  /** @throws Problem `prediction-input`, or what the run throws */
  predictRows: (rows: readonly Record<string, unknown>[]) => Promise<PredictedRows>;
  predictColumns: (
    columns: Readonly<Record<string, readonly unknown[]>>,
    form?: ValueForm,
  ) => Promise<PredictedColumns>;
}

/** Values that go to the runtime at once: rows of wide tables go in smaller parts. */
const mostValuesAtOnce = 200_000;

export function foreignPredictor(signature: OnnxSignature, run: RunGraph): ForeignPredictor {
  const columns = signature.inputs.flatMap((input) => input.columns.map(({ name }) => name));
  const expected = new Set([...columns, signature.target]);
  const rowsAtOnce = Math.max(1, Math.floor(mostValuesAtOnce / columns.length));
  const answer = async (source: Source): Promise<RowAnswer[]> => {
    const answers: RowAnswer[] = [];
    const feeds = feedsOf(signature.inputs, source);
    for (let from = 0; from < source.rowCount; from += rowsAtOnce) {
      const to = Math.min(source.rowCount, from + rowsAtOnce);
      // oxlint-disable-next-line no-await-in-loop -- part by part, so that memory is bounded
      const outputs = await run(runOf(signature, feeds, { from, to }));
      for (let row = 0; row < to - from; row++)
        answers.push(rowAnswer(signature, outputs, { row, rowCount: to - from, shown: from + row + 1 }));
    }
    return answers;
  };
  return {
    predictRows: async (rows) => {
      const valueOf = (name: string, row: number): unknown => fieldOf(rows[row]!, name);
      const answers = await answer({ rowCount: rows.length, form: 'json', valueOf });
      return {
        predictions: answers.map((one) => predictionOf(signature, one)),
        warnings: ignoredFields({ expected }, new Set(rows.flatMap((row) => Object.keys(row)))),
      };
    },
    predictColumns: async (given, form = 'json') => {
      const rowCount = checkLengths(given);
      const valueOf = (name: string, row: number): unknown =>
        Object.hasOwn(given, name) ? given[name]![row] : null;
      const answers = await answer({ rowCount, form, valueOf });
      return {
        ...columnsOf(signature, answers),
        warnings: ignoredFields({ expected }, new Set(Object.keys(given))),
      };
    },
  };
}

/** The names of the outputs that a signature reads. */
export function outputsOf({
  label,
  scores,
  value,
  interval,
}: Pick<OnnxSignature, 'label' | 'value' | 'interval'> & { scores: { output: string } | null }): string[] {
  return [label, scores?.output, value, interval?.lower, interval?.upper].filter(
    (name) => name !== null && name !== undefined,
  );
}

interface Source {
  rowCount: number;
  form: ValueForm;
  valueOf: (name: string, row: number) => unknown;
}

/** All rows as feeds. @throws Problem `prediction-input` naming the first 20 fields that are wrong */
function feedsOf(inputs: readonly OnnxInput[], { rowCount, form, valueOf }: Source): Feed[] {
  const feeds = inputs.map(({ name, type, dimensionCount, columns }) => {
    const values: Feed['values'] = Array.from({ length: rowCount * columns.length });
    return { name, type, dimensionCount, columnCount: columns.length, values };
  });
  const errors: FieldError[] = [];
  for (let row = 0; row < rowCount && errors.length < maximumErrors; row++)
    inputs.forEach(({ columns }, index) => {
      const feed = feeds[index]!;
      columns.forEach(({ name, kind }, column) => {
        const value = fitted(readValue(valueOf(name, row), kind, form), feed.type);
        if (!(value instanceof RefusedValue)) feed.values[row * columns.length + column] = value;
        else addError(errors, name, rowCount > 1 ? `${value.message} (row ${row + 1})` : value.message);
      });
    });
  if (errors.length > 0) throw refusal(errors.slice(0, maximumErrors));
  return feeds;
}

const wholeNumbers: ReadonlyMap<InputType, { least: number; most: number }> = new Map([
  ['int8', { least: -128, most: 127 }],
  ['uint8', { least: 0, most: 255 }],
  ['int16', { least: -32_768, most: 32_767 }],
  ['uint16', { least: 0, most: 65_535 }],
  ['int32', { least: -2_147_483_648, most: 2_147_483_647 }],
  ['int64', { least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER }],
]);
const largestFloat = 3.4028234663852886e38;

/** The value as the tensor takes it. There is no missing text in ONNX: an empty one stands for it. */
function fitted(value: ReadValue, type: InputType): RefusedValue | number | string | null {
  if (value instanceof RefusedValue) return value;
  if (type === 'string') return value ?? '';
  const isMissing = value !== value || value === null;
  const range = wholeNumbers.get(type);
  if (!range && type !== 'bool') {
    if (isMissing) return null;
    const isTooLarge = type === 'float32' && Math.abs(value as number) > largestFloat;
    return isTooLarge ? new RefusedValue('must be within the range of 32-bit numbers') : value;
  }
  if (isMissing) return new RefusedValue('must be given: the model knows no missing values here');
  if (range && !(Number.isInteger(value) && Number(value) >= range.least && Number(value) <= range.most))
    return new RefusedValue(`must be a whole number from ${range.least} to ${range.most}, got ${value}`);
  return value;
}

function runOf(
  signature: OnnxSignature,
  feeds: readonly Feed[],
  { from, to }: { from: number; to: number },
): GraphRun {
  const part = feeds.map((feed) => ({
    ...feed,
    values: feed.values.slice(from * feed.columnCount, to * feed.columnCount),
  }));
  const { batchRowCount } = signature;
  return { feeds: part, rowCount: to - from, batchRowCount, outputs: outputsOf(signature) };
}

interface RowAnswer {
  prediction: string | number;
  /** In the order of the classes. */
  probabilities?: number[];
  lower?: number;
  upper?: number;
}

function rowAnswer(
  signature: OnnxSignature,
  outputs: readonly FeedAnswer[],
  { row, rowCount, shown }: { row: number; rowCount: number; shown: number },
): RowAnswer {
  const valuesOf = (name: string): (number | string | null)[] => {
    const values = outputs.find((output) => output.name === name)?.values ?? [];
    const width = values.length / rowCount;
    if (width < 1 || !Number.isInteger(width))
      throw unsupported(`The model gave no answer for each row in "${name}".`);
    return values.slice(row * width, (row + 1) * width);
  };
  const numbersOf = (name: string): number[] =>
    valuesOf(name).map((value) => {
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      const message = 'gets no finite number from the model: fill in what is missing';
      throw new Problem('prediction-input', `Row ${shown} ${message}.`, {
        errors: [{ field: signature.target, message }],
      });
    });
  const { task, label, scores, value, interval } = signature;
  if (!hasClasses(task))
    return {
      prediction: numbersOf(value!)[0]!,
      ...(interval && { lower: numbersOf(interval.lower)[0]!, upper: numbersOf(interval.upper)[0]! }),
    };
  const probabilities =
    scores && scores.meaning !== 'none' ? shares(numbersOf(scores.output), scores.meaning) : undefined;
  if (probabilities && probabilities.length !== signature.classes.length)
    throw unsupported('The model gave another number of scores than it has classes.');
  const decided =
    label === null ? likeliest(probabilities!) : signature.labels.indexOf(String(valuesOf(label)[0]));
  if (decided < 0)
    throw unsupported(`The model answers "${valuesOf(label!)[0]}", which is none of its classes.`);
  return { prediction: signature.classes[decided]!, ...(probabilities && { probabilities }) };
}

function shares(
  scores: readonly number[],
  meaning: 'probabilities' | 'logits' | 'positive' | 'positive-logit',
): number[] {
  switch (meaning) {
    case 'probabilities':
      return [...scores];
    case 'positive':
      return [1 - scores[0]!, scores[0]!];
    case 'positive-logit':
      return softmax([0, scores[0]!]);
    case 'logits':
      return softmax(scores);
    default:
      return meaning satisfies never;
  }
}

function softmax(scores: readonly number[]): number[] {
  const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** The place of the first of the likeliest. */
function likeliest(probabilities: readonly number[]): number {
  return probabilities.reduce(
    (place, probability, index) => (probability > probabilities[place]! ? index : place),
    0,
  );
}

function predictionOf({ classes }: OnnxSignature, { probabilities, ...answer }: RowAnswer): Prediction {
  if (!probabilities) return answer;
  const named = Object.fromEntries(classes.map((name, index) => [name, probabilities[index]!]));
  return { ...answer, probabilities: named };
}

function columnsOf(
  { task, classes, scores, interval }: OnnxSignature,
  answers: readonly RowAnswer[],
): Omit<PredictedColumns, 'warnings'> {
  const prediction = answers.map((answer) => answer.prediction);
  if (hasClasses(task)) {
    const shown = scores && scores.meaning !== 'none' ? classes : [];
    const column = (index: number): Float64Array =>
      Float64Array.from(answers, (answer) => answer.probabilities![index]!);
    return {
      prediction,
      probabilities: Object.fromEntries(shown.map((name, index) => [name, column(index)])),
    };
  }
  if (!interval) return { prediction };
  return {
    prediction,
    lower: Float64Array.from(answers, ({ lower }) => lower!),
    upper: Float64Array.from(answers, ({ upper }) => upper!),
  };
}

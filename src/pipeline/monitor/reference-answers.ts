// What a model answers for rows that it learned from: what its answers of now are compared with. Of rows drawn at random,
// some thousand are enough to tell how often each class comes and how sure the model is.
import { addNumbers, addValue, columnSketch, type ColumnSketch } from '../../ml/drift/column-sketch.ts';
import type { Predictor } from '../../ml/model/predictor.ts';
import { readColumns, type DataColumn } from '../data/read-columns.ts';
import { canDraw } from '../data/row-stream.ts';

/** Names of the sketches of answers. */
export const answerNames = { answers: 'answers', confidence: 'confidence' } as const;

const askedRows = 4000;
const seed = 1;

/** The sketches of the answers for rows of the Parquet file at `path`, of `rowCount` rows. */
export async function answersForTraining(
  predictor: Predictor,
  {
    path,
    rowCount,
    columnNames,
    workFolder,
  }: {
    path: string;
    rowCount: number;
    /** Of the file. */
    columnNames: readonly string[];
    workFolder: string;
  },
): Promise<Map<string, ColumnSketch>> {
  const has = new Set(columnNames);
  const columns = predictor.manifest.schema.map(({ name }) => name).filter((name) => has.has(name));
  const wanted = canDraw(columnNames)
    ? { drawn: { from: 0, to: Math.min(1, askedRows / Math.max(1, rowCount)), seed } }
    : { maxRows: askedRows };
  const read = await readColumns(path, { workFolder, columns, ...wanted });
  const given = Object.fromEntries(read.map((column) => [column.name, jsonValues(column)]));
  const { prediction, probabilities } = predictor.predictColumns(given);
  return answerSketches(prediction, probabilities);
}

/** Of predicted classes, or numbers; and of their probabilities. */
function answerSketches(
  prediction: readonly (string | number)[],
  probabilities: Record<string, Float64Array> | undefined,
): Map<string, ColumnSketch> {
  if (!probabilities) {
    const answers = columnSketch('number');
    addNumbers(answers, Float64Array.from(prediction, Number));
    return new Map([[answerNames.answers, answers]]);
  }
  const answers = columnSketch('category');
  const confidence = columnSketch('number');
  for (const predicted of prediction) addValue(answers, String(predicted));
  addNumbers(
    confidence,
    Float64Array.from(prediction, (predicted, row) => probabilities[predicted]![row]!),
  );
  return new Map<string, ColumnSketch>([
    [answerNames.answers, answers],
    [answerNames.confidence, confidence],
  ]);
}

/** The values as JSON would bring them. */
function jsonValues(column: DataColumn): (string | number | boolean | null)[] {
  if (column.type === 'text')
    return Array.from(column.codes, (code) => (code < 0 ? null : column.categories[code]!));
  const isBoolean = column.type === 'boolean';
  return Array.from(column.values, (value) => (value !== value ? null : isBoolean ? value === 1 : value));
}

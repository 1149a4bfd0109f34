// What a model says of rows that it learned from: what its answers of now, and what counts for them, are compared with. Of
// rows drawn at random, some thousand are enough to tell how often each class comes and how sure the model is, and some
// hundred which columns it listens to; of logged rows the latter is asked, too.
import { addNumbers, addValue, columnSketch, type ColumnSketch } from '../../ml/drift/column-sketch.ts';
import { asJsonRow } from '../../ml/frame/json-row.ts';
import type { ModelContent } from '../../ml/model/manifest.ts';
import { predictorOf } from '../../ml/model/predictor.ts';
import { sql, type DataEngine, type Sql } from '../../platform/ports/data-engine.ts';
import { readColumns, type DataColumn } from '../data/read-columns.ts';
import { canDraw } from '../data/row-stream.ts';
import { attributionSketches, explainedRowCount } from './attributions.ts';

/** Names of the sketches of answers. */
export const answerNames = { answers: 'answers', confidence: 'confidence' } as const;

const askedRows = 4000;
const seed = 1;

interface ModelSketches {
  answers: Map<string, ColumnSketch>;
  attributions: Map<string, ColumnSketch>;
}

/** Asks the model for rows of the Parquet file at `path`, of `rowCount` rows. */
export async function sketchTraining(
  model: ModelContent,
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
): Promise<ModelSketches> {
  const has = new Set(columnNames);
  const columns = model.manifest.schema.map(({ name }) => name).filter((name) => has.has(name));
  const wanted = canDraw(columnNames)
    ? { drawn: { from: 0, to: Math.min(1, askedRows / Math.max(1, rowCount)), seed } }
    : { maxRows: askedRows };
  const read = await readColumns(path, { workFolder, columns, ...wanted });
  const given = Object.fromEntries(read.map((column) => [column.name, jsonValues(column)]));
  const { prediction, probabilities } = predictorOf(model).predictColumns(given);
  return {
    answers: answerSketches(prediction, probabilities),
    attributions: attributionSketches(model, someRows(given, prediction.length, explainedRowCount(model))),
  };
}

/** What counts for the answers to logged rows; `rows` is what may stand behind FROM. */
export async function sketchLogged(
  engine: DataEngine,
  rows: Sql,
  model: ModelContent,
): Promise<Map<string, ColumnSketch>> {
  // By their hashes: as good as drawn at random, and the same rows each time.
  const drawn = await engine.rows(sql`SELECT given, form FROM ${rows}
    ORDER BY hash(request_id, row_index) LIMIT ${explainedRowCount(model)}`);
  const asked = (drawn as [string, string][]).map(([given, form]) => {
    const row = JSON.parse(given) as Record<string, unknown>;
    return form === 'json' ? row : asJsonRow(row, model.manifest.schema);
  });
  return attributionSketches(model, asked);
}

/** So many of the rows, evenly spread. */
function someRows(
  given: Record<string, unknown[]>,
  rowCount: number,
  wantedCount: number,
): Record<string, unknown>[] {
  const count = Math.min(wantedCount, rowCount);
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor((index * rowCount) / count);
    return Object.fromEntries(Object.entries(given).map(([name, values]) => [name, values[row]]));
  });
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

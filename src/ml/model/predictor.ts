// Answers with a model: strict about input, pure, the same bits everywhere. A missing field or null is a missing value;
// a category that the model does not know counts as "other"; fields that it does not use are ignored and named.
import { Problem, type FieldError } from '../../base/problems.ts';
import { valueEncoders, type ValueEncoder } from '../frame/encoding.ts';
import { readValue, RefusedValue, type ValueForm } from '../frame/values.ts';
import { hasClasses, type ColumnKind } from '../frame/schema.ts';
import { calibrate, decide } from './calibration.ts';
import { invalid } from './header.ts';
import { intervalOf } from './intervals.ts';
import type { EnsembleMember, ModelContent, ModelManifest } from './manifest.ts';
import { applyModel, outputCountOf } from './row-model.ts';
import { setOf } from './sets.ts';

export interface Prediction {
  /** The class, the value, or the score by which rows of a group are to be ordered. */
  prediction: string | number;
  probabilities?: Record<string, number>;
  /** Classes that hold the truth in 90 of 100 cases, likeliest first: more than one where the model is not sure. */
  likelyClasses?: string[];
  /** Regression: the interval that holds the truth in 90 of 100 cases. */
  lower?: number;
  upper?: number;
}

export interface PredictedRows {
  predictions: Prediction[];
  /** In words for people: fields that were ignored. */
  warnings: string[];
}

/** The same by columns, for many rows. */
export interface PredictedColumns {
  prediction: (string | number)[];
  /** By class, in the order of the model's classes. */
  probabilities?: Record<string, Float64Array>;
  lower?: Float64Array;
  upper?: Float64Array;
  warnings: string[];
}

export interface Predictor {
  manifest: ModelManifest;
  /**
   * @throws Problem `prediction-input` naming every field that is wrong (the first 20), or `model-file-invalid` when a
   * file holds numbers too large to compute with: no answer is ever NaN or infinite
   */
  predictRows: (rows: readonly Record<string, unknown>[]) => PredictedRows;
  /** Arrays of equal length by column name; form `text` takes raw CSV fields. @throws Problem `prediction-input` */
  predictColumns: (
    columns: Readonly<Record<string, readonly unknown[]>>,
    form?: ValueForm,
  ) => PredictedColumns;
}

/** The ensemble's answers for row-major encoded rows: `outputCount` values for each, calibrated. */
export function applyEnsemble(content: EnsembleContent, rows: Float64Array, rowCount: number): Float64Array {
  const { task, classes, calibration } = content.manifest;
  const featureCount = rowCount === 0 ? 0 : rows.length / rowCount;
  const outputCount = outputCountOf(task, classes.length);
  const sums = new Float64Array(rowCount * outputCount);
  if (rowCount === 0) return sums;
  const one = new Float64Array(rowCount * outputCount);
  for (const { weight, models } of content.members) {
    const share = weight / models.length;
    for (const model of models) {
      applyModel(model, { rows, rowCount, featureCount }, one);
      for (let index = 0; index < sums.length; index++) sums[index] = sums[index]! + share * one[index]!;
    }
  }
  if (hasClasses(task)) calibrate(calibration, sums, outputCount);
  return sums;
}

export interface EnsembleContent {
  manifest: Pick<ModelManifest, 'task' | 'classes' | 'calibration'>;
  members: EnsembleMember[];
}

/** Row-major encoded rows of row objects, checked as predictions check them. @throws Problem `prediction-input` */
export function rowEncoder(
  manifest: ModelManifest,
): (rows: readonly Record<string, unknown>[]) => Float64Array {
  const reader = compileReader(manifest);
  return (rows) => {
    const encoded = new Float64Array(rows.length * reader.featureCount);
    readBlocks(reader, jsonSource(rows), (block, from) => encoded.set(block, from * reader.featureCount));
    return encoded;
  };
}

/** A predictor for a model in memory. */
export function predictorOf(content: ModelContent): Predictor {
  const { manifest } = content;
  const reader = compileReader(manifest);
  return {
    manifest,
    predictRows: (rows) => {
      const outputs = answer(content, reader, jsonSource(rows));
      const names = new Set<string>();
      for (const row of rows)
        for (const name of Object.keys(row)) if (!reader.expected.has(name)) names.add(name);
      return {
        predictions: rows.map((_, row) => predictionAt(manifest, outputs, row)),
        warnings: ignoredFields(reader, names),
      };
    },
    predictColumns: (columns, form = 'json') => {
      const rowCount = checkLengths(columns);
      const valueOf = (name: string, row: number): unknown =>
        Object.hasOwn(columns, name) ? columns[name]![row] : null;
      const outputs = answer(content, reader, { rowCount, form, valueOf });
      return {
        ...asColumns(manifest, outputs),
        warnings: ignoredFields(reader, new Set(Object.keys(columns))),
      };
    },
  };
}

/** A row's own value, never one that all objects have. */
export function fieldOf(row: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(row, name) ? row[name] : null;
}

interface RowReader {
  featureCount: number;
  columns: { name: string; kind: ColumnKind; encode: ValueEncoder; start: number }[];
  expected: ReadonlySet<string>;
}

interface Outputs {
  values: Float64Array;
  chosen: Float64Array;
  outputCount: number;
}

export const maximumErrors = 20;
const rowsAtOnce = 256;

function compileReader(manifest: ModelManifest): RowReader {
  const kinds = new Map(manifest.schema.map((column) => [column.name, column.kind]));
  let start = 0;
  const columns = valueEncoders(manifest.encoding).map(({ column, width, encode }) => {
    const entry = { name: column, kind: kinds.get(column)!, encode, start };
    start += width;
    return entry;
  });
  const ignored = manifest.ignoredColumns.map(({ column }) => column);
  return { featureCount: start, columns, expected: new Set([...kinds.keys(), ...ignored, manifest.target]) };
}

/** Values to be predicted from, wherever they lie. */
interface ValueSource {
  rowCount: number;
  form: ValueForm;
  valueOf: (name: string, row: number) => unknown;
}

function jsonSource(rows: readonly Record<string, unknown>[]): ValueSource {
  return { rowCount: rows.length, form: 'json', valueOf: (name, row) => fieldOf(rows[row]!, name) };
}

/**
 * Encodes block by block, so that rows and trees meet in the processor's cache, and a million texts do not have to be in
 * memory as numbers. `use` gets row-major rows, in an array that is used again. @throws Problem `prediction-input`
 */
function readBlocks(
  { featureCount, columns }: RowReader,
  { rowCount, form, valueOf }: ValueSource,
  use: (block: Float64Array, from: number, rowCount: number) => void,
): void {
  const block = new Float64Array(Math.min(rowsAtOnce, rowCount) * featureCount);
  const errors: FieldError[] = [];
  for (let from = 0; from < rowCount && errors.length < maximumErrors; from += rowsAtOnce) {
    const to = Math.min(rowCount, from + rowsAtOnce);
    for (let row = from; row < to && errors.length < maximumErrors; row++) {
      for (const { name, kind, encode, start } of columns) {
        const given = valueOf(name, row);
        // What most values are needs no reading.
        const isPlain = kind === 'numeric' && typeof given === 'number' && given - given === 0;
        const value = isPlain ? given : readValue(given, kind, form);
        if (!(value instanceof RefusedValue)) encode(value, block, (row - from) * featureCount + start);
        else addError(errors, name, rowCount > 1 ? `${value.message} (row ${row + 1})` : value.message);
      }
    }
    if (errors.length === 0) use(block.subarray(0, (to - from) * featureCount), from, to - from);
  }
  if (errors.length > 0) throw refusal(errors);
}

/** A column may be read for several entries; its fault is told once. */
export function addError(errors: FieldError[], field: string, message: string): void {
  if (!errors.some((error) => error.field === field && error.message === message))
    errors.push({ field, message });
}

/** The problem that tells of wrong fields, of which there is at least one. */
export function refusal(errors: readonly FieldError[]): Problem {
  const [first] = errors;
  const more =
    errors.length > 1
      ? ` There are ${errors.length >= maximumErrors ? 'at least ' : ''}${errors.length} errors.`
      : '';
  return new Problem('prediction-input', `The field "${first!.field}" ${first!.message}.${more}`, {
    errors: errors.slice(0, maximumErrors),
  });
}

function answer(content: ModelContent, reader: RowReader, source: ValueSource): Outputs {
  const { manifest } = content;
  const outputCount = outputCountOf(manifest.task, manifest.classes.length);
  const values = new Float64Array(source.rowCount * outputCount);
  readBlocks(reader, source, (block, from, rowCount) =>
    values.set(applyEnsemble(content, block, rowCount), from * outputCount),
  );
  checkFinite(values);
  return {
    values,
    outputCount,
    chosen: hasClasses(manifest.task)
      ? decide(values, manifest.decisionWeights, manifest.costs?.matrix)
      : values,
  };
}

/** What learners make stays far from the ends of numbers; a file may hold anything. */
function checkFinite(values: Float64Array): void {
  for (let index = 0; index < values.length; index++)
    if (!Number.isFinite(values[index])) throw invalid('its numbers are too large to compute an answer with');
}

function predictionAt(
  manifest: ModelManifest,
  { values, chosen, outputCount }: Outputs,
  row: number,
): Prediction {
  if (!hasClasses(manifest.task)) {
    const prediction = values[row]!;
    return { prediction, ...(manifest.intervals && intervalOf(manifest.intervals, prediction)) };
  }
  const probabilities = Object.fromEntries(
    manifest.classes.map((name, index) => [name, values[row * outputCount + index]!]),
  );
  const { sets, classes } = manifest;
  const own = values.subarray(row * outputCount, (row + 1) * outputCount);
  return {
    prediction: classes[chosen[row]!]!,
    probabilities,
    ...(sets && { likelyClasses: setOf(sets, own).map((index) => classes[index]!) }),
  };
}

function asColumns(
  manifest: ModelManifest,
  { values, chosen, outputCount }: Outputs,
): Omit<PredictedColumns, 'warnings'> {
  if (hasClasses(manifest.task)) {
    const column = (index: number): Float64Array =>
      chosen.map((_, row) => values[row * outputCount + index]!);
    return {
      prediction: Array.from(chosen, (index) => manifest.classes[index]!),
      probabilities: Object.fromEntries(manifest.classes.map((name, index) => [name, column(index)])),
    };
  }
  const { intervals } = manifest;
  return {
    prediction: Array.from(values),
    ...(intervals && {
      lower: values.map((value) => intervalOf(intervals, value).lower),
      upper: values.map((value) => intervalOf(intervals, value).upper),
    }),
  };
}

/** A warning that names the fields which are not among the expected ones. */
export function ignoredFields(
  { expected }: Pick<RowReader, 'expected'>,
  names: ReadonlySet<string>,
): string[] {
  const ignored = [...names].filter((name) => !expected.has(name));
  if (ignored.length === 0) return [];
  const shown = ignored
    .slice(0, 10)
    .map((name) => `"${name.slice(0, 60)}"`)
    .join(', ');
  return [
    `The model does not use these fields, they were ignored: ${shown}${ignored.length > 10 ? `, and ${ignored.length - 10} more` : ''}.`,
  ];
}

/** How long all the columns are. @throws Problem `prediction-input` where they differ */
export function checkLengths(columns: Readonly<Record<string, readonly unknown[]>>): number {
  const entries = Object.entries(columns);
  const rowCount = entries[0]?.[1].length ?? 0;
  const uneven = entries.filter(([, values]) => values.length !== rowCount);
  if (uneven.length === 0) return rowCount;
  throw new Problem(
    'prediction-input',
    'The columns have different numbers of values; all must be equally long.',
    {
      errors: uneven.slice(0, maximumErrors).map(([field, values]) => ({
        field,
        message: `has ${values.length} values, the first column has ${rowCount}`,
      })),
    },
  );
}

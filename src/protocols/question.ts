// Rows as other protocols send them - by name, by position, by columns - as the rows that the answering version reads,
// and its answers as columns. Every protocol converts here and nowhere else. What a value may be is decided by the model,
// which says it in words; here values only change their form.
import { Problem } from '../base/problems.ts';
import { readValue, RefusedValue, type ValueForm } from '../ml/frame/values.ts';
import type { PredictedColumns } from '../ml/model/predictor.ts';
import type { Predictions, ReadField } from '../pipeline/predict/predict.ts';

type Row = Record<string, unknown>;
type Fields = readonly ReadField[];

/** What is asked: how many rows, and the rows themselves once it is known which fields the answering version reads. */
export interface Question {
  rowCount: number;
  rowsFor(fields: Fields): Row[];
}

/** Values of one column. In form `text` all are raw texts, as in CSV; in form `json` they have types. */
export interface Column {
  name: string;
  values: ArrayLike<unknown>;
  form: ValueForm;
}

/** Rows that name their fields. */
export function askedByName(rows: readonly Row[]): Question {
  return { rowCount: rows.length, rowsFor: () => [...rows] };
}

/** Rows as lists of values in the order of the fields. */
export function askedByPosition(lists: readonly (readonly unknown[])[], form: ValueForm): Question {
  return {
    rowCount: lists.length,
    rowsFor: (fields) =>
      lists.map((values, index) => {
        if (values.length !== fields.length) throw wrongWidth(fields, values.length, `Row ${index + 1}`);
        return Object.fromEntries(
          fields.map((field, place) => [field.name, valueFor(field, values[place], form)]),
        );
      }),
  };
}

/** Values row by row, `width` for each row, in the order of the fields. */
export function askedByGrid(
  { rowCount, width, values }: { rowCount: number; width: number; values: ArrayLike<unknown> },
  form: ValueForm,
): Question {
  return {
    rowCount,
    rowsFor: (fields) => {
      if (width !== fields.length) throw wrongWidth(fields, width, 'Each row');
      return Array.from({ length: rowCount }, (_, row) =>
        Object.fromEntries(
          fields.map((field, place) => [field.name, valueFor(field, values[row * width + place], form)]),
        ),
      );
    },
  };
}

/** Columns of equal length, by name. */
export function askedByColumns(columns: readonly Column[]): Question {
  const rowCount = columns[0]?.values.length ?? 0;
  const uneven = columns.find(({ values }) => values.length !== rowCount);
  if (uneven) throw refusal(uneven.name, `has ${uneven.values.length} values, the first one has ${rowCount}`);
  return {
    rowCount,
    rowsFor: (fields) => {
      const kinds = new Map(fields.map((field) => [field.name, field]));
      return Array.from({ length: rowCount }, (_, row) =>
        Object.fromEntries(
          columns.map(({ name, values, form }) => {
            const field = kinds.get(name);
            return [name, field ? valueFor(field, values[row], form) : plain(values[row])];
          }),
        ),
      );
    },
  };
}

/** Answers by columns; classes in the order in which {@link classOrder} has them. */
export interface AnswerColumns extends Omit<PredictedColumns, 'warnings'> {
  likelyClasses?: string[][];
}

/** The answers of a request by columns. */
export function columnsOf({ predictions }: Predictions): AnswerColumns {
  const [first] = predictions;
  const numbers = (of: (answer: (typeof predictions)[number]) => number | undefined): Float64Array =>
    Float64Array.from(predictions, (answer) => of(answer) ?? NaN);
  return {
    prediction: predictions.map(({ prediction }) => prediction),
    ...(first?.probabilities && {
      probabilities: Object.fromEntries(
        Object.keys(first.probabilities).map((name) => [
          name,
          numbers(({ probabilities }) => probabilities?.[name]),
        ]),
      ),
    }),
    ...(first?.likelyClasses && {
      likelyClasses: predictions.map(({ likelyClasses }) => likelyClasses ?? []),
    }),
    ...(first?.lower !== undefined && {
      lower: numbers(({ lower }) => lower),
      upper: numbers(({ upper }) => upper),
    }),
  };
}

/** Classes in the order in which answers have their probabilities: names that are whole numbers come first. */
export function classOrder(classes: readonly string[]): string[] {
  return Object.keys(Object.fromEntries(classes.map((name) => [name, true])));
}

/** A problem of one field, said as the model says it. */
export function refusal(field: string, message: string): Problem {
  return new Problem('prediction-input', `The field "${field}" ${message}.`, {
    errors: [{ field, message }],
  });
}

/** The problem of values that are as many as no row has fields. */
function wrongWidth(fields: Fields, count: number, what: string): Problem {
  const names = fields.slice(0, 20).map(({ name }) => `"${name.slice(0, 60)}"`);
  const more = fields.length > names.length ? ` and ${fields.length - names.length} more` : '';
  const message = `has ${count} values; the model reads ${fields.length}, in this order: ${names.join(', ')}${more}`;
  return new Problem('prediction-input', `${what} ${message}. Or name them.`, {
    errors: [{ field: 'rows', message: `must have ${fields.length} values each` }],
  });
}

/**
 * `value` in the form that rows of JSON have: numbers where texts can be read so, true and false for 1 and 0 where the
 * field is one of those. What does not fit stays as it is: the model refuses it with a sentence.
 */
function valueFor({ name, kind }: ReadField, value: unknown, form: ValueForm): unknown {
  if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed()))
    throw refusal(name, 'must be Unicode text without U+0000');
  if (kind === 'boolean' && (value === 0 || value === 1)) return value === 1;
  if (form === 'json' || typeof value !== 'string') return plain(value, kind === 'categorical');
  const read = readValue(value, kind, form);
  if (read instanceof RefusedValue) return value;
  if (read === null || read !== read) return null;
  if (kind === 'boolean') return read === 1;
  return kind === 'date' ? value : read;
}

/** What JSON has no word for: NaN is missing, and integers beyond doubles are texts or the nearest number. */
function plain(value: unknown, asText = false): unknown {
  if (typeof value === 'bigint') return asText ? String(value) : Number(value);
  return value === undefined || value !== value ? null : value;
}

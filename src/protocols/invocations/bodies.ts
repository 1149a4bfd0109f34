// The bodies that SageMaker's and MLflow's clients send, as questions: CSV with or without a header, JSON in the shapes of
// MLflow's scoring server, JSON lines.
import { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { readCsvBlocks } from '../../pipeline/predict/csv.ts';
import { assertRowCount, type ReadField } from '../../pipeline/predict/predict.ts';
import type { Context } from '../../platform/context.ts';
import { parseJson } from '../../platform/http/read-request.ts';
import { askedByColumns, askedByName, askedByPosition, type Question } from '../question.ts';

/** Forms of bodies and answers. */
export type Form = 'csv' | 'json' | 'json-lines';

/** A question, and in which form it came. */
export interface Invocation {
  question: Question;
  form: Form;
  /** Of CSV: whether its first line names the columns; known once the model's fields are. */
  hasHeader(): boolean;
}

const forms: Readonly<Record<string, Form>> = {
  'text/csv': 'csv',
  'application/csv': 'csv',
  'application/json': 'json',
  'application/jsonlines': 'json-lines',
  'application/x-jsonlines': 'json-lines',
  'application/jsonl': 'json-lines',
  'application/x-ndjson': 'json-lines',
};

/** Media types of the answers. */
export const mediaTypes: Readonly<Record<Form, string>> = {
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  'json-lines': 'application/jsonlines',
};

/** The form that a media type names, and its parameters. */
export function formOf(mediaType: string): { form: Form | undefined; parameters: string } {
  const [name = '', ...parameters] = mediaType.split(';');
  return { form: forms[name.trim().toLowerCase()], parameters: parameters.join(';').toLowerCase() };
}

/** Reads a body. Throws `unsupported-media-type`, `malformed-body`, `prediction-input` and what is wrong with a file. */
export async function readInvocation(
  context: Context,
  body: Uint8Array,
  contentType: string | undefined,
): Promise<Invocation> {
  const { form, parameters } = formOf(contentType ?? '');
  switch (form) {
    case 'csv':
      return await readCsv(context, body, /\bheader\s*=\s*"?(present|absent)/.exec(parameters)?.[1]);
    case 'json':
      return { form, question: questionOfJson(parseJson(body)), hasHeader: () => false };
    case 'json-lines':
      return { form, question: questionOfLines(textOf(body)), hasHeader: () => false };
    case undefined:
      throw new Problem(
        'unsupported-media-type',
        `Content-Type is ${contentType ? `"${contentType.slice(0, 80)}"` : 'missing'}; text/csv, application/json and application/jsonlines are taken.`,
      );
    default:
      return form satisfies never;
  }
}

/**
 * CSV. Without a word in its Content-Type (`header=present`, `header=absent`; RFC 4180) the first line is a header when at
 * least half of the model's fields stand in it.
 */
async function readCsv(context: Context, body: Uint8Array, said: string | undefined): Promise<Invocation> {
  const { maxColumns, maxFieldBytes, maxPredictionRows } = context.limits;
  const limits = { maxColumns, maxLineBytes: maxFieldBytes, blockRows: 1_000, headless: true } as const;
  const lists: string[][] = [];
  const source = (async function* () {
    yield body;
  })();
  for await (const { columns, rowCount } of readCsvBlocks(source, limits)) {
    const values = Object.values(columns);
    for (let row = 0; row < rowCount; row++) lists.push(values.map((column) => column[row]!));
    // One line may be the header.
    if (lists.length > maxPredictionRows + 1) assertRowCount(context, lists.length);
  }
  let hasHeader = said === 'present';
  const question = {
    rowCount: lists.length,
    rowsFor: (fields: readonly ReadField[]) => {
      hasHeader = said === undefined ? isHeader(lists[0]!, fields) : said === 'present';
      if (!hasHeader) return askedByPosition(lists, 'text').rowsFor(fields);
      const [names, ...rows] = lists as [string[], ...string[][]];
      if (rows.length === 0) throw new Problem('file-empty', 'The body has a header and no rows.');
      const columns = names.map((name, place) => ({
        name,
        form: 'text' as const,
        values: rows.map((row) => row[place]!),
      }));
      return askedByColumns(checkedNames(columns)).rowsFor(fields);
    },
  };
  return { form: 'csv', question, hasHeader: () => hasHeader };
}

function isHeader(first: readonly string[], fields: readonly ReadField[]): boolean {
  const names = new Set(first);
  return fields.filter(({ name }) => names.has(name)).length * 2 >= fields.length;
}

function checkedNames<Column extends { name: string }>(columns: Column[]): Column[] {
  const seen = new Set<string>();
  for (const [index, { name }] of columns.entries()) {
    if (name === '' || seen.has(name)) {
      const message = name === '' ? 'has no name' : 'has the name of another one';
      throw new Problem('prediction-input', `Column ${index + 1} of the header ${message}.`, {
        errors: [{ field: name || `column ${index + 1}`, message }],
      });
    }
    seen.add(name);
  }
  return columns;
}

const row = z.record(z.string(), z.unknown());
const list = z.array(z.unknown());
/** Rows by name, or by position. */
const rows = z.union([z.array(row), z.array(list)]);
const columns = z.record(z.string(), list);

const jsonBody = z.union([
  z.object({
    dataframe_split: z.object({ columns: z.array(z.coerce.string()).min(1), data: z.array(list) }),
  }),
  z.object({ dataframe_records: z.array(row) }),
  z.object({ instances: rows }),
  z.object({ inputs: z.union([rows, columns]) }),
]);

/** JSON in one of MLflow's four shapes; TensorFlow Serving's and Vertex's `instances` is one of them. */
export function questionOfJson(body: unknown): Question {
  const parsed = jsonBody.safeParse(body);
  if (!parsed.success)
    throw new Problem(
      'invalid-request',
      'The body must have "dataframe_split" (columns, data), "dataframe_records", "instances" or "inputs": rows as objects, as lists in the order of the fields, or columns by name.',
      { errors: [{ field: 'body', message: 'has none of the known shapes' }] },
    );
  const known = parsed.data;
  if ('dataframe_records' in known) return askedByName(known.dataframe_records);
  if ('dataframe_split' in known) return questionOfSplit(known.dataframe_split);
  const values = 'instances' in known ? known.instances : known.inputs;
  return Array.isArray(values) ? questionOfRows(values) : questionOfColumns(values);
}

function questionOfSplit({ columns: names, data }: { columns: string[]; data: unknown[][] }): Question {
  const uneven = data.findIndex((values) => values.length !== names.length);
  if (uneven !== -1)
    throw new Problem(
      'prediction-input',
      `Row ${uneven + 1} of dataframe_split has ${data[uneven]!.length} values for ${names.length} columns.`,
      { errors: [{ field: 'dataframe_split.data', message: 'must have a value for each column' }] },
    );
  return {
    rowCount: data.length,
    rowsFor: () =>
      data.map((values) => Object.fromEntries(names.map((name, place) => [name, values[place]]))),
  };
}

function questionOfRows(values: readonly (Record<string, unknown> | unknown[])[]): Question {
  return Array.isArray(values[0])
    ? askedByPosition(values as unknown[][], 'json')
    : askedByName(values as Record<string, unknown>[]);
}

function questionOfColumns(values: Record<string, unknown[]>): Question {
  return askedByColumns(
    Object.entries(values).map(([name, column]) => ({ name, values: column, form: 'json' as const })),
  );
}

/** A row on each line: an object, a list, or a list as `features` as SageMaker's own algorithms have it. */
function questionOfLines(text: string): Question {
  const values = text
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => rowOfLine(line, number));
  const isList = Array.isArray(values[0]);
  const other = values.findIndex((value) => Array.isArray(value) !== isList);
  if (other !== -1)
    throw new Problem('prediction-input', `Row ${other + 1} has another form than the first.`, {
      errors: [{ field: 'rows', message: 'must all be objects, or all be lists' }],
    });
  return questionOfRows(values);
}

function rowOfLine(line: string, number: number): Record<string, unknown> | unknown[] {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    if (error instanceof Problem && error.code !== 'malformed-body') throw error;
    throw new Problem('malformed-body', `Line ${number} is not valid JSON.`, { cause: error });
  }
  const parsed = z.union([z.object({ features: list }).strict(), row, list]).safeParse(value);
  if (!parsed.success)
    throw new Problem('prediction-input', `Line ${number} is neither an object nor a list.`, {
      errors: [{ field: `line ${number}`, message: 'must be an object or a list' }],
    });
  const { data } = parsed;
  return 'features' in data && Array.isArray(data.features) && Object.keys(data).length === 1
    ? (data.features as unknown[])
    : data;
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw new Problem('malformed-body', 'The body is not text in UTF-8.', { cause: error });
  }
}

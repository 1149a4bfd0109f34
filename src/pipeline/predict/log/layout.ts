// How logged predictions and outcomes lie in Parquet, and the SQL that reads them as one table. Pure: worker processes
// import it, too. What a deployment was asked is kept twice: `given` and `answer` are the exact JSON, which re-running
// needs; each field of the model has a column of its own besides, so that queries read columns instead of texts.
import { identifier, joined, sql, type Sql } from '../../../platform/ports/data-engine.ts';

/** A column of the log. */
export interface LogColumn {
  name: string;
  /** As the data engine calls it. */
  type: string;
}

/** The columns of every part of predictions, before those of the fields. */
export const predictionColumns: readonly LogColumn[] = [
  { name: 'request_id', type: 'VARCHAR' },
  /** Place of the row in its request, from 0. */
  { name: 'row_index', type: 'INTEGER' },
  /** When it was answered, UTC. */
  { name: 'time', type: 'TIMESTAMP' },
  { name: 'deployment_id', type: 'VARCHAR' },
  { name: 'revision', type: 'INTEGER' },
  { name: 'model_version_id', type: 'VARCHAR' },
  { name: 'model_file_sha256', type: 'VARCHAR' },
  /** The class; a number in its shortest form. */
  { name: 'prediction', type: 'VARCHAR' },
  /** The prediction where it is a number. */
  { name: 'prediction_number', type: 'DOUBLE' },
  { name: 'probabilities', type: 'MAP(VARCHAR, DOUBLE)' },
  { name: 'likely_classes', type: 'VARCHAR[]' },
  { name: 'lower', type: 'DOUBLE' },
  { name: 'upper', type: 'DOUBLE' },
  /** From the request's beginning here to its answer, all rows together. */
  { name: 'latency_ms', type: 'DOUBLE' },
  /** Id of the key or person. */
  { name: 'asked_by', type: 'VARCHAR' },
  /** `json`, or `text` for rows of a CSV file. */
  { name: 'form', type: 'VARCHAR' },
  /** The row as it was given, JSON, without the fields in `redacted`. */
  { name: 'given', type: 'VARCHAR' },
  /** Fields that were given and whose values were not kept. */
  { name: 'redacted', type: 'VARCHAR[]' },
  /** The answer as it was sent, JSON. */
  { name: 'answer', type: 'VARCHAR' },
];

/** The columns of every part of outcomes. */
export const outcomeColumns: readonly LogColumn[] = [
  { name: 'prediction_id', type: 'VARCHAR' },
  { name: 'actual', type: 'VARCHAR' },
  { name: 'actual_number', type: 'DOUBLE' },
  { name: 'received_at', type: 'TIMESTAMP' },
  /** Time of the prediction: outcomes go when it goes. */
  { name: 'predicted_at', type: 'TIMESTAMP' },
];

/** A field of a model. */
export interface LoggedField {
  name: string;
  kind: 'numeric' | 'categorical' | 'boolean' | 'date' | 'text';
}

/** A field of the model and the column that holds its values. */
export interface FieldColumn {
  field: string;
  kind: LoggedField['kind'];
  column: string;
  type: 'DOUBLE' | 'BOOLEAN' | 'VARCHAR';
}

/** So many fields of a model get columns; `given` holds all. */
const mostFieldColumns = 1_000;

/**
 * The columns of fields, in their order: `field_<name>`, with a number behind where names differ by case alone, which
 * SQL does not see. Numbers are DOUBLE, booleans BOOLEAN, the rest (dates as they were written) VARCHAR; what is missing
 * or redacted is null.
 */
export function fieldColumns(fields: readonly LoggedField[]): FieldColumn[] {
  const taken = new Set<string>();
  return fields.slice(0, mostFieldColumns).map(({ name, kind }) => {
    let column = `field_${name}`;
    for (let number = 2; taken.has(column.toLowerCase()); number++) column = `field_${name}_${number}`;
    taken.add(column.toLowerCase());
    return {
      field: name,
      kind,
      column,
      type: kind === 'numeric' ? 'DOUBLE' : kind === 'boolean' ? 'BOOLEAN' : 'VARCHAR',
    };
  });
}

/** Local paths of parts. */
export interface LogPaths {
  predictions: readonly string[];
  outcomes: readonly string[];
}

/**
 * The log as one table: the columns above with `prediction_id` before them, the fields of all parts by name, and
 * `actual`, `actual_number`, `actual_at` of the newest outcome, null where none is known.
 */
export function logTable({ predictions, outcomes }: LogPaths): Sql {
  const made =
    predictions.length === 0
      ? emptyTable(predictionColumns)
      : sql`SELECT * FROM read_parquet(${predictions}, union_by_name = true)`;
  return sql`SELECT logged.request_id || '-' || logged.row_index AS prediction_id, logged.*,
    known.actual, known.actual_number, known.received_at AS actual_at
    FROM (${made}) AS logged LEFT JOIN (${outcomeTable(outcomes)}) AS known
    ON known.prediction_id = logged.request_id || '-' || logged.row_index`;
}

/** The newest outcome of each prediction: the columns of outcomes. */
export function outcomeTable(paths: readonly string[]): Sql {
  if (paths.length === 0) return emptyTable(outcomeColumns);
  return sql`SELECT prediction_id, arg_max(actual, received_at) AS actual,
    arg_max(actual_number, received_at) AS actual_number, max(received_at) AS received_at,
    max(predicted_at) AS predicted_at
    FROM read_parquet(${paths}) GROUP BY prediction_id`;
}

function emptyTable(columns: readonly LogColumn[]): Sql {
  const nulls = columns.map(({ name, type }) => sql`CAST(NULL AS ${typeOf(type)}) AS ${identifier(name)}`);
  return sql`SELECT ${joined(nulls)} WHERE false`;
}

const types: Readonly<Record<string, Sql>> = {
  VARCHAR: sql`VARCHAR`,
  INTEGER: sql`INTEGER`,
  DOUBLE: sql`DOUBLE`,
  BOOLEAN: sql`BOOLEAN`,
  TIMESTAMP: sql`TIMESTAMP`,
  'VARCHAR[]': sql`VARCHAR[]`,
  'MAP(VARCHAR, DOUBLE)': sql`MAP(VARCHAR, DOUBLE)`,
};

function typeOf(name: string): Sql {
  return types[name]!;
}

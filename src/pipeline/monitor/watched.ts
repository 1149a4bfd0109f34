// The columns that a monitor watches, as they lie in the training data and in the prediction log.
import type { ColumnType } from '../../contract/dataset.ts';
import type { SketchKind } from '../../ml/drift/column-sketch.ts';
import { identifier, sql, type Sql } from '../../platform/ports/data-engine.ts';
import type { SketchedColumn } from './sketch-rows.ts';

export type FieldKind = 'numeric' | 'categorical' | 'boolean' | 'date' | 'text';

export interface WatchedColumn {
  name: string;
  kind: FieldKind;
}

/** A part of the prediction log, and where it has the values of fields. */
export interface LogFile {
  path: string;
  columns: readonly { field: string; column: string }[];
}

/** Rows of the log that were answered in this time, by all versions of the endpoint or one. */
export interface LogWindow {
  files: readonly LogFile[];
  outcomePaths: readonly string[];
  fromMs: number;
  toMs: number;
}

const sketchKinds: Record<FieldKind, SketchKind> = {
  numeric: 'number',
  date: 'number',
  categorical: 'category',
  boolean: 'category',
  text: 'text',
};

/** Of columns whose values a file has as these types; those that it does not have are left out. */
export function trainingColumns(
  watched: readonly WatchedColumn[],
  types: ReadonlyMap<string, ColumnType>,
): SketchedColumn[] {
  return watched
    .filter(({ name }) => types.has(name))
    .map(({ name, kind }) => ({ name, kind: sketchKinds[kind], value: valueOf(identifier(name), kind) }));
}

/** Of the columns that the log has; fields that only requests of other versions had are missing. */
export function loggedColumns(watched: readonly WatchedColumn[], { files }: LogWindow): SketchedColumn[] {
  const columns = new Map(
    files.flatMap((file) => file.columns.map(({ field, column }) => [field, column] as const)),
  );
  return watched
    .filter(({ name }) => columns.has(name))
    .map(({ name, kind }) => ({
      name,
      kind: sketchKinds[kind],
      value: valueOf(identifier(columns.get(name)!), kind),
    }));
}

/** The rows of a window, as what may stand behind FROM. */
export function windowRows({ files, fromMs, toMs }: LogWindow): Sql {
  const paths = files.map(({ path }) => path);
  return sql`(SELECT * FROM read_parquet(${paths}, union_by_name = true) WHERE ${inTime(fromMs, toMs)})`;
}

/** Whether a row was answered in this time. */
export function inTime(fromMs: number, toMs: number): Sql {
  return sql`time >= make_timestamp(${fromMs * 1000}::BIGINT) AND time < make_timestamp(${toMs * 1000}::BIGINT)`;
}

/** A value as its sketch takes it. Dates come as such, or as they were written: as text, or milliseconds since 1970. */
function valueOf(value: Sql, kind: FieldKind): Sql {
  switch (kind) {
    case 'numeric':
      return sql`TRY_CAST(${value} AS DOUBLE)`;
    case 'date':
      return sql`coalesce(CAST(epoch_ms(TRY_CAST(${value} AS TIMESTAMP)) AS DOUBLE), TRY_CAST(CAST(${value} AS VARCHAR) AS DOUBLE))`;
    default:
      return sql`CAST(${value} AS VARCHAR)`;
  }
}

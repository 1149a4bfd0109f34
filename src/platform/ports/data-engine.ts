// The data engine: SQL over files of columns, in a worker process. Not the metadata database (ports/database.ts).
//
// Guarantees every driver keeps (drivers/duckdb.test.ts):
// - Only the files and folders named at opening can be read or written, whatever a statement says; there is no network,
//   no extension is loaded, and no statement can change these bounds.
// - Memory stays within the given bound; what does not fit is spilled into the given folder, or the statement fails.
// - Statements are built from `sql` templates, in which a text can only ever be a literal or a quoted name. The one
//   way in for SQL that people write is `query`.

/** A value as JSON can carry it; what has no JSON form (lists, intervals, large integers) is text. */
export type Cell = string | number | boolean | null;

/** A piece of SQL that is safe by construction: made by {@link sql}, {@link identifier} and {@link joined} only. */
export class Sql {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: texts become literals, pieces stay as they are, lists become `[a, b]`. */
export type SqlPart = Sql | string | number | boolean | readonly (string | number)[];

/** Builds a statement or a piece of one: sql`SELECT ${identifier(name)} = ${value}`. */
export function sql(strings: TemplateStringsArray, ...parts: SqlPart[]): Sql {
  let text = strings[0]!;
  for (const [index, part] of parts.entries()) text += textOf(part) + strings[index + 1]!;
  return new Sql(text);
}

/** A name of a column, table or type, quoted. */
export function identifier(name: string): Sql {
  return new Sql(`"${name.replaceAll('"', '""')}"`);
}

/** The pieces one after another, with `separator` in between. */
export function joined(pieces: readonly Sql[], separator: Sql = sql`, `): Sql {
  return new Sql(pieces.map((piece) => piece.text).join(separator.text));
}

function textOf(part: SqlPart): string {
  if (part instanceof Sql) return part.text;
  if (typeof part === 'string') return `'${part.replaceAll("'", "''")}'`;
  if (typeof part === 'object') return `[${part.map(textOf).join(', ')}]`;
  return String(part);
}

/** Why a statement failed, in the engine's words: these may hold paths and are never shown to users as they are. */
export class DataEngineError extends Error {
  override name = 'DataEngineError';
  readonly kind: 'memory' | 'disk-full' | 'interrupted' | 'forbidden' | 'input';
  constructor(kind: DataEngineError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Bounds of one engine. */
export interface DataEngineOptions {
  /** Memory for buffers and intermediate results; the process needs about 120 MiB besides. */
  memoryBytes: number;
  threads: number;
  /** Folder for what does not fit into memory; also readable and writable by statements. */
  workFolder: string;
  maxSpillBytes: number;
  /** Files besides those in the work folder that statements may read. */
  readablePaths: readonly string[];
}

/** The rows of a query, as far as they were wanted. */
export interface QueryRows {
  columns: { name: string; type: string }[];
  rows: Cell[][];
  /** Whether there were more rows than wanted. */
  truncated: boolean;
}

/** Some rows of one column: doubles that are never null, or texts. */
export type ColumnPart = Float64Array | (string | null)[];

/** Adds rows to a table, quickly. */
export interface Appender {
  /** Columns of `rowCount` rows or more, as {@link DataEngine.appender} was told; texts that are left out are null. */
  append(columns: readonly (Float64Array | readonly (string | null)[] | undefined)[], rowCount: number): void;
  /** Makes the rows part of the table. */
  close(): void;
}

/** The data engine port. Statements run one at a time. */
export interface DataEngine {
  run(statement: Sql): Promise<void>;
  /** All rows of a small result. */
  rows(statement: Sql): Promise<Cell[][]>;
  /** The rows of any result, some thousand at a time. */
  batches(statement: Sql): AsyncIterable<Cell[][]>;
  /** The columns of a statement whose every value is a double and not null, some thousand rows at a time. */
  numbers(statement: Sql): AsyncIterable<Float64Array[]>;
  /** The columns of a statement whose every value is a double and not null, or a text, some thousand rows at a time. */
  parts(statement: Sql): AsyncIterable<ColumnPart[]>;
  /** Appends to a table whose columns are of type DOUBLE or VARCHAR; while a statement is being read, too. */
  appender(table: string, columns: readonly ('double' | 'text')[]): Promise<Appender>;
  /** Runs SQL as somebody wrote it, and stops after so many rows or about so many bytes of JSON. */
  query(text: string, wanted: { maxRows: number; maxBytes: number }): Promise<QueryRows>;
  /** Makes the running statement fail with `interrupted`. */
  interrupt(): void;
  close(): void;
}

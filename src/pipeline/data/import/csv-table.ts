// A delimited text file as a relation of texts, columns c0, c1 and so on, parsed by the engine with every option given.
import { joined, sql, type DataEngine, type Sql } from '../../../platform/ports/data-engine.ts';
import type { ImportOptions } from '../../../contract/dataset.ts';
import { Problem } from '../../../base/problems.ts';
import { listed } from './column-names.ts';
import { positional } from './conversions.ts';
import type { Dialect } from './records.ts';
import type { ImportLimits } from './source-limits.ts';

/** A file of delimited text, and how it is written. */
export interface CsvFile {
  path: string;
  dialect: Dialect;
  hasHeader: boolean;
  columnCount: number;
  raggedRows: NonNullable<ImportOptions['raggedRows']>;
}

/** Room in a row beside its longest field. */
const rowSlackBytes = 1_048_576;
const minBufferBytes = 8 * 1_048_576;
const rejectsTable = 'rejected';
/** Rows that are counted one by one; with more than these the file is not what it was taken for. */
const maxRejects = 1_000_000;

/** The relation of the file's rows. */
export function csvRelation(
  file: CsvFile,
  nullValues: readonly string[],
  limits: ImportLimits,
  extra: readonly Sql[] = [],
): Sql {
  const { delimiter, quote, escape } = file.dialect;
  const columns = Array.from(
    { length: file.columnCount },
    (_, index) => sql`${positional(index)}: 'VARCHAR'`,
  );
  const maxLineBytes = maxRowBytes(limits);
  const options = [
    sql`auto_detect = false`,
    sql`delim = ${delimiter}`,
    sql`quote = ${quote}`,
    sql`escape = ${escape}`,
    sql`header = ${file.hasHeader}`,
    sql`columns = {${joined(columns)}}`,
    sql`nullstr = ${['', ...nullValues]}`,
    sql`max_line_size = ${maxLineBytes}`,
    sql`buffer_size = ${Math.max(minBufferBytes, 2 * maxLineBytes)}`,
    ...extra,
  ];
  // The parallel parser cannot pad rows where quoted fields span lines.
  if (file.raggedRows === 'fill' && extra.length === 0)
    options.push(sql`null_padding = true`, sql`parallel = false`);
  if (file.raggedRows === 'skip' && extra.length === 0) options.push(...rejecting(maxRejects));
  return sql`read_csv(${file.path}, ${joined(options)})`;
}

/** The most that one row may take. */
export function maxRowBytes({ maxFieldBytes }: ImportLimits): number {
  return maxFieldBytes + rowSlackBytes;
}

/** Rows that do not have as many fields as there are columns. */
export interface RaggedRows {
  count: number;
  /** One line for each of the first few: `line 3 has 2 fields`. */
  examples: string[];
}

/** What a statement over a `skip` relation left out. @throws Problem when it was not for the number of fields */
export async function skippedRows(engine: DataEngine, file: CsvFile): Promise<RaggedRows> {
  const found = await readRejects(engine, file);
  await engine.run(sql`DROP TABLE IF EXISTS rejected`);
  await engine.run(sql`DROP TABLE IF EXISTS rejected_scans`);
  return found;
}

/** Looks for ragged rows in the whole file, at most `most` of them. */
export async function findRaggedRows(
  engine: DataEngine,
  file: CsvFile,
  limits: ImportLimits,
  most = maxRejects,
): Promise<RaggedRows> {
  const relation = csvRelation(file, [], limits, rejecting(most));
  await engine.run(sql`SELECT count(*), count(${positional(0)}) FROM ${relation}`);
  return await skippedRows(engine, file);
}

function rejecting(limit: number): Sql[] {
  return [
    sql`ignore_errors = true`,
    sql`store_rejects = true`,
    sql`rejects_table = ${rejectsTable}`,
    sql`rejects_scan = 'rejected_scans'`,
    sql`rejects_limit = ${limit}`,
  ];
}

async function readRejects(engine: DataEngine, file: CsvFile): Promise<RaggedRows> {
  const ragged = sql`error_type IN ('MISSING COLUMNS', 'TOO MANY COLUMNS')`;
  const others = await engine.rows(
    sql`SELECT line, error_type FROM rejected WHERE NOT (${ragged}) ORDER BY line LIMIT 1`,
  );
  if (others[0]) throw unreadableLine(Number(others[0][0]), String(others[0][1]));
  const [[count]] = (await engine.rows(sql`SELECT count(*) FROM (SELECT DISTINCT line FROM rejected)`)) as [
    [number],
  ];
  if (count >= maxRejects)
    throw new Problem('row-ragged', `More than ${maxRejects} rows do not have ${file.columnCount} fields.`);
  const rows = await engine.rows(
    sql`SELECT line, any_value(error_message) FROM rejected GROUP BY line ORDER BY line LIMIT 6`,
  );
  const examples = rows.map(([line, message]) => {
    const fields = /Found: (\d+)/.exec(String(message))?.[1];
    return `line ${line}${fields === undefined ? '' : ` has ${fields}`}`;
  });
  return { count, examples };
}

function unreadableLine(line: number, errorType: string): Problem {
  const reasons: Record<string, [code: 'file-unreadable' | 'field-too-large', text: string]> = {
    'UNQUOTED VALUE': ['file-unreadable', 'has a quote that is not closed, or text after a closing quote'],
    'INVALID ENCODING': ['file-unreadable', 'has bytes that are not in the encoding of the file'],
    'LINE SIZE OVER MAXIMUM': ['field-too-large', 'is longer than a row may be'],
  };
  const [code, text] = reasons[errorType] ?? ['file-unreadable', 'cannot be parsed'];
  return new Problem(code, `Line ${line} ${text}.`);
}

/** The problem of ragged rows, with line numbers. */
export function raggedProblem(file: CsvFile, { count, examples }: RaggedRows): Problem {
  const rows = count === 1 ? '1 row does' : `${count} rows do`;
  return new Problem(
    'row-ragged',
    `${rows} not have the ${file.columnCount} fields that there are columns: ${listed(examples)}.`,
  );
}

/** Tells what was done about ragged rows. */
export function raggedWarning(file: CsvFile, { count, examples }: RaggedRows): string {
  const rows = count === 1 ? '1 row has' : `${count} rows have`;
  const done = file.raggedRows === 'skip' ? 'left out' : 'filled with missing values';
  return `${rows} not ${file.columnCount} fields and ${count === 1 ? 'was' : 'were'} ${done}: ${listed(examples)}.`;
}

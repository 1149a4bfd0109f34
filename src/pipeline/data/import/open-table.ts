// Opens a stored source as a table: finds out its format, compression, encoding and form, and offers its rows to the
// engine as a relation of texts (or, for Parquet, of values). Nothing is imported yet; preview and import both start here.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportOptions } from '../../../contract/dataset.ts';
import { Problem } from '../../../base/problems.ts';
import { sql, type DataEngine, type Sql } from '../../../platform/ports/data-engine.ts';
import { findBytes } from './byte-scan.ts';
import { uniqueNames } from './column-names.ts';
import type { Reading } from './column-readings.ts';
import { positionalColumns, type SourceColumn, type TextSuspicion } from './conversions.ts';
import { examineCsv } from './csv-head.ts';
import { csvRelation, type CsvFile } from './csv-table.ts';
import { decoderFor, detectEncoding, type Encoding } from './encoding.ts';
import { detectCompression, detectFormat, type Format } from './format.ts';
import { jsonRelation, readJsonKeys } from './json-table.ts';
import { hasLongLine } from './long-field.ts';
import { checkParquetFrame, parquetColumns, parquetRelation, readParquetColumns } from './parquet-table.ts';
import type { ImportLimits } from './source-limits.ts';
import { readHead, readUnpackedHead, treatText, unpackTo, type Source } from './source-text.ts';

/** What is to be read. */
export interface Opening {
  /** The parts of the stored source, in order. */
  paths: readonly string[];
  options: ImportOptions;
  limits: ImportLimits;
  workFolder: string;
  /** Whether the first rows are enough. */
  headOnly: boolean;
}

/** A source whose kind is known. */
export interface OpenSource extends Opening {
  source: Source;
  format: Format;
  /** The first bytes, unpacked. */
  head: Uint8Array;
  isWholeHead: boolean;
  /** The unpacked bytes as a file; made when first asked for. */
  unpacked(): Promise<string>;
}

/** A source as a table. */
export interface Table {
  format: Format;
  columns: SourceColumn[];
  /** Rows whose columns are called c0, c1 and so on; the words are missing values. */
  relation(nullValues: readonly string[]): Sql;
  /** Some rows of texts. */
  sample: (string | null)[][];
  /** How the columns are read where the format says so; undefined: the sample decides. */
  readings: Reading[] | undefined;
  detectsNullWords: boolean;
  /** What texts may have that makes them unusable, so that each must be asked. */
  suspicion: TextSuspicion;
  /** What was found out, as options that would read the file the same way. */
  found: ImportOptions;
  warnings: string[];
  csv: CsvFile | undefined;
}

/** How text is taken that is not what it seemed at first. */
export interface SecondLook {
  encoding?: Encoding;
  normalisesLineEnds?: boolean;
}

const headBytes = 4 * 1_048_576;
const maxSampleRows = 20_000;
const maxSampleCells = 400_000;

/** Finds out what the source is. */
export async function openSource(opening: Opening): Promise<OpenSource> {
  const { paths, options, limits, workFolder } = opening;
  const compression = detectCompression(await readHead(paths, 16), options);
  const source: Source = { paths, compression };
  const bytes = await readUnpackedHead(source, limits, headBytes + 1);
  let unpacking: Promise<string> | undefined;
  return {
    ...opening,
    source,
    format: detectFormat(bytes, options),
    head: bytes.subarray(0, headBytes),
    isWholeHead: bytes.length <= headBytes,
    unpacked: () => (unpacking ??= unpackTo(source, limits, workFolder)),
  };
}

/** About how many columns a text has, from its first line, before anything is opened. */
export function estimateColumns({ format, head }: OpenSource): number {
  if (format === 'parquet') return 0;
  const [line = ''] = Buffer.from(head).toString('latin1').split('\n', 1);
  return line.split(/[,;\t|]/).length;
}

/** Opens the source as a table. @throws Problem naming what is wrong with the file, and where */
export async function openTable(
  engine: DataEngine,
  source: OpenSource,
  look: SecondLook = {},
): Promise<Table> {
  switch (source.format) {
    case 'csv':
      return await openCsv(source, look);
    case 'json-lines':
      return await openJson(engine, source, look);
    case 'parquet':
      return await openParquet(engine, source);
    default:
      return source.format satisfies never;
  }
}

async function openCsv(source: OpenSource, look: SecondLook): Promise<Table> {
  const { options, limits } = source;
  const text = decodeHead(source, look);
  const head = examineCsv(text.head, source.isWholeHead, options, limits);
  const path = await textFile(source, look, {
    encoding: text.encoding,
    head: text.head.slice(0, head.end),
    quote: head.dialect.quote,
  });
  const csv: CsvFile = {
    path,
    dialect: head.dialect,
    hasHeader: head.hasHeader,
    columnCount: head.names.length,
    raggedRows: options.raggedRows ?? 'refuse',
  };
  const { delimiter, quote, escape } = head.dialect;
  return {
    format: 'csv',
    columns: positionalColumns(head.names),
    relation: (nullValues) => csvRelation(csv, nullValues, limits),
    sample: head.rows,
    readings: undefined,
    detectsNullWords: true,
    suspicion: await suspicionOf(csv, limits),
    found: {
      ...foundOf(source, text.encoding),
      delimiter,
      quote,
      ...(escape !== quote && { escape }),
      hasHeader: head.hasHeader,
      raggedRows: csv.raggedRows,
    },
    warnings: [...encodingWarnings(source, text.encoding), ...head.warnings],
    csv,
  };
}

/** A field that is not quoted ends with its line. */
async function suspicionOf({ path, dialect }: CsvFile, limits: ImportLimits): Promise<TextSuspicion> {
  const quotes = [...Buffer.from(dialect.quote)];
  const found = await findBytes(path, [0, ...quotes]);
  return {
    zeroBytes: found.has(0),
    length: quotes.some((byte) => found.has(byte)) || (await hasLongLine(path, limits.maxFieldBytes)),
  };
}

async function openJson(engine: DataEngine, source: OpenSource, look: SecondLook): Promise<Table> {
  const { limits } = source;
  const text = decodeHead(source, look);
  const isArray = /^\s*\[/.test(text.head);
  const lastLineEnd = source.isWholeHead ? text.head.length : text.head.lastIndexOf('\n') + 1;
  const path = await textFile(source, look, {
    encoding: text.encoding,
    // An array has no end to cut it at: it is read whole.
    head: isArray || lastLineEnd === 0 ? undefined : text.head.slice(0, lastLineEnd),
    quote: '',
  });
  const form = isArray ? 'array' : 'newline_delimited';
  const keys = await readJsonKeys(engine, { path, form }, limits);
  refuseManyColumns(keys.length, limits);
  const file = { path, form, keys } as const;
  const relation = (nullValues: readonly string[]): Sql => jsonRelation(file, nullValues, limits);
  const { names, warnings } = uniqueNames(keys);
  return {
    format: 'json-lines',
    columns: positionalColumns(names),
    relation,
    sample: await sampleOf(engine, relation([]), keys.length),
    readings: undefined,
    detectsNullWords: false,
    suspicion: { zeroBytes: true, length: true },
    found: foundOf(source, text.encoding),
    warnings: [...encodingWarnings(source, text.encoding), ...warnings],
    csv: undefined,
  };
}

async function openParquet(engine: DataEngine, source: OpenSource): Promise<Table> {
  const path = await source.unpacked();
  await checkParquetFrame(path);
  const found = await readParquetColumns(engine, path);
  refuseManyColumns(found.length, source.limits);
  const { names, warnings } = uniqueNames(found.map(({ name }) => name));
  const { columns, readings } = parquetColumns(found, names);
  const relation = (): Sql => parquetRelation(path, found.length);
  return {
    format: 'parquet',
    columns,
    relation,
    sample: [],
    readings,
    detectsNullWords: false,
    suspicion: { zeroBytes: true, length: true },
    found: { format: 'parquet', compression: source.source.compression },
    warnings,
    csv: undefined,
  };
}

function decodeHead(source: OpenSource, look: SecondLook): { head: string; encoding: Encoding } {
  const encoding = look.encoding ?? source.options.encoding ?? detectEncoding(source.head);
  const decoder = decoderFor(encoding);
  const head = decoder.decode(source.head) + (source.isWholeHead ? decoder.end() : '');
  return { head, encoding };
}

async function textFile(
  source: OpenSource,
  look: SecondLook,
  text: { encoding: Encoding; head: string | undefined; quote: string },
): Promise<string> {
  const { encoding, quote } = text;
  const normalisesLineEnds = look.normalisesLineEnds ?? false;
  let path: string;
  let written = encoding;
  if (source.headOnly && text.head !== undefined) {
    path = join(source.workFolder, 'head.txt');
    await writeFile(path, text.head);
    written = 'utf-8';
  } else path = await source.unpacked();
  return await treatText(path, { encoding: written, normalisesLineEnds, quote }, source.workFolder);
}

async function sampleOf(
  engine: DataEngine,
  relation: Sql,
  columnCount: number,
): Promise<(string | null)[][]> {
  const rows = Math.max(100, Math.min(maxSampleRows, Math.floor(maxSampleCells / columnCount)));
  return (await engine.rows(sql`SELECT * FROM ${relation} LIMIT ${rows}`)) as (string | null)[][];
}

function foundOf(source: OpenSource, encoding: Encoding): ImportOptions {
  return { format: source.format, compression: source.source.compression, encoding };
}

function encodingWarnings(source: OpenSource, encoding: Encoding): string[] {
  if (encoding === 'utf-8' || source.options.encoding !== undefined) return [];
  return [`The text is not UTF-8; it was read as ${encoding}.`];
}

function refuseManyColumns(count: number, limits: ImportLimits): void {
  if (count <= limits.maxColumns) return;
  throw new Problem(
    'too-many-columns',
    `The file has ${count} columns; at most ${limits.maxColumns} are taken.`,
  );
}
